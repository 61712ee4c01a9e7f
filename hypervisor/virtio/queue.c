/* Split virtqueues (virtio 1.2 §2.7), the device's side. The rings lie in the guest's memory and may change
 * at any moment: every number is read once, checked, and only then used. */
#include "virtio.h"

#define AVAIL_NO_INTERRUPT 1u

/* The rings of §2.7.6 and §2.7.8, with the fields of EVENT_IDX behind their ends. */
struct avail {
    uint16_t flags, idx, ring[];
};

struct used {
    uint16_t flags, idx;
    struct used_elem {
        uint32_t id, len;
    } ring[];
};

#define USED_NO_NOTIFY 1u

static size_t avail_bytes(const struct virtqueue *q)
{
    return sizeof(struct avail) + (q->size + 1u) * sizeof(uint16_t);
}

static size_t used_bytes(const struct virtqueue *q)
{
    return sizeof(struct used) + q->size * sizeof(struct used_elem) + sizeof(uint16_t);
}

static struct avail *avail_ring(struct virtio_device *v, const struct virtqueue *q)
{
    return guest_ptr(v->vm, q->avail, avail_bytes(q));
}

static struct used *used_ring(struct virtio_device *v, const struct virtqueue *q)
{
    return guest_ptr(v->vm, q->used, used_bytes(q));
}

bool virtq_valid(struct vm *vm, const struct virtqueue *q)
{
    bool size_good = q->size > 0 && q->size <= VIRTIO_QUEUE_SIZE_MAX && (q->size & (q->size - 1)) == 0;

    return size_good && !(q->desc % 16) && !(q->avail % 2) && !(q->used % 4) &&
           guest_ptr(vm, q->desc, q->size * sizeof(struct desc)) && guest_ptr(vm, q->avail, avail_bytes(q)) &&
           guest_ptr(vm, q->used, used_bytes(q));
}

/* How many chains wait, or 0 after breaking the device because its index jumped. */
static uint16_t chains_waiting(struct virtio_device *v, unsigned queue, const struct virtqueue *q)
{
    uint16_t idx =
        __atomic_load_n(&avail_ring(v, q)->idx, __ATOMIC_ACQUIRE); /* before the entries are read */
    uint16_t waiting = (uint16_t)(idx - q->next_avail);

    if (waiting <= q->size)
        return waiting;
    virtio_broken(v, "queue %u: the available index jumped from %u to %u, over more than the %u entries",
                  queue, q->next_avail, idx, q->size);
    return 0;
}

/* Say that we look at the ring ourselves and want no notifications (they cost exits), or want the next one.
 */
static void want_notify(struct virtio_device *v, const struct virtqueue *q, bool want)
{
    struct used *used = used_ring(v, q);

    /* avail_event, behind the used ring: notify when the entry of this index is there (§2.7.10). */
    uint16_t *avail_event = (uint16_t *)&used->ring[q->size];

    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        __atomic_store_n(&used->flags, want ? 0 : USED_NO_NOTIFY, __ATOMIC_RELAXED);
    else if (want)
        __atomic_store_n(avail_event, q->next_avail, __ATOMIC_RELAXED);
    /* The driver sees this before we look at its index for the last time. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Is there a chain to take? Asks the driver to notify us of the next one if not. Broken rings have none, and
 * neither has a machine that stops. */
static bool is_pending(struct virtio_device *v, unsigned queue)
{
    struct virtqueue *q = &v->state->queues[queue];

    /* Stopping: a ring may feed itself for ever, where what a device writes lies on it. */
    if (!virtio_running(v) || !q->ready || vm_stopping(v->vm))
        return false;
    if (chains_waiting(v, queue, q)) {
        want_notify(v, q, false);
        return true;
    }
    if (!virtio_running(v))
        return false;
    want_notify(v, q, true);
    return chains_waiting(v, queue, q) > 0; /* one may have come before the driver saw our wish */
}

/* A walk along the descriptors of one chain. */
struct descs {
    const struct desc *table;
    unsigned size, left; /* of the table; how many more a chain may have */
    bool indirect;
};

/* Add the buffer of a descriptor to the chain. Returns what is wrong with it, or NULL. */
static const char *add_buffer(struct virtio_device *v, struct chain *chain, const struct desc *d)
{
    void *data = guest_ptr(v->vm, d->gpa, d->len);
    bool write = d->flags & DESC_WRITE;

    if (d->len == 0)
        return "is empty";
    if (!data)
        return "is not in RAM";
    if (!write && chain->in_count)
        return "is for reading, behind one for writing"; /* §2.7.4.2 */
    struct iovec *iov = write ? &chain->in[chain->in_count++] : &chain->out[chain->out_count++];
    *iov = (struct iovec){data, d->len};
    *(write ? &chain->in_bytes : &chain->out_bytes) += d->len;
    return NULL;
}

/* Go over to the table that an indirect descriptor names (§2.7.5.3). */
static const char *enter_table(struct virtio_device *v, struct descs *descs, const struct desc *d)
{
    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC))
        return "is indirect, which was not negotiated";
    if (descs->indirect)
        return "is indirect in an indirect table";
    if (d->flags & DESC_NEXT)
        return "is indirect and has a next one";
    if (d->len == 0 || d->len % sizeof *d || d->len / sizeof *d > VIRTIO_QUEUE_SIZE_MAX)
        return "names an indirect table of a bad size";
    descs->table = guest_ptr(v->vm, d->gpa, d->len);
    descs->size = descs->left = d->len / sizeof *d;
    descs->indirect = true;
    return descs->table ? NULL : "names an indirect table outside RAM";
}

static const char *walk_chain(struct virtio_device *v, struct descs *descs, struct chain *chain,
                              unsigned index, struct desc *d)
{
    const char *fault = NULL;

    while (!fault) {
        if (index >= descs->size)
            return "names a next one beyond the table";
        if (descs->left-- == 0)
            return "closes a loop";
        memcpy(d, &descs->table[index], sizeof *d); /* copied once: the guest may change it while we look */
        index = d->next;
        if (d->flags & DESC_INDIRECT) {
            fault = enter_table(v, descs, d);
            index = 0;
            continue;
        }
        fault = add_buffer(v, chain, d);
        if (!(d->flags & DESC_NEXT))
            return fault;
    }
    return fault;
}

bool virtq_pop(struct virtio_device *v, unsigned queue, struct chain *chain)
{
    struct virtqueue *q = &v->state->queues[queue];
    struct desc d = {0};

    if (!is_pending(v, queue))
        return false;
    chain->head = avail_ring(v, q)->ring[q->next_avail % q->size];
    chain->out_count = chain->in_count = 0;
    chain->out_bytes = chain->in_bytes = 0;
    q->next_avail++;
    struct descs descs = {guest_ptr(v->vm, q->desc, q->size * sizeof d), q->size, q->size, false};
    const char *fault = walk_chain(v, &descs, chain, chain->head, &d);
    if (fault)
        virtio_broken(v, "queue %u: in the chain of descriptor %u, one of %u bytes at 0x%lx %s", queue,
                      chain->head, d.len, d.gpa, fault);
    return !fault;
}

void virtq_push(struct virtio_device *v, unsigned queue, uint16_t head, size_t written)
{
    struct virtqueue *q = &v->state->queues[queue];
    struct used *used = used_ring(v, q);

    used->ring[q->next_used % q->size] = (struct used_elem){head, (uint32_t)written};
    q->next_used++;
    __atomic_store_n(&used->idx, q->next_used,
                     __ATOMIC_RELEASE); /* after the entry and the data in the buffers */
}

/* Does the driver want an interrupt for the entries from told_used to next_used (§2.7.7)? */
static bool wants_interrupt(struct virtio_device *v, const struct virtqueue *q)
{
    const struct avail *avail = avail_ring(v, q);

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* our index is out before we read what the driver wishes */
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & AVAIL_NO_INTERRUPT);
    uint16_t event = __atomic_load_n(&avail->ring[q->size], __ATOMIC_RELAXED); /* used_event */
    return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - q->told_used);
}

void virtq_tell(struct virtio_device *v, unsigned queue)
{
    struct virtqueue *q = &v->state->queues[queue];

    if (!virtio_running(v) || q->next_used == q->told_used)
        return;
    bool wanted = wants_interrupt(v, q);
    q->told_used = q->next_used;
    if (wanted)
        virtio_interrupt(v, VIRTIO_INTERRUPT_QUEUE);
}

/* Cut up to `size` bytes off the front buffer. Returns where they are and, in *n, how many. */
static void *iov_cut(struct iovec **iov, unsigned *count, size_t size, size_t *n)
{
    struct iovec *front = *iov;
    void *at = front->iov_base;

    *n = size < front->iov_len ? size : front->iov_len;
    front->iov_base = (uint8_t *)at + *n;
    front->iov_len -= *n;
    if (front->iov_len == 0) {
        ++*iov;
        --*count;
    }
    return at;
}

size_t iov_take(struct iovec **iov, unsigned *count, void *data, size_t size)
{
    size_t done = 0;

    for (size_t n; done<size && * count> 0; done += n) {
        const void *at = iov_cut(iov, count, size - done, &n);
        memcpy((uint8_t *)data + done, at, n);
    }
    return done;
}

size_t iov_give(struct iovec **iov, unsigned *count, const void *data, size_t size)
{
    size_t done = 0;

    for (size_t n; done<size && * count> 0; done += n) {
        void *at = iov_cut(iov, count, size - done, &n);
        memcpy(at, (const uint8_t *)data + done, n);
    }
    return done;
}

void iov_skip(struct iovec **iov, unsigned *count, size_t size)
{
    for (size_t n; size > 0 && *count > 0; size -= n)
        iov_cut(iov, count, size, &n);
}
