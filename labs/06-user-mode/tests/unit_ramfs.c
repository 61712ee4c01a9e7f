/* Moss's file system in memory: what is left of a directory that is removed while somebody stands in it. */
/* sources: guestos/fs/ramfs.c guestos/fs/vnode.c tests/unit/moss_host.c */
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#define stat     moss_stat
#define statfs   moss_statfs
#include "guestos/include/errno.h"
#include "guestos/include/frames.h"
#include "guestos/include/heap.h"
#include "guestos/include/ramfs.h"

/* --- the kernel around it: memory is the host's, which sees what is used after it was freed --- */

void *kmalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

char *kstrdup(const char *s)
{
    return strcpy(malloc(strlen(s) + 1), s);
}

void strcopy(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from);
}

int64_t clock_wall_ns(void)
{
    return 0;
}

uint64_t frame_alloc_user(void)
{
    return 0;
}

void frame_put(uint64_t frame)
{
    (void)frame;
}

uint64_t frames_free(void)
{
    return 0;
}

uint64_t frames_total(void)
{
    return 0;
}

void mutex_init(struct mutex *mutex)
{
    (void)mutex;
}

void mutex_lock(struct mutex *mutex)
{
    (void)mutex;
}

void mutex_unlock(struct mutex *mutex)
{
    (void)mutex;
}

void wake_all(struct wait_queue *queue)
{
    (void)queue;
}

/* --- using it --- */

static struct vnode *root, *gone;

static struct vnode *make(const char *name, uint32_t mode)
{
    struct vnode *node;

    assert_int_equal(root->ops->create(root, name, mode, NULL, &node), 0);
    return node;
}

static void take_away(const char *name, struct vnode *node)
{
    assert_int_equal(root->ops->unlink(root, name, node), 0);
    vnode_put(node);
}

/* A directory that has no name any more. */
static int begin(void **state)
{
    (void)state;
    root = root ?: ramfs_mount_root();
    gone = make("gone", S_IFDIR | 0755);
    vnode_get(gone);
    take_away("gone", gone);
    assert_null(gone->parent);
    return 0;
}

static void a_directory_does_not_come_into_one_that_is_gone(void **state)
{
    struct vnode *node = make("directory", S_IFDIR | 0755);

    (void)state;
    int error = root->ops->rename(root, "directory", gone, "inside");
    vnode_put(gone);
    assert_int_equal(node->parent->nlink, root->nlink); /* not freed, whatever its parent is */
    assert_int_equal(error, -ENOENT);
    assert_ptr_equal(node->parent, root);
    take_away("directory", node);
}

static void nothing_else_does(void **state)
{
    struct vnode *file = make("file", S_IFREG | 0644), *new;

    (void)state;
    assert_int_equal(root->ops->rename(root, "file", gone, "inside"), -ENOENT);
    assert_int_equal(root->ops->link(gone, "inside", file), -ENOENT);
    assert_int_equal(root->ops->create(gone, "inside", S_IFREG | 0644, NULL, &new), -ENOENT);
    assert_int_equal(root->ops->create(gone, "inside", S_IFDIR | 0755, NULL, &new), -ENOENT);
    assert_int_equal(file->nlink, 1);
    vnode_put(gone);
    take_away("file", file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_directory_does_not_come_into_one_that_is_gone, begin),
        cmocka_unit_test_setup(nothing_else_does, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
