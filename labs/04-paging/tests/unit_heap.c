/* The kernel heap of Moss: sizes, alignment, zeros; no object overlaps another, memory goes back, mistakes
 * panic. */
/* sources: guestos/mm/heap.c guestos/mm/frames.c tests/unit/moss_host.c */
#include <sys/mman.h>
#include "tests/unit/moss_host.h"
#include "guestos/include/frames.h"
#include "guestos/include/heap.h"

#define RAM        (8ul << 20)
#define LARGEST    2048 /* that is cut from a slab */
#define OBJECTS    512
#define OPERATIONS 100000

/* The place of guestos/mm/map.c: pages with addresses of their own, backed by nothing but the host. */
static size_t mapped_pages;
static bool map_is_full;

void *map_alloc(size_t pages)
{
    static uint64_t next = MAP_BASE;

    if (map_is_full)
        return NULL;
    void *at = mmap((void *)next, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(at, (void *)next);
    memset(at, 0xee, pages * PAGE_SIZE); /* what the heap gives out must be zero all the same */
    next += (pages + 1) * PAGE_SIZE;
    mapped_pages += pages;
    return at;
}

void map_free(void *address, size_t pages)
{
    munmap(address, pages * PAGE_SIZE);
    mapped_pages -= pages;
}

static int give_memory(void **state)
{
    (void)state;
    moss_ram(RAM);
    memset(phys_to_virt(0), 0xee, RAM);
    frames_add(PAGE_SIZE, RAM);
    return 0;
}

/* After every test the heap keeps no frame: empty slabs are given back. */
static int check_all_is_back(void **state)
{
    (void)state;
    assert_int_equal(frames_free(), frames_total());
    assert_int_equal(mapped_pages, 0);
    assert_int_equal(moss_locks_held(), 0);
    return 0;
}

static bool all_bytes_are(const unsigned char *p, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != value)
            return false;
    return true;
}

static void every_size_is_aligned_and_zero(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 3 * PAGE_SIZE; size++) {
        unsigned char *p = kmalloc(size);
        assert_non_null(p);
        assert_int_equal((uint64_t)p % 16, 0);
        assert_true(all_bytes_are(p, size, 0));
        memset(p, 0xaa, size);
        kfree(p);
    }
}

static void a_reused_object_is_zero_again(void **state)
{
    char *keep = kmalloc(64), *p = kmalloc(64);

    (void)state;
    memset(p, 0xff, 64);
    kfree(p);
    char *again = kmalloc(64);
    assert_ptr_equal(again, p);
    assert_true(all_bytes_are((unsigned char *)again, 64, 0));
    kfree(again);
    kfree(keep);
}

static void small_objects_share_frames(void **state)
{
    char *objects[PAGE_SIZE / 64];
    uint64_t before = frames_free();

    (void)state;
    for (unsigned i = 0; i < PAGE_SIZE / 64; i++)
        objects[i] = kmalloc(50);
    assert_int_equal(frames_free(), before - 1);
    char *one_more = kmalloc(50);
    assert_int_equal(frames_free(), before - 2);
    kfree(one_more);
    for (unsigned i = 0; i < PAGE_SIZE / 64; i++)
        kfree(objects[i]);
}

static void large_objects_have_pages_of_their_own(void **state)
{
    uint64_t before = frames_free();
    char *p = kmalloc(LARGEST + 1);

    (void)state;
    assert_int_equal(frames_free(), before);
    assert_int_equal(mapped_pages, 1);
    char *q = kmalloc(PAGE_SIZE); /* and a note before it */
    assert_int_equal(mapped_pages, 3);
    kfree(p);
    kfree(q);
}

static void sizes_that_wrap_are_refused(void **state)
{
    (void)state;
    assert_null(kmalloc(SIZE_MAX));
    assert_null(kmalloc(SIZE_MAX - 16));
    assert_null(kmalloc(SIZE_MAX - PAGE_SIZE));
}

static void used_up_memory_gives_null(void **state)
{
    struct link {
        struct link *next;
    } *all = NULL;

    (void)state;
    for (struct link *p; (p = kmalloc(LARGEST)) != NULL; all = p)
        p->next = all;
    assert_int_equal(frames_free(), 0);
    assert_null(kmalloc(1));
    map_is_full = true;
    assert_null(kmalloc(LARGEST + 1));
    map_is_full = false;
    while (all) {
        struct link *next = all->next;
        kfree(all);
        all = next;
    }
}

static void freeing_null_does_nothing(void **state)
{
    (void)state;
    kfree(NULL);
}

static void freeing_twice_panics(void **state)
{
    char *keep = kmalloc(32), *p = kmalloc(32);

    (void)state;
    kfree(p);
    expect_panic("free already", kfree(p));
    kfree(keep);
    expect_panic("not an object", kfree(keep)); /* its slab has gone, too */
}

static void freeing_what_is_no_object_panics(void **state)
{
    uint64_t frame = frame_alloc();
    char *p = kmalloc(100);

    (void)state;
    expect_panic("not an object", kfree(p + 1));
    expect_panic("not an object", kfree(p + 64)); /* the middle of one */
    expect_panic("not an object", kfree(phys_to_virt(frame)));
    expect_panic("not in memory", kfree((void *)0x1000));
    kfree(p);
    frame_put(frame);
}

static void a_frame_that_was_a_slab_is_like_any_other(void **state)
{
    uint64_t before = frames_free();

    (void)state;
    kfree(kmalloc(16));
    assert_int_equal(frames_free(), before);
    kfree(kmalloc(2048)); /* the same frame, cut differently */
    assert_int_equal(frames_free(), before);
}

static void kstrdup_copies(void **state)
{
    char *empty = kstrdup(""), *text = kstrdup("Moss");

    (void)state;
    assert_string_equal(empty, "");
    assert_string_equal(text, "Moss");
    kfree(empty);
    kfree(text);
}

/* A model of the heap: what each object should contain. */
static struct object {
    unsigned char *p, value;
    size_t size;
} objects[OBJECTS];

static size_t random_size(void)
{
    unsigned choice = moss_random() % 16;

    return choice < 12 ? moss_random() % 300 : choice < 15 ? moss_random() % 3000 : moss_random() % 20000;
}

static void replace(struct object *o)
{
    assert_true(all_bytes_are(o->p, o->size, o->value)); /* nobody else wrote there */
    kfree(o->p);
    *o = (struct object){.value = (unsigned char)moss_random()};
    if (moss_random() % 2)
        return;
    o->size = random_size();
    o->p = kmalloc(o->size);
    assert_non_null(o->p);
    assert_true(all_bytes_are(o->p, o->size, 0));
    memset(o->p, o->value, o->size);
}

static void random_use_never_mixes_objects(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPERATIONS; i++)
        replace(&objects[moss_random() % OBJECTS]);
    for (unsigned i = 0; i < OBJECTS; i++) {
        assert_true(all_bytes_are(objects[i].p, objects[i].size, objects[i].value));
        kfree(objects[i].p);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, check_all_is_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_size_is_aligned_and_zero),
        TEST(a_reused_object_is_zero_again),
        TEST(small_objects_share_frames),
        TEST(large_objects_have_pages_of_their_own),
        TEST(sizes_that_wrap_are_refused),
        TEST(used_up_memory_gives_null),
        TEST(freeing_null_does_nothing),
        TEST(freeing_twice_panics),
        TEST(freeing_what_is_no_object_panics),
        TEST(a_frame_that_was_a_slab_is_like_any_other),
        TEST(kstrdup_copies),
        TEST(random_use_never_mixes_objects),
    };

    return cmocka_run_group_tests(tests, give_memory, NULL);
}
