/* For the tests of a program's pages on the host: an address space in real page tables, and a file. */
#ifndef VM_HOST_H
#define VM_HOST_H

#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "expect.h"
#include "guestos/include/area.h"
#include "guestos/include/errno.h"
#include "guestos/include/fault.h"
#include "guestos/include/frames.h"
#include "guestos/include/heap.h"
#include "guestos/include/paging.h"
#include "guestos/include/vfs.h"
#include "guestos/include/vm.h"

#define CODE       0x400000ul
#define DATA       0x600000ul
#define FAR        0x7f0000000000ul /* tables of its own */
#define RIGHTS     (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_COW | PTE_SHARED | PTE_NOACCESS)
#define RW         (PROT_READ | PROT_WRITE)
#define FILE_PAGES 3
#define ENDLESS    1000000 /* for objects_left */

extern struct address_space *vm; /* made anew for each test */
extern struct vnode node;        /* the file, whose bytes are: */
extern uint8_t file[FILE_PAGES * PAGE_SIZE];
extern unsigned node_refs, objects; /* vnode_get() and kmalloc() without their opposites */
extern unsigned objects_left;       /* that kmalloc() still gives */
extern unsigned asked_for_memory;   /* out_of_memory() */
extern uint64_t frames_at_start;
extern ssize_t read_says; /* negative: what reading the file gives */

/* A test's set-up. */
int vm_begin(void **state);

/* Map zeros, or a part of the file. */
void map(uint64_t start, uint64_t pages, uint32_t prot);
void map_file(uint64_t start, uint64_t pages, uint32_t prot, uint64_t offset, uint64_t bytes);

/* What the page tables have for an address, and what lies there. */
pte_t entry_in(struct address_space *space, uint64_t va);
uint64_t frame_in(struct address_space *space, uint64_t va);
uint8_t *bytes_in(struct address_space *space, uint64_t va);

/* A fault that must succeed, and what a write of the program's does. */
void touch(struct address_space *space, uint64_t va, uint32_t access);
void write_byte(struct address_space *space, uint64_t va, uint8_t value);

void expect_all(const uint8_t *bytes, size_t n, uint8_t value, const char *lesson);

/* Give back frames that were full of something, so that whoever gets them next must not rely on zeros. */
void poison_frames(void);

/* Have n frames left for the kernel, and none for programs unless n is more than the reserve. */
void leave_frames(uint64_t n);
void refill(void);

/* The address space, and another one if there is one, are gone, and so is all that they had. */
void all_is_given_back(struct address_space *child);

#endif
