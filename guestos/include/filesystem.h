/* Kinds of file systems that mount(2) knows; each registers itself. */
#ifndef FILESYSTEM_H
#define FILESYSTEM_H

#include "block.h"
#include "vfs.h"

struct filesystem {
    const char *name;
    /* Look at the disk. The result has a root and knows how to unmount. Returns 0, -EINVAL if the disk has no
     * such file system, or another -errno. */
    int (*mount)(struct block_device *device, bool read_only, struct mount **out);
};

#define FILESYSTEM(id, ...)                                                                                  \
    static const struct filesystem filesystem_##id                                                           \
        __attribute__((used, section("filesystems"), aligned(8))) = {__VA_ARGS__}

#endif
