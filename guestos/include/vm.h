/* A program's address space: areas of addresses, and the pages that have been needed so far. */
#ifndef VM_H
#define VM_H

#include "abi.h"
#include "types.h"

struct vnode;

/* Addresses [start, end) with one meaning. */
struct area {
    struct area *next; /* sorted by address, never overlapping */
    uint64_t start, end;
    uint32_t prot;       /* PROT_ */
    bool shared;         /* writes are seen by processes forked later */
    struct vnode *vnode; /* what pages are filled from, NULL: zeros */
    uint64_t offset;     /* in the file, of start */
    uint64_t file_end;   /* addresses from here on are zeros even if there is a file */
};

struct address_space {
    uint32_t refs; /* processes that use it: two between vfork and exec */
    uint64_t pml4;
    struct area *areas;
    uint64_t area_count;
    uint64_t brk_start, brk;
    uint64_t resident; /* pages that are mapped */
};

#define STACK_SIZE (8ul << 20)
#define MMAP_TOP   (USER_END - STACK_SIZE - (1ul << 20))

struct address_space *vm_create(void);
struct address_space *vm_share(struct address_space *vm);
void vm_put(struct address_space *vm);

/* A copy of the current process's address space; pages are shared until one side writes. NULL: no memory. */
struct address_space *vm_fork(struct address_space *from);

/*
 * Give [start, start + size) a meaning; what was mapped there before goes away. `vnode` may be NULL; the area
 * takes its own reference. Only the first `file_size` bytes come from the file. Returns 0, -EINVAL or
 * -ENOMEM.
 */
int vm_map(struct address_space *vm, uint64_t start, uint64_t size, uint32_t prot, bool shared,
           struct vnode *vnode, uint64_t offset, uint64_t file_size);

/* Take the meaning of [start, start + size) away. Returns 0, -EINVAL or -ENOMEM (splitting an area needs
 * memory). */
int vm_unmap(struct address_space *vm, uint64_t start, uint64_t size);

/* Drop the contents of the pages, so that they start anew from zeros or the file. Returns 0, -EINVAL or
 * -ENOMEM. */
int vm_forget(struct address_space *vm, uint64_t start, uint64_t size);

/* Change what may be done with pages. Returns 0, -EINVAL, or -ENOMEM if part of the range is not mapped. */
int vm_protect(struct address_space *vm, uint64_t start, uint64_t size, uint32_t prot);

/* Find `size` free bytes of addresses, or 0. */
uint64_t vm_find_free(struct address_space *vm, uint64_t size);

/* Is any of [start, start + size) mapped? */
bool vm_overlaps(struct address_space *vm, uint64_t start, uint64_t size);

/*
 * Make the page at `address` usable for an access (PROT_READ, PROT_WRITE or PROT_EXEC). Returns 0, or -EFAULT
 * (nothing is there), -EACCES (not for this access), -ENOMEM, -EIO (beyond the end of the file, or it could
 * not be read).
 */
int vm_fault(struct address_space *vm, uint64_t address, uint32_t access);

/* Called when a program's page cannot be had; frees memory by ending a process. Returns false if there is
 * none to end. */
bool out_of_memory(void);

#endif
