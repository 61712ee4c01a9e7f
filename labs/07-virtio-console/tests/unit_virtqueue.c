/* Moss's side of a virtqueue, against a simulated device: one that keeps the rules, and one that breaks them.
 */
/* sources: guestos/drivers/virtqueue.c tests/unit/moss_host.c tests/unit/write_watch.c */
#include <errno.h>
#include "tests/support/expect.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/write_watch.h"
#include "guestos/include/frames.h"
#include "guestos/include/virtqueue.h"

#define RAM           0x100000
#define RING_SIZE     8
#define STEPS         400000
#define CHAIN_MAX     6
#define DATA          0x8000 /* physical; below are the rings */
#define INDIRECT      4      /* descriptor flags (virtio 1.2 §2.7.5) */
#define WRITE         2
#define NEXT          1
#define NO_NOTIFY     1
#define NO_INTERRUPTS 1

static struct virtio_device device;
static struct virtqueue *queue;
static uint64_t ram_used;
static unsigned notified, failures;
static unsigned size_offered = RING_SIZE;
static bool size_grows; /* whenever it is read */

/* --- the kernel around it --- */

static void *take_ram(size_t size)
{
    void *at = phys_to_virt(ram_used);

    ram_used += (size + 15) / 16 * 16;
    assert_true(ram_used <= RAM);
    return memset(at, 0, size);
}

void *kmalloc(size_t size)
{
    return take_ram(size);
}

uint64_t frame_alloc_zero(void)
{
    ram_used = (ram_used + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    return virt_to_phys(take_ram(PAGE_SIZE));
}

unsigned virtio_queue_size(struct virtio_device *d, unsigned number)
{
    assert_ptr_equal(d, &device);
    if (size_grows)
        size_offered *= 64;
    return number < 2 ? size_offered : 0;
}

void virtio_queue_enable(struct virtqueue *q)
{
    assert_non_null(q->used);
}

void virtio_notify(struct virtqueue *q)
{
    assert_ptr_equal(q, queue);
    notified++;
}

void virtio_fail(struct virtio_device *d, const char *why)
{
    d->failure = why;
    failures++;
}

/* --- the device --- */

static struct {
    uint16_t available, used;
} position;

/* A chain as the device sees it. */
struct seen {
    uint16_t id;
    unsigned count;
    struct virtq_descriptor part[CHAIN_MAX];
};

/* Take the next available chain. Returns false if there is none. */
static bool device_pop(struct seen *chain)
{
    if (queue->available->index == position.available)
        return false;
    chain->id = queue->available->ring[position.available++ % queue->size];
    assert_true(chain->id < queue->size);
    const struct virtq_descriptor *table = queue->descriptors;
    uint16_t at = chain->id;
    if (table[at].flags & INDIRECT) {
        assert_int_equal(table[at].flags, INDIRECT);
        chain->count = table[at].length / sizeof(*table);
        table = phys_to_virt(table[at].address);
        at = 0;
    }
    for (chain->count = 0; chain->count < CHAIN_MAX; at = table[at].next) {
        chain->part[chain->count++] = table[at];
        if (!(table[at].flags & NEXT))
            break;
    }
    return true;
}

static void device_push(uint32_t id, uint32_t length)
{
    queue->used->ring[position.used % queue->size].id = id;
    queue->used->ring[position.used % queue->size].length = length;
    queue->used->index = ++position.used;
}

/* --- using it --- */

static struct virtqueue_buffer buffer(unsigned n, uint32_t size)
{
    return (struct virtqueue_buffer){phys_to_virt(DATA + n * 0x100), size};
}

static int begin_with(uint64_t features)
{
    if (!ram_used)
        moss_ram(RAM);
    ram_used = 16;
    memset(&device, 0, sizeof device);
    memset(&position, 0, sizeof position);
    device.features = features;
    notified = failures = 0;
    queue = virtqueue_create(&device, 1, NULL);
    assert_non_null(queue);
    return 0;
}

static int begin_direct(void **state)
{
    (void)state;
    return begin_with(0);
}

static int begin_indirect(void **state)
{
    (void)state;
    return begin_with(VIRTIO_F_INDIRECT_DESC);
}

/* Add a chain of three, as a disk's requests are: read, written, written. */
static int add_three(void *token)
{
    struct virtqueue_buffer parts[] = {buffer(0, 16), buffer(1, 200), buffer(2, 1)};

    return virtqueue_add(queue, parts, 1, 2, token);
}

static int add_one(void *token)
{
    struct virtqueue_buffer part = buffer(3, 100);

    return virtqueue_add(queue, &part, 0, 1, token);
}

static void expect_three(const struct seen *chain)
{
    static const uint32_t lengths[] = {16, 200, 1};

    expect_number(chain->count, 3,
                  "The chain has three descriptors: each but the last has F_NEXT and the index of the next "
                  "(virtio 1.2 §2.7.5).");
    for (unsigned i = 0; i < 3; i++) {
        expect_number(chain->part[i].address, DATA + i * 0x100,
                      "The device knows physical addresses only: virt_to_phys() of the buffer.");
        expect_number(chain->part[i].length, lengths[i], "The descriptor's length is the buffer's size.");
        expect_number(
            chain->part[i].flags & WRITE, i ? WRITE : 0,
            "The first buffer is for the device to read, the other two are for it to write (F_WRITE).");
    }
}

static void a_chain_arrives_as_it_was_given(void **state)
{
    struct seen chain;
    int token;
    uint32_t written;

    (void)state;
    assert_int_equal(add_three(&token), 0);
    expect_true(device_pop(&chain),
                "A chain was added: the available ring's index is one more (virtio 1.2 §2.7.6).");
    expect_three(&chain);
    expect_true(!virtqueue_take(queue, &written),
                "The device has the chain and has not used it: there is nothing to take.");
    device_push(chain.id, 201);
    expect_true(virtqueue_take(queue, &written) == &token,
                "The used entry names the chain: its token comes back.");
    expect_number(written, 201, "The used entry's length, the bytes that the device wrote, is passed on.");
    expect_true(!virtqueue_take(queue, &written), "There was one used entry; the second take finds none.");
    expect_number(failures, 0, "This device keeps the rules and must not be given up.");
}

static void chains_come_back_in_any_order(void **state)
{
    struct seen chains[2];
    int tokens[2];
    uint32_t written;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(add_three(&tokens[i]), 0);
        expect_true(device_pop(&chains[i]), "A chain was added: the device finds it.");
    }
    expect_true(chains[0].id != chains[1].id,
                "Two chains were added. The device finds the second one in entry 1 of the available ring: "
                "next_added modulo the ring's size (virtio 1.2 §2.7.6).");
    device_push(chains[1].id, 1);
    device_push(chains[0].id, 2);
    expect_true(virtqueue_take(queue, &written) == &tokens[1],
                "A device may use chains in any order; the used entry's id says which one it was (virtio 1.2 "
                "§2.7.8).");
    expect_true(virtqueue_take(queue, &written) == &tokens[0], "The next used entry names the other chain.");
    expect_number(written, 2, "Each used entry has a length of its own.");
}

static void a_chain_is_whole_before_the_index_shows_it(void **state)
{
    int token;

    (void)state;
    watch_begin(phys_to_virt(0), RAM);
    add_three(&token);
    watch_end();
    unsigned index = watch_last_store(&queue->available->index, 2),
             entry = watch_last_store(queue->available->ring, 2);
    unsigned descriptors = watch_last_store(queue->descriptors, RING_SIZE * sizeof(struct virtq_descriptor));
    expect_true(entry > 0 && index > entry, "The device may look as soon as it sees the new index: the "
                                            "ring's entry is stored first, then the index, by a "
                                            "store with release (virtio 1.2 §2.7.13).");
    expect_true(descriptors > 0 && index > descriptors, "So are the descriptors that the entry leads to.");
}

/* How many chains of three fit. */
static unsigned fill(void)
{
    static int token;
    unsigned count = 0;

    while (add_three(&token) == 0)
        count++;
    assert_int_equal(add_three(&token), -ENOSPC);
    return count;
}

static void a_full_ring_says_so(void **state)
{
    struct seen chain;
    uint32_t written;

    (void)state;
    assert_int_equal(fill(), RING_SIZE / 3);
    assert_int_equal(add_one(&chain), 0); /* two descriptors are left */
    assert_true(device_pop(&chain));
    device_push(chain.id, 0);
    assert_non_null(virtqueue_take(queue, &written));
    assert_int_equal(add_three(&chain), 0);
}

static void indirect_chains_take_one_descriptor_each(void **state)
{
    struct seen chain;

    (void)state;
    assert_int_equal(fill(), RING_SIZE);
    for (unsigned i = 0; i < RING_SIZE; i++) {
        assert_true(device_pop(&chain));
        expect_three(&chain);
    }
}

static void sizes_become_powers_of_two(void **state)
{
    (void)state;
    size_offered = 1000;
    assert_int_equal(virtqueue_create(&device, 0, NULL)->size, VIRTQUEUE_SIZE_MAX);
    size_offered = 7;
    assert_int_equal(virtqueue_create(&device, 0, NULL)->size, 4);
    size_offered = 1;
    size_grows = true;
    assert_int_equal(virtqueue_create(&device, 0, NULL)->size, 64); /* read once */
    size_grows = false;
    size_offered = RING_SIZE;
    assert_null(virtqueue_create(&device, 2, NULL)); /* the device has two */
}

static void the_device_is_told_once_and_only_if_it_wants(void **state)
{
    int token;

    (void)state;
    virtqueue_kick(queue);
    assert_int_equal(notified, 0); /* nothing was added */
    add_one(&token);
    add_one(&token);
    virtqueue_kick(queue);
    assert_int_equal(notified, 1);
    virtqueue_kick(queue);
    assert_int_equal(notified, 1);
    queue->used->flags = NO_NOTIFY;
    add_one(&token);
    virtqueue_kick(queue);
    assert_int_equal(notified, 1);
}

static void interrupts_come_when_they_are_wanted(void **state)
{
    struct seen chain;
    uint32_t written;
    int token;

    (void)state;
    assert_int_equal(queue->available->flags, NO_INTERRUPTS);
    assert_false(virtqueue_listen(queue, 1));
    assert_int_equal(queue->available->flags, 0);
    virtqueue_quiet(queue);
    assert_int_equal(queue->available->flags, NO_INTERRUPTS);
    add_one(&token);
    device_pop(&chain);
    device_push(chain.id, 0);
    assert_true(virtqueue_listen(queue, 1)); /* it was used before: no interrupt tells that */
    virtqueue_take(queue, &written);
    assert_false(virtqueue_listen(queue, 1));
}

/* Give and take at random, the device in an order of its own, for so long that all positions wrap. */
static void soak(void)
{
    static char tokens[RING_SIZE];
    struct seen held[RING_SIZE], chain;
    unsigned held_count = 0, given = 0, taken = 0;
    uint32_t written;

    for (unsigned step = 0; step < STEPS; step++) {
        if (moss_random() % 2) {
            bool three = moss_random() % 2;
            if ((three ? add_three : add_one)(&tokens[given % RING_SIZE]) == 0)
                given++;
        } else if (moss_random() % 2) {
            if (device_pop(&chain))
                held[held_count++] = chain;
        } else if (held_count) {
            unsigned which = moss_random() % held_count;
            device_push(held[which].id, 0);
            held[which] = held[--held_count];
        }
        if (virtqueue_take(queue, &written))
            taken++;
    }
    while (device_pop(&chain))
        device_push(chain.id, 0);
    while (held_count)
        device_push(held[--held_count].id, 0);
    while (virtqueue_take(queue, &written))
        taken++;
    assert_int_equal(given, taken);
    assert_true(given > 0x10000); /* positions have wrapped */
    assert_int_equal(queue->free_count, RING_SIZE);
    assert_int_equal(queue->in_flight, 0);
    assert_int_equal(failures, 0);
}

static void nothing_is_lost_in_a_long_run(void **state)
{
    (void)state;
    soak();
}

/* --- a device that breaks the rules --- */

static void expect_failure(const char *part, const char *said)
{
    uint32_t written = 77;
    int token;
    char lesson[200];

    snprintf(lesson, sizeof lesson, "The device says %s: no token comes back, and virtio_fail() gives it up.",
             said);
    expect_true(!virtqueue_take(queue, &written), lesson);
    expect_number(failures, 1, lesson);
    expect_contains(device.failure ?: "nothing", part, "virtio_fail() is told what was wrong.");
    expect_true(!virtqueue_take(queue, &written), "Nothing more comes from a device that was given up.");
    expect_number(failures, 1, "It is given up once.");
    assert_int_equal(add_one(&token), -EIO);
    virtqueue_kick(queue);
    assert_int_equal(notified, 0);
    assert_false(virtqueue_listen(queue, 1)); /* nobody shall loop for ever */
}

static void an_id_beyond_the_ring(void **state)
{
    int token;

    (void)state;
    add_three(&token);
    device_push(RING_SIZE, 0);
    expect_failure("not given", "that it used chain 8, in a ring of 8");
}

static void an_id_of_a_free_descriptor(void **state)
{
    int token;

    (void)state;
    add_one(&token);
    device_push((queue->available->ring[0] + 1) % RING_SIZE, 0);
    expect_failure("not given", "that it used a descriptor which is free");
}

static void an_id_from_the_middle_of_a_chain(void **state)
{
    int token;

    (void)state;
    add_three(&token);
    device_push(queue->descriptors[queue->available->ring[0]].next, 0);
    expect_failure("not given", "that it used a chain, and names the second descriptor of one");
}

static void the_same_id_twice(void **state)
{
    uint32_t written;
    int tokens[2];

    (void)state;
    add_one(&tokens[0]);
    add_one(&tokens[1]);
    device_push(queue->available->ring[0], 0);
    device_push(queue->available->ring[0], 0);
    assert_ptr_equal(virtqueue_take(queue, &written), &tokens[0]);
    expect_failure("not given", "that it used a chain for the second time");
}

static void more_bytes_than_fit(void **state)
{
    int token;

    (void)state;
    add_three(&token);
    device_push(queue->available->ring[0], 202); /* 200 and 1 were for writing */
    expect_failure("room", "that it wrote 202 bytes, where there was room for 201");
}

static void an_index_that_jumps(void **state)
{
    int token;

    (void)state;
    add_one(&token);
    queue->used->index += 2;
    expect_failure("more buffers", "that it used 2 chains; it was given 1");
}

static void an_index_that_goes_back(void **state)
{
    int token;

    (void)state;
    add_one(&token);
    queue->used->index--;
    expect_failure("more buffers", "that it used 65535 chains (its index went back by 1); it was given 1");
}

/* Whatever the device writes where it must not: chains come back whole, because our notes say how long they
 * are. */
static void scribbled_descriptors_do_no_harm(void **state)
{
    struct seen chain;
    uint32_t written;
    int token;

    (void)state;
    for (unsigned round = 0; round < 100; round++) {
        assert_int_equal(add_three(&token), 0);
        assert_true(device_pop(&chain));
        memset(queue->descriptors, 0xff, queue->size * sizeof(*queue->descriptors));
        device_push(chain.id, 0);
        assert_ptr_equal(virtqueue_take(queue, &written), &token);
        assert_int_equal(queue->free_count, RING_SIZE);
    }
}

static void random_used_rings_do_no_harm(void **state)
{
    static char tokens[RING_SIZE];
    uint32_t written;

    for (unsigned round = 0; round < 2000; round++) {
        begin_direct(state);
        while (add_one(&tokens[queue->in_flight]) == 0)
            ;
        for (unsigned step = 0; step < 50 && !device.failure; step++) {
            uint16_t *bytes = (uint16_t *)queue->used;
            bytes[moss_random() % (2 + 4 * RING_SIZE)] = moss_random() % (moss_random() % 2 ? 65536 : 12);
            char *token = virtqueue_take(queue, &written);
            assert_true(!token || (token >= tokens && token < tokens + RING_SIZE && written <= 100));
        }
        assert_true(failures <= 1);
        assert_true(queue->free_count + queue->in_flight == RING_SIZE);
    }
}

#define DIRECT(name) cmocka_unit_test_setup(name, begin_direct)
#define INDIRECTLY(name)                                                                                     \
    {                                                                                                        \
#name " (indirect)", name, begin_indirect, NULL, NULL                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIRECT(a_chain_arrives_as_it_was_given),
        INDIRECTLY(a_chain_arrives_as_it_was_given),
        DIRECT(a_chain_is_whole_before_the_index_shows_it),
        DIRECT(chains_come_back_in_any_order),
        INDIRECTLY(chains_come_back_in_any_order),
        DIRECT(a_full_ring_says_so),
        INDIRECTLY(indirect_chains_take_one_descriptor_each),
        DIRECT(sizes_become_powers_of_two),
        DIRECT(the_device_is_told_once_and_only_if_it_wants),
        DIRECT(interrupts_come_when_they_are_wanted),
        DIRECT(nothing_is_lost_in_a_long_run),
        INDIRECTLY(nothing_is_lost_in_a_long_run),
        DIRECT(an_id_beyond_the_ring),
        DIRECT(an_id_of_a_free_descriptor),
        DIRECT(an_id_from_the_middle_of_a_chain),
        DIRECT(the_same_id_twice),
        DIRECT(more_bytes_than_fit),
        DIRECT(an_index_that_jumps),
        DIRECT(an_index_that_goes_back),
        DIRECT(scribbled_descriptors_do_no_harm),
        DIRECT(random_used_rings_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
