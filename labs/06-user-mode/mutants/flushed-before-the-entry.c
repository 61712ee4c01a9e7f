/* In: guestos/proc/vm.c. Caught by: unit_fork.the_first_write_makes_a_copy. Mistake: flushes first: the CPU
 * may load the old entry again. */
static int copy_page(pte_t *entry, uint64_t page)
{
    uint64_t old = *entry & PTE_ADDRESS, frame = old;

    if (frame_refs(old) > 1) {
        frame = alloc_page();
        if (!frame)
            return -ENOMEM;
        memcpy(phys_to_virt(frame), phys_to_virt(old), PAGE_SIZE);
        frame_put(old);
    }
    tlb_flush_page(page);
    *entry = frame | (*entry & ~(PTE_ADDRESS | PTE_COW)) | PTE_WRITE;
    return 0;
}
