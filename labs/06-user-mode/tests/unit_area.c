/* The areas of an address space: finding, cutting and removing them, against a model with one mark for each
 * page. */
/* sources: guestos/proc/area.c tests/unit/moss_host.c */
#include <errno.h>
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "guestos/include/area.h"
#include "guestos/include/heap.h"

#define BASE  0x100000ul
#define PAGES 64

static struct address_space vm;
static unsigned objects, node_refs;
static bool no_memory;
static char node; /* stands for a vnode, which areas only count */

void *kmalloc(size_t size)
{
    if (no_memory)
        return NULL;
    objects++;
    return calloc(1, size);
}

void kfree(void *p)
{
    objects--;
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

static uint64_t page(unsigned n)
{
    return BASE + n * PAGE_SIZE;
}

static void add(unsigned first, unsigned end, bool file)
{
    struct area area = {.start = page(first), .end = page(end), .offset = first * PAGE_SIZE};

    if (file)
        area.vnode = (struct vnode *)&node;
    area_insert(&vm, area_clone(&area));
}

static int remove_all(void **state)
{
    (void)state;
    no_memory = false;
    area_remove(&vm, 0, UINT64_MAX);
    assert_null(vm.areas);
    assert_int_equal(vm.area_count, 0);
    assert_int_equal(objects, 0);
    assert_int_equal(node_refs, 0);
    return 0;
}

/* The areas as text: "0-2 5-6" are pages 0, 1 and 5. Also checks what must always hold. */
static const char *areas(void)
{
    static char text[16 * PAGES];
    uint64_t count = 0;
    size_t n = 0;

    text[0] = 0;
    for (const struct area *a = vm.areas; a; a = a->next) {
        count++;
        assert_true(a->start < a->end);
        assert_true(!a->next || a->end <= a->next->start);
        assert_int_equal(a->offset, a->start - BASE);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%lu-%lu", n ? " " : "",
                              (a->start - BASE) / PAGE_SIZE, (a->end - BASE) / PAGE_SIZE);
    }
    assert_int_equal(vm.area_count, count);
    return text;
}

static void areas_are_kept_in_order(void **state)
{
    (void)state;
    add(5, 6, false);
    add(0, 2, true);
    add(8, 9, false);
    add(2, 5, true);
    assert_string_equal(areas(), "0-2 2-5 5-6 8-9");
}

static void an_address_is_found_in_its_area(void **state)
{
    (void)state;
    add(1, 2, false);
    add(3, 5, false);
    assert_null(area_find(&vm, page(1) - 1));
    assert_int_equal(area_find(&vm, page(1))->start, page(1));
    assert_int_equal(area_find(&vm, page(2) - 1)->start, page(1));
    assert_null(area_find(&vm, page(2)));
    assert_int_equal(area_find(&vm, page(4))->start, page(3));
    assert_null(area_find(&vm, page(5)));
    assert_null(area_find(&vm, UINT64_MAX));
}

static void cutting_divides_the_areas_that_cross(void **state)
{
    (void)state;
    add(0, 10, true);
    assert_int_equal(area_cut(&vm, page(3), page(7)), 0);
    assert_string_equal(areas(), "0-3 3-7 7-10");
    assert_int_equal(node_refs, 3);
    assert_int_equal(area_cut(&vm, page(3), page(10)), 0); /* nothing crosses these */
    assert_string_equal(areas(), "0-3 3-7 7-10");
    assert_int_equal(area_cut(&vm, page(20), page(30)), 0);
    assert_int_equal(objects, 3);
}

static void without_memory_a_cut_changes_no_meaning(void **state)
{
    (void)state;
    add(0, 10, true);
    no_memory = true;
    assert_int_equal(area_cut(&vm, page(3), page(7)), -ENOMEM);
    assert_string_equal(areas(), "0-10");
    assert_int_equal(area_cut(&vm, page(0), page(10)), 0); /* needs none */
}

static void removing_takes_what_lies_inside(void **state)
{
    (void)state;
    add(0, 3, true);
    add(3, 7, true);
    add(7, 10, false);
    area_remove(&vm, page(3), page(7));
    assert_string_equal(areas(), "0-3 7-10");
    assert_int_equal(node_refs, 1);
    area_remove(&vm, page(0), page(0));
    assert_string_equal(areas(), "0-3 7-10");
}

/* As a program maps it: zeros, from page `first` on. */
static int map(unsigned first, unsigned end, uint32_t prot, bool file)
{
    struct area area = {.start = page(first), .end = page(end), .prot = prot, .offset = first * PAGE_SIZE};

    if (file)
        area.vnode = (struct vnode *)&node;
    return area_add(&vm, &area);
}

static void neighbours_that_mean_the_same_are_one_area(void **state)
{
    (void)state;
    assert_int_equal(map(4, 5, PROT_READ, false), 0);
    assert_int_equal(map(5, 7, PROT_READ, false), 0);
    assert_string_equal(areas(), "4-7");
    assert_int_equal(map(7, 8, PROT_WRITE, false), 0);
    assert_int_equal(map(8, 9, PROT_WRITE, true), 0);
    assert_int_equal(map(9, 10, PROT_WRITE, false), 0);
    assert_string_equal(areas(), "4-7 7-8 8-9 9-10");
    assert_int_equal(map(12, 13, PROT_WRITE, false), 0);
    assert_int_equal(map(10, 12, PROT_WRITE, false), 0);
    assert_string_equal(areas(), "4-7 7-8 8-9 9-12 12-13");
}

static void an_area_grows_downwards(void **state)
{
    struct area high = {.start = page(5), .end = page(6)}, low = {.start = page(4), .end = page(5)};

    (void)state;
    assert_int_equal(area_add(&vm, &high), 0);
    assert_int_equal(area_add(&vm, &low), 0);
    assert_int_equal(vm.area_count, 1);
    assert_int_equal(vm.areas->start, page(4));
}

static void the_number_of_areas_is_limited(void **state)
{
    (void)state;
    assert_int_equal(map(0, 10, PROT_READ, false), 0);
    vm.area_count += AREAS_MAX - 2;
    assert_int_equal(map(12, 13, PROT_READ, false), 0);
    assert_int_equal(map(20, 21, PROT_READ, false), -ENOMEM);
    assert_int_equal(area_cut(&vm, page(3), page(4)), -ENOMEM);
    assert_int_equal(map(10, 11, PROT_READ, false), 0); /* joins, so there is no more */
    vm.area_count -= AREAS_MAX - 2;
    assert_string_equal(areas(), "0-11 12-13");
}

static void overlaps_are_seen_at_every_edge(void **state)
{
    (void)state;
    add(4, 6, false);
    assert_false(vm_overlaps(&vm, page(2), 2 * PAGE_SIZE));
    assert_true(vm_overlaps(&vm, page(2), 2 * PAGE_SIZE + 1));
    assert_true(vm_overlaps(&vm, page(5), 1));
    assert_true(vm_overlaps(&vm, page(0), 64 * PAGE_SIZE));
    assert_false(vm_overlaps(&vm, page(6), PAGE_SIZE));
}

static void the_highest_gap_is_found(void **state)
{
    struct area top = {.start = MMAP_TOP - 4 * PAGE_SIZE, .end = MMAP_TOP - PAGE_SIZE, .offset = 0};
    struct area stack = {.start = MMAP_TOP + PAGE_SIZE, .end = USER_END, .offset = 0};

    (void)state;
    assert_int_equal(vm_find_free(&vm, PAGE_SIZE), MMAP_TOP - PAGE_SIZE);
    area_insert(&vm, area_clone(&stack)); /* lies above the top, and does not matter */
    area_insert(&vm, area_clone(&top));
    assert_int_equal(vm_find_free(&vm, PAGE_SIZE), MMAP_TOP - PAGE_SIZE);
    assert_int_equal(vm_find_free(&vm, 2 * PAGE_SIZE), MMAP_TOP - 6 * PAGE_SIZE);
    assert_int_equal(vm_find_free(&vm, MMAP_TOP - USER_START - 4 * PAGE_SIZE), USER_START);
    assert_int_equal(vm_find_free(&vm, MMAP_TOP - USER_START - 3 * PAGE_SIZE), 0);
    assert_int_equal(vm_find_free(&vm, UINT64_MAX & ~0xffful), 0);
}

/* Does every page have the meaning that the model says? */
static void compare(const bool *mapped)
{
    areas();
    for (unsigned i = 0; i < PAGES; i++) {
        const struct area *a = area_find(&vm, page(i));
        assert_int_equal(a != NULL, mapped[i]);
        assert_int_equal(vm_overlaps(&vm, page(i), PAGE_SIZE), mapped[i]);
    }
}

static void random_maps_and_unmaps_agree_with_a_model(void **state)
{
    bool mapped[PAGES] = {false};

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        unsigned first = moss_random() % PAGES, end = first + 1 + moss_random() % (PAGES - first);
        bool map = moss_random() % 2;

        assert_int_equal(area_cut(&vm, page(first), page(end)), 0);
        area_remove(&vm, page(first), page(end));
        if (map)
            add(first, end, moss_random() % 2);
        memset(mapped + first, map, end - first);
        compare(mapped);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(areas_are_kept_in_order),
        TEST(an_address_is_found_in_its_area),
        TEST(cutting_divides_the_areas_that_cross),
        TEST(without_memory_a_cut_changes_no_meaning),
        TEST(removing_takes_what_lies_inside),
        TEST(neighbours_that_mean_the_same_are_one_area),
        TEST(an_area_grows_downwards),
        TEST(the_number_of_areas_is_limited),
        TEST(overlaps_are_seen_at_every_edge),
        TEST(the_highest_gap_is_found),
        TEST(random_maps_and_unmaps_agree_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
