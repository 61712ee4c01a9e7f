/*
 * The kernel heap. Small objects are cut from frames that hold objects of one size (slabs). The notes about a
 * slab are in its struct frame, so an object needs no header. Larger objects get pages of their own.
 */
#include "frames.h"
#include "heap.h"
#include "paging.h"
#include "printk.h"
#include "spinlock.h"
#include "string.h"

#define SMALLEST 16
#define CLASSES  8 /* 16, 32, ... 2048 bytes */
#define LARGEST  (SMALLEST << (CLASSES - 1))

/* At the start of every free object. */
struct free_object {
    struct free_object *next;
    uint64_t magic; /* tells that the object is free: freeing it again is noticed */
};

/* At the start of an object with pages of its own. */
struct large_object {
    size_t pages;
    uint64_t reserved; /* keeps the object aligned to 16 bytes */
};

#define FREE_MAGIC 0x46726565206f626aul

static struct spinlock lock; /* guards everything below and the slab members of struct frame */
static uint64_t
    partial[CLASSES]; /* a slab of each size that has room, the rest chained through next_free; 0: none */

static unsigned class_of(size_t size)
{
    unsigned class = 0;

    while ((size_t)SMALLEST << class < size)
        class ++;
    return class;
}

static void slab_put_object(struct frame *frame, void *object)
{
    *(struct free_object *)object = (struct free_object){frame->slab_free, FREE_MAGIC};
    frame->slab_free = object;
}

/* Cut a new frame into objects. Returns its physical address or 0. */
static uint64_t slab_create(unsigned class)
{
    uint64_t physical = frame_alloc();
    size_t size = (size_t)SMALLEST << class;

    if (!physical)
        return 0;
    struct frame *frame = frame_of(physical);
    frame->slab_size = size;
    frame->slab_used = 0;
    frame->slab_free = NULL;
    for (size_t offset = 0; offset < PAGE_SIZE; offset += size)
        slab_put_object(frame, phys_to_virt(physical + offset));
    return physical;
}

static void *alloc_small(unsigned class)
{
    spin_lock(&lock);
    if (!partial[class]) {
        partial[class] = slab_create(class);
        if (partial[class])
            frame_of(partial[class])->next_free = 0;
    }
    struct free_object *object = NULL;
    if (partial[class]) {
        struct frame *frame = frame_of(partial[class]);
        object = frame->slab_free;
        frame->slab_free = object->next;
        frame->slab_used++;
        if (!frame->slab_free)
            partial[class] = frame->next_free;
    }
    spin_unlock(&lock);
    return object;
}

static void partial_remove(unsigned class, uint64_t physical)
{
    uint64_t *link = &partial[class];

    while (*link != physical)
        link = &frame_of(*link)->next_free;
    *link = frame_of(physical)->next_free;
}

static void free_small(void *p)
{
    uint64_t physical = virt_to_phys(p) & ~(uint64_t)(PAGE_SIZE - 1);
    struct frame *frame = frame_of(physical);
    unsigned class = class_of(frame->slab_size);

    if (frame->refs == 0 || frame->slab_size == 0 || (uint64_t)p % frame->slab_size)
        panic("kfree of %p, which is not an object of the heap", p);
    spin_lock(&lock);
    if (((struct free_object *)p)->magic == FREE_MAGIC)
        panic("kfree of %p, which is free already", p);
    bool was_full = !frame->slab_free;
    slab_put_object(frame, p);
    frame->slab_used--;
    if (was_full) {
        frame->next_free = partial[class];
        partial[class] = physical;
    }
    bool empty = frame->slab_used == 0;
    if (empty)
        partial_remove(class, physical);
    spin_unlock(&lock);
    if (empty)
        frame_put(physical);
}

static void *alloc_large(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct large_object) - PAGE_SIZE)
        return NULL;
    size_t pages = ROUND_UP(size + sizeof(struct large_object), PAGE_SIZE) / PAGE_SIZE;
    struct large_object *object = map_alloc(pages);
    if (!object)
        return NULL;
    object->pages = pages;
    return object + 1;
}

void *kmalloc(size_t size)
{
    void *p = size <= LARGEST ? alloc_small(class_of(size)) : alloc_large(size);

    if (p)
        memset(p, 0, size <= LARGEST ? (size_t)SMALLEST << class_of(size) : size);
    return p;
}

void kfree(void *p)
{
    if (!p)
        return;
    if ((uint64_t)p < MAP_BASE) {
        free_small(p);
        return;
    }
    struct large_object *object = (struct large_object *)p - 1;
    map_free(object, object->pages);
}

char *kstrdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = kmalloc(size);

    if (copy)
        memcpy(copy, s, size);
    return copy;
}
