/*
 * Read the `size` bytes of the file `fd` (its name, for messages, is `path`) into low RAM, vm->ram[0]: as
 * high as they go, beginning at a page; say where in vm->initrd, and reserve the place ("the initrd"), so
 * that no kernel is loaded over it. Returns 0, or what complain() gave: -EFBIG for a file that is empty, or
 * larger than the room, which is all of low RAM but its first MiB ("--initrd %s: %lu bytes; the guest's RAM
 * has room for 1 to %lu; use a larger --memory"), or the error of memory_reserve() (it has complained), or of
 * host_read_at() ("--initrd %s: %s"). PVH: start_info, "modlist". Handout, section 4.1.
 */
static int initrd_load(struct vm *vm, const char *path, int fd, uint64_t size)
{
    (void)vm, (void)path, (void)fd, (void)size;
    return lab_todo(6, "initrd_load", "handout section 4.1");
}
