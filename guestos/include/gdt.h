/* Segments and the task state segment, which holds the stacks that the CPU switches to. */
#ifndef GDT_H
#define GDT_H

#include "types.h"

/* Load descriptor tables for the calling CPU. */
void gdt_load(void);

/* From now on traps from programs enter the kernel on the stack that ends at `top`. */
void gdt_set_kernel_stack(uint64_t top);

#endif
