/* `--kernel` and `--append`: find the loader for the kernel's format, and hand over the command line. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "kernel.h"

static struct option options[] = {
    {"kernel", "FILE", "the guest's kernel", NULL, NULL},
    {"append", "TEXT", "words for the kernel's command line", NULL, NULL},
    {0},
};

static int kernel_attach(struct vm *vm)
{
    if (options[1].value && !options[0].value)
        return complain(-EINVAL, "--append '%s' is for a kernel: give --kernel FILE too", options[1].value);
    if (!options[0].value)
        return 0;
    int err = vm_claim_boot(vm, "--kernel");
    return err || !options[1].value ? err : vm_append_cmdline(vm, "%s", options[1].value);
}

static int kernel_boot(struct vm *vm)
{
    const char *path = options[0].value;
    uint8_t head[KERNEL_HEAD] = {0};

    if (!path)
        return 0;
    vm->kernel_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (vm->kernel_fd < 0 || pread(vm->kernel_fd, head, sizeof head, 0) < 0)
        return complain(-errno, "--kernel %s: %s", path, strerror(errno));
    FOR_EACH_LOADER(l)
    if ((*l)->probe(head))
        return (*l)->load(vm, path, vm->kernel_fd);
    return complain(-ENOEXEC,
                    "--kernel %s: not a kernel that this build can load, such as an ELF file with a PVH note",
                    path);
}

FEATURE(kernel) = {
    .name = "kernel",
    .lab = 2,
    .help = "load a kernel",
    .options = options,
    .attach = kernel_attach,
    .boot = kernel_boot,
};
