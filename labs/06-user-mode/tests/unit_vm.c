/* A program's pages: they appear when they are touched, and after a fork they are shared until somebody
 * writes. */
/* sources: guestos/proc/vm.c guestos/proc/area.c guestos/mm/paging.c guestos/mm/frames.c */
/* sources: tests/unit/moss_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "expect.h"
#include "guestos/include/area.h"
#include "guestos/include/errno.h"
#include "guestos/include/fault.h"
#include "guestos/include/frames.h"
#include "guestos/include/heap.h"
#include "guestos/include/paging.h"
#include "guestos/include/vfs.h"
#include "guestos/include/vm.h"

#define RAM     (4ul << 20)
#define POISON  0xdd
#define CODE    0x400000ul
#define DATA    0x600000ul
#define FAR     0x7f0000000000ul /* tables of its own */
#define RIGHTS  (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_COW | PTE_SHARED | PTE_NOACCESS)
#define RW      (PROT_READ | PROT_WRITE)
#define ENDLESS 1000000

pte_t pte_noexec = 1ul << 63;

static struct address_space *vm;
static struct vnode node;
static uint8_t file[3 * PAGE_SIZE];
static unsigned node_refs, objects, objects_left, asked_for_memory;
static uint64_t frames_at_start;
static ssize_t read_says;

void *kmalloc(size_t size)
{
    if (objects_left == 0)
        return NULL;
    objects_left--;
    objects++;
    return calloc(1, size);
}

void kfree(void *p)
{
    objects -= p != NULL;
    free(p);
}

struct vnode *vnode_get(struct vnode *n)
{
    node_refs++;
    return n;
}

void vnode_put(struct vnode *n)
{
    (void)n;
    node_refs--;
}

ssize_t vnode_read(struct vnode *from, void *to, size_t n, uint64_t offset)
{
    assert_ptr_equal(from, &node);
    expect_true(offset % PAGE_SIZE + n <= PAGE_SIZE && n > 0, "at most a page is read, and at least a byte");
    if (read_says < 0)
        return read_says;
    if (offset >= node.size)
        return 0;
    n = n < node.size - offset ? n : node.size - offset;
    memcpy(to, file + offset, n);
    return (ssize_t)n;
}

bool out_of_memory(void)
{
    asked_for_memory++;
    return false;
}

/* ---- setting up ---- */

/* Give back frames that were full of something, so that whoever gets them next must not rely on zeros. */
static void poison_frames(void)
{
    uint64_t frames[64];

    for (unsigned i = 0; i < 64; i++) {
        frames[i] = frame_alloc();
        memset(phys_to_virt(frames[i]), POISON, PAGE_SIZE);
    }
    for (unsigned i = 0; i < 64; i++)
        frame_put(frames[i]);
}

static void give_ram(void)
{
    static bool given;

    if (given)
        return;
    given = true;
    moss_ram(RAM);
    frames_add(0, RAM);
    kernel_pml4 = frame_alloc_zero();
}

static int set_up(void **state)
{
    (void)state;
    give_ram();
    poison_frames();
    for (unsigned i = 0; i < sizeof file; i++)
        file[i] = (uint8_t)(i / PAGE_SIZE * 0x11 + i % 251 + 1);
    node.size = sizeof file;
    read_says = 0;
    objects_left = ENDLESS;
    objects = 0;
    frames_at_start = frames_free();
    vm = vm_create();
    return 0;
}

static void map(uint64_t start, uint64_t pages, uint32_t prot)
{
    assert_int_equal(vm_map(vm, start, pages * PAGE_SIZE, prot, false, NULL, 0, 0), 0);
}

static void map_file(uint64_t start, uint64_t pages, uint32_t prot, uint64_t offset, uint64_t bytes)
{
    assert_int_equal(vm_map(vm, start, pages * PAGE_SIZE, prot, false, &node, offset, bytes), 0);
}

static pte_t entry_in(struct address_space *space, uint64_t va)
{
    const pte_t *entry = pte_find(space->pml4, va, false);

    return entry ? *entry : 0;
}

static uint64_t frame_in(struct address_space *space, uint64_t va)
{
    return entry_in(space, va) & PTE_ADDRESS;
}

static uint8_t *bytes_in(struct address_space *space, uint64_t va)
{
    if (!entry_in(space, va))
        fail_msg("nothing is mapped at 0x%lx", va);
    return phys_to_virt(frame_in(space, va));
}

static void touch(struct address_space *space, uint64_t va, uint32_t access)
{
    int error = vm_fault(space, va, access);

    if (error)
        fail_msg("vm_fault(0x%lx, %u) gives %d; the area allows this access", va, access, error);
}

/* Like a write of the program's. */
static void write_byte(struct address_space *space, uint64_t va, uint8_t value)
{
    if (!(entry_in(space, va) & PTE_WRITE))
        touch(space, va, PROT_WRITE);
    bytes_in(space, va)[va % PAGE_SIZE] = value;
}

static void expect_all(const uint8_t *bytes, size_t n, uint8_t value, const char *lesson)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != value)
            fail_msg("byte %zu is 0x%02x, expected 0x%02x\n%s", i, bytes[i], value, lesson);
}

/* Have n frames left for the kernel, and none for programs unless n is more than the reserve. */
static uint64_t drained[RAM / PAGE_SIZE];
static unsigned drained_count;

static void leave_frames(uint64_t n)
{
    while (frames_free() > n)
        drained[drained_count++] = frame_alloc();
}

static void refill(void)
{
    while (drained_count)
        frame_put(drained[--drained_count]);
}

static void all_is_given_back(struct address_space *child)
{
    if (child)
        vm_put(child);
    vm_put(vm);
    expect_number(frames_free(), frames_at_start,
                  "when the processes are gone, every frame has come back: one owner for each mapping, no "
                  "more, no less");
}

/* ---- fill_page ---- */

static void fresh_memory_is_zeros(void **state)
{
    (void)state;
    map(DATA, 1, RW);
    touch(vm, DATA + 5, PROT_READ);
    expect_all(bytes_in(vm, DATA), PAGE_SIZE, 0,
               "an area without a file is zeros. The frame belonged to another program before (here it is "
               "full of 0xdd): "
               "what is not cleared, this program may read");
    all_is_given_back(NULL);
}

static void a_files_page_is_read_from_its_place(void **state)
{
    (void)state;
    map_file(CODE, 2, PROT_READ | PROT_EXEC, PAGE_SIZE, 2 * PAGE_SIZE);
    touch(vm, CODE + PAGE_SIZE + 9, PROT_EXEC);
    expect_bytes(bytes_in(vm, CODE + PAGE_SIZE), file + 2 * PAGE_SIZE, PAGE_SIZE,
                 "area->offset is the place of area->start in the file; this page is one further");
    expect_true(!entry_in(vm, CODE), "only the page that was touched is read");
    touch(vm, CODE, PROT_READ);
    expect_bytes(bytes_in(vm, CODE), file + PAGE_SIZE, PAGE_SIZE, "the first page is at area->offset");
    all_is_given_back(NULL);
}

static void behind_the_files_bytes_are_zeros(void **state)
{
    (void)state;
    map_file(DATA, 3, RW, 0, PAGE_SIZE + 100);
    touch(vm, DATA + PAGE_SIZE, PROT_READ);
    expect_bytes(bytes_in(vm, DATA + PAGE_SIZE), file + PAGE_SIZE, 100,
                 "the page that holds area->file_end has the file's bytes up to there");
    expect_all(bytes_in(vm, DATA + PAGE_SIZE) + 100, PAGE_SIZE - 100, 0,
               "and zeros behind: this is where a program's bss begins, and C promises zeros");
    touch(vm, DATA + 2 * PAGE_SIZE, PROT_READ);
    expect_all(bytes_in(vm, DATA + 2 * PAGE_SIZE), PAGE_SIZE, 0,
               "a page wholly behind area->file_end is zeros only");
    all_is_given_back(NULL);
}

static void a_page_beyond_the_file_cannot_be_had(void **state)
{
    (void)state;
    node.size = 10;
    map_file(DATA, 2, RW, 0, 2 * PAGE_SIZE);
    touch(vm, DATA, PROT_READ);
    expect_all(bytes_in(vm, DATA) + 10, PAGE_SIZE - 10, 0,
               "the file ends in this page (it was cut off): zeros follow");
    expect_number(
        (uint64_t)vm_fault(vm, DATA + PAGE_SIZE, PROT_READ), (uint64_t)-EIO,
        "the file ends before this page: vnode_read() gives 0, and the program gets SIGBUS for -EIO");
    read_says = -ENOMEM;
    expect_number((uint64_t)vm_fault(vm, DATA + PAGE_SIZE, PROT_READ), (uint64_t)-ENOMEM,
                  "what vnode_read() says is passed on");
    expect_true(!entry_in(vm, DATA + PAGE_SIZE), "nothing is mapped then");
    all_is_given_back(NULL);
}

/* ---- vm_fault ---- */

static void a_page_appears_when_it_is_touched(void **state)
{
    (void)state;
    map(DATA, 4, RW);
    expect_number(vm->resident, 0, "mapping alone takes no memory");
    touch(vm, DATA + PAGE_SIZE + 123, PROT_WRITE);
    expect_number(entry_in(vm, DATA + PAGE_SIZE) & RIGHTS, PTE_PRESENT | PTE_WRITE | PTE_USER,
                  "the page that holds the address is mapped, with the area's rights: add_page()");
    expect_number(vm->resident, 1, "that page, and no other");
    map(CODE, 1, PROT_READ | PROT_EXEC);
    touch(vm, CODE, PROT_EXEC);
    expect_true(!(entry_in(vm, CODE) & PTE_NOEXEC), "what may be executed has no NX bit");
    expect_true(entry_in(vm, DATA + PAGE_SIZE) & PTE_NOEXEC, "and what may not has it");
    all_is_given_back(NULL);
}

static void where_no_area_is_nothing_appears(void **state)
{
    static const char lesson[] = "no area has this address: -EFAULT (the program gets SIGSEGV, SEGV_MAPERR)";

    (void)state;
    map(DATA, 2, RW);
    expect_number((uint64_t)vm_fault(vm, DATA - 1, PROT_READ), (uint64_t)-EFAULT, lesson);
    expect_number((uint64_t)vm_fault(vm, DATA + 2 * PAGE_SIZE, PROT_READ), (uint64_t)-EFAULT, lesson);
    expect_number((uint64_t)vm_fault(vm, 0, PROT_WRITE), (uint64_t)-EFAULT, "a NULL pointer");
    expect_number((uint64_t)vm_fault(vm, 0xffffffff80100000, PROT_READ), (uint64_t)-EFAULT,
                  "the kernel's addresses");
    all_is_given_back(NULL);
}

static void the_areas_rights_decide(void **state)
{
    static const char lesson[] = "the area does not allow this access: -EACCES (SIGSEGV, SEGV_ACCERR), "
                                 "whether the page is there or not";

    (void)state;
    map(CODE, 2, PROT_READ | PROT_EXEC);
    map(DATA, 2, RW);
    expect_number((uint64_t)vm_fault(vm, CODE, PROT_WRITE), (uint64_t)-EACCES, lesson);
    expect_true(!entry_in(vm, CODE), "and no page was made for it");
    touch(vm, CODE, PROT_READ);
    expect_number((uint64_t)vm_fault(vm, CODE, PROT_WRITE), (uint64_t)-EACCES, lesson);
    touch(vm, DATA, PROT_READ);
    expect_number((uint64_t)vm_fault(vm, DATA, PROT_EXEC), (uint64_t)-EACCES, lesson);
    all_is_given_back(NULL);
}

static void an_old_translation_is_forgotten(void **state)
{
    (void)state;
    cpu_host_begin();
    map(DATA, 1, RW);
    touch(vm, DATA, PROT_WRITE);
    bytes_in(vm, DATA)[7] = 42;
    pte_t entry = entry_in(vm, DATA);
    cpu_host_flushes = 0;
    touch(vm, DATA + 7, PROT_WRITE);
    expect_number(entry_in(vm, DATA), entry,
                  "the page is there and the entry allows the access: do not make the page anew (its bytes "
                  "would be lost)");
    expect_number(bytes_in(vm, DATA)[7], 42, "the page's bytes stay");
    expect_number(
        cpu_host_flushes, 1,
        "why did the CPU fault then? Its TLB remembers an older state: tlb_flush_page(), and it works");
    all_is_given_back(NULL);
}

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

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fresh_memory_is_zeros),
        TEST(a_files_page_is_read_from_its_place),
        TEST(behind_the_files_bytes_are_zeros),
        TEST(a_page_beyond_the_file_cannot_be_had),
        TEST(a_page_appears_when_it_is_touched),
        TEST(where_no_area_is_nothing_appears),
        TEST(the_areas_rights_decide),
        TEST(an_old_translation_is_forgotten),
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
