/* Kernel image formats: each is a record in a table, so that a new format is a new file. */
#ifndef KERNEL_H
#define KERNEL_H

#include "../feature.h"

#define KERNEL_HEAD                                                                                          \
    1024 /* a format is recognised by the first bytes of the file; a shorter file is padded with zeros */

struct loader {
    const char *name; /* of the format */
    bool (*probe)(const uint8_t head[KERNEL_HEAD]);
    /* Load the file and put vCPU 0 at its entry. Returns 0 or -errno after a complain(). `path` is for
     * messages.
     */
    int (*load)(struct vm *vm, const char *path, int fd);
};

#define LOADER(name)       LINKED(loader, name, "loaders")
#define FOR_EACH_LOADER(l) FOR_EACH_LINKED(loader, l, loaders)
extern struct loader *__start_loaders[], *__stop_loaders[];

#endif
