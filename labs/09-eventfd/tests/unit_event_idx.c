/* Moss's notifications by position: who is told of what, and when. */
/* sources: guestos/drivers/virtio_event_idx.c tests/unit/moss_host.c */
#include "tests/support/expect.h"
#include "tests/unit/moss_host.h"
#include "guestos/include/init.h"
#include "guestos/include/virtqueue.h"

#define RING_SIZE 4

extern const struct init_call __start_inits[];

static const struct virtqueue_events *events;
static uint16_t available_memory[2 + RING_SIZE + 1]; /* flags, index, ring, used_event */
static uint16_t used_memory[2 + 4 * RING_SIZE + 1];  /* flags, index, ring, avail_event */
static struct virtqueue queue;

void virtqueue_set_events(const struct virtqueue_events *e)
{
    events = e;
}

static int begin(void **state)
{
    (void)state;
    __start_inits[0].call();
    queue = (struct virtqueue){
        .size = RING_SIZE, .available = (void *)available_memory, .used = (void *)used_memory};
    return 0;
}

/* Would the device be told of what was added since `before`? */
static bool told(uint16_t device_event, uint16_t before, uint16_t next)
{
    used_memory[2 + 4 * RING_SIZE] = device_event;
    queue.told_until = before;
    queue.next_added = next;
    return events->device_wants(&queue);
}

/* Would a device that keeps the rules interrupt after it has used the entries from `before` up to `next`? */
static bool interrupts(uint16_t before, uint16_t next)
{
    uint16_t event = available_memory[2 + RING_SIZE];

    return (uint16_t)(next - event - 1) < (uint16_t)(next - before); /* virtio 1.2 §2.7.7.2 */
}

static void the_feature_is_event_idx(void **state)
{
    (void)state;
    assert_true(events->feature == VIRTIO_F_EVENT_IDX);
}

static void the_device_is_told_when_its_entry_is_among_the_new_ones(void **state)
{
    (void)state;
    expect_true(told(5, 5, 6),
                "avail_event is 5 and entry 5 was added: the device wants to be told (virtio 1.2 §2.7.10).");
    expect_true(told(5, 3, 9), "Entries 3 to 8 were added, 5 among them.");
    expect_true(!told(5, 6, 9),
                "Entry 5 was added before the last time that we asked: no second notification.");
    expect_true(!told(9, 5, 9), "Entries 5 to 8 were added; 9 is not there yet.");
}

static void positions_wrap_at_65536(void **state)
{
    (void)state;
    expect_true(told(65535, 65534, 1), "Entries 65534, 65535 and 0 were added, 65535 among them.");
    expect_true(told(0, 65534, 1), "And 0: what looks smaller comes later.");
    expect_true(!told(1, 65534, 1), "1 is the next one, and not there yet.");
}

static void an_interrupt_is_wanted_after_so_many(void **state)
{
    (void)state;
    for (uint32_t next = 0; next < 65536; next += 4369) { /* at both ends and between */
        queue.next_used = (uint16_t)next;
        events->want(&queue, 1);
        expect_true(interrupts((uint16_t)next, (uint16_t)(next + 1)),
                    "want(1): an interrupt when one more is used. used_event is the index of an entry, the "
                    "one at next_used.");
        events->want(&queue, 3);
        expect_true(!interrupts((uint16_t)next, (uint16_t)(next + 2)),
                    "want(3), and two were used: not yet.");
        expect_true(interrupts((uint16_t)(next + 2), (uint16_t)(next + 3)), "The third one was used: now.");
    }
}

static void no_interrupt_is_wanted_after_a_refusal(void **state)
{
    (void)state;
    for (uint32_t next = 0; next < 65536; next += 4369) {
        queue.next_used = (uint16_t)next;
        events->want(&queue, 1);
        events->refuse(&queue);
        expect_true(!interrupts((uint16_t)next, (uint16_t)(next + RING_SIZE)),
                    "There is no flag to refuse with: used_event names an entry that was used already "
                    "(virtio 1.2 §2.7.7).");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_feature_is_event_idx, begin),
        cmocka_unit_test_setup(the_device_is_told_when_its_entry_is_among_the_new_ones, begin),
        cmocka_unit_test_setup(positions_wrap_at_65536, begin),
        cmocka_unit_test_setup(an_interrupt_is_wanted_after_so_many, begin),
        cmocka_unit_test_setup(no_interrupt_is_wanted_after_a_refusal, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
