/* `--initrd FILE`: the guest's first file system, handed over as the first boot module. */
#include <unistd.h>
#include "../feature.h"

static struct option options[] = {
    {.name = "initrd", .arg = "FILE", .help = "the guest's first file system, given to the kernel in memory"},
    {0},
};

/* As high in low RAM as it goes, where it is out of the kernel's way and below 4 GiB, as old protocols want
 * it. */
static int initrd_load(struct vm *vm, const char *path, int fd, uint64_t size)
{
    uint64_t room = vm->ram[0].size - MiB, gpa = (vm->ram[0].size - size) & ~(PAGE_SIZE - 1);

    if (size == 0 || size > room)
        return complain(
            -EFBIG, "--initrd %s: %lu bytes; the guest's RAM has room for 1 to %lu; use a larger --memory",
            path, size, room);
    vm->initrd = (struct range){gpa, size, "the initrd"};
    int err = memory_reserve(vm, gpa, size, "the initrd");
    if (err)
        return err;
    err = host_read_at(fd, guest_ptr(vm, gpa, size), size, 0);
    return err ? complain(err, "--initrd %s: %s", path, strerror(-err)) : 0;
}

static int initrd_attach(struct vm *vm)
{
    const char *path = options[0].value;
    uint64_t size;

    if (!path)
        return 0;
    if (!vm->boot_source || vm->bare)
        return complain(-EINVAL, "--initrd %s: goes with a kernel; give --kernel FILE too", path);
    int fd = host_open("--initrd", path, &size);
    if (fd < 0)
        return fd;
    int err = initrd_load(vm, path, fd, size);
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
