/* From names to nodes. */
#include "errno.h"
#include "heap.h"
#include "string.h"
#include "vfs.h"

#define LINKS_MAX 40 /* symbolic links in one walk; more are taken for a loop, as in Linux */

/* The root of what is mounted on a directory, or the directory itself. Consumes and returns a reference. */
static struct vnode *enter_mounts(struct vnode *node)
{
    while (node->mounted_here) {
        struct vnode *root = vnode_get(node->mounted_here->root);
        vnode_put(node);
        node = root;
    }
    return node;
}

static struct vnode *parent_of(struct vnode *node)
{
    while (node == node->mount->root && node->mount->covered)
        node = node->mount->covered; /* leave the mounted file system */
    return vnode_get(node->parent ? node->parent : node);
}

int path_step(struct vnode *directory, const char *name, struct vnode **out)
{
    if (!S_ISDIR(directory->mode))
        return -ENOTDIR;
    if (strcmp(name, ".") == 0) {
        *out = vnode_get(directory);
        return 0;
    }
    if (strcmp(name, "..") == 0) {
        *out = parent_of(directory);
        return 0;
    }
    int error = directory->ops->lookup(directory, name, out);
    if (error == 0)
        *out = enter_mounts(*out);
    return error;
}

struct walk {
    struct vnode *at; /* has a reference */
    const char *rest;
    char *buffer; /* holds the path once a link has been followed; PATH_MAX bytes */
    int links;
    bool want_parent, follow;
};

/* Cut the next name off the rest of the path. Returns its length (0: the path is at its end) or
 * -ENAMETOOLONG. */
static int next_name(struct walk *walk, char *name)
{
    while (*walk->rest == '/')
        walk->rest++;
    size_t n = 0;
    while (walk->rest[n] && walk->rest[n] != '/')
        n++;
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, walk->rest, n);
    name[n] = 0;
    walk->rest += n;
    return n;
}

static bool at_last_name(const struct walk *walk)
{
    const char *rest = walk->rest;

    while (*rest == '/')
        rest++;
    return *rest == 0;
}

static void move_to(struct walk *walk, struct vnode *node)
{
    vnode_put(walk->at);
    walk->at = node;
}

/* Go on with the text of a symbolic link, then with what was left of the path. */
static int follow_link(struct walk *walk, struct vnode *link)
{
    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    ssize_t n = link->ops->readlink(link, text, PATH_MAX - 1);
    size_t left = strlen(walk->rest);
    if (n >= 0 && n + left + 1 > PATH_MAX)
        n = -ENAMETOOLONG;
    if (n < 0) {
        kfree(text);
        return n;
    }
    memcpy(text + n, walk->rest, left + 1);
    kfree(walk->buffer);
    walk->rest = walk->buffer = text;
    if (*text == '/')
        move_to(walk, vnode_get(root_directory()));
    return 0;
}

static int walk_path(struct walk *walk, char *name)
{
    for (;;) {
        int n = next_name(walk, name);
        if (n <= 0)
            return n;
        bool last = at_last_name(walk);
        if (last && walk->want_parent)
            return S_ISDIR(walk->at->mode) ? 0 : -ENOTDIR;
        struct vnode *next;
        int error = path_step(walk->at, name, &next);
        if (error)
            return error;
        /* A link followed by a slash is always followed. */
        if (S_ISLNK(next->mode) && (!last || walk->follow || *walk->rest == '/')) {
            error = follow_link(walk, next);
            vnode_put(next);
            if (error)
                return error;
            continue;
        }
        bool slash_follows = *walk->rest == '/';
        move_to(walk, next);
        if (slash_follows && !S_ISDIR(next->mode))
            return -ENOTDIR;
    }
}

/* Returns the node that the walk reaches, with a reference. */
static int walk_from(struct vnode *start, const char *path, bool want_parent, bool follow, char *name,
                     struct vnode **out)
{
    struct walk walk = {.rest = path, .want_parent = want_parent, .follow = follow};

    if (!*path)
        return -ENOENT;
    walk.at = vnode_get(*path == '/' ? root_directory() : start);
    int error = walk_path(&walk, name);
    kfree(walk.buffer);
    if (error)
        vnode_put(walk.at);
    else
        *out = walk.at;
    return error;
}

int path_lookup(struct vnode *start, const char *path, bool follow, struct vnode **out)
{
    char name[NAME_MAX + 1];

    mutex_lock(&tree_lock);
    int error = walk_from(start, path, false, follow, name, out);
    mutex_unlock(&tree_lock);
    return error;
}

int path_parent(struct vnode *start, const char *path, struct vnode **directory, char *name)
{
    int error = walk_from(start, path, true, false, name, directory);

    if (error == 0 && !*name) { /* the path is "/": the root has no name */
        vnode_put(*directory);
        return -EBUSY;
    }
    return error;
}

struct name_search {
    uint64_t ino;
    char *name;
};

static bool match_ino(void *arg, const char *name, uint64_t ino, uint32_t mode, uint64_t next)
{
    struct name_search *search = arg;

    (void)mode;
    (void)next;
    if (ino != search->ino || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    strcopy(search->name, name, NAME_MAX + 1);
    return false;
}

/* Put "/name" of each directory in front, from the inside out. */
static ssize_t build_path(struct vnode *node, char *to, size_t size)
{
    char name[NAME_MAX + 1];
    size_t at = size - 1;

    to[at] = 0;
    for (;;) {
        while (node == node->mount->root && node->mount->covered)
            node = node->mount->covered;
        if (node == root_directory())
            break;
        *name = 0;
        if (node->parent)
            node->parent->ops->readdir(node->parent, 0, match_ino, &(struct name_search){node->ino, name});
        size_t n = strlen(name);
        if (n == 0)
            return -ENOENT; /* it has been removed */
        if (at < n + 1)
            return -ERANGE;
        at -= n;
        memcpy(to + at, name, n);
        to[--at] = '/';
        node = node->parent;
    }
    if (at == size - 1 && at > 0)
        to[--at] = '/';
    memmove(to, to + at, size - at);
    return size - at - 1;
}

ssize_t path_of(struct vnode *directory, char *to, size_t size)
{
    if (size < 2)
        return -ERANGE;
    mutex_lock(&tree_lock);
    ssize_t n = build_path(directory, to, size);
    mutex_unlock(&tree_lock);
    return n;
}
