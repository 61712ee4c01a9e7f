/* In: hypervisor/memory.c. Caught by: kvm_exits.two_pieces_of_ram_are_one_file. Mistake: the same slot number
 * for each piece; with less than 3 GiB nobody notices. */
static int memory_add(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t fd_offset)
{
    void *hva =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, vm->ram_fd, (off_t)fd_offset);
    if (hva == MAP_FAILED)
        return complain(-ENOMEM, "cannot map %lu MiB of guest RAM: %s; try a smaller --memory", size / MiB,
                        strerror(errno));
    struct kvm_userspace_memory_region region = {0, 0, gpa, size, (uintptr_t)hva};
    vm->ram[vm->ram_count] = (struct ram){gpa, size, hva, vm->ram_count};
    vm->ram_count++;
    return kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region, "take so much RAM; try a smaller --memory");
}
