/* `--kernel` and `--append`: find the loader for the kernel's format, and hand over the command line. */
#include <unistd.h>
#include "kernel.h"

static struct option options[] = {
    {.name = "kernel", .arg = "FILE", .help = "the guest's kernel"},
    {.name = "append", .arg = "TEXT", .help = "words for the kernel's command line"},
    {0},
};

static int kernel_attach(struct vm *vm)
{
    const char *path = options[0].value, *append = options[1].value;

    if (append && !path)
        return complain(-EINVAL, "--append '%s' is for a kernel: give --kernel FILE too", append);
    if (!path)
        return 0;
    return vm_claim_boot(vm, "--kernel") ?: append ? vm_append_cmdline(vm, append) : 0;
}

static int kernel_boot(struct vm *vm)
{
    const char *path = options[0].value;
    uint8_t head[PAGE_SIZE] = {0};
    uint64_t size;

    if (!path)
        return 0;
    vm->kernel_fd = host_open("--kernel", path, &size);
    if (vm->kernel_fd < 0)
        return vm->kernel_fd;
    if (pread(vm->kernel_fd, head, sizeof head, 0) < 0)
        return complain(-EIO, "--kernel %s: %s", path, strerror(errno));
    for (struct loader **l = __start_loaders; l < __stop_loaders; l++)
        if ((*l)->probe(head))
            return (*l)->load(vm, path, vm->kernel_fd, size);
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
