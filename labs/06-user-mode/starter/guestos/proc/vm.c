/*
 * Fill the frame, which still has the bytes of its last owner, with what the area says is at `page`: bytes of
 * its file (vnode_read(), if there is a file) up to file_end, and zeros. Returns 0, what vnode_read() says if
 * that is negative, or -EIO if it has no byte for a page that should have some. Handout, section 4.5.
 */
static int fill_page(const struct area *area, uint64_t page, uint64_t frame)
{
    (void)area, (void)page, (void)frame;
    return lab_todo(6, "fill_page", "handout section 4.5");
}

/*
 * The program writes to a page that is PTE_COW: give it a page of its own, writable, and have the CPU forget
 * the old entry. If others own the frame too, that is a copy in a new frame (alloc_page()); else the frame
 * itself. Returns 0, or -ENOMEM: then nothing has changed. Intel SDM 3A §4.10.4. Handout, section 4.9.
 */
static int copy_page(pte_t *entry, uint64_t page)
{
    (void)entry, (void)page;
    (void)alloc_page; /* yours to use */
    return lab_todo(6, "copy_page", "handout section 4.9");
}

/* vm.h says what this does. Three cases: nothing is in the page's entry (add_page()); it is written to and
 * PTE_COW (copy_page()); or the entry is right already, and the CPU has to forget an old one. Handout,
 * section 4.6. */
int vm_fault(struct address_space *vm, uint64_t address, uint32_t access)
{
    (void)vm, (void)address, (void)access;
    (void)add_page, (void)copy_page; /* yours to use */
    return lab_todo(6, "vm_fault", "handout section 4.6");
}

/*
 * Map every page of the area (for_each_page()) that `from` has, in `to` as well, with the same flags; each
 * frame has an owner more then, and `to` a resident page more. Pages that can be written become PTE_COW on
 * both sides, and not writable, unless the area is shared. Returns 0 or -ENOMEM (page_map()). Handout,
 * section 4.8.
 */
static int fork_pages(struct address_space *from, struct address_space *to, const struct area *area)
{
    (void)from, (void)to, (void)area;
    (void)next_page; /* yours to use, as for_each_page() */
    return lab_todo(6, "fork_pages", "handout section 4.8");
}

/*
 * vm.h says what this does. `from` is the current address space: whatever happens, the CPU must forget the
 * entries that fork_areas() has made read-only. Intel SDM 3A §4.10.4.1. Handout, section 4.8.
 */
struct address_space *vm_fork(struct address_space *from)
{
    (void)from;
    (void)fork_areas; /* yours to use */
    lab_todo(6, "vm_fork", "handout section 4.8");
    return NULL;
}
