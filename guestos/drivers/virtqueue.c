/*
 * Split virtqueues (virtio 1.2 §2.7). The device is trusted with nothing: what it must not change is kept in
 * notes that it cannot reach, and what it writes is checked before it is used.
 */
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "virtqueue.h"

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

#define TABLE_SIZE  4    /* descriptors in an indirect table; longer chains lie in the ring itself */
#define USED_OFFSET 1024 /* in the frame that the available ring shares with it */

/* --- notifications: the flags --- */

static bool flag_device_wants(const struct virtqueue *queue)
{
    return !(__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
}

static void flag_want(struct virtqueue *queue, uint16_t count)
{
    (void)count; /* a flag cannot count */
    __atomic_store_n(&queue->available->flags, 0, __ATOMIC_RELAXED);
}

static void flag_refuse(struct virtqueue *queue)
{
    __atomic_store_n(&queue->available->flags, AVAIL_NO_INTERRUPT, __ATOMIC_RELAXED);
}

static const struct virtqueue_events flags = {
    .device_wants = flag_device_wants, .want = flag_want, .refuse = flag_refuse};
static const struct virtqueue_events *preferred;

void virtqueue_set_events(const struct virtqueue_events *events)
{
    preferred = events;
}

uint64_t virtqueue_features(void)
{
    return VIRTIO_F_INDIRECT_DESC | (preferred ? preferred->feature : 0);
}

/* --- making --- */

static int make_tables(struct virtqueue *queue)
{
    queue->tables = kmalloc(queue->size * sizeof(*queue->tables));
    if (!queue->tables)
        return -ENOMEM;
    for (unsigned i = 0; i < queue->size; i++) {
        queue->tables[i] = kmalloc(TABLE_SIZE * sizeof(struct virtq_descriptor));
        if (!queue->tables[i])
            return -ENOMEM;
    }
    return 0;
}

static int make_rings(struct virtqueue *queue)
{
    uint64_t descriptors = frame_alloc_zero(), rings = frame_alloc_zero();

    queue->notes = kmalloc(queue->size * sizeof(*queue->notes));
    if (!descriptors || !rings || !queue->notes)
        return -ENOMEM;
    queue->descriptors = phys_to_virt(descriptors);
    queue->available = phys_to_virt(rings);
    queue->used = phys_to_virt(rings + USED_OFFSET);
    queue->free_count = queue->size;
    for (unsigned i = 0; i < queue->size; i++)
        queue->notes[i].next = i + 1;
    return virtio_has(queue->device, VIRTIO_F_INDIRECT_DESC) ? make_tables(queue) : 0;
}

/* The largest power of two that is not above n: split rings have no other sizes. */
static unsigned power_below(unsigned n)
{
    return n ? 1u << (31 - __builtin_clz(n)) : 0;
}

struct virtqueue *virtqueue_create(struct virtio_device *device, unsigned number,
                                   void (*interrupt)(struct virtqueue *queue))
{
    unsigned offered = virtio_queue_size(device, number); /* read once: it may not be the same again */
    unsigned size = power_below(MIN(offered, VIRTQUEUE_SIZE_MAX));
    struct virtqueue *queue = size ? kmalloc(sizeof(*queue)) : NULL;

    if (!queue)
        return NULL;
    *queue = (struct virtqueue){.device = device, .number = number, .size = size, .interrupt = interrupt};
    queue->events = preferred && virtio_has(device, preferred->feature) ? preferred : &flags;
    if (make_rings(queue) != 0)
        return NULL; /* so early without memory, there is no use in giving the rest back */
    virtqueue_quiet(queue);
    virtio_queue_enable(queue);
    device->queues[number] = queue;
    return queue;
}

/* --- giving --- */

/* Describe buffer i of a chain of which the first `out` are for reading. */
static void describe(struct virtq_descriptor *to, const struct virtqueue_buffer *buffer, bool write,
                     bool last, uint16_t next)
{
    *to = (struct virtq_descriptor){
        .address = virt_to_phys(buffer->at),
        .length = buffer->size,
        .flags = (write ? DESC_WRITE : 0) | (last ? 0 : DESC_NEXT),
        .next = last ? 0 : next,
    };
}

static void fill_table(struct virtqueue *queue, uint16_t head, const struct virtqueue_buffer *buffers,
                       unsigned out, unsigned total)
{
    struct virtq_descriptor *table = queue->tables[head];

    for (unsigned i = 0; i < total; i++)
        describe(&table[i], &buffers[i], i >= out, i + 1 == total, i + 1);
    queue->descriptors[head] = (struct virtq_descriptor){
        .address = virt_to_phys(table), .length = total * sizeof(*table), .flags = DESC_INDIRECT};
}

/* Fill free descriptors, the first of which is `head`. */
static void fill_ring(struct virtqueue *queue, uint16_t head, const struct virtqueue_buffer *buffers,
                      unsigned out, unsigned total)
{
    uint16_t at = head;

    for (unsigned i = 0; i < total; i++, at = queue->notes[at].next)
        describe(&queue->descriptors[at], &buffers[i], i >= out, i + 1 == total, queue->notes[at].next);
}

/* Take `length` descriptors from the list of free ones. */
static uint16_t take_free(struct virtqueue *queue, unsigned length)
{
    uint16_t head = queue->free_first;

    for (unsigned i = 0; i < length; i++)
        queue->free_first = queue->notes[queue->free_first].next;
    queue->free_count -= length;
    return head;
}

/* The device may look at the chain as soon as it sees the new index, so that is written last (§2.7.13). */
static void publish(struct virtqueue *queue, uint16_t head)
{
    queue->available->ring[queue->next_added++ % queue->size] = head;
    __atomic_store_n(&queue->available->index, queue->next_added, __ATOMIC_RELEASE);
    queue->in_flight++;
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_buffer *buffers, unsigned out, unsigned in,
                  void *token)
{
    bool indirect = queue->tables && out + in > 1 && out + in <= TABLE_SIZE;
    unsigned length = indirect ? 1 : out + in;
    uint32_t writable = 0;

    if (queue->device->failure)
        return -EIO;
    if (length > queue->free_count)
        return -ENOSPC;
    uint16_t head = take_free(queue, length);
    if (indirect)
        fill_table(queue, head, buffers, out, out + in);
    else
        fill_ring(queue, head, buffers, out, out + in);
    for (unsigned i = out; i < out + in; i++)
        writable += buffers[i].size;
    struct virtqueue_note *note = &queue->notes[head];
    note->token = token;
    note->writable = writable;
    note->length = length;
    publish(queue, head);
    return 0;
}

void virtqueue_kick(struct virtqueue *queue)
{
    if (queue->told_until == queue->next_added || queue->device->failure)
        return;
    /* The device looks for buffers once more after it has said that it wants to be told; we must not look
     * whether it has said so before our index can be seen (§2.7.13.3). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    bool wanted = queue->events->device_wants(queue);
    queue->told_until = queue->next_added;
    if (wanted)
        virtio_notify(queue);
}

/* --- taking back --- */

/* Put a chain's descriptors back into the list of free ones. */
static void give_back(struct virtqueue *queue, uint16_t head)
{
    struct virtqueue_note *first = &queue->notes[head];
    uint16_t last = head;

    for (unsigned i = 1; i < first->length; i++)
        last = queue->notes[last].next;
    queue->notes[last].next = queue->free_first;
    queue->free_first = head;
    queue->free_count += first->length;
    first->token = NULL;
    queue->in_flight--;
}

/* How many chains the device says it has used and we have not taken. What it writes for them is visible when
 * the index is. */
static uint16_t waiting(const struct virtqueue *queue)
{
    return __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) - queue->next_used;
}

void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    uint16_t count = waiting(queue), at = queue->next_used % queue->size;
    const char *wrong = NULL;

    if (count == 0 || queue->device->failure)
        return NULL;
    /* Read once: it can change while we look. */
    uint32_t id = __atomic_load_n(&queue->used->ring[at].id, __ATOMIC_RELAXED);
    uint32_t length = __atomic_load_n(&queue->used->ring[at].length, __ATOMIC_RELAXED);
    if (count > queue->in_flight)
        wrong = "says that it used more buffers than it was given";
    else if (id >= queue->size || !queue->notes[id].token)
        wrong = "says that it used a buffer that it was not given";
    else if (length > queue->notes[id].writable)
        wrong = "says that it wrote more than there was room for";
    if (wrong) {
        virtio_fail(queue->device, wrong);
        return NULL;
    }
    void *token = queue->notes[id].token;
    give_back(queue, id);
    queue->next_used++;
    *written = length;
    return token;
}

void virtqueue_quiet(struct virtqueue *queue)
{
    queue->events->refuse(queue);
}

bool virtqueue_listen(struct virtqueue *queue, uint16_t count)
{
    queue->events->want(queue, count);
    /* The device looks at this after it has used a buffer; it sees it, or we see the buffer. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return waiting(queue) >= count && !queue->device->failure;
}
