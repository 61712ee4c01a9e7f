/* The frame allocator of Moss: no frame is given out twice, none is lost, and mistakes of its callers end in
 * a panic. */
/* sources: guestos/mm/frames.c tests/unit/moss_host.c */
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/frames.h"

#define RAM    (64ul << 20)
#define START  (1ul << 20)
#define RANGE  1024ul /* frames in the range that most tests use */
#define NOTES  (RANGE * sizeof(struct frame) / PAGE_SIZE)
#define FRAMES (RANGE - NOTES)

static uint64_t taken[4 * RANGE];

static int give_memory(void **state)
{
    (void)state;
    moss_ram(RAM);
    frames_add(START, START + RANGE * PAGE_SIZE);
    return 0;
}

/* Every test, and what must be true when it is done: all frames are back and no lock is held. A teardown
 * would say so after a test that failed, too. */
static void then_all_is_back(void **state)
{
    CMUnitTestFunction test = *state;

    test(state);
    expect_number(frames_free(), frames_total(),
                  "every frame is back: `available` must go up and down with them");
    expect_number(moss_locks_held(), 0, "each spin_lock() has its spin_unlock(), on every way out");
}

static unsigned take_all(uint64_t (*alloc)(void))
{
    unsigned n = 0;

    for (uint64_t frame; (frame = alloc()) != 0;) {
        assert_true(n < 4 * RANGE);
        taken[n++] = frame;
    }
    return n;
}

static void give_back(unsigned n)
{
    while (n > 0)
        frame_put(taken[--n]);
}

static int by_address(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void the_notes_are_taken_from_the_range(void **state)
{
    (void)state;
    expect_number(
        frames_total(), FRAMES,
        "a struct frame for each frame, rounded up to whole frames, lies at the end of the range; the rest "
        "is given out");
    expect_number(frames_free(), FRAMES, "all of it is free at first");
}

static void frames_that_were_never_given_out_come_together(void **state)
{
    uint64_t before = frames_free(), first = frames_alloc_together(10);

    (void)state;
    assert_int_not_equal(first, 0);
    assert_int_equal(frames_free(), before - 10);
    assert_int_equal(frames_alloc_together(FRAMES), 0);
    assert_int_equal(frame_alloc(), first + 10 * PAGE_SIZE);
    frame_put(first + 10 * PAGE_SIZE);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(frame_refs(first + i * PAGE_SIZE), 1);
        frame_put(first + i * PAGE_SIZE);
    }
}

static void every_frame_is_given_out_once(void **state)
{
    (void)state;
    unsigned n = take_all(frame_alloc);
    expect_number(n, frames_total(), "all frames can be had, and not one more: 0 when none is left");
    expect_number(frames_free(), 0, "then none is free");
    qsort(taken, n, sizeof *taken, by_address);
    for (unsigned i = 0; i < n; i++) {
        expect_number(
            taken[i], START + i * PAGE_SIZE,
            "sorted, they are one behind the other: none twice, none skipped, none beyond the range");
        memset(phys_to_virt(taken[i]), 0xff, PAGE_SIZE); /* must not touch the notes */
    }
    for (unsigned i = 0; i < n; i++)
        expect_number(frame_refs(taken[i]), 1,
                      "a frame has one owner when it is given out; writing to it changes no note");
    give_back(n);
}

static void a_frame_that_came_back_is_given_out_again(void **state)
{
    (void)state;
    unsigned n = take_all(frame_alloc);
    frame_put(taken[7]);
    expect_number(frames_free(), 1, "its only owner has put it: it is free");
    expect_number(frame_alloc(), taken[7], "the free list has it");
    expect_number(frame_alloc(), 0, "and had it once");
    frame_put(taken[3]);
    frame_put(taken[9]);
    expect_number(frames_free(), 2, "two came back");
    uint64_t one = frame_alloc(), other = frame_alloc();
    expect_true((one == taken[3] && other == taken[9]) || (one == taken[9] && other == taken[3]),
                "each frame that came back is given out once: next_free leads from one to the next");
    expect_number(frame_refs(one), 1, "with one owner");
    expect_number(frames_free(), 0, "and then none is free");
    give_back(n);
}

static void a_zeroed_frame_is_zero(void **state)
{
    static const char zeros[PAGE_SIZE];
    uint64_t dirty = frame_alloc();

    (void)state;
    memset(phys_to_virt(dirty), 0xff, PAGE_SIZE);
    frame_put(dirty);
    uint64_t clean = frame_alloc_zero();
    assert_int_equal(clean, dirty);
    assert_memory_equal(phys_to_virt(clean), zeros, PAGE_SIZE);
    frame_put(clean);
    unsigned n = take_all(frame_alloc);
    assert_int_equal(frame_alloc_zero(), 0);
    give_back(n);
}

static void a_shared_frame_stays_until_the_last_owner_leaves(void **state)
{
    uint64_t frame = frame_alloc(), free = frames_free();

    (void)state;
    frame_get(frame);
    frame_get(frame);
    expect_number(frame_refs(frame), 3, "frame_alloc() and two times frame_get(): three owners");
    frame_put(frame);
    frame_put(frame);
    expect_number(frame_refs(frame), 1, "two have left");
    expect_number(frames_free(), free, "as long as one owner is there the frame is not free");
    uint64_t another = frame_alloc();
    expect_true(another != frame, "a frame that has an owner must not be given to somebody else");
    frame_put(another);
    frame_put(frame);
    expect_number(frame_refs(frame), 0, "the last one has left");
    expect_number(frames_free(), free + 1, "now the frame is free");
}

static void freeing_twice_panics(void **state)
{
    uint64_t frame = frame_alloc();

    (void)state;
    frame_put(frame);
    expect_panic("was freed twice", frame_put(frame)); /* the way out of a double free is to stop at once */
    expect_number(frame_refs(frame), 0, "and nothing was changed: the count did not wrap");
}

static void sharing_a_free_frame_panics(void **state)
{
    uint64_t frame = frame_alloc();

    (void)state;
    frame_put(frame);
    expect_panic("is free and was shared", frame_get(frame));
    assert_int_equal(frame_alloc(), frame); /* set its count right again */
    frame_put(frame);
}

static void memory_that_is_not_ours_panics(void **state)
{
    (void)state;
    expect_panic("not in memory that was ever given out", frame_put(0));
    expect_panic("not in memory that was ever given out", frame_put(START - PAGE_SIZE));
    expect_panic("not in memory that was ever given out",
                 frame_get(START + FRAMES * PAGE_SIZE)); /* the notes */
    expect_panic("not in memory that was ever given out", frame_put(UINT64_MAX));
}

static void programs_leave_a_reserve_to_the_kernel(void **state)
{
    (void)state;
    unsigned n = take_all(frame_alloc_user);
    expect_number(n, frames_total() - FRAMES_RESERVE, "take(reserve) leaves so many frames");
    expect_number(frames_free(), FRAMES_RESERVE, "the reserve is still free");
    taken[n++] = frame_alloc();
    expect_true(taken[n - 1] != 0, "the kernel, with a reserve of 0, gets one of them");
    expect_number(frame_alloc_user(), 0, "a program does not");
    give_back(n);
}

static uint64_t own[4];
static unsigned lent, came_home;

static uint64_t lend_one(void)
{
    return lent < 4 ? own[lent++] : 0;
}

static void count_home(uint64_t physical)
{
    expect_true(physical == own[0] || physical == own[1], "only free frames of the range come home");
    came_home++;
}

static void who_lends_frames_gets_them_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        own[i] = frame_alloc(); /* fresh ones: they follow each other */
    uint64_t free = frames_free();
    frame_lender = lend_one;
    unsigned n = take_all(frame_alloc);
    expect_number(n, free + 4, "when the others are used up the lender is asked, until it has none left");
    expect_true(taken[free] == own[0], "not earlier");
    frame_put(own[0]);
    frame_put(taken[0]);
    frame_put(own[1]);
    frames_call_home(own[0], own[3] + PAGE_SIZE, count_home);
    expect_number(came_home, 2, "two of the four are free");
    expect_number(frames_free(), 1, "what came home is not free any more; the third one is");
    expect_number(frame_refs(own[0]), 1, "it has its owner again");
    frame_lender = NULL;
    taken[0] = frame_alloc();
    expect_number(frame_alloc(), 0, "and is not given out");
    give_back(n);
}

/* What frames_add() does with a range: how many frames there are more. */
static uint64_t added(uint64_t start, uint64_t end)
{
    uint64_t before = frames_total();

    frames_add(start, end);
    assert_int_equal(frames_total(), frames_free());
    return frames_total() - before;
}

static void only_whole_frames_of_a_range_count(void **state)
{
    uint64_t at = 16ul << 20;

    (void)state;
    expect_number(added(at + 1, at + 4 * PAGE_SIZE - 1), 1,
                  "pages at the edges that are not wholly in the range do not count: two are, and one of "
                  "them has the notes");
    at += 16 * PAGE_SIZE;
    expect_number(added(at, at + 10 * PAGE_SIZE), 9, "ten frames, the last of them with the notes");
    for (uint64_t frame; (frame = frame_alloc()) != 0;)
        expect_true(frame < (16ul << 20) || frame == (16ul << 20) + PAGE_SIZE ||
                        (frame >= at && frame < at + 9 * PAGE_SIZE),
                    "a frame was given out that is not wholly in a range, or in which the notes are");
    for (unsigned i = 0; i < FRAMES; i++)
        frame_put(START + i * PAGE_SIZE);
    frame_put((16ul << 20) + PAGE_SIZE);
    for (unsigned i = 0; i < 9; i++)
        frame_put(at + i * PAGE_SIZE);
}

static void ranges_without_a_frame_are_ignored(void **state)
{
    uint64_t at = 17ul << 20;

    (void)state;
    expect_number(added(at, at), 0, "an empty range");
    expect_number(added(at + 1, at + PAGE_SIZE), 0, "less than one frame");
    expect_number(added(at + PAGE_SIZE, at), 0,
                  "a range that ends before it begins: end - start is a huge number");
    expect_number(added(at, at + PAGE_SIZE), 0, "one frame has only room for its own notes");
}

static void physical_0_is_never_given_out(void **state)
{
    (void)state;
    expect_number(added(0, 4 * PAGE_SIZE), 2, "frames 1 and 2: 0 means \"none\", and the notes are in 3");
    unsigned n = take_all(frame_alloc);
    expect_number(n, frames_total(), "frame 0 would end this loop too early");
    give_back(n);
}

static void any_order_of_calls_keeps_the_accounts(void **state)
{
    static uint32_t owners[RAM / PAGE_SIZE];
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        unsigned choice = moss_random() % 8, at = n ? moss_random() % n : 0;
        uint64_t frame = choice < 4 ? frame_alloc() : n ? taken[at] : 0;
        if (!frame || n == 4 * RANGE)
            continue;
        if (choice < 4) {
            assert_int_equal(owners[frame / PAGE_SIZE]++, 0);
            taken[n++] = frame;
        } else if (choice == 4) {
            frame_get(frame);
            owners[frame / PAGE_SIZE]++;
        } else {
            frame_put(frame);
            if (--owners[frame / PAGE_SIZE] == 0)
                taken[at] = taken[--n];
        }
        assert_int_equal(frame_refs(frame), owners[frame / PAGE_SIZE]);
        assert_int_equal(frames_free(), frames_total() - n);
    }
    for (; n > 0; n--)
        while (owners[taken[n - 1] / PAGE_SIZE]-- > 0)
            frame_put(taken[n - 1]);
}

static void more_ranges_than_the_table_holds_are_ignored(void **state)
{
    uint64_t at = 32ul << 20;
    unsigned ranges = 0;

    (void)state;
    for (; added(at, at + 2 * PAGE_SIZE) == 1; at += 4 * PAGE_SIZE)
        ranges++;
    assert_true(ranges > 0 && ranges < 32);
    assert_int_equal(take_all(frame_alloc), frames_total());
    give_back((unsigned)frames_total());
}

/* The allocator's memory is given to it once: tests that add more come later. */
int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_notes_are_taken_from_the_range),
        cmocka_unit_test(frames_that_were_never_given_out_come_together),
        cmocka_unit_test(every_frame_is_given_out_once),
        cmocka_unit_test(a_frame_that_came_back_is_given_out_again),
        cmocka_unit_test(a_zeroed_frame_is_zero),
        cmocka_unit_test(a_shared_frame_stays_until_the_last_owner_leaves),
        cmocka_unit_test(freeing_twice_panics),
        cmocka_unit_test(sharing_a_free_frame_panics),
        cmocka_unit_test(memory_that_is_not_ours_panics),
        cmocka_unit_test(programs_leave_a_reserve_to_the_kernel),
        cmocka_unit_test(who_lends_frames_gets_them_back),
        cmocka_unit_test(only_whole_frames_of_a_range_count),
        cmocka_unit_test(ranges_without_a_frame_are_ignored),
        cmocka_unit_test(physical_0_is_never_given_out),
        cmocka_unit_test(any_order_of_calls_keeps_the_accounts),
        cmocka_unit_test(more_ranges_than_the_table_holds_are_ignored),
    };

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].initial_state = tests[i].test_func;
        tests[i].test_func = then_all_is_back;
    }
    return cmocka_run_group_tests(tests, give_memory, NULL);
}
