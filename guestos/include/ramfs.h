/* The file system in memory. */
#ifndef RAMFS_H
#define RAMFS_H

#include "vfs.h"

/* Make an empty one the root of all. Returns its root directory, or NULL if there is no memory. */
struct vnode *ramfs_mount_root(void);

#endif
