/* In: hypervisor/boot/initrd.c. Caught by: unit_initrd.every_size_ends_inside_ram,
 * unit_initrd.it_lies_at_the_top_at_a_page. Mistake: rounds the address up: the initrd ends beyond RAM. */
static int initrd_load(struct vm *vm, const char *path, int fd, uint64_t size)
{
    uint64_t room = vm->ram[0].size - MiB, gpa = (vm->ram[0].size - size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

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
