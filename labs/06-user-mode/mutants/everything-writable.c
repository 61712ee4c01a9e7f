/* In: guestos/proc/elf.c. Caught by: unit_elf_load.rights_are_those_of_the_flags. Mistake: every page may be
 * written and executed. */
static int map_segment(struct address_space *vm, struct vnode *node, const struct elf_phdr *p, uint64_t bias)
{
    uint64_t inside = p->vaddr % PAGE_SIZE, start = p->vaddr - inside + bias;
    uint32_t prot = PROT_READ | PROT_WRITE | PROT_EXEC;

    if (p->memsz == 0)
        return 0;
    if (p->filesz > p->memsz || p->memsz > USER_END || p->vaddr > USER_END ||
        p->offset % PAGE_SIZE != inside || p->offset + p->filesz < p->offset ||
        p->offset + p->filesz > node->size)
        return -ENOEXEC;
    uint64_t size = ROUND_UP(inside + p->memsz, PAGE_SIZE);
    if (vm_overlaps(vm, start, size))
        return -ENOEXEC;
    int error = vm_map(vm, start, size, prot, false, node, p->offset - inside, inside + p->filesz);
    if (error == 0 && start + size > vm->brk)
        vm->brk = vm->brk_start = start + size;
    return error == -EINVAL ? -ENOEXEC : error;
}
