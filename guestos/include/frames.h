/* Page frames: the 4 KiB pieces of physical memory, who owns them, and how often. */
#ifndef FRAMES_H
#define FRAMES_H

#include "layout.h"
#include "types.h"

/* The kernel's note about one frame. The heap uses the second half for the frames that it cuts into objects.
 */
struct frame {
    uint32_t refs; /* 0: free */
    uint16_t slab_size;
    uint16_t slab_used;
    void *slab_free;
    uint64_t next_free; /* physical address of the next free frame, if this one is free */
};

/*
 * Get a frame, with one reference. Returns its physical address, or 0 if memory is used up. The contents are
 * undefined. `frame_alloc_zero` clears it. A program's pages come from `frame_alloc_user`, which leaves the
 * last FRAMES_RESERVE frames to the kernel.
 */
uint64_t frame_alloc(void);
uint64_t frame_alloc_zero(void);
uint64_t frame_alloc_user(void);

#define FRAMES_RESERVE 128

/*
 * Whoever has frames that it can do without for a while (the cache of disks) is asked for one when the others
 * are used up. Returns the frame, 0 if it has none to lend; NULL: nobody lends. Called with any locks held.
 */
extern uint64_t (*frame_lender)(void);

/* Its way to get them back: take all free frames of the physical range, and call home() for each. */
void frames_call_home(uint64_t start, uint64_t end, void (*home)(uint64_t physical));

/* Get frames that follow each other in memory, with one reference each. Returns the first one's physical
 * address, or 0 if there is no such piece; best asked for while the machine starts. */
uint64_t frames_alloc_together(uint64_t count);

/* One more owner, or one fewer; the last one gone frees the frame. A frame that nobody owns makes the kernel
 * panic. */
void frame_get(uint64_t physical);
void frame_put(uint64_t physical);

/* The number of owners. */
uint32_t frame_refs(uint64_t physical);

struct frame *frame_of(uint64_t physical);

/* Frames in the machine, and free ones. */
uint64_t frames_total(void);
uint64_t frames_free(void);

/* Give the allocator a range of physical memory that nobody uses (whole frames in it). */
void frames_add(uint64_t start, uint64_t end);

/* The direct map: every physical address has a kernel address. */
static inline void *phys_to_virt(uint64_t physical)
{
    return (void *)(DIRECT_BASE + physical);
}

static inline uint64_t virt_to_phys(const void *virtual)
{
    return (uint64_t) virtual - DIRECT_BASE;
}

#endif
