/* Paths that programs pass to system calls. */
#ifndef USER_PATH_H
#define USER_PATH_H

#include "vfs.h"

/* A path, copied, and where it starts. */
struct user_path {
    char *text;
    struct vnode *start;
};

/* Copy a path from the program; a relative one starts at the directory `fd`, or AT_FDCWD. Returns 0 or
 * -errno. */
int path_take(int fd, uint64_t user_path, struct user_path *path);
void path_release(struct user_path *path);

/* Both, with path_lookup between. */
int user_path_lookup(int fd, uint64_t user_path, bool follow, struct vnode **out);

/*
 * Look up the directory that holds, or will hold, the last name of a path; `name` has room for NAME_MAX + 1.
 * When this returns 0 the tree is locked, until path_unlock_parent.
 */
int path_lock_parent(int fd, uint64_t user_path, struct vnode **directory, char *name);
void path_unlock_parent(struct vnode *directory);

#endif
