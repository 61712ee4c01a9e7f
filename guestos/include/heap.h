/* Memory for the kernel's own objects. */
#ifndef HEAP_H
#define HEAP_H

#include "types.h"

/* Get `size` zeroed bytes, aligned to 16, or NULL if memory is used up. */
void *kmalloc(size_t size);

/* Give them back. NULL is allowed; anything else that is not an object, or is free already, makes the kernel
 * panic. */
void kfree(void *p);

/* A copy of s on the heap, or NULL. */
char *kstrdup(const char *s);

#endif
