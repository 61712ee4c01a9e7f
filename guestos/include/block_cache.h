/* The buffer cache: parts of disks in memory, and when they go back. */
#ifndef BLOCK_CACHE_H
#define BLOCK_CACHE_H

#include "block.h"

/*
 * When a sector that was written goes to the disk. Early ones may go at any time, in any order. Late ones go
 * only with cache_write_out(CACHE_LATE): a file system writes so what must not be on the disk before
 * everything that it refers to is.
 */
enum cache_order { CACHE_EARLY, CACHE_LATE };

/* Get the memory; the first call does it. Returns 0 or -ENOMEM. */
int cache_init(void);

/*
 * Copy n bytes at a byte offset of the device, which has them (the caller has checked). Return 0, or -EIO:
 * the device failed, or so many writes failed that there is no room for more. `from` may be NULL: zeros.
 */
int cache_read(struct block_device *device, uint64_t offset, void *to, size_t n);
int cache_write(struct block_device *device, uint64_t offset, const void *from, size_t n,
                enum cache_order order);

/* Begin to read what will soon be wanted, in large requests. Never waits; does as much as is easy. */
void cache_read_ahead(struct block_device *device, uint64_t offset, uint64_t n);

/* Where a reader is, so that its reading on is noticed. Zero at first. */
struct read_ahead {
    uint64_t next;   /* where the reader goes on if it reads in order */
    uint64_t done;   /* up to here it was read ahead */
    uint32_t window; /* bytes; grows while the reader goes on in order */
};

/* The reader wants n bytes at `offset`. Returns how many bytes should be read ahead now: those before
 * ahead->done. */
uint64_t read_ahead_plan(struct read_ahead *ahead, uint64_t offset, size_t n);

/*
 * Write everything that has this order to the device, and wait until it is durable. Returns 0, or -EIO if any
 * of it could not be written: that stays in memory and will be tried again.
 */
int cache_write_out(struct block_device *device, enum cache_order order);

/* Write out this part now, and wait; it need not be durable yet. Returns 0 or -EIO. */
int cache_write_through(struct block_device *device, uint64_t offset, size_t n);

/* Is so much waiting for cache_write_out(CACHE_LATE) that it should come soon? */
bool cache_late_full(void);

/* When memory is short, clean blocks make room, up to half of the cache. Take the memory back of which nobody
 * has need any more, if there is enough besides. */
void cache_take_back(void);

/* Forget what is clean of a device. */
void cache_drop(struct block_device *device);

#endif
