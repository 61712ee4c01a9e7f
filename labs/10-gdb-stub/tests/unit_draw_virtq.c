/* Lab 10: the picture of a virtqueue, as good drivers and bad ones leave it. */
/* sources: hypervisor/inspect/draw_virtq.c tests/unit/virtio_host.c tests/unit/write_watch.c */
/* sources: hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/console.c */
#include "expect.h"
#include "inspect/control.h"
#include "tests/unit/virtio_host.h"

#define W WINDOW(0)

static char picture[8192];
static struct test_queue rx, tx;

static const char *draw(const char *device, bool good)
{
    const char *const arguments[CONTROL_ARGUMENTS] = {device, "", "", ""};
    FILE *out = fmemopen(picture, sizeof picture, "w");

    expect_number(__start_controls[0]->run(machine, arguments, out), good, device);
    fclose(out);
    return picture;
}

static int begin(void **state)
{
    (void)state;
    machine_new();
    driver_begin(W, 0);
    rx = driver_queue(W, 0, 8, false);
    tx = driver_queue(W, 1, 8, false);
    driver_ready(W);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free();
    return 0;
}

static void what_waits_and_what_the_device_has_is_told_apart(void **state)
{
    (void)state;
    put_desc(&rx, 0, 0x8000, 16, F_WRITE, 0);
    put_desc(&rx, 3, 0x9000, 4, F_NEXT, 4);
    put_desc(&rx, 4, 0x9100, 32, F_WRITE, 0);
    offer(&rx, 0);
    offer(&rx, 3);
    expect_contains(draw("virtio-console", true),
                    "offered 2, taken 0, given back 0, told 0: 2 wait, 0 in the device", "numbers");
    expect_contains(picture, "ring  [AA......]", "two places of the available ring");
    expect_contains(picture, "chain   3: 9000+4 -> 9100+32 W\n      chain   0: 8000+16 W\n",
                    "the newest first");
    expect_contains(picture, "status ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK",
                    "how far the driver has come");
}

static void places_wrap_around_the_ring(void **state)
{
    (void)state;
    put_desc(&tx, 0, 0x8000, 1, 0, 0);
    for (int i = 0; i < 7; i++) {
        offer(&tx, 0);
        notify_queue(&tx);
    }
    for (int i = 0; i < 3; i++)
        offer(&tx, 0);
    expect_contains(draw("", true), "offered 10, taken 7, given back 7", "indices run on");
    expect_contains(picture, "ring  [AA.....A]", "places do not");
}

static void bad_rings_are_drawn_as_they_are(void **state)
{
    (void)state;
    put_desc(&rx, 1, 0x8000, 1, F_NEXT, 1);
    put_desc(&rx, 2, 0x8000, 1, F_NEXT, 999);
    offer(&rx, 1);
    offer(&rx, 2);
    offer(&rx, 77);
    draw("virtio-console", true);
    expect_contains(picture, "AND SO ON, IN A CIRCLE", "a chain that bites its tail");
    expect_contains(picture, "8000+1 -> descriptor 999 is NOT IN THE TABLE", "one that leads nowhere");
    expect_contains(picture, "chain  77: descriptor 77 is NOT IN THE TABLE", "one that begins nowhere");
    rx.avail_idx = 60000;
    offer(&rx, 0);
    expect_contains(draw("virtio-console", true), "ring  [AAAAAAAA]", "an index that jumps");
}

static void a_queue_that_is_not_set_up_says_so(void **state)
{
    (void)state;
    set_reg(W, R_STATUS, 0);
    expect_contains(draw("virtio-console", true), "status 0 (reset)", "after a reset");
    expect_contains(picture, "queue 1: not ready", "there are no rings");
    expect_contains(draw("floppy", false), "there is no virtio device floppy", "an unknown name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_and_what_the_device_has_is_told_apart, begin, end),
        cmocka_unit_test_setup_teardown(places_wrap_around_the_ring, begin, end),
        cmocka_unit_test_setup_teardown(bad_rings_are_drawn_as_they_are, begin, end),
        cmocka_unit_test_setup_teardown(a_queue_that_is_not_set_up_says_so, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
