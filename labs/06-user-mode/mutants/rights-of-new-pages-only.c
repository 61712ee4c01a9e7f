/* In: guestos/proc/vm.c. Caught by: unit_vm.the_areas_rights_decide. Mistake: looks at the rights only when
 * the page is made. */
int vm_fault(struct address_space *vm, uint64_t address, uint32_t access)
{
    uint64_t page = ROUND_DOWN(address, PAGE_SIZE);
    struct area *area = address < USER_END ? area_find(vm, address) : NULL;

    if (!area)
        return -EFAULT;
    pte_t *entry = pte_find(vm->pml4, page, false);
    if (!entry || !*entry)
        return !(area->prot & access) ? -EACCES : add_page(vm, area, page);
    if (access == PROT_WRITE && (*entry & PTE_COW))
        return copy_page(entry, page);
    tlb_flush_page(page); /* the tables allow it: the CPU remembered an older state */
    return 0;
}
