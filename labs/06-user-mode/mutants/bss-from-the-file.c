/* In: guestos/proc/elf.c. Caught by: unit_elf_load.behind_the_files_bytes_is_bss. Mistake: fills the bss with
 * what follows in the file. */
static int map_segment(struct address_space *vm, struct vnode *node, const struct elf_phdr *p, uint64_t bias)
{
    uint64_t inside = p->vaddr % PAGE_SIZE, start = p->vaddr - inside + bias;
    uint32_t prot =
        (p->flags & 4 ? PROT_READ : 0) | (p->flags & 2 ? PROT_WRITE : 0) | (p->flags & 1 ? PROT_EXEC : 0);

    if (p->memsz == 0)
        return 0;
    if (p->filesz > p->memsz || p->memsz > USER_END || p->vaddr > USER_END ||
        p->offset % PAGE_SIZE != inside || p->offset + p->filesz < p->offset ||
        p->offset + p->filesz > node->size)
        return -ENOEXEC;
    uint64_t size = ROUND_UP(inside + p->memsz, PAGE_SIZE);
    if (vm_overlaps(vm, start, size))
        return -ENOEXEC;
    int error = vm_map(vm, start, size, prot, false, node, p->offset - inside, inside + p->memsz);
    if (error == 0 && start + size > vm->brk)
        vm->brk = vm->brk_start = start + size;
    return error == -EINVAL ? -ENOEXEC : error;
}
