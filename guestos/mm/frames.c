/*
 * The frame allocator: a list of frames that came back, and for each range of memory a mark below which all
 * frames have been given out once. Frames beyond the mark have never been touched, so starting up costs
 * nothing however much memory there is, and a hypervisor need not provide what is never used.
 */
#include "frames.h"
#include "printk.h"
#include "spinlock.h"
#include "string.h"

#define RANGES_MAX 32

static struct range {
    uint64_t start, fresh, end; /* physical; fresh is the mark */
    struct frame *frames;       /* notes about the frames from start on; they lie at the range's own end */
} ranges[RANGES_MAX];

uint64_t (*frame_lender)(void);
static struct spinlock lock; /* guards all of these, and every struct frame's refs */
static unsigned range_count;
static uint64_t free_list; /* physical address of the first returned frame, or 0 */
static uint64_t total, available;

static struct range *range_of(uint64_t physical)
{
    for (unsigned i = 0; i < range_count; i++)
        if (physical >= ranges[i].start && physical < ranges[i].fresh)
            return &ranges[i];
    return NULL;
}

struct frame *frame_of(uint64_t physical)
{
    struct range *r = range_of(physical);

    if (!r)
        panic("physical address %lx is not in memory that was ever given out", physical);
    return &r->frames[(physical - r->start) / PAGE_SIZE];
}

void frames_add(uint64_t start, uint64_t end)
{
    start = ROUND_UP(start, PAGE_SIZE);
    end = ROUND_DOWN(end, PAGE_SIZE);
    if (start == 0)
        start = PAGE_SIZE; /* physical 0 means "none" */
    if (end <= start || range_count == RANGES_MAX)
        return;
    uint64_t notes = ROUND_UP((end - start) / PAGE_SIZE * sizeof(struct frame), PAGE_SIZE);
    if (end - start <= notes)
        return;
    end -= notes;
    ranges[range_count++] = (struct range){start, start, end, phys_to_virt(end)};
    total += (end - start) / PAGE_SIZE;
    available += (end - start) / PAGE_SIZE;
}

/* A frame that was never given out, or 0. */
static uint64_t take_fresh(void)
{
    for (unsigned i = 0; i < range_count; i++) {
        struct range *r = &ranges[i];
        if (r->fresh == r->end)
            continue;
        uint64_t physical = r->fresh;
        r->fresh += PAGE_SIZE;
        return physical;
    }
    return 0;
}

uint64_t frames_alloc_together(uint64_t count)
{
    uint64_t physical = 0;

    spin_lock(&lock);
    for (unsigned i = 0; i < range_count && !physical; i++) {
        struct range *r = &ranges[i];
        if ((r->end - r->fresh) / PAGE_SIZE < count)
            continue;
        physical = r->fresh;
        r->fresh += count * PAGE_SIZE;
        available -= count;
        for (uint64_t n = 0; n < count; n++)
            *frame_of(physical + n * PAGE_SIZE) = (struct frame){.refs = 1};
    }
    spin_unlock(&lock);
    return physical;
}

static uint64_t take(uint64_t reserve)
{
    uint64_t physical = 0;

    spin_lock(&lock);
    if (available > reserve) {
        physical = free_list;
        if (physical)
            free_list = frame_of(physical)->next_free;
        else
            physical = take_fresh();
        *frame_of(physical) = (struct frame){.refs = 1};
        available--;
    }
    spin_unlock(&lock);
    return physical;
}

static uint64_t take_or_borrow(uint64_t reserve)
{
    uint64_t physical = take(reserve);

    return physical || !frame_lender ? physical : frame_lender();
}

uint64_t frame_alloc(void)
{
    return take_or_borrow(0);
}

uint64_t frame_alloc_user(void)
{
    return take_or_borrow(FRAMES_RESERVE);
}

void frames_call_home(uint64_t start, uint64_t end, void (*home)(uint64_t physical))
{
    uint64_t *link = &free_list;

    spin_lock(&lock);
    while (*link) {
        uint64_t physical = *link;
        struct frame *frame = frame_of(physical);
        if (physical < start || physical >= end) {
            link = &frame->next_free;
            continue;
        }
        *link = frame->next_free;
        *frame = (struct frame){.refs = 1};
        available--;
        home(physical);
    }
    spin_unlock(&lock);
}

uint64_t frame_alloc_zero(void)
{
    uint64_t physical = frame_alloc();

    if (physical)
        memset(phys_to_virt(physical), 0, PAGE_SIZE);
    return physical;
}

void frame_get(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs++ == 0)
        panic("frame %lx is free and was shared", physical);
    spin_unlock(&lock);
}

void frame_put(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs == 0)
        panic("frame %lx was freed twice", physical);
    if (--frame->refs == 0) {
        frame->next_free = free_list;
        free_list = physical;
        available++;
    }
    spin_unlock(&lock);
}

uint32_t frame_refs(uint64_t physical)
{
    return __atomic_load_n(&frame_of(physical)->refs, __ATOMIC_RELAXED);
}

uint64_t frames_total(void)
{
    return total;
}

uint64_t frames_free(void)
{
    return __atomic_load_n(&available, __ATOMIC_RELAXED);
}
