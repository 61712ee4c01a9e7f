/* The buffer cache's transfers: runs of blocks in one request, many requests at a time, and flushes. */
#include "block_slot.h"
#include "errno.h"

#define START_SHARE  8 /* of the cache: so much is dirty when writing back begins */
#define LIMIT_SHARE  2 /* so much may be dirty or on its way */
#define LATE_SHARE   8
#define FAILURES_MAX 8 /* writes that fail, before whoever waits for room gets an error */

/* The first sectors in a mask that follow each other, as many as the device takes at once. */
static uint8_t first_run(uint8_t mask, const struct block_device *device)
{
    unsigned from = __builtin_ctz(mask);
    unsigned length = __builtin_ctz(~((unsigned)mask >> from));

    return ((1u << MIN(length, device->bytes_max / SECTOR_SIZE)) - 1) << from;
}

/* One slot's part in a transfer has ended. With the lock held. */
static void end_one(struct slot *slot, enum block_op op, int error)
{
    if (op == BLOCK_READ) {
        slot->failed = error;
        if (!error)
            slot->valid |= slot->moving;
    } else {
        pool.writing--;
        if (error) /* it stays dirty, to be tried again */
            slot_set_dirty(slot, slot->dirty | slot->moving, slot->late | slot->moving_late);
    }
    pool.moving--;
    __atomic_store_n(&slot->busy, false, __ATOMIC_RELEASE);
}

static void transfer_done(struct block_request *request)
{
    struct slot *first = request->arg;
    struct block_device *device = first->device;
    uint32_t index = first - pool.slots, count = 0;
    int error = request->error;

    spin_lock(&pool.lock);
    for (uint32_t left = request->bytes; left > 0; count++) {
        left -= count_ones(pool.slots[index + count].moving) * SECTOR_SIZE;
        end_one(&pool.slots[index + count], request->op, error);
    }
    if (request->op == BLOCK_WRITE && error) {
        device->write_errors++;
        pool.failed++;
    } else if (request->op == BLOCK_WRITE) {
        device->unflushed = true;
    }
    pool.ended++;
    spin_unlock(&pool.lock);
    for (uint32_t i = 0; i < count; i++)
        slot_wake(index + i);
    wake_all(&pool.any);
}

/* Add the slot's sectors to the request. */
static void add_part(struct block_request *request, struct slot *slot, uint8_t part)
{
    slot->busy = true;
    slot->moving = part;
    pool.moving++;
    request->bytes += count_ones(part) * SECTOR_SIZE;
    if (request->op == BLOCK_READ)
        return;
    pool.writing++;
    slot->moving_late = slot->late & part;
    slot_set_dirty(slot, slot->dirty & ~part, slot->late & ~part);
}

static uint8_t wanted_of(const struct slot *slot, enum block_op op, enum cache_order order)
{
    return op == BLOCK_READ ? slot_sectors(slot) & ~slot->valid : slot_writable(slot, order);
}

static uint32_t prepare(struct slot *first, uint8_t wanted, enum block_op op, enum cache_order order)
{
    struct block_request *request = &first->request;
    uint8_t part = first_run(wanted, first->device);
    struct slot *slot = first;

    *request = (struct block_request){.op = op, .done = transfer_done, .arg = first};
    request->sector = first->number * BLOCK_SECTORS + __builtin_ctz(part);
    request->data = slot_data(first) + __builtin_ctz(part) * SECTOR_SIZE;
    for (;;) {
        add_part(request, slot, part);
        struct slot *next = slot + 1;
        if (!(part & 0x80) || next == pool.slots + pool.count || next->busy || next->device != slot->device ||
            next->number != slot->number + 1 || request->bytes + BLOCK_SIZE > slot->device->bytes_max)
            break;
        wanted = wanted_of(next, op, order);
        if (!(wanted & 1))
            break;
        part = first_run(wanted, slot->device);
        slot = next;
    }
    return slot + 1 - first;
}

uint32_t slot_prepare_read(struct slot *slot, uint8_t wanted)
{
    return prepare(slot, wanted, BLOCK_READ, CACHE_EARLY);
}

uint32_t slot_prepare_write(struct slot *slot, uint8_t wanted, enum cache_order order)
{
    return prepare(slot, wanted, BLOCK_WRITE, order);
}

/* Prepare the next transfer of a pass: from slot *at on. Returns its first slot, or NULL at the end. */
static struct slot *next_to_write(struct block_device *device, enum cache_order order, uint32_t *at)
{
    struct slot *found = NULL;

    spin_lock(&pool.lock);
    for (; *at < pool.count && !found; ++*at) {
        struct slot *slot = &pool.slots[*at];
        if (slot_writable(slot, order) && !slot->busy && (!device || slot->device == device))
            found = slot;
    }
    if (found)
        *at += slot_prepare_write(found, slot_writable(found, order), order) - 1;
    spin_unlock(&pool.lock);
    return found;
}

void slot_submit(struct slot *slot, const struct slot *next)
{
    slot->request.more = next && next->device == slot->device;
    slot->device->submit(slot->device, &slot->request);
}

unsigned write_pass(struct block_device *device, enum cache_order order)
{
    unsigned requests = 0;
    uint32_t at = 0;
    struct slot *slot = next_to_write(device, order, &at);

    while (slot) {
        struct slot *next = next_to_write(device, order, &at);
        slot_submit(slot, next);
        slot = next;
        requests++;
    }
    return requests;
}

/* Write all of a slot that was there when we came: one piece after the other, waiting for each. */
static void write_slot(struct slot *slot, enum cache_order order)
{
    uint8_t left = 0xff;

    while (left) {
        slot_wait(slot);
        spin_lock(&pool.lock);
        uint8_t wanted = slot_writable(slot, order) & left;
        bool ready = wanted && !slot->busy;
        if (ready) {
            slot_prepare_write(slot, wanted, order);
            left &= ~slot->moving;
        } else if (!wanted) {
            left = 0;
        }
        spin_unlock(&pool.lock);
        if (ready)
            slot_submit(slot, NULL);
    }
    slot_wait(slot);
}

/* Pin the slot if it has something to write or is being written. */
static bool pin_unclean(struct slot *slot, struct block_device *device, enum cache_order order)
{
    spin_lock(&pool.lock);
    bool unclean = slot->device == device && (slot->busy || slot_writable(slot, order));
    if (unclean)
        slot->pins++;
    spin_unlock(&pool.lock);
    return unclean;
}

static void unpin(struct slot *slot)
{
    spin_lock(&pool.lock);
    slot->pins--;
    spin_unlock(&pool.lock);
}

struct flush {
    struct block_request request;
    struct wait_queue queue;
    bool done;
};

static void flush_done(struct block_request *request)
{
    struct flush *flush = request->arg;

    spin_lock(&flush->queue.lock); /* the waiter takes this lock too, before the structure goes */
    __atomic_store_n(&flush->done, true, __ATOMIC_RELEASE);
    list_for_each (link, &flush->queue.waiters)
        thread_wake(list_entry(link, struct thread, wait_link));
    spin_unlock(&flush->queue.lock);
}

/* Make durable what the device has taken. Returns 0 or -EIO. */
static int flush_device(struct block_device *device)
{
    struct flush flush = {.request = {.op = BLOCK_FLUSH, .done = flush_done, .arg = &flush}};

    if (!device->has_flush || !__atomic_exchange_n(&device->unflushed, false, __ATOMIC_ACQ_REL))
        return 0;
    wait_queue_init(&flush.queue);
    device->submit(device, &flush.request);
    wait_until(&flush.queue, __atomic_load_n(&flush.done, __ATOMIC_ACQUIRE), NEVER, false);
    if (!flush.request.error)
        return 0;
    device->unflushed = true;
    __atomic_add_fetch(&device->write_errors, 1, __ATOMIC_RELAXED);
    return -EIO;
}

int cache_write_out(struct block_device *device, enum cache_order order)
{
    uint32_t errors = __atomic_load_n(&device->write_errors, __ATOMIC_RELAXED);

    write_pass(device, order);
    for (uint32_t i = 0; i < pool.count; i++) {
        struct slot *slot = &pool.slots[i];
        if (!pin_unclean(slot, device, order))
            continue;
        write_slot(slot, order);
        unpin(slot);
    }
    if (errors != __atomic_load_n(&device->write_errors, __ATOMIC_RELAXED))
        return -EIO;
    return flush_device(device);
}

int cache_write_through(struct block_device *device, uint64_t offset, size_t n)
{
    uint32_t errors = __atomic_load_n(&device->write_errors, __ATOMIC_RELAXED);

    for (uint64_t number = offset / BLOCK_SIZE; number * BLOCK_SIZE < offset + n; number++) {
        spin_lock(&pool.lock);
        struct slot *slot = slot_find(device, number);
        spin_unlock(&pool.lock);
        if (!slot)
            continue;
        write_slot(slot, CACHE_EARLY);
        unpin(slot);
    }
    return errors == __atomic_load_n(&device->write_errors, __ATOMIC_RELAXED) ? 0 : -EIO;
}

int cache_make_room(uint32_t failed)
{
    uint32_t ended = __atomic_load_n(&pool.ended, __ATOMIC_RELAXED);

    if (__atomic_load_n(&pool.failed, __ATOMIC_RELAXED) - failed > FAILURES_MAX)
        return -EIO;
    bool idle = !__atomic_load_n(&pool.moving, __ATOMIC_RELAXED);
    bool enough = pool.early > pool.count / START_SHARE; /* else a few blocks would go in small requests */
    if (!((idle || enough) && write_pass(NULL, CACHE_EARLY)) && idle)
        return -EIO;
    wait_until(&pool.any, __atomic_load_n(&pool.ended, __ATOMIC_RELAXED) != ended, NEVER, false);
    return 0;
}

int cache_balance(void)
{
    uint32_t failed = pool.failed;
    int error = 0;

    if (pool.early > pool.count / START_SHARE)
        write_pass(NULL, CACHE_EARLY);
    while (pool.early + pool.writing > pool.count / LIMIT_SHARE && error == 0)
        error = cache_make_room(failed);
    return error;
}

bool cache_late_full(void)
{
    return pool.late > pool.count / LATE_SHARE;
}
