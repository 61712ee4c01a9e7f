/* Where things are in Moss's address space; also read by assembly. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define KERNEL_BASE 0xffffffff80000000 /* the kernel image, physical 0 upwards */
#define DIRECT_BASE 0xffff800000000000 /* all physical memory, one to one */
#define MAP_BASE    0xffffc90000000000 /* stacks and large buffers, page by page, with guard pages */
#define MAP_END     0xffffc90040000000
#define USER_END    0x00007ffffffff000 /* the first address that no program may use */
#define USER_START  0x0000000000010000 /* page 0 and its neighbours stay unmapped: NULL must fault */

/* Segment selectors. SYSRET wants user data before user code (AMD APM 2 §6.1.1). */
#define BOOT_CS   0x08
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS   0x1b
#define USER_CS   0x23
#define TSS_SEL   0x28

#define PAGE_SIZE 4096

#endif
