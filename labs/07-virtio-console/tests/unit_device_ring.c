/* Lab 7: split virtqueues from the device's side (virtio 1.2 §2.7), with drivers that keep the rules and
 * drivers that do not. */
/* sources: tests/unit/virtio_host.c tests/unit/write_watch.c hypervisor/bus.c */
/* sources: hypervisor/virtio/mmio.c hypervisor/virtio/queue.c hypervisor/virtio/console.c */
#include "tests/support/expect.h"
#include "tests/unit/virtio_host.h"
#include "tests/unit/write_watch.h"

#define W     WINDOW(0)
#define DATA  0x8000 /* a page for buffers */
#define TABLE 0x9000 /* and one for indirect tables */
#define STEPS 1000000

static struct test_queue rx, tx;

static void up(uint64_t features)
{
    driver_begin(W, features);
    rx = driver_queue(W, 0, 8, features & VIRTIO_F_EVENT_IDX);
    tx = driver_queue(W, 1, 8, features & VIRTIO_F_EVENT_IDX);
    driver_ready(W);
    printed_size = complaints = 0;
}

static int begin(void **state)
{
    (void)state;
    machine_new();
    up(VIRTIO_F_INDIRECT_DESC);
    memcpy(ram + DATA, "0123456789abcdef", 16);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free();
    return 0;
}

static void expect_printed(const char *text)
{
    char lesson[1024];

    snprintf(lesson, sizeof lesson,
             "What the driver's chain names, buffer by buffer, is printed, once and no more.%s%s",
             complaints ? " But the device said:\n" : "", complaints ? complaint : "");
    if (printed_size < sizeof printed)
        printed[printed_size] = 0;
    expect_text(printed, text, lesson);
    printed_size = 0;
}

static void expect_used(struct test_queue *q, uint32_t id, uint32_t len)
{
    uint32_t got_id = ~0u, got_len = ~0u;
    char lesson[200];

    snprintf(lesson, sizeof lesson,
             "Entry %u of the used ring (the index %u modulo its size) has the index of the chain's first "
             "descriptor as its id (virtio 1.2 §2.7.8).",
             q->used_idx % q->size, q->used_idx);
    expect_true(take_used(q, &got_id, &got_len), "The chain was used: it goes into the used ring, and the "
                                                 "ring's index is one more (virtio 1.2 §2.7.8).");
    expect_number(got_id, id, lesson);
    expect_number(got_len, len,
                  "The used entry's len is the number of bytes that the device wrote: none when it only read "
                  "(virtio 1.2 §2.7.8).");
}

static void print_works(void)
{
    uint16_t head = tx.avail_idx % 7; /* not the entry's number, or a wrong entry could have the right id */

    put_desc(&tx, head, DATA, 3, 0, 0);
    offer(&tx, head);
    notify_queue(&tx);
    expect_printed("012");
    expect_used(&tx, head, 0);
}

static void one_buffer_is_printed_and_given_back(void **state)
{
    (void)state;
    print_works();
    expect_number(reg(W, R_INTERRUPTS), VIRTIO_INTERRUPT_QUEUE,
                  "A buffer was used: InterruptStatus has bit 0 (virtio 1.2 §4.2.2).");
    expect_number(line_level[5], 1, "And the interrupt line is up until the driver acknowledges that.");
    set_reg(W, R_ACK, 1);
    expect_number(line_level[5], 0, "The driver wrote 1 to InterruptACK: the line falls.");
}

static void a_chain_is_followed_by_its_next_fields(void **state)
{
    (void)state;
    put_desc(&tx, 5, DATA, 2, F_NEXT, 1);
    put_desc(&tx, 1, DATA + 4, 2, F_NEXT, 7);
    put_desc(&tx, 7, DATA + 10, 2, 0, 3);
    offer(&tx, 5);
    notify_queue(&tx);
    expect_printed("0145ab");
    expect_used(&tx, 5, 0);
}

static void all_that_was_offered_is_taken_with_one_notification(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 8; i++) {
        put_desc(&tx, i, DATA + i, 1, 0, 0);
        offer(&tx, i);
    }
    notify_queue(&tx);
    expect_printed("01234567");
    for (uint16_t i = 0; i < 8; i++)
        expect_used(&tx, i, 0);
    expect_number(line_edges[5], 1,
                  "Eight chains, one notification, one interrupt: that is what the rings are for.");
}

static void indices_go_on_beyond_65535(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 70000; i++)
        print_works();
    expect_number(used_index(&tx), 70000 % 65536,
                  "70,000 chains were used; the index counts them in 16 bits.");
    expect_number(
        complaints, 0,
        "The indices are 16 bits wide and wrap from 65535 to 0; that is no jump (virtio 1.2 §2.7.6).");
}

static void an_indirect_table_is_one_entry(void **state)
{
    (void)state;
    put_desc_at(TABLE, 0, DATA, 1, F_NEXT, 2);
    put_desc_at(TABLE, 2, DATA + 2, 1, F_NEXT, 1);
    put_desc_at(TABLE, 1, DATA + 3, 1, 0, 0);
    put_desc(&tx, 3, TABLE, 48, F_INDIRECT, 0);
    offer(&tx, 3);
    notify_queue(&tx);
    expect_printed("023");
    expect_used(&tx, 3, 0);
}

static void no_interrupt_is_a_wish_that_counts(void **state)
{
    (void)state;
    ram[tx.avail] = 1; /* VIRTQ_AVAIL_F_NO_INTERRUPT */
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 0,
                  "The available ring's flags said NO_INTERRUPT (1): the chain is used without one (virtio "
                  "1.2 §2.7.7).");
    ram[tx.avail] = 0;
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 1, "The flags are 0 again: an interrupt tells of the used chain.");
}

static void set_used_event(uint16_t value)
{
    memcpy(ram + tx.avail + 4 + 2 * tx.size, &value, 2);
}

static uint16_t avail_event(const struct test_queue *q)
{
    uint16_t value;

    memcpy(&value, ram + q->used + 4 + 8 * q->size, 2);
    return value;
}

static void event_idx_says_when_to_interrupt(void **state)
{
    (void)state;
    up(VIRTIO_F_EVENT_IDX);
    set_used_event(2); /* when the third entry is there */
    print_works();
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 0,
                  "used_event is 2: the driver wants an interrupt when used entry 2, the third, is there; "
                  "there are two.");
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 1, "Entry 2 is there now: an interrupt (virtio 1.2 §2.7.7.2).");
    set_reg(W, R_ACK, 1);
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 0,
                  "used_event is still 2 and was passed before: no further interrupt.");
}

static void event_idx_is_right_where_the_index_wraps(void **state)
{
    (void)state;
    up(VIRTIO_F_EVENT_IDX);
    set_used_event(0xffff);
    for (unsigned i = 0; i < 0xffff; i++)
        print_works();
    expect_number(reg(W, R_INTERRUPTS), 0,
                  "used_event is 65535, and 65535 entries, 0 to 65534, were used: not yet.");
    print_works();
    expect_number(reg(W, R_INTERRUPTS), 1,
                  "Entry 65535 is there, and the index wrapped to 0. All of vring_need_event()'s numbers are "
                  "16 bits wide: compare "
                  "differences, not values (virtio 1.2 §2.7.7.2, §2.7.10).");
}

static void event_idx_asks_for_the_next_notification(void **state)
{
    (void)state;
    up(VIRTIO_F_EVENT_IDX);
    for (uint16_t i = 1; i <= 20; i++) {
        print_works();
        assert_int_equal(avail_event(&tx), i);
    }
}

/* When the device wrote the first used entry of the ring, and the ring's index. */
static unsigned entry_stored(const struct test_queue *q)
{
    return watch_last_store(ram + q->used + 4, 8);
}

static unsigned index_stored(const struct test_queue *q)
{
    return watch_last_store(ram + q->used + 2, 2);
}

static void a_used_entry_is_whole_before_the_index_shows_it(void **state)
{
    (void)state;
    watch_begin(ram + 4096, 2 * 4096); /* the rings */
    print_works();
    watch_end();
    expect_true(entry_stored(&tx) > 0 && index_stored(&tx) > entry_stored(&tx),
                "The driver, on another CPU, may look as soon as the used ring's index grows. So the entry "
                "is stored first, then "
                "the index, by a store with release (virtio 1.2 §2.7.8, §2.7.14).");
}

/* ---- Drivers that break the rules ---- */

/* The last chain that was offered must break the device, with one message that has this part, and harm
 * nothing. `offered` is for people: what was wrong with it. */
static void expect_broken(const char *part, const char *offered)
{
    uint16_t used = used_index(&tx);
    char lesson[300];

    snprintf(lesson, sizeof lesson,
             "The driver offered %s. That breaks a rule; the host must be told which one (virtio_broken()).",
             offered);
    complaints = 0;
    *complaint = 0;
    set_reg(W, R_ACK, 3);
    notify_queue(&tx);
    expect_contains(complaint, part, lesson);
    expect_number(complaints, 1, "It is told once.");
    expect_number(reg(W, R_STATUS) & 64, 64,
                  "The device says DEVICE_NEEDS_RESET in Status (virtio 1.2 §2.1.2).");
    expect_number(reg(W, R_INTERRUPTS) & 2, 2,
                  "And interrupts the driver for it, as for a change of the configuration.");
    expect_number(used_index(&tx), used, "A chain that breaks the rules is not given back as used.");
    notify_queue(&tx);
    expect_number(complaints, 1, "A broken device looks at no ring until its reset.");
    expect_number(printed_size, 0, "Nothing of such a chain is printed.");
    up(VIRTIO_F_INDIRECT_DESC);
    print_works(); /* the reset heals it */
}

static void expect_bad_desc(const char *part, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
    char offered[200];

    snprintf(offered, sizeof offered, "descriptor 0: %u bytes at 0x%lx, flags %u%s%s%s, next %u", len, gpa,
             flags, flags & F_NEXT ? " NEXT" : "", flags & F_WRITE ? " WRITE" : "",
             flags & F_INDIRECT ? " INDIRECT" : "", next);
    put_desc(&tx, 0, gpa, len, flags, next);
    put_desc(&tx, 1, DATA, 1, 0, 0);
    offer(&tx, 0);
    expect_broken(part, offered);
}

static void buffers_outside_ram_break_the_device(void **state)
{
    (void)state;
    expect_bad_desc("is not in RAM", RAM_SIZE, 1, 0, 0);
    expect_bad_desc("is not in RAM", RAM_SIZE - 1, 2, 0, 0);
    expect_bad_desc("is not in RAM", UINT64_MAX, 1, 0, 0);
    expect_bad_desc("is not in RAM", UINT64_MAX - 1, UINT32_MAX, 0, 0);
    expect_bad_desc("is not in RAM", 0, UINT32_MAX, 0, 0);
    expect_bad_desc("is empty", DATA, 0, 0, 0);
}

static void chains_that_lead_nowhere_break_the_device(void **state)
{
    (void)state;
    expect_bad_desc("closes a loop", DATA, 1, F_NEXT, 0);
    expect_bad_desc("beyond the table", DATA, 1, F_NEXT, 8);
    expect_bad_desc("beyond the table", DATA, 1, F_NEXT, 65535);
    offer(&tx, 8);
    expect_broken("beyond the table", "a chain that begins at descriptor 8 of a table of 8");
    offer(&tx, 65535);
    expect_broken("beyond the table", "a chain that begins at descriptor 65535 of a table of 8");
    put_desc(&tx, 0, DATA, 1, F_WRITE | F_NEXT, 1);
    put_desc(&tx, 1, DATA, 1, 0, 0);
    offer(&tx, 0);
    expect_broken("behind one for writing", "a buffer to write (flag WRITE), and after it one to read");
}

static void indirect_tables_that_break_the_rules_break_the_device(void **state)
{
    (void)state;
    put_desc_at(TABLE, 0, TABLE, 16, F_INDIRECT, 0);
    expect_bad_desc("in an indirect table", TABLE, 16, F_INDIRECT, 0);
    expect_bad_desc("has a next one", TABLE, 16, F_INDIRECT | F_NEXT, 1);
    expect_bad_desc("of a bad size", TABLE, 0, F_INDIRECT, 0);
    expect_bad_desc("of a bad size", TABLE, 17, F_INDIRECT, 0);
    expect_bad_desc("of a bad size", TABLE, 16 * 129, F_INDIRECT, 0);
    expect_bad_desc("of a bad size", 0, 0xfffffff0, F_INDIRECT, 0);
    expect_bad_desc("outside RAM", RAM_SIZE - 8, 16, F_INDIRECT, 0);
    put_desc_at(TABLE, 0, DATA, 1, F_NEXT, 1);
    expect_bad_desc("beyond the table", TABLE, 16, F_INDIRECT, 0);
    put_desc_at(TABLE, 0, DATA, 1, F_NEXT, 0);
    expect_bad_desc("closes a loop", TABLE, 16, F_INDIRECT, 0);
}

static void indirect_needs_to_be_negotiated(void **state)
{
    (void)state;
    up(0);
    put_desc_at(TABLE, 0, DATA, 1, 0, 0);
    expect_bad_desc("was not negotiated", TABLE, 16, F_INDIRECT, 0);
}

static void an_index_that_jumps_breaks_the_device(void **state)
{
    (void)state;
    tx.avail_idx = 8;
    offer(&tx, 0);
    expect_broken("jumped from 0 to 9", "9 chains at once, in a ring of 8");
    tx.avail_idx = 0xfffe;
    offer(&tx, 0);
    expect_broken("jumped from 1 to 65535", "65534 chains at once, in a ring of 8");
}

/* ---- The console ---- */

static void type(const char *text)
{
    for (; *text; text++)
        typed[typed_count++] = *text;
    console_has_news();
}

static void offer_room(uint16_t n, uint32_t bytes)
{
    put_desc(&rx, n, DATA + 256u * n, bytes, F_WRITE, 0);
    offer(&rx, n);
    notify_queue(&rx);
}

static void typed_bytes_fill_a_buffer(void **state)
{
    (void)state;
    offer_room(0, 16);
    offer_room(1, 16);
    type("hello");
    expect_used(&rx, 0, 5);
    expect_bytes(ram + DATA, "hello", 5, "What was typed is in the buffer that the driver offered.");
    type("x");
    expect_used(&rx, 1, 1);
}

static void what_was_typed_is_in_the_buffer_before_the_index_shows_it(void **state)
{
    (void)state;
    offer_room(0, 16);
    watch_begin(ram + 4096, DATA); /* the rings and the buffers */
    type("hi");
    watch_end();
    unsigned data = watch_last_store(ram + DATA, 2);
    expect_true(data > 0 && index_stored(&rx) > data,
                "The buffer is the driver's as soon as the index shows it: all data must be in it before "
                "(virtio 1.2 §2.7.14).");
}

static void what_has_no_room_waits(void **state)
{
    (void)state;
    type("abcdefgh");
    offer_room(0, 3);
    expect_used(&rx, 0, 3);
    offer_room(1, 3);
    expect_used(&rx, 1, 3);
    offer_room(2, 3);
    expect_used(&rx, 2, 2);
    assert_memory_equal(ram + DATA + 512, "gh", 2);
}

static void the_end_of_input_is_an_empty_buffer_behind_all_of_it(void **state)
{
    (void)state;
    type("ab");
    typed[typed_count++] = CONSOLE_BREAK;
    offer_room(0, 16);
    expect_used(&rx, 0, 2);
    assert_int_equal(used_index(&rx), 1);
    offer_room(1, 16);
    expect_used(&rx, 1, 0);
    type("more"); /* a terminal goes on after its end */
    offer_room(2, 16);
    expect_used(&rx, 2, 4);
}

static void emergency_writes_need_no_queue(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 0);
    set_reg(W, R_CONFIG + 8, '!');
    expect_printed("!");
}

/* ---- A million steps of a driver without a plan ---- */

static uint32_t seed = 12345;

static uint32_t any(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

static uint64_t any_gpa(void)
{
    switch (any(8)) {
    case 0:
        return RAM_SIZE - any(64);
    case 1:
        return (uint64_t)any(1u << 28) << any(36);
    default:
        return any(RAM_SIZE);
    }
}

static uint32_t any_length(void)
{
    return any(16) ? any(64) : any(1u << 28) << any(5);
}

static void any_step(void)
{
    struct test_queue *q = any(2) ? &rx : &tx;

    switch (any(16)) {
    case 0:
        set_reg(W, any(0x200), any(4) ? any(16) : any(1u << 28));
        break;
    case 1:
        reg(W, any(0x200));
        break;
    case 2: /* the rings themselves are memory like any other */
        ram[4096 * (1 + any(2)) + any(3072)] = (uint8_t)any(256);
        break;
    case 3:
        put_desc_at(TABLE, any(16), any_gpa(), any_length(), (uint16_t)any(8), (uint16_t)any(16));
        break;
    case 4:
        put_desc(q, any(8), TABLE, 16 * any(20), F_INDIRECT, 0);
        break;
    case 5:
        typed_count = any(100);
        typed_at = any(typed_count + 1);
        console_has_news();
        break;
    case 6:
        q->avail_idx = any(50) ? q->avail_idx : (uint16_t)any(65536);
        break;
    case 7 ... 10:
        put_desc(q, any(8), any_gpa(), any_length(), (uint16_t)(any(8) & ~any(8)), (uint16_t)any(9));
        break;
    default:
        offer(q, (uint16_t)(any(30) ? any(8) : any(65536)));
        notify_queue(q);
    }
}

static void a_million_random_steps_do_no_harm(void **state)
{
    (void)state;
    uint64_t broken = 0, worked = 0;

    for (unsigned i = 0; i < STEPS; i++) {
        any_step();
        if (i % 50)
            continue;
        broken += reg(W, R_STATUS) >> 6 & 1;
        worked += used_index(&tx) != 0;
        typed_count = typed_at = 0;
        up(any(2) ? VIRTIO_F_INDIRECT_DESC : VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
        memcpy(ram + DATA, "012", 3);
        print_works();
    }
    assert_true(broken > STEPS / 50 / 10); /* both happened often: the test tests something */
    assert_true(worked > STEPS / 50 / 10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(one_buffer_is_printed_and_given_back),
        TEST(a_chain_is_followed_by_its_next_fields),
        TEST(all_that_was_offered_is_taken_with_one_notification),
        TEST(indices_go_on_beyond_65535),
        TEST(an_indirect_table_is_one_entry),
        TEST(no_interrupt_is_a_wish_that_counts),
        TEST(a_used_entry_is_whole_before_the_index_shows_it),
        TEST(event_idx_says_when_to_interrupt),
        TEST(event_idx_is_right_where_the_index_wraps),
        TEST(event_idx_asks_for_the_next_notification),
        TEST(buffers_outside_ram_break_the_device),
        TEST(chains_that_lead_nowhere_break_the_device),
        TEST(indirect_tables_that_break_the_rules_break_the_device),
        TEST(indirect_needs_to_be_negotiated),
        TEST(an_index_that_jumps_breaks_the_device),
        TEST(typed_bytes_fill_a_buffer),
        TEST(what_was_typed_is_in_the_buffer_before_the_index_shows_it),
        TEST(what_has_no_room_waits),
        TEST(the_end_of_input_is_an_empty_buffer_behind_all_of_it),
        TEST(emergency_writes_need_no_queue),
        TEST(a_million_random_steps_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
