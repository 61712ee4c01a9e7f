/* A program's pages appear when they are touched: fresh ones, or a file's. */
/* sources: guestos/proc/vm.c guestos/proc/area.c guestos/mm/paging.c guestos/mm/frames.c */
/* sources: tests/unit/moss_host.c tests/unit/cpu_host.c tests/unit/vm_host.c */
#include "tests/unit/vm_host.h"

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

#define TEST(name) cmocka_unit_test_setup(name, vm_begin)

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
