/* Inside the buffer cache: its slots, and the transfers between them and the disk. */
#ifndef BLOCK_SLOT_H
#define BLOCK_SLOT_H

#include "block_cache.h"

#define BLOCK_SIZE    4096
#define BLOCK_SECTORS (BLOCK_SIZE / SECTOR_SIZE)
#define SLOT_QUEUES   64 /* who waits for one slot is not woken by most others */

/*
 * A slot holds one block of a device, or nothing yet. Bit n of a mask is its sector n. While `busy`, a
 * transfer or a writer has it for itself; readers may look at valid sectors all the time. A slot that is
 * pinned, busy or dirty keeps its block.
 */
struct slot {
    struct slot *next; /* in the hash chain */
    struct block_device *device;
    uint64_t number; /* of the block: offset / BLOCK_SIZE */
    uint32_t pins;
    uint8_t valid;
    uint8_t dirty, late;          /* late is a part of dirty */
    uint8_t moving, moving_late;  /* what the transfer under way moves, and which of it was late */
    bool busy, failed;            /* failed: the last read */
    bool used, recent;            /* used at all; worth to be kept when the hand comes by */
    bool lent;                    /* its memory is used by somebody else */
    struct block_request request; /* of the transfer that begins in this slot */
};

struct slot_pool {
    struct spinlock lock; /* guards all that follows, and the slots */
    struct slot *slots;
    uint32_t count;
    struct slot **table;     /* the hash table */
    uint32_t buckets;        /* of it: a power of 2 */
    char *memory;            /* slot i has the bytes from i * BLOCK_SIZE on: neighbours go in one request */
    uint32_t hand;           /* where to look for the next slot to use again */
    const struct slot *last; /* that was used: going on in it does not make it more worth */
    uint32_t early;          /* slots with early dirty sectors */
    uint32_t late;           /* slots with late ones */
    uint32_t moving;         /* slots in transfers */
    uint32_t writing;        /* those of them that write */
    uint32_t ended;          /* transfers, ever; wakes `any` */
    uint32_t failed;         /* writes, ever */
    uint32_t lent;           /* slots without memory */
    struct wait_queue any, queues[SLOT_QUEUES];
};

extern struct slot_pool pool;

static inline char *slot_data(const struct slot *slot)
{
    return pool.memory + (slot - pool.slots) * BLOCK_SIZE;
}

/* The sectors of the block that the device has. */
uint8_t slot_sectors(const struct slot *slot);

/* Add and take away dirty sectors, with the counts that depend on them. With the lock held. */
void slot_set_dirty(struct slot *slot, uint8_t dirty, uint8_t late);

/* Wait until the slot, which the caller has pinned, is not busy. */
void slot_wait(struct slot *slot);
void slot_wake(uint32_t index);

/* The block's slot, pinned; if there was none, a new one with nothing valid in it. NULL: all are in use. With
 * the lock held. */
struct slot *slot_find(struct block_device *device, uint64_t number);
struct slot *slot_get(struct block_device *device, uint64_t number);

/* Somebody reads or writes it. With the lock held. */
void slot_touch(struct slot *slot);

/*
 * Prepare a transfer from or to the slot, which is not busy: the first sectors in `wanted` that follow each
 * other, and on into the slots behind it as long as these go on with the disk's next sectors. With the lock
 * held; then, without it, submit it. Returns the number of slots.
 */
uint32_t slot_prepare_read(struct slot *slot, uint8_t wanted);
uint32_t slot_prepare_write(struct slot *slot, uint8_t wanted, enum cache_order order);

/* Submit a prepared transfer; `next`, if not NULL, follows at once. */
void slot_submit(struct slot *slot, const struct slot *next);

/* What write-out with this order would write of the slot. */
static inline uint8_t slot_writable(const struct slot *slot, enum cache_order order)
{
    return order == CACHE_LATE ? slot->dirty : slot->dirty & ~slot->late;
}

/* Begin to write everything of this order to the device (NULL: to all). Returns the number of requests. */
unsigned write_pass(struct block_device *device, enum cache_order order);

/* After a write: begin to write back when much is dirty, wait while too much is. Returns 0 or -EIO. */
int cache_balance(void);

/* There is no free slot: write, and wait until some transfer has ended. Returns 0, or -EIO if nothing helps;
 * `failed` is pool.failed as it was at the first of these calls. */
int cache_make_room(uint32_t failed);

#endif
