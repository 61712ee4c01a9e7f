/* A program's pages after a fork: they are shared until somebody writes. */
/* sources: guestos/proc/vm.c guestos/proc/area.c guestos/mm/paging.c guestos/mm/frames.c */
/* sources: tests/unit/moss_host.c tests/unit/cpu_host.c tests/unit/vm_host.c */
#include "tests/unit/vm_host.h"

/* ---- copy_page ---- */

static pte_t *watched;
static pte_t at_flush;

static void note_entry(uint64_t va)
{
    (void)va;
    at_flush = *watched;
}

static struct address_space *fork_it(void)
{
    cpu_host_begin();
    struct address_space *child = vm_fork(vm);

    expect_true(child != NULL, "there is memory enough for vm_fork()");
    return child;
}

static void the_first_write_makes_a_copy(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    write_byte(vm, DATA + 1, 1);
    struct address_space *child = fork_it();
    uint64_t shared = frame_in(vm, DATA);
    watched = pte_find(child->pml4, DATA, false);
    cpu_host_on_flush = note_entry;
    cpu_host_flushes = 0;
    write_byte(child, DATA + 2, 2);
    expect_true(frame_in(child, DATA) != shared, "the writer gets a frame of its own");
    expect_number(bytes_in(child, DATA)[1], 1, "with a copy of what was in the page");
    expect_number(bytes_in(vm, DATA)[2], 0, "what is written to it, the other side does not see");
    expect_number(entry_in(child, DATA) & RIGHTS, PTE_PRESENT | PTE_WRITE | PTE_USER,
                  "the copy is writable, and not PTE_COW any more");
    expect_true(entry_in(child, DATA) & PTE_NOEXEC, "all other bits of the entry stay as they were");
    expect_number(frame_refs(shared), 1, "the frame has one owner fewer");
    expect_number(frame_refs(frame_in(child, DATA)), 1, "the copy has one");
    expect_true(cpu_host_flushes > 0 && cpu_host_flushed == DATA, "the CPU forgets the read-only entry");
    expect_number(at_flush, entry_in(child, DATA), "first the entry, then the flush");
    all_is_given_back(child);
}

static void the_last_owner_keeps_the_page(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    write_byte(vm, DATA, 1);
    struct address_space *child = fork_it();
    write_byte(child, DATA, 2);
    uint64_t frame = frame_in(vm, DATA), free = frames_free();
    write_byte(vm, DATA + 1, 3);
    expect_number(frame_in(vm, DATA), frame, "nobody else has this frame any more: no copy is needed");
    expect_number(frames_free(), free,
                  "no frame is taken, and above all none is given back that is still mapped");
    expect_number(frame_refs(frame), 1, "its owner stays its owner");
    expect_number(entry_in(vm, DATA) & RIGHTS, PTE_PRESENT | PTE_WRITE | PTE_USER,
                  "the page just becomes writable again");
    all_is_given_back(child);
}

static void without_memory_the_page_stays_shared(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    write_byte(vm, DATA, 1);
    struct address_space *child = fork_it();
    pte_t entry = entry_in(vm, DATA);
    leave_frames(FRAMES_RESERVE);
    asked_for_memory = 0;
    int error = vm_fault(vm, DATA, PROT_WRITE);
    refill();
    expect_number((uint64_t)error, (uint64_t)-ENOMEM, "no frame for the copy: -ENOMEM");
    expect_true(asked_for_memory > 0,
                "alloc_page(), not frame_alloc(): it takes no frame of the kernel's reserve, and "
                "asks out_of_memory() first");
    expect_number(entry_in(vm, DATA), entry, "the entry is as it was");
    expect_number(frame_refs(frame_in(vm, DATA)), 2, "and both still own the frame");
    all_is_given_back(child);
}

/* ---- fork_pages, vm_fork ---- */

static void a_fork_shares_every_page(void **state)
{
    (void)state;
    map(DATA, 3, RW);
    map(FAR, 1, RW);
    write_byte(vm, DATA, 1);
    write_byte(vm, DATA + 2 * PAGE_SIZE, 2);
    write_byte(vm, FAR, 3);
    struct address_space *child = fork_it();
    expect_number(frame_in(child, DATA), frame_in(vm, DATA),
                  "the same frame is mapped in both: fork copies no page");
    expect_number(frame_in(child, FAR), frame_in(vm, FAR), "every page of every area");
    expect_number(frame_refs(frame_in(vm, DATA)), 2,
                  "a frame that is mapped twice has two owners: frame_get()");
    expect_true(!entry_in(child, DATA + PAGE_SIZE),
                "a page that was never touched is not there in the child either");
    expect_number(child->resident, 3, "the child's pages are counted");
    expect_number(child->area_count, 2, "the child has the same areas");
    all_is_given_back(child);
}

static void neither_side_can_write_to_a_shared_page(void **state)
{
    static const char lesson[] =
        "P and U stay, W goes, and PTE_COW says that this page is to be copied at the first write";

    (void)state;
    map(DATA, 1, RW);
    write_byte(vm, DATA, 1);
    struct address_space *child = fork_it();
    expect_number(entry_in(child, DATA) & RIGHTS, PTE_PRESENT | PTE_USER | PTE_COW, lesson);
    expect_number(entry_in(vm, DATA) & RIGHTS, PTE_PRESENT | PTE_USER | PTE_COW,
                  "the parent's entry, too: what the parent writes, the child must not see");
    expect_true(entry_in(child, DATA) & PTE_NOEXEC,
                "what could not be executed can not be executed in the child");
    all_is_given_back(child);
}

static void what_cannot_be_written_is_not_copied_later(void **state)
{
    (void)state;
    map_file(CODE, 1, PROT_READ | PROT_EXEC, 0, PAGE_SIZE);
    touch(vm, CODE, PROT_EXEC);
    struct address_space *child = fork_it();
    expect_number(entry_in(child, CODE) & RIGHTS, PTE_PRESENT | PTE_USER,
                  "code is read-only anyway: shared for good, no PTE_COW (a write would be allowed after the "
                  "\"copy\")");
    expect_number(frame_refs(frame_in(vm, CODE)), 2, "two owners, as of every shared page");
    all_is_given_back(child);
}

static void shared_memory_stays_shared(void **state)
{
    (void)state;
    assert_int_equal(vm_map(vm, DATA, PAGE_SIZE, RW, true, NULL, 0, 0), 0);
    struct address_space *child = fork_it();
    expect_number(entry_in(child, DATA) & RIGHTS, PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_SHARED,
                  "area->shared (MAP_SHARED): both sides go on writing to the same frame");
    expect_number(entry_in(vm, DATA), entry_in(child, DATA), "the entries are the same");
    all_is_given_back(child);
}

static void a_page_that_nobody_may_use_is_forked_too(void **state)
{
    (void)state;
    cpu_host_begin();
    map(DATA, 1, RW);
    write_byte(vm, DATA, 5);
    assert_int_equal(vm_protect(vm, DATA, PAGE_SIZE, 0), 0);
    struct address_space *child = fork_it();
    expect_number(entry_in(child, DATA) & RIGHTS, PTE_NOACCESS,
                  "after mprotect(PROT_NONE) the frame is there, and P is clear: the child has it as well");
    expect_number(frame_refs(frame_in(vm, DATA)), 2, "with an owner more");
    all_is_given_back(child);
}

static void grandchildren_share_too(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    write_byte(vm, DATA, 1);
    struct address_space *child = fork_it(), *grandchild = vm_fork(child);
    expect_number(frame_refs(frame_in(vm, DATA)), 3, "three mappings, three owners");
    expect_number(entry_in(grandchild, DATA) & RIGHTS, PTE_PRESENT | PTE_USER | PTE_COW,
                  "a page that is PTE_COW already has no W any more, and is still to be copied");
    write_byte(child, DATA, 2);
    expect_number(bytes_in(vm, DATA)[0] + bytes_in(grandchild, DATA)[0], 2,
                  "one writes, the two others see nothing");
    vm_put(grandchild);
    all_is_given_back(child);
}

static bool still_writable;

static void look_at_entry(void)
{
    still_writable = *watched & PTE_WRITE;
}

static void the_cpu_forgets_the_writable_entries(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    map(FAR, 1, RW);
    write_byte(vm, DATA, 1);
    write_byte(vm, FAR, 1);
    watched = pte_find(vm->pml4, FAR, false); /* the last to be changed */
    cpu_host_cr3 = vm->pml4;
    cpu_host_cr3_loads = cpu_host_flushes = 0;
    cpu_host_on_cr3 = look_at_entry;
    struct address_space *child = fork_it();
    expect_true(cpu_host_cr3_loads > 0 || cpu_host_flushes >= 2,
                "the parent runs on with a TLB that says \"writable\": it would write into the child's "
                "memory. Load CR3 "
                "again, that empties the TLB (Intel SDM 3A §4.10.4.1)");
    expect_true(!still_writable, "after the last entry was changed, not before");
    expect_number(cpu_host_cr3, vm->pml4, "CR3 itself stays as it was: read_cr3(), write_cr3()");
    cpu_host_on_cr3 = NULL;
    all_is_given_back(child);
}

static void the_heap_is_at_the_same_place(void **state)
{
    (void)state;
    vm->brk_start = DATA;
    vm->brk = DATA + 100;
    struct address_space *child = fork_it();
    expect_number(child->brk_start, DATA, "brk_start is the parent's");
    expect_number(child->brk, DATA + 100, "brk is the parent's");
    all_is_given_back(child);
}

static void a_fork_without_memory_leaves_no_trace(void **state)
{
    static const char lesson[] =
        "memory ran out on the way: NULL, and all that the child had got is given back, vm_put()";

    (void)state;
    cpu_host_begin();
    map(DATA, 2, RW);
    map(FAR, 1, RW);
    write_byte(vm, DATA, 1);
    write_byte(vm, DATA + PAGE_SIZE, 1);
    write_byte(vm, FAR, 1);
    poison_frames();
    for (unsigned n = 0; n < 7; n++) { /* the child needs a PML4, and three tables for each of two places */
        leave_frames(n);
        unsigned loads = cpu_host_cr3_loads;
        struct address_space *child = vm_fork(vm);
        uint64_t left = frames_free();
        refill();
        expect_true(child == NULL, lesson);
        expect_number(left, n, lesson);
        expect_number(frame_refs(frame_in(vm, DATA)), 1, lesson);
        expect_true(n < 4 || cpu_host_cr3_loads > loads,
                    "the parent's entries have changed all the same: CR3");
    }
    for (unsigned n = 0; n < 3; n++) { /* an address space and two areas */
        objects_left = n;
        expect_true(vm_fork(vm) == NULL, lesson);
        expect_number(frame_refs(frame_in(vm, DATA)), 1, lesson);
    }
    objects_left = ENDLESS;
    struct address_space *child = vm_fork(vm);
    expect_true(child != NULL, "with memory enough it works afterwards");
    all_is_given_back(child);
    expect_number(objects, 0, "and every object of the heap has come back");
}

#define TEST(name) cmocka_unit_test_setup(name, vm_begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_write_makes_a_copy),
        TEST(the_last_owner_keeps_the_page),
        TEST(without_memory_the_page_stays_shared),
        TEST(a_fork_shares_every_page),
        TEST(neither_side_can_write_to_a_shared_page),
        TEST(what_cannot_be_written_is_not_copied_later),
        TEST(shared_memory_stays_shared),
        TEST(a_page_that_nobody_may_use_is_forked_too),
        TEST(grandchildren_share_too),
        TEST(the_cpu_forgets_the_writable_entries),
        TEST(the_heap_is_at_the_same_place),
        TEST(a_fork_without_memory_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
