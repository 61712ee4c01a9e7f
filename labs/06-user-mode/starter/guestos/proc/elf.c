/*
 * Make an area, by vm_map(), of one PT_LOAD segment: its bytes [offset, offset + filesz) of the file are at
 * vaddr + bias, and zeros follow up to memsz. Both ends are rounded outwards to whole pages. The heap
 * (brk_start and brk) begins behind the highest area so far. A segment without a byte in memory (memsz) is
 * nothing. -ENOEXEC, before anything is mapped: filesz is larger than memsz; memsz or vaddr is beyond
 * USER_END; offset and vaddr are not at the same place in their pages; the file has no such bytes;
 * vm_overlaps(). -ENOEXEC, too, for vm_map()'s -EINVAL; its other errors are passed on. System V ABI,
 * "Program Header" and "Program Loading". Handout, section 4.4.
 */
static int map_segment(struct address_space *vm, struct vnode *node, const struct elf_phdr *p, uint64_t bias)
{
    (void)vm, (void)node, (void)p, (void)bias;
    return lab_todo(6, "map_segment", "handout section 4.4");
}
