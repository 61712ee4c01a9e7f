/* Lab 7: the registers of a virtio device, one by one (virtio 1.2 §4.2), and the status machine (§2.1, §3.1).
 */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/console.c */
#include "tests/support/expect.h"
#include "tests/unit/virtio_host.h"

#define W WINDOW(0)

static struct virtio_device *the_device;

static void keep(struct virtio_device *v)
{
    the_device = v;
}

static int begin(void **state)
{
    (void)state;
    machine_new();
    virtio_each(machine, keep);
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
    expect_number(
        reg(W, R_STATUS), 11,
        "ACKNOWLEDGE, DRIVER and, after VERSION_1 was accepted, FEATURES_OK were written to Status, each on "
        "top of "
        "those before; the driver reads it back to see whether the device agrees (virtio 1.2 §3.1.1).");
    driver_queue(W, 0, 8, false);
    expect_number(reg(W, R_QUEUE_READY), 1,
                  "A queue of 8 entries in RAM; QueueReady keeps the 1 that was written.");
    driver_ready(W);
    expect_number(reg(W, R_STATUS), READY_STATUS,
                  "DRIVER_OK on top: the device works from now on (§3.1.1 step 8).");
    expect_number(complaints, 0, "This driver keeps the rules; nothing may be complained of.");
}

static void features_ok_needs_version_1(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 1);
    set_reg(W, R_STATUS, 3);
    set_reg(W, R_STATUS, 11);
    expect_number(reg(W, R_STATUS), 3,
                  "A driver that did not accept VERSION_1 (DriverFeatures, half 1, bit 0) wrote FEATURES_OK. "
                  "The device must "
                  "refuse by leaving that bit 0 (virtio 1.2 §6.1); it keeps ACKNOWLEDGE and DRIVER.");
}

static void features_ok_refuses_what_was_not_offered(void **state)
{
    (void)state;
    driver_begin(W, 1ul << 5);
    expect_number(
        reg(W, R_STATUS), 3,
        "The driver accepted VERSION_1 and bit 5, which this device does not offer: FEATURES_OK stays 0 "
        "(virtio 1.2 §2.2, a driver must accept a subset).");
}

static void features_are_settled_by_features_ok(void **state)
{
    (void)state;
    driver_begin(W, 0);
    set_reg(W, R_DRIVER_FEATURES_SEL, 0);
    set_reg(W, R_DRIVER_FEATURES, ~0u);
    driver_ready(W);
    expect_number(reg(W, R_STATUS), READY_STATUS,
                  "The steps of a driver; only DriverFeatures was written once more, too late.");
    expect_number(
        the_device->state->features, VIRTIO_F_VERSION_1,
        "What was accepted before FEATURES_OK counts; DriverFeatures is settled then (virtio 1.2 §2.2.1).");
}

static void driver_ok_before_features_ok_needs_a_reset(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 7);
    expect_number(
        reg(W, R_STATUS) & (VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_DRIVER_OK), VIRTIO_STATUS_NEEDS_RESET,
        "DRIVER_OK came without FEATURES_OK: the device does not start, and says DEVICE_NEEDS_RESET (64) "
        "(virtio 1.2 §2.1.2, §3.1.1).");
    expect_number(complaints, 1, "The host is told once what the driver did (virtio_broken()).");
    set_reg(W, R_STATUS, 0);
    expect_number(reg(W, R_STATUS), 0, "0 in Status resets the device, and heals it.");
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
    expect_number(reg(W, R_STATUS), 11,
                  "Status was 11, and 1 was written. A driver sets bits; only a reset clears them (virtio "
                  "1.2 §2.1.1).");
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
    driver_begin(W, 1);
    driver_queue(W, 0, 8, false);
    driver_ready(W);
    window_columns = 132;
    console_has_news();
    expect_number(line_level[5], 1, "The window has another size: an interrupt.");
    set_reg(W, R_QUEUE_SEL, 1);
    set_reg(W, R_STATUS, 0);
    expect_number(reg(W, R_STATUS), 0, "0 was written to Status: a reset (virtio 1.2 §2.4).");
    expect_number(reg(W, R_INTERRUPTS), 0, "After a reset InterruptStatus is 0.");
    expect_number(line_level[5], 0, "And so the line is down: nobody would ever acknowledge it.");
    set_reg(W, R_QUEUE_SEL, 0);
    expect_number(
        reg(W, R_QUEUE_READY), 0,
        "After a reset no queue is ready: their memory is the driver's again (virtio 1.2 §4.2.2.1).");
    expect_number(the_device->state->features, 0, "The accepted features are forgotten.");
    expect_number(the_device->run, 1,
                  "The device was running, so it is stopped, once (stop()): what it has begun must not touch "
                  "the rings any more.");
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
    expect_number(
        reg(W, R_CONFIG), 25 << 16 | 132,
        "The window became 132 columns wide, and the device runs: virtio_running() after DRIVER_OK.");
    expect_true(reg(W, R_GENERATION) != before,
                "A driver that reads while this changes sees another ConfigGeneration (virtio 1.2 §2.5.1).");
    expect_number(reg(W, R_INTERRUPTS), VIRTIO_INTERRUPT_CONFIG,
                  "The configuration changed: bit 1 of InterruptStatus says so (virtio 1.2 §4.2.2).");
    expect_number(line_level[5], 1, "A reason is pending, so the line is up.");
    set_reg(W, R_ACK, 2);
    expect_number(reg(W, R_INTERRUPTS), 0,
                  "2 was written to InterruptACK: that reason is gone from InterruptStatus.");
    expect_number(line_level[5], 0, "All reasons are acknowledged: the line is down.");
}

static void what_is_left_after_an_acknowledgement_makes_a_new_edge(void **state)
{
    (void)state;
    driver_begin(W, 1);
    driver_ready(W);
    window_rows = 50;
    console_has_news();
    virtio_interrupt(the_device, VIRTIO_INTERRUPT_QUEUE);
    expect_number(reg(W, R_INTERRUPTS), 3,
                  "Two reasons, 1 and 2, came one after the other: both are in InterruptStatus.");
    expect_number(line_edges[5], 1, "The line was up for the first one; the second does not move it.");
    set_reg(W, R_ACK, 1);
    expect_number(reg(W, R_INTERRUPTS), 2, "Only reason 1 was acknowledged.");
    expect_number(line_level[5], 1, "A reason is left: the line is up.");
    expect_number(line_edges[5], 2,
                  "It fell for a moment. A guest that takes the line for edge-triggered would miss the "
                  "second reason else.");
    set_reg(W, R_ACK, 2);
    expect_number(line_level[5], 0, "All is acknowledged: the line is down.");
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
