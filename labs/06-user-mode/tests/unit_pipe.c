/* Pipes: bytes in order, who waits for whom, and what both sides see when the other is gone. */
/* sources: guestos/fs/pipe.c guestos/fs/file.c guestos/fs/vnode.c */
/* sources: tests/unit/moss_host.c tests/unit/process_host.c */
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/errno.h"

#define PIPE2     293
#define PIPE_SIZE 65536
#define PIPE_BUF  4096

static struct open_files files;
static struct file *reader, *writer;
static int signals[4];
static unsigned signal_count;
static uint8_t buffer[PIPE_SIZE];

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

int signal_send(struct process *process, int signal, struct signal_cause cause)
{
    (void)cause;
    assert_ptr_equal(process, &host_process);
    signals[signal_count++ % 4] = signal;
    return 0;
}

static int set_up(void **state)
{
    uint64_t fds = USER_END - 8;

    (void)state;
    process_host_begin();
    memset(&files, 0, sizeof files);
    host_process.files = &files;
    signal_count = 0;
    assert_int_equal(host_call(PIPE2, fds, 0, 0, 0), 0);
    reader = files.file[user_word(fds) & 0xffffffff];
    writer = files.file[user_word(fds) >> 32];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int fd = 0; fd < FILES_MAX; fd++)
        fd_close(fd);
    return 0;
}

static ssize_t get(size_t n)
{
    ssize_t result = reader->vnode->ops->stream_read(reader, buffer, n);

    expect_number(host_mutexes_held(), 0, "the pipe's lock is free when pipe_read() returns, on every way");
    return result;
}

static ssize_t put(const void *bytes, size_t n)
{
    ssize_t result = writer->vnode->ops->stream_write(writer, bytes, n);

    expect_number(host_mutexes_held(), 0, "the pipe's lock is free when pipe_write() returns, on every way");
    return result;
}

static void puts_all(const char *text)
{
    expect_number((uint64_t)put(text, strlen(text)), strlen(text),
                  "there is room: all bytes are written, and counted");
}

static void gets_all(const char *text, size_t n, const char *lesson)
{
    expect_number((uint64_t)get(n), strlen(text), lesson);
    expect_bytes(buffer, text, strlen(text), lesson);
}

/* Fill the pipe but for `room` bytes. */
static void fill(size_t room)
{
    static const uint8_t block[PIPE_BUF];
    size_t left = PIPE_SIZE - room;

    while (left) {
        size_t n = left < PIPE_BUF ? left : PIPE_BUF;
        expect_number((uint64_t)put(block, n), n, "the pipe holds 65,536 bytes");
        left -= n;
    }
}

static void close_writer(void)
{
    fd_close(1);
}

static void close_reader(void)
{
    fd_close(0);
}

static void bytes_come_out_as_they_went_in(void **state)
{
    (void)state;
    puts_all("one ");
    puts_all("two");
    gets_all("one two", 100, "a read takes what is there, up to n bytes, however it was written");
    puts_all("three");
    gets_all("th", 2, "not more than n bytes");
    gets_all("ree", 100, "the rest comes with the next read");
    for (unsigned round = 0; round < 40; round++) {
        fill(PIPE_SIZE - 3000);
        puts_all("end");
        expect_number((uint64_t)get(3000), 3000, "the ring goes round");
        gets_all("end", 100, "and the bytes stay in order");
    }
}

static void writes_a_byte(void)
{
    puts_all("x");
}

static void an_empty_pipe_makes_the_reader_wait(void **state)
{
    (void)state;
    host_on_sleep = writes_a_byte;
    gets_all("x", 100, "a reader sleeps while the pipe is empty and has a writer; the write wakes it");
    expect_number(host_sleeps, 1, "one byte is enough: read does not wait for n");
}

static unsigned turn;

static void another_reader_takes_it(void)
{
    expect_number((uint64_t)reader->vnode->ops->stream_read(reader, buffer, 1), 1,
                  "the other reader gets a byte");
}

static void writes_and_another_reads(void)
{
    writes_a_byte();
    if (turn++ == 0)
        host_on_lock = another_reader_takes_it; /* between our waking up and our taking the lock */
}

static void who_is_woken_looks_again(void **state)
{
    (void)state;
    turn = 0;
    host_on_sleep = writes_and_another_reads;
    gets_all("x", 100,
             "another reader was faster: between waking up and the lock the byte was taken. Look again, in a "
             "loop; 0 bytes "
             "would mean the end of the file");
    expect_number(host_sleeps, 2, "the reader went to sleep again");
}

static void the_end_comes_with_the_last_writer(void **state)
{
    (void)state;
    fd_install(file_get(writer), 0, false); /* as after a fork: two descriptors, one write end */
    struct file *second;
    vnode_get(writer->vnode);
    assert_int_equal(file_create(writer->vnode, O_WRONLY, &second), 0); /* and another one */
    close_writer();
    puts_all("last");
    fd_close(2);
    gets_all("last", 100, "bytes that are there come before the end");
    fd_install(second, 1, false);
    host_on_sleep = close_writer;
    expect_number((uint64_t)get(100), 0,
                  "the end of the file: 0, when the last write end is closed, and that must wake the reader");
    expect_number(host_sleeps, 1,
                  "as long as one write end is open, bytes may still come: no end, the reader sleeps");
    expect_number((uint64_t)get(100), 0, "and it stays the end");
    expect_number(signal_count, 0, "the end of the file is no signal");
}

static void reads_much(void)
{
    expect_number((uint64_t)get(PIPE_BUF), PIPE_BUF, "a read of 4,096 bytes");
}

static void a_full_pipe_makes_the_writer_wait(void **state)
{
    (void)state;
    fill(0);
    host_on_sleep = reads_much;
    puts_all("more");
    expect_number(host_sleeps, 1, "the writer sleeps until a reader has made room; the read wakes it");
}

static void a_write_is_not_torn(void **state)
{
    static uint8_t block[PIPE_BUF];

    (void)state;
    memset(block, 'b', sizeof block);
    fill(100);
    host_on_sleep = reads_much;
    expect_number((uint64_t)put(block, sizeof block), sizeof block, "all at once, or not yet");
    expect_number(host_sleeps, 1,
                  "there is room for 100 bytes, and a write of up to PIPE_BUF (4,096) must stay in one piece "
                  "(POSIX, write()): "
                  "wait for room for all n. Else the lines of two writers get mixed");
}

static void without_a_reader_there_is_epipe_and_a_signal(void **state)
{
    (void)state;
    close_reader();
    expect_number((uint64_t)put("x", 1), (uint64_t)-EPIPE, "nobody will ever read it: -EPIPE");
    expect_number(signal_count, 1,
                  "and SIGPIPE, once: `yes | head -1` must end, although yes does not look at errors");
    expect_number((uint64_t)signals[0], SIGPIPE, "signal_send() to the current process, SI_KERNEL");
}

static void the_reader_leaves_while_the_writer_waits(void **state)
{
    (void)state;
    fill(0);
    host_on_sleep = close_reader;
    expect_number((uint64_t)put("x", 1), (uint64_t)-EPIPE,
                  "a full pipe without a reader never gets room: look for both");
    expect_number(signal_count, 1, "SIGPIPE, as if it had been gone before");
    expect_number(host_sleeps, 1, "the close woke the writer");
}

static void nonblock_gives_eagain(void **state)
{
    (void)state;
    reader->flags |= O_NONBLOCK;
    writer->flags |= O_NONBLOCK;
    expect_number((uint64_t)get(10), (uint64_t)-EAGAIN,
                  "O_NONBLOCK: an empty pipe is -EAGAIN (wait_for() knows), not the end");
    puts_all("here");
    gets_all("here", 10, "bytes that are there come at once");
    fill(10);
    expect_number((uint64_t)put(buffer, 11), (uint64_t)-EAGAIN,
                  "no room for all: -EAGAIN, and nothing is written");
    expect_number((uint64_t)put(buffer, 10), 10, "where there is room there is no need to wait");
}

static void a_signal_ends_the_wait(void **state)
{
    (void)state;
    host_interrupted = true;
    expect_number((uint64_t)get(10), (uint64_t)-ERESTARTSYS,
                  "what wait_for() says is passed on: the handler runs, and then the "
                  "call starts again");
    fill(0);
    expect_number((uint64_t)put("x", 1), (uint64_t)-ERESTARTSYS, "the same for the writer");
    expect_number(signal_count, 0, "the pipe has its reader: no SIGPIPE");
}

static void who_polls_is_told(void **state)
{
    (void)state;
    host_watch(&poll_queue);
    puts_all("x");
    expect_true(host_wakes > 0, "a write may be what a poll() waits for: poll_changed()");
    host_wakes = 0;
    gets_all("x", 1, "a byte");
    expect_true(host_wakes > 0, "and a read: it makes room");
}

static void a_pipe_without_memory_leaves_nothing(void **state)
{
    tear_down(state);
    for (unsigned n = 0; n < 5; n++) {
        process_host_begin();
        host_process.files = &files;
        host_objects_left = n;
        expect_number((uint64_t)host_call(PIPE2, USER_END - 8, 0, 0, 0), (uint64_t)-ENOMEM, "no memory");
        expect_number(host_objects, 0, "all is given back");
        expect_true(!files.file[0] && !files.file[1], "nothing is open");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_come_out_as_they_went_in),
        TEST(an_empty_pipe_makes_the_reader_wait),
        TEST(who_is_woken_looks_again),
        TEST(the_end_comes_with_the_last_writer),
        TEST(a_full_pipe_makes_the_writer_wait),
        TEST(a_write_is_not_torn),
        TEST(without_a_reader_there_is_epipe_and_a_signal),
        TEST(the_reader_leaves_while_the_writer_waits),
        TEST(nonblock_gives_eagain),
        TEST(a_signal_ends_the_wait),
        TEST(who_polls_is_told),
        TEST(a_pipe_without_memory_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
