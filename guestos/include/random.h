/* Random numbers. */
#ifndef RANDOM_H
#define RANDOM_H

#include "types.h"

/* Fill n bytes. Good enough for keys only where there is a source: a CPU with RDRAND, or a device. */
void random_fill(void *to, size_t n);

/* Stir bytes in that nobody else can know, from a source of them. Allowed in interrupts. */
void random_add(const void *bytes, size_t n);

/* Such a source: refresh() is called every RANDOM_REFRESH bytes that were given out, and leads to
 * random_add() some time later. It must not sleep. */
void random_set_source(void (*refresh)(void));

#define RANDOM_REFRESH 4096

#endif
