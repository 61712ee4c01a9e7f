/* File descriptors: two names for one file, and a file that is closed once, when its last name goes. */
/* sources: guestos/fs/file.c guestos/fs/file_calls.c guestos/fs/vnode.c */
/* sources: tests/unit/moss_host.c tests/unit/process_host.c */
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/errno.h"
#include "guestos/include/heap.h"
#include "guestos/include/user_path.h"

#define DUP   32
#define DUP2  33
#define FCNTL 72
#define DUP3  292
#define ALL   16 /* files of a test */

static struct open_files files;
static unsigned opened, closed[ALL];

int64_t clock_wall_ns(void)
{
    return 0;
}

int path_lookup(struct vnode *start, const char *path, bool follow, struct vnode **out)
{
    (void)start, (void)path, (void)follow, (void)out;
    return -ENOENT;
}

int path_parent(struct vnode *start, const char *path, struct vnode **directory, char *name)
{
    (void)start, (void)path, (void)directory, (void)name;
    return -ENOENT;
}

int path_take(int fd, uint64_t user_path, struct user_path *path)
{
    (void)fd, (void)user_path, (void)path;
    return -EFAULT;
}

int user_path_lookup(int fd, uint64_t user_path, bool follow, struct vnode **out)
{
    (void)fd, (void)user_path, (void)follow, (void)out;
    return -EFAULT;
}

static void close_file(struct file *file)
{
    closed[(uintptr_t)file->vnode->data]++;
}

static const struct vnode_ops ops = {.close = close_file};

/* A file at the lowest free descriptor. Its number among the test's files is that descriptor. */
static int open_file(void)
{
    struct vnode *node = vnode_create(&ops, S_IFREG | 0600, NULL);
    struct file *file;

    node->data = (void *)(uintptr_t)opened++;
    assert_int_equal(file_create(node, O_RDWR, &file), 0);
    return fd_install(file, 0, false);
}

static int set_up(void **state)
{
    (void)state;
    process_host_begin();
    memset(&files, 0, sizeof files);
    memset(closed, 0, sizeof closed);
    opened = 0;
    host_process.files = &files;
    return 0;
}

/* Close what is open: then every file must have been closed once. */
static void all_are_closed_once(void)
{
    for (int fd = 0; fd < FILES_MAX; fd++)
        fd_close(fd);
    for (unsigned n = 0; n < opened; n++)
        expect_number(closed[n], 1,
                      "each open file is closed once, when its last descriptor is gone: a pipe whose write "
                      "end is never "
                      "closed never ends, and one closed too early is used after it was freed");
}

static uint64_t dup2(int from, int to)
{
    return (uint64_t)host_call(DUP2, (uint64_t)from, (uint64_t)to, 0, 0);
}

static void both_descriptors_are_one_file(void **state)
{
    int fd = open_file();

    (void)state;
    expect_number(dup2(fd, 5), 5, "dup2() gives the new descriptor");
    expect_true(files.file[5] == files.file[fd],
                "both are the same struct file: one position, one set of flags");
    expect_number(files.file[5]->refs, 2, "which has two owners now");
    fd_close(fd);
    expect_number(closed[0], 0, "when one is closed the file is still open by the other");
    all_are_closed_once();
}

static void what_was_there_is_closed(void **state)
{
    int fd = open_file(), old = open_file();

    (void)state;
    expect_number(dup2(fd, old), (uint64_t)old, "the new descriptor may be in use");
    expect_number(
        closed[1], 1,
        "dup2() closes the file that was there. A shell does this for every `>`; the file would stay "
        "open for ever");
    expect_true(files.file[old] == files.file[fd], "and puts the other in its place");
    all_are_closed_once();
}

static void bad_numbers_lose_nothing(void **state)
{
    int fd = open_file();
    static const int bad[] = {-1, FILES_MAX, 1000000, INT32_MIN};

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_number(dup2(fd, bad[i]), (uint64_t)-EBADF, "no such descriptor can be: 0 to FILES_MAX - 1");
        expect_number(files.file[fd]->refs, 1,
                      "fd_file() gave you a reference to the old one: give it back on this way, too");
        expect_number(dup2(bad[i], fd), (uint64_t)-EBADF, "the old one must be open");
    }
    expect_number(dup2(9, fd), (uint64_t)-EBADF, "nothing is open at 9");
    expect_true(files.file[fd] != NULL && closed[0] == 0,
                "when dup2() fails, the new descriptor stays as it was");
    all_are_closed_once();
}

static void close_on_exec_is_the_new_descriptors_own(void **state)
{
    int fd = open_file(), old = open_file();

    (void)state;
    files.close_on_exec[fd] = files.close_on_exec[old] = true;
    expect_number(dup2(fd, old), (uint64_t)old, "dup2() gives the new descriptor");
    expect_true(!files.close_on_exec[old], "close-on-exec belongs to the descriptor, and dup2() clears it: "
                                           "this is how a program gets its stdin");
    expect_true(files.close_on_exec[fd], "that of the old descriptor stays");
    expect_number((uint64_t)host_call(DUP3, (uint64_t)fd, 7, O_CLOEXEC, 0), 7,
                  "dup3() gives the new descriptor");
    expect_true(files.close_on_exec[7], "dup3() with O_CLOEXEC sets it");
    files_close_on_exec(&files);
    expect_true(!files.file[fd] && !files.file[7] && files.file[old],
                "exec closes what has it, and only that");
    expect_number(closed[0], 0, "the file is still open by the third descriptor");
    all_are_closed_once();
}

static void the_lowest_free_number_is_taken(void **state)
{
    (void)state;
    open_file();
    open_file();
    open_file();
    fd_close(1);
    expect_number((uint64_t)host_call(DUP, 2, 0, 0, 0), 1, "dup() takes the lowest free descriptor");
    expect_number((uint64_t)host_call(FCNTL, 2, F_DUPFD, 10, 0), 10, "F_DUPFD: the lowest from 10 on");
    all_are_closed_once();
}

static void a_full_table_is_emfile(void **state)
{
    (void)state;
    open_file();
    for (int fd = 1; fd < FILES_MAX; fd++)
        expect_number((uint64_t)host_call(DUP, 0, 0, 0, 0), (uint64_t)fd, "one after the other");
    expect_number((uint64_t)host_call(DUP, 0, 0, 0, 0), (uint64_t)-EMFILE, "none is left");
    expect_number(files.file[0]->refs, FILES_MAX, "and no reference is lost");
    all_are_closed_once();
}

static void a_fork_has_descriptors_of_its_own(void **state)
{
    int fd = open_file();
    struct open_files *childs = files_fork(&files);

    (void)state;
    expect_true(childs->file[fd] == files.file[fd], "the same file");
    expect_number(files.file[fd]->refs, 2, "with an owner more");
    fd_close(fd);
    expect_number(closed[0], 0, "the child's is still open");
    files_close(childs);
    expect_number(closed[0], 1, "until it closes it");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_descriptors_are_one_file),     TEST(what_was_there_is_closed),
        TEST(bad_numbers_lose_nothing),          TEST(close_on_exec_is_the_new_descriptors_own),
        TEST(the_lowest_free_number_is_taken),   TEST(a_full_table_is_emfile),
        TEST(a_fork_has_descriptors_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
