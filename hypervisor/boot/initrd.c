/* `--initrd FILE`: the guest's first file system, handed over as the first boot module. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../feature.h"

#define PAGE_SIZE 4096ull

static struct option options[] = {
    {"initrd", "FILE", "the guest's first file system, given to the kernel in memory", NULL, NULL},
    {0},
};

/* As high in low RAM as it goes, where it is out of the kernel's way and below 4 GiB, as old protocols want
 * it. */
static int initrd_read(struct vm *vm, const char *path, int fd)
{
    const struct ram *low = &vm->ram[0];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return complain(-errno, "--initrd %s: %s", path, strerror(errno));
    uint64_t size = (uint64_t)st.st_size;
    if (size == 0 || size > low->size - MiB)
        return complain(
            -EFBIG, "--initrd %s: %llu bytes; the guest's RAM has room for 1 to %llu; use a larger --memory",
            path, (unsigned long long)size, (unsigned long long)(low->size - MiB));
    uint64_t gpa = (low->size - size) & ~(PAGE_SIZE - 1);
    int err = memory_reserve(vm, gpa, size, "the initrd");
    if (err == 0)
        err = host_read_at(fd, guest_ptr(vm, gpa, size), size, 0);
    if (err)
        return complain(err, "--initrd %s: %s", path, strerror(-err));
    vm->modules[vm->module_count++] = (struct range){gpa, size, "the initrd"};
    return 0;
}

static int initrd_attach(struct vm *vm)
{
    const char *path = options[0].value;

    if (!path)
        return 0;
    if (!vm->boot_source || vm->bare)
        return complain(-EINVAL, "--initrd %s: goes with a kernel; give --kernel FILE too", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return complain(-errno, "--initrd %s: %s", path, strerror(errno));
    int err = initrd_read(vm, path, fd);
    close(fd);
    return err;
}

FEATURE(initrd) = {
    .name = "initrd",
    .lab = 6,
    .help = "a first file system in memory",
    .options = options,
    .attach = initrd_attach,
};
