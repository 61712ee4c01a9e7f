/* Random numbers. */
#ifndef RANDOM_H
#define RANDOM_H

#include "types.h"

/* Fill n bytes. Good enough for hash seeds and stack canaries; for keys only on a CPU with RDRAND. */
void random_fill(void *to, size_t n);

#endif
