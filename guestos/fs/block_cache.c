/* The buffer cache: reading and writing bytes of a disk through the blocks of it that are in memory. */
#include "block_slot.h"
#include "errno.h"
#include "string.h"

#define WINDOW_MIN 32768u
#define WINDOW_MAX 1048576u

/* The sectors of a block that n bytes at an offset in it touch. */
static uint8_t sectors_of(size_t offset, size_t n)
{
    unsigned first = offset / SECTOR_SIZE, last = (offset + n - 1) / SECTOR_SIZE;

    return ((2u << (last - first)) - 1) << first;
}

/* The sectors that they touch only in part. */
static uint8_t sectors_cut(size_t offset, size_t n)
{
    uint8_t cut = 0;

    if (offset % SECTOR_SIZE)
        cut |= sectors_of(offset, 1);
    if ((offset + n) % SECTOR_SIZE)
        cut |= sectors_of(offset + n - 1, 1);
    return cut;
}

static void put_slot(struct slot *slot)
{
    spin_lock(&pool.lock);
    slot->pins--;
    spin_unlock(&pool.lock);
}

static struct slot *get_slot(struct block_device *device, uint64_t number)
{
    uint32_t failed = pool.failed;

    for (;;) {
        spin_lock(&pool.lock);
        struct slot *slot = slot_get(device, number);
        if (slot)
            slot_touch(slot);
        spin_unlock(&pool.lock);
        if (slot || cache_make_room(failed) != 0)
            return slot;
    }
}

/* Have these sectors of a pinned slot valid, and with `take` the slot for ourselves. Returns 0 or -EIO. */
static int fill_slot(struct slot *slot, uint8_t needed, bool take)
{
    bool tried = false;

    for (;;) {
        spin_lock(&pool.lock);
        uint8_t missing = needed & ~slot->valid;
        bool ready = !missing && !(take && slot->busy), failed = missing && tried && slot->failed;
        bool start = missing && !slot->busy && !failed;
        if (ready && take)
            slot->busy = true;
        if (start)
            slot_prepare_read(slot, slot_sectors(slot) & ~slot->valid);
        spin_unlock(&pool.lock);
        if (ready || failed)
            return ready ? 0 : -EIO;
        if (start)
            slot_submit(slot, NULL);
        tried |= start;
        slot_wait(slot);
    }
}

int cache_read(struct block_device *device, uint64_t offset, void *to, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        size_t at = (offset + done) % BLOCK_SIZE;
        part = MIN(n - done, BLOCK_SIZE - at);
        struct slot *slot = get_slot(device, (offset + done) / BLOCK_SIZE);
        int error = slot ? fill_slot(slot, sectors_of(at, part), false) : -EIO;
        if (error == 0)
            memcpy((char *)to + done, slot_data(slot) + at, part);
        if (slot)
            put_slot(slot);
        if (error)
            return error;
    }
    return 0;
}

/* The writer has written these sectors. */
static void finish_write(struct slot *slot, uint8_t sectors, enum cache_order order)
{
    spin_lock(&pool.lock);
    slot->valid |= sectors;
    slot_set_dirty(slot, slot->dirty | sectors, slot->late | (order == CACHE_LATE ? sectors : 0));
    __atomic_store_n(&slot->busy, false, __ATOMIC_RELEASE);
    slot->pins--;
    spin_unlock(&pool.lock);
    slot_wake(slot - pool.slots);
}

static int write_part(struct block_device *device, uint64_t offset, const void *from, size_t n,
                      enum cache_order order)
{
    size_t at = offset % BLOCK_SIZE;
    struct slot *slot = get_slot(device, offset / BLOCK_SIZE);
    int error = slot ? fill_slot(slot, sectors_cut(at, n), true) : -EIO;

    if (error) {
        if (slot)
            put_slot(slot);
        return error;
    }
    if (from)
        memcpy(slot_data(slot) + at, from, n);
    else
        memset(slot_data(slot) + at, 0, n);
    finish_write(slot, sectors_of(at, n), order);
    return 0;
}

int cache_write(struct block_device *device, uint64_t offset, const void *from, size_t n,
                enum cache_order order)
{
    int error = 0;

    for (size_t done = 0, part; done < n && error == 0; done += part) {
        part = MIN(n - done, BLOCK_SIZE - (offset + done) % BLOCK_SIZE);
        error = write_part(device, offset + done, from ? (const char *)from + done : NULL, part, order);
    }
    return error ? error : cache_balance();
}

/* The block's slot, pinned, if it has to be read and that can begin now. *stop: there is no room for more.
 * With the lock held. */
static struct slot *slot_to_read(struct block_device *device, uint64_t number, bool *stop)
{
    struct slot *slot = slot_get(device, number);

    *stop = !slot;
    if (!slot || (!slot->busy && (slot_sectors(slot) & ~slot->valid)))
        return slot;
    slot->pins--;
    return NULL;
}

/* Prepare the next read of those that are needed for the pinned slots, from *at on. NULL at the end. */
static struct slot *next_to_read(struct slot **slots, unsigned count, unsigned *at)
{
    struct slot *found = NULL;

    spin_lock(&pool.lock);
    while (*at < count && !found) {
        struct slot *slot = slots[*at];
        uint8_t missing = slot_sectors(slot) & ~slot->valid;
        if (missing && !slot->busy) {
            *at += slot_prepare_read(slot, missing);
            found = slot;
        } else {
            ++*at;
        }
    }
    spin_unlock(&pool.lock);
    return found;
}

static void read_pinned(struct slot **slots, unsigned count)
{
    unsigned at = 0;
    struct slot *slot = next_to_read(slots, count, &at);

    while (slot) {
        struct slot *next = next_to_read(slots, count, &at);
        slot_submit(slot, next);
        slot = next;
    }
    spin_lock(&pool.lock);
    for (unsigned i = 0; i < count; i++)
        slots[i]->pins--;
    spin_unlock(&pool.lock);
}

void cache_read_ahead(struct block_device *device, uint64_t offset, uint64_t n)
{
    uint64_t end = MIN(offset + n, device->sectors * SECTOR_SIZE);
    struct slot *slots[64];
    bool stop = false;

    for (uint64_t number = offset / BLOCK_SIZE; number * BLOCK_SIZE < end && !stop;) {
        unsigned count = 0;
        spin_lock(&pool.lock);
        while (number * BLOCK_SIZE < end && count < ARRAY_SIZE(slots) && !stop) {
            struct slot *slot = slot_to_read(device, number, &stop);
            if (slot)
                slots[count++] = slot;
            number++;
        }
        spin_unlock(&pool.lock);
        read_pinned(slots, count);
    }
}

uint64_t read_ahead_plan(struct read_ahead *ahead, uint64_t offset, size_t n)
{
    uint32_t most = MIN(WINDOW_MAX, pool.count / 8 * BLOCK_SIZE);
    uint64_t end = offset + n, done = MAX(ahead->done, offset);
    bool in_order = offset == ahead->next;

    ahead->next = end;
    if (!in_order) {
        ahead->window = 0;
        ahead->done = end;
        return 0;
    }
    if (ahead->window && done >= end + ahead->window / 2)
        return 0; /* the half of the window that is still ahead will do for a while */
    ahead->window = MIN(MAX(ahead->window * 2, WINDOW_MIN), most);
    ahead->done = MAX(end + ahead->window, done);
    return ahead->done - done;
}
