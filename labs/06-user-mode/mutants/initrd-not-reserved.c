/* In: hypervisor/boot/initrd.c. Caught by: unit_initrd.it_is_reserved_against_the_kernel,
 * unit_initrd.a_kernel_in_the_way_is_not_overwritten. Mistake: lets the kernel and the initrd lie on each
 * other. */
static int initrd_load(struct vm *vm, const char *path, int fd, uint64_t size)
{
    uint64_t room = vm->ram[0].size - MiB, gpa = (vm->ram[0].size - size) & ~(PAGE_SIZE - 1);

    if (size == 0 || size > room)
        return complain(
            -EFBIG, "--initrd %s: %lu bytes; the guest's RAM has room for 1 to %lu; use a larger --memory",
            path, size, room);
    vm->initrd = (struct range){gpa, size, "the initrd"};
    int err = host_read_at(fd, guest_ptr(vm, gpa, size), size, 0);
    return err ? complain(err, "--initrd %s: %s", path, strerror(-err)) : 0;
}
