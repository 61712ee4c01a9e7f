/* Archives in the cpio format "newc" (cpio(5)), in which an initrd comes. */
#ifndef CPIO_H
#define CPIO_H

#include "types.h"

struct cpio_entry {
    const char *name; /* ends with a zero, inside the archive */
    uint32_t mode, mtime;
    const char *data;
    size_t size;
};

/*
 * Read the entry at *offset of an archive of `size` bytes and move *offset to the next. Returns 1, or 0 at
 * the end of the archive, or -EINVAL if what is there is not an entry that lies inside the archive.
 */
int cpio_next(const void *archive, size_t size, size_t *offset, struct cpio_entry *entry);

#endif
