/* In: hypervisor/boot/elf.c. Caught by: unit_elf.a_good_kernel_is_loaded. Mistake: reads p_memsz bytes from
 * the file, so that .bss is what happens to follow. */
static int elf_load_segment(const struct elf *elf, const Elf64_Phdr *p, struct vm *vm)
{
    int err = memory_reserve(vm, p->p_paddr, p->p_memsz, "a segment of the kernel");

    if (err)
        return err;
    err = host_read_at(elf->fd, guest_ptr(vm, p->p_paddr, p->p_memsz), p->p_memsz, p->p_offset);
    if (err)
        complain(err, "%s: cannot read the segment at offset %lu: %s", elf->name, p->p_offset,
                 strerror(-err));
    return err;
}
