/* A minimal kernel: an ELF file with a PVH note around a few instructions, for tests that boot. */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include <stdint.h>

#define KERNEL_BASE 0x100000

/* Make the file, in memory. Returns a path that --kernel takes; the file goes with the process. */
const char *kernel_image(const uint8_t *code, const uint8_t *end);

/* A file in memory with these bytes, as a path. */
const char *file_of(const void *bytes, unsigned long size);

#endif
