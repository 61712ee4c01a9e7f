/* The slots of the buffer cache: memory, hash table, and which slot is used again next. */
#include "block_slot.h"
#include "errno.h"
#include "frames.h"
#include "heap.h"

#define RAM_SHARE  8     /* the cache is one eighth of memory */
#define SLOTS_MIN  256   /* more than processes that may each hold one */
#define SLOTS_MAX  16384 /* the lock is held while all are looked at */
#define LENT_SHARE 2     /* of the cache can be lent: the rest has room for all that may be dirty */
#define FREE_SHARE 4     /* of memory is free: enough to take back what was lent */

struct slot_pool pool;

uint8_t slot_sectors(const struct slot *slot)
{
    uint64_t left = slot->device->sectors - slot->number * BLOCK_SECTORS;

    return left >= BLOCK_SECTORS ? 0xff : (1u << left) - 1;
}

void slot_set_dirty(struct slot *slot, uint8_t dirty, uint8_t late)
{
    bool was_early = slot->dirty & ~slot->late, was_late = slot->late;

    slot->dirty = dirty;
    slot->late = late;
    pool.early += ((dirty & ~late) != 0) - was_early;
    pool.late += (late != 0) - was_late;
}

void slot_wait(struct slot *slot)
{
    struct wait_queue *queue = &pool.queues[(slot - pool.slots) % SLOT_QUEUES];

    wait_until(queue, !__atomic_load_n(&slot->busy, __ATOMIC_ACQUIRE), NEVER, false);
}

void slot_wake(uint32_t index)
{
    wake_all(&pool.queues[index % SLOT_QUEUES]);
}

static struct slot **chain_of(const struct block_device *device, uint64_t number)
{
    uint64_t mixed = (number + (uint64_t)device / 64) * 0x9e3779b97f4a7c15ul; /* TAOCP 3 §6.4: golden ratio */

    return &pool.table[(mixed >> 40) & (pool.buckets - 1)];
}

/* Take the slot out of the hash table. */
static void evict(struct slot *slot)
{
    struct slot **link = chain_of(slot->device, slot->number);

    while (*link != slot)
        link = &(*link)->next;
    *link = slot->next;
    slot->device = NULL;
    slot->recent = false;
}

/*
 * The next slot that nobody needs: the hand goes round, and passes over each that was used since it last came
 * by (the CLOCK algorithm). As it goes in order, blocks that are read in order lie in order in memory.
 */
static struct slot *find_victim(void)
{
    for (uint32_t steps = 2 * pool.count; steps > 0; steps--) {
        struct slot *slot = &pool.slots[pool.hand];
        pool.hand = (pool.hand + 1) % pool.count;
        if (slot->pins || slot->busy || slot->dirty || slot->lent)
            continue;
        if (!slot->recent)
            return slot;
        slot->recent = false;
    }
    return NULL;
}

struct slot *slot_find(struct block_device *device, uint64_t number)
{
    for (struct slot *slot = *chain_of(device, number); slot; slot = slot->next) {
        if (slot->device != device || slot->number != number)
            continue;
        slot->pins++;
        return slot;
    }
    return NULL;
}

struct slot *slot_get(struct block_device *device, uint64_t number)
{
    struct slot *slot = slot_find(device, number);

    if (slot)
        return slot;
    slot = find_victim();
    if (!slot)
        return NULL;
    if (slot->device)
        evict(slot);
    struct slot **chain = chain_of(device, number);
    slot->device = device;
    slot->number = number;
    slot->valid = 0;
    slot->pins = 1;
    slot->recent = true; /* what is read ahead must live until it is read */
    slot->used = false;
    slot->next = *chain;
    *chain = slot;
    return slot;
}

void slot_touch(struct slot *slot)
{
    if (slot == pool.last)
        return;
    pool.last = slot;
    slot->recent = slot->used;
    slot->used = true;
}

void cache_drop(struct block_device *device)
{
    spin_lock(&pool.lock);
    for (uint32_t i = 0; i < pool.count; i++) {
        struct slot *slot = &pool.slots[i];
        if (slot->device == device && !slot->pins && !slot->busy && !slot->dirty)
            evict(slot);
    }
    spin_unlock(&pool.lock);
}

/* A frame for those who find no other. */
static uint64_t lend(void)
{
    spin_lock(&pool.lock);
    struct slot *slot = pool.lent < pool.count / LENT_SHARE ? find_victim() : NULL;
    if (slot) {
        if (slot->device)
            evict(slot);
        slot->lent = true;
        pool.lent++;
    }
    spin_unlock(&pool.lock);
    return slot ? virt_to_phys(slot_data(slot)) : 0;
}

static void home(uint64_t physical)
{
    spin_lock(&pool.lock);
    pool.slots[((char *)phys_to_virt(physical) - pool.memory) / BLOCK_SIZE].lent = false;
    pool.lent--;
    spin_unlock(&pool.lock);
}

void cache_take_back(void)
{
    uint64_t start = virt_to_phys(pool.memory);

    if (pool.lent && frames_free() > frames_total() / FREE_SHARE)
        frames_call_home(start, start + (uint64_t)pool.count * BLOCK_SIZE, home);
}

int cache_init(void)
{
    uint32_t count = MIN(MAX(frames_total() / RAM_SHARE, SLOTS_MIN), SLOTS_MAX), buckets = 1;

    if (pool.slots)
        return 0;
    while (buckets < count)
        buckets *= 2;
    pool.table = kmalloc(buckets * sizeof(*pool.table));
    pool.slots = kmalloc(count * sizeof(*pool.slots));
    uint64_t memory = pool.table && pool.slots ? frames_alloc_together(count) : 0;
    if (!memory) {
        kfree(pool.table);
        kfree(pool.slots);
        pool.slots = NULL;
        return -ENOMEM;
    }
    pool.memory = phys_to_virt(memory);
    pool.count = count;
    pool.buckets = buckets;
    wait_queue_init(&pool.any);
    for (unsigned i = 0; i < SLOT_QUEUES; i++)
        wait_queue_init(&pool.queues[i]);
    frame_lender = lend;
    return 0;
}
