/* `--huge-pages`: the host gives RAM in pages of 2 MiB. Then the first touch of each 2 MiB leaves the guest,
 * not of each 4 KiB, and a walk of the nested page tables is one level shorter. madvise(2), "MADV_HUGEPAGE".
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "feature.h"

/* Linux, admin-guide/mm/transhuge.rst. */
#define SETTING "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static struct option options[] = {
    {.name = "huge-pages",
     .help = "RAM in pages of 2 MiB: faster at first touch; counts of touched memory get coarse"},
    {0},
};

/* RAM is a memfd, and for those the host must allow it. */
static bool is_allowed(void)
{
    char text[128] = "";
    int fd = open(SETTING, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    return n > 0 && !strstr(text, "[never]") && !strstr(text, "[deny]");
}

static int huge_pages_attach(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    if (!is_allowed())
        return complain(-EOPNOTSUPP, "--huge-pages: the host gives none to memory files; as root there: "
                                     "echo advise >" SETTING);
    for (unsigned i = 0; i < vm->ram_count; i++)
        if (madvise(vm->ram[i].hva, vm->ram[i].size, MADV_HUGEPAGE) < 0)
            return complain(-errno, "--huge-pages: %s", strerror(errno));
    return 0;
}

FEATURE(huge_pages) = {
    .name = "huge-pages",
    .lab = 4,
    .help = "the guest's RAM in large pages of the host's",
    .options = options,
    .attach = huge_pages_attach,
};
