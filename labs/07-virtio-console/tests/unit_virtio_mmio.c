/* Lab 7: the registers of a virtio device, one by one (virtio 1.2 §4.2), and the status machine (§2.1, §3.1).
 */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/console.c */
#include "tests/unit/virtio_host.h"

#define W WINDOW(0)

static int begin(void **state)
{
    (void)state;
    machine_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free();
    return 0;
}

static void the_device_says_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(reg(W, R_MAGIC), 0x74726976);
    assert_int_equal(reg(W, R_VERSION), 2);
    assert_int_equal(reg(W, R_ID), 3);
    assert_string_equal(machine->cmdline, " virtio_mmio.device=512@0xd0000000:5");
}

static void features_come_in_two_halves(void **state)
{
    (void)state;
    set_reg(W, R_DEVICE_FEATURES_SEL, 0);
    assert_int_equal(reg(W, R_DEVICE_FEATURES), 1 << 28 | 1 << 29 | 1 << 0 | 1 << 2);
    set_reg(W, R_DEVICE_FEATURES_SEL, 1);
    assert_int_equal(reg(W, R_DEVICE_FEATURES), 1); /* VERSION_1 */
    set_reg(W, R_DEVICE_FEATURES_SEL, 2);
    assert_int_equal(reg(W, R_DEVICE_FEATURES), 0);
}

static void the_steps_of_a_driver_are_accepted(void **state)
{
    (void)state;
    driver_begin(W, 0);
    assert_int_equal(reg(W, R_STATUS), 11);
    driver_queue(W, 0, 8, false);
    assert_int_equal(reg(W, R_QUEUE_READY), 1);
    driver_ready(W);
    assert_int_equal(reg(W, R_STATUS), READY_STATUS);
    assert_int_equal(complaints, 0);
}

static void features_ok_needs_version_1(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 1);
    set_reg(W, R_STATUS, 3);
    set_reg(W, R_STATUS, 11);
    assert_int_equal(reg(W, R_STATUS), 3);
}

static void features_ok_refuses_what_was_not_offered(void **state)
{
    (void)state;
    driver_begin(W, 1ul << 5);
    assert_int_equal(reg(W, R_STATUS), 3);
}

static void features_are_settled_by_features_ok(void **state)
{
    (void)state;
    driver_begin(W, 0);
    set_reg(W, R_DRIVER_FEATURES_SEL, 0);
    set_reg(W, R_DRIVER_FEATURES, ~0u);
    driver_ready(W);
    assert_int_equal(reg(W, R_STATUS), READY_STATUS);
}

static void driver_ok_before_features_ok_needs_a_reset(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 7);
    assert_int_equal(reg(W, R_STATUS) & 64, 64);
    assert_int_equal(complaints, 1);
    set_reg(W, R_STATUS, 0);
    assert_int_equal(reg(W, R_STATUS), 0);
}

static void a_device_that_broke_before_driver_ok_does_not_start(void **state)
{
    (void)state;
    driver_begin(W, 0);
    driver_queue(W, 0, 7, false);
    driver_ready(W);
    assert_int_equal(reg(W, R_STATUS) & 64, 64);
    window_columns = 132;
    console_has_news(); /* it never became the console */
    assert_int_equal(reg(W, R_CONFIG), 25 << 16 | 80);
}

static void status_bits_go_only_by_a_reset(void **state)
{
    (void)state;
    driver_begin(W, 0);
    set_reg(W, R_STATUS, 1);
    assert_int_equal(reg(W, R_STATUS), 11);
}

static void a_queue_that_is_not_there_has_no_size(void **state)
{
    (void)state;
    set_reg(W, R_QUEUE_SEL, 1);
    assert_int_equal(reg(W, R_QUEUE_MAX), 128);
    set_reg(W, R_QUEUE_SEL, 2);
    assert_int_equal(reg(W, R_QUEUE_MAX), 0);
    set_reg(W, R_QUEUE_SIZE, 8);
    set_reg(W, R_QUEUE_READY, 1);
    assert_int_equal(reg(W, R_QUEUE_READY), 0);
    set_reg(W, R_QUEUE_SEL, ~0u);
    assert_int_equal(reg(W, R_QUEUE_MAX), 0);
}

/* Set up queue 0 with one register wrong. */
static void expect_refused_queue(unsigned offset, uint32_t value)
{
    driver_begin(W, 0);
    driver_queue(W, 0, 8, false);
    set_reg(W, R_QUEUE_READY, 0);
    set_reg(W, offset, value);
    complaints = 0;
    set_reg(W, R_QUEUE_READY, 1);
    assert_int_equal(reg(W, R_QUEUE_READY), 0);
    assert_int_equal(reg(W, R_STATUS) & 64, 64);
    assert_int_equal(complaints, 1);
}

static void queues_outside_ram_or_not_aligned_are_refused(void **state)
{
    (void)state;
    expect_refused_queue(R_QUEUE_SIZE, 0);
    expect_refused_queue(R_QUEUE_SIZE, 7);
    expect_refused_queue(R_QUEUE_SIZE, 256);
    expect_refused_queue(R_QUEUE_SIZE, 0x10008);
    expect_refused_queue(R_DESC, 4096 + 8);
    expect_refused_queue(R_DESC, RAM_SIZE - 64);
    expect_refused_queue(R_DESC + 4, 1);
    expect_refused_queue(R_AVAIL, RAM_SIZE - 4);
    expect_refused_queue(R_AVAIL, 4097);
    expect_refused_queue(R_USED, RAM_SIZE - 8);
    expect_refused_queue(R_USED, 4098);
    expect_refused_queue(R_USED + 4, 0xffffffff);
}

static void a_queue_in_use_keeps_its_registers(void **state)
{
    (void)state;
    driver_begin(W, 0);
    driver_queue(W, 0, 8, false);
    set_reg(W, R_DESC, 0xffff0000);
    set_reg(W, R_QUEUE_SIZE, 3);
    driver_ready(W);
    set_reg(W, R_QUEUE_READY, 0);
    assert_int_equal(reg(W, R_QUEUE_READY), 1);
    assert_int_equal(reg(W, R_STATUS), READY_STATUS);
}

static void a_reset_forgets_the_queues(void **state)
{
    (void)state;
    driver_begin(W, 0);
    driver_queue(W, 0, 8, false);
    driver_ready(W);
    set_reg(W, R_STATUS, 0);
    set_reg(W, R_QUEUE_SEL, 0);
    assert_int_equal(reg(W, R_QUEUE_READY), 0);
    assert_int_equal(reg(W, R_INTERRUPTS), 0);
    assert_int_equal(line_level[5], 0);
}

static void registers_take_only_aligned_words(void **state)
{
    (void)state;
    uint8_t byte = 0xff;
    uint64_t both = 0;

    set_reg(W, R_STATUS, 1);
    bus_access(&machine->mmio, (struct access){machine, NULL, W + R_STATUS, &byte, 1, 1, true});
    assert_int_equal(reg(W, R_STATUS), 1);
    bus_access(&machine->mmio, (struct access){machine, NULL, W + R_STATUS, &byte, 1, 1, false});
    assert_int_equal(byte, 0);
    bus_access(&machine->mmio, (struct access){machine, NULL, W, &both, 8, 1, false});
    assert_int_equal(both, 0);
}

static void every_register_survives_every_value(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned offset = 0; offset < 0x200; offset++) {
            for (unsigned bit = 0; bit < 34; bit++)
                set_reg(W, offset, bit < 32 ? 1u << bit : bit == 32 ? ~0u : 0);
            reg(W, offset);
        }
    set_reg(W, R_STATUS, 0);
    driver_begin(W, 0);
    driver_queue(W, 0, 8, false);
    driver_ready(W);
    assert_int_equal(reg(W, R_STATUS), READY_STATUS);
}

static void the_size_of_the_window_is_in_the_configuration(void **state)
{
    (void)state;
    assert_int_equal(reg(W, R_CONFIG), 25 << 16 | 80);
    driver_begin(W, 1);
    driver_ready(W);
    uint32_t before = reg(W, R_GENERATION);
    window_columns = 132;
    console_has_news();
    assert_int_equal(reg(W, R_CONFIG), 25 << 16 | 132);
    assert_int_not_equal(reg(W, R_GENERATION), before);
    assert_int_equal(reg(W, R_INTERRUPTS), 2);
    assert_int_equal(line_level[5], 1);
    set_reg(W, R_ACK, 2);
    assert_int_equal(line_level[5], 0);
}

static void what_is_left_after_an_acknowledgement_makes_a_new_edge(void **state)
{
    (void)state;
    struct test_queue q;

    driver_begin(W, 1);
    q = driver_queue(W, 1, 8, false);
    driver_ready(W);
    window_rows = 50;
    console_has_news();
    put_desc(&q, 0, 0x8000, 1, 0, 0);
    offer(&q, 0);
    notify_queue(&q);
    assert_int_equal(reg(W, R_INTERRUPTS), 3);
    assert_int_equal(line_edges[5], 1);
    set_reg(W, R_ACK, 1);
    assert_int_equal(line_level[5], 1);
    assert_int_equal(line_edges[5], 2);
    set_reg(W, R_ACK, 2);
    assert_int_equal(line_level[5], 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(the_device_says_what_it_is),
        TEST(features_come_in_two_halves),
        TEST(the_steps_of_a_driver_are_accepted),
        TEST(features_ok_needs_version_1),
        TEST(features_ok_refuses_what_was_not_offered),
        TEST(features_are_settled_by_features_ok),
        TEST(driver_ok_before_features_ok_needs_a_reset),
        TEST(a_device_that_broke_before_driver_ok_does_not_start),
        TEST(status_bits_go_only_by_a_reset),
        TEST(a_queue_that_is_not_there_has_no_size),
        TEST(queues_outside_ram_or_not_aligned_are_refused),
        TEST(a_queue_in_use_keeps_its_registers),
        TEST(a_reset_forgets_the_queues),
        TEST(registers_take_only_aligned_words),
        TEST(every_register_survives_every_value),
        TEST(the_size_of_the_window_is_in_the_configuration),
        TEST(what_is_left_after_an_acknowledgement_makes_a_new_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
