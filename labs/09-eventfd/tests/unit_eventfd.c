/* Lab 9: what a device asks of KVM so that its notifications are no exits, and what it does when they come.
 */
/* sources: tests/unit/virtio_host.c tests/unit/watch_host.c hypervisor/bus.c hypervisor/virtio/mmio.c */
/* sources: hypervisor/virtio/queue.c hypervisor/virtio/console.c hypervisor/virtio/eventfd.c */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include "tests/support/expect.h"
#include "tests/unit/virtio_host.h"
#include "tests/unit/watch_host.h"

#define W         WINDOW(0)
#define DATA      0x8000
#define CALLS_MAX 32

/* ---- KVM, which notes what it is asked for ---- */

static struct kvm_ioeventfd calls[CALLS_MAX];
static unsigned call_count;
static struct kvm_irqfd irqfd;
static bool kvm_refuses_ioeventfd, kvm_refuses_irqfd;

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;

    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    assert_int_equal(fd, machine->fd);
    if (request == KVM_IRQFD) {
        irqfd = *(struct kvm_irqfd *)arg;
        return kvm_refuses_irqfd ? -1 : 0;
    }
    assert_true(request == KVM_IOEVENTFD);
    assert_true(call_count < CALLS_MAX);
    calls[call_count++] = *(struct kvm_ioeventfd *)arg;
    return kvm_refuses_ioeventfd ? -1 : 0;
}

static struct test_queue rx, tx;

static void up(void)
{
    driver_begin(W, 0);
    rx = driver_queue(W, 0, 8, false);
    tx = driver_queue(W, 1, 8, false);
    driver_ready(W);
}

static int begin(void **state)
{
    (void)state;
    call_count = 0;
    irqfd = (struct kvm_irqfd){0};
    watched_none();
    machine_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    kvm_refuses_ioeventfd = kvm_refuses_irqfd = false;
    machine_free();
    return 0;
}

/* Offer "hello" to be printed, without telling the device. */
static void offer_hello(void)
{
    memcpy(ram + DATA, "hello", 5);
    put_desc(&tx, 0, DATA, 5, 0, 0);
    offer(&tx, 0);
    printed_size = 0;
}

/* How many interrupts were asked for since the last time. */
static unsigned interrupts(void)
{
    eventfd_t count = 0;

    eventfd_read((int)irqfd.fd, &count);
    return (unsigned)count;
}

static void each_queue_gets_an_ioeventfd_when_the_device_starts(void **state)
{
    (void)state;
    expect_number(call_count, 0, "Before DRIVER_OK nothing bypasses the registers.");
    up();
    expect_number(call_count, 2, "DRIVER_OK: KVM_IOEVENTFD once for each of the device's two queues.");
    for (unsigned i = 0; i < 2; i++) {
        expect_number(calls[i].addr, W + R_NOTIFY,
                      "The guest-physical address that is written: QueueNotify, 0x50 in the device's window "
                      "(virtio 1.2 §4.2.2).");
        expect_number(calls[i].len, 4, "QueueNotify is written by 4 bytes; KVM compares the length, too.");
        expect_number(calls[i].datamatch, i,
                      "The value that is written there is the queue's number; an event for each queue needs "
                      "datamatch.");
        expect_number(calls[i].flags, KVM_IOEVENTFD_FLAG_DATAMATCH,
                      "datamatch counts only with this flag (KVM API, KVM_IOEVENTFD); PIO and DEASSIGN are "
                      "wrong here.");
    }
    expect_true(calls[0].fd != calls[1].fd, "Each queue has an eventfd of its own.");
}

static void the_thread_watches_what_kvm_writes_to(void **state)
{
    (void)state;
    up();
    expect_number(watched_count, 2, "io_watch() for each queue's eventfd.");
    for (unsigned i = 0; i < 2; i++)
        expect_number((uint64_t)watched[i]->fd, (uint64_t)calls[i].fd,
                      "It is the descriptor that KVM_IOEVENTFD was given.");
}

static void an_event_is_a_notification_of_its_queue(void **state)
{
    (void)state;
    up();
    offer_hello();
    watched_ready(0);
    expect_number(
        printed_size, 0,
        "The event of queue 0, in which the driver offers room for input: queue 1 is not looked at.");
    watched_ready(1);
    expect_bytes(printed_size == 5 ? printed : NULL, "hello", 5,
                 "The event of queue 1: type->notify() for that queue takes the chain and prints it.");
}

static void a_used_buffer_is_an_event_for_the_interrupt(void **state)
{
    (void)state;
    expect_number(irqfd.gsi, 5, "KVM_IRQFD: gsi is the device's interrupt line, 5 for the first one.");
    expect_number(irqfd.flags, 0, "Neither DEASSIGN nor RESAMPLE: our line needs no resampling.");
    up();
    interrupts(); /* of before */
    offer_hello();
    watched_ready(1);
    expect_number(interrupts(), 1, "The chain was used: 1 is written to the irqfd's eventfd, once.");
    expect_number((uint64_t)line_edges[5], 0, "The line itself (KVM_IRQ_LINE, a system call) is left alone.");
}

static void an_acknowledgement_is_no_interrupt(void **state)
{
    (void)state;
    up();
    offer_hello();
    watched_ready(1);
    interrupts();
    set_reg(W, R_ACK, 1);
    expect_number(interrupts(), 0,
                  "The line falls (level 0). For an irqfd that is nothing: each write is a whole pulse.");
    offer_hello();
    watched_ready(1);
    expect_number(interrupts(), 1, "The next used chain is an interrupt again.");
}

static void a_reset_takes_the_eventfds_back(void **state)
{
    (void)state;
    up();
    set_reg(W, R_STATUS, 0);
    expect_number(call_count, 4, "The device is reset: KVM_IOEVENTFD for both queues once more.");
    for (unsigned i = 2; i < 4; i++) {
        expect_number(calls[i].flags, KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN,
                      "DEASSIGN takes it back, and DATAMATCH as before: KVM seeks the one that is the same "
                      "in all fields.");
        expect_number(calls[i].addr, W + R_NOTIFY, "At the same address.");
        expect_number(calls[i].datamatch, calls[i - 2].datamatch, "With the same datamatch.");
        expect_number((uint64_t)calls[i].fd, (uint64_t)calls[i - 2].fd, "And the same descriptor.");
    }
    expect_number(watched_count, 0,
                  "And io_unwatch(): the thread must not call for a device that is not running.");
}

static unsigned notifications;

static void count_notification(struct virtio_device *v, unsigned queue)
{
    (void)v, (void)queue;
    notifications++;
}

/* Have the device's notify() be counted only. */
static void count_notifications(struct virtio_device *v)
{
    static struct virtio_type type;

    type = *v->type;
    type.notify = count_notification;
    v->type = &type;
}

static void an_event_that_comes_too_late_is_nothing(void **state)
{
    (void)state;
    up();
    expect_number(watched_count, 2, "After DRIVER_OK both queues are watched: the event comes from there.");
    struct watch *late = watched[1];
    offer_hello();
    set_reg(W, R_STATUS, 0);
    virtio_each(machine, count_notifications);
    notifications = 0;
    late->ready(late);
    expect_number(notifications, 0,
                  "The device was reset between the event and the lock: only one that is virtio_running() "
                  "is notified.");
    expect_number(printed_size, 0,
                  "The device was reset in between: its queues are the driver's, and not looked at.");
}

static void a_second_start_is_like_the_first(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        up();
        expect_number(watched_count, 2, "After each DRIVER_OK both queues are watched, once.");
        offer_hello();
        watched_ready(1);
        expect_number(printed_size, 5, "And their events are notifications.");
        set_reg(W, R_STATUS, 0);
    }
}

static void where_kvm_refuses_notifications_are_exits_as_before(void **state)
{
    (void)state;
    kvm_refuses_ioeventfd = true;
    up();
    expect_number(watched_count, 0,
                  "KVM_IOEVENTFD failed: nobody will write to that eventfd, so there is nothing to watch.");
    expect_number(complaints, 0, "That is slower and not wrong: nothing to complain of.");
    offer_hello();
    notify_queue(&tx);
    expect_number(printed_size, 5,
                  "The write to QueueNotify is an exit then, and reaches the device by its registers.");
    set_reg(W, R_STATUS, 0);
    expect_number(reg(W, R_STATUS), 0, "And a reset works.");
}

static int begin_without_irqfd(void **state)
{
    kvm_refuses_irqfd = true;
    return begin(state);
}

static void where_kvm_refuses_the_line_is_set_as_before(void **state)
{
    (void)state;
    up();
    offer_hello();
    watched_ready(1);
    expect_number((uint64_t)line_level[5], 1,
                  "KVM_IRQFD failed: set_line must stay what the transport put there (KVM_IRQ_LINE).");
    set_reg(W, R_ACK, 1);
    expect_number((uint64_t)line_level[5], 0, "So the line falls when the driver acknowledges.");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(each_queue_gets_an_ioeventfd_when_the_device_starts),
        TEST(the_thread_watches_what_kvm_writes_to),
        TEST(an_event_is_a_notification_of_its_queue),
        TEST(a_used_buffer_is_an_event_for_the_interrupt),
        TEST(an_acknowledgement_is_no_interrupt),
        TEST(a_reset_takes_the_eventfds_back),
        TEST(an_event_that_comes_too_late_is_nothing),
        TEST(a_second_start_is_like_the_first),
        TEST(where_kvm_refuses_notifications_are_exits_as_before),
        cmocka_unit_test_setup_teardown(where_kvm_refuses_the_line_is_set_as_before, begin_without_irqfd,
                                        end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
