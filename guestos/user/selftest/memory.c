/* Self-test: mmap, brk, protection, and that fork gives each process memory of its own. */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile char *target; /* what the bodies below touch */

static void read_target(void)
{
    (void)*target;
}

static void write_target(void)
{
    *target = 1;
}

static void call_target(void)
{
    ((void (*)(void))(uintptr_t)target)();
}

TEST(memory_is_zero_and_writable)
{
    char *pages = map_pages(100, PROT_READ | PROT_WRITE);

    for (int i = 0; i < 100 * PAGE; i += 511)
        CHECK(pages[i] == 0, "byte %d of a new mapping is %d, should be 0", i, pages[i]);
    memset(pages, 7, 100 * PAGE);
    WORKS(munmap(pages, 100 * PAGE));
    target = pages;
    dies_of(read_target, SIGSEGV, "reading an unmapped page");
    pages = map_pages(100, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 100 * PAGE; i++)
        CHECK(pages[i] == 0, "a new mapping shows byte %d of an old one", i);
}

TEST(memory_protection)
{
    char *page = map_pages(1, PROT_READ | PROT_WRITE);

    page[0] = (char)0xc3; /* ret */
    target = page;
    dies_of(call_target, SIGSEGV, "executing data (mmap without PROT_EXEC)");
    WORKS(mprotect(page, PAGE, PROT_READ));
    dies_of(write_target, SIGSEGV, "writing a read-only page");
    EQUAL((unsigned char)page[0], 0xc3);
    WORKS(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
    call_target();
    WORKS(mprotect(page, PAGE, PROT_NONE));
    dies_of(read_target, SIGSEGV, "reading a PROT_NONE page");
    WORKS(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
    EQUAL((unsigned char)page[0], 0xc3);
    EQUAL(raw_syscall(SYS_mprotect, (long)page + 1, PAGE, PROT_READ, 0, 0, 0), -EINVAL);
    WORKS(munmap(page, PAGE));
    FAILS(mprotect(page, PAGE, PROT_READ), ENOMEM);
}

TEST(memory_unmap_a_part)
{
    char *pages = map_pages(5, PROT_READ | PROT_WRITE);

    memset(pages, 5, 5 * PAGE);
    WORKS(munmap(pages + 2 * PAGE, PAGE));
    EQUAL(pages[2 * PAGE - 1] + pages[3 * PAGE], 10);
    target = pages + 2 * PAGE;
    dies_of(read_target, SIGSEGV, "reading the hole of a mapping");
    WORKS(mprotect(pages + 3 * PAGE, PAGE, PROT_READ));
    EQUAL(pages[4 * PAGE]++, 5);
    CHECK(mmap(pages + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
              pages + 2 * PAGE,
          "MAP_FIXED into the hole: %s", strerror(errno));
    EQUAL(pages[2 * PAGE], 0);
    WORKS(munmap(pages, 5 * PAGE));
    WORKS(munmap(pages, 5 * PAGE)); /* unmapping nothing is no error */
}

TEST(memory_map_errors)
{
    EQUAL(raw_syscall(SYS_mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), -EBADF);
    EQUAL(raw_syscall(SYS_mmap, 0, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -ENOMEM);
    EQUAL(raw_syscall(SYS_mmap, 0, 1L << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -ENOMEM);
    EQUAL(raw_syscall(SYS_munmap, 1, PAGE, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_munmap, 0, 0, 0, 0, 0, 0), -EINVAL);
    EQUAL(raw_syscall(SYS_munmap, 0xffff800000000000, PAGE, 0, 0, 0, 0), -EINVAL);
}

TEST(memory_map_a_file)
{
    make_file("file", "the file's content");
    int fd = open("file", O_RDWR);
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char content[8] = {0};

    CHECK(page != MAP_FAILED, "private mapping of a file: %s", strerror(errno));
    CHECK(memcmp(page, "the file's content\0\0", 20) == 0, "the mapping shows \"%.20s\"", page);
    memcpy(page, "THE", 3);
    EQUAL(pread(fd, content, 3, 0), 3);
    CHECK(strcmp(content, "the") == 0, "writing to a private mapping changed the file: \"%s\"", content);
    WORKS(close(fd));
    CHECK(memcmp(page, "THE file", 8) == 0, "after close the mapping shows \"%.8s\"", page);
}

TEST(memory_brk)
{
    uintptr_t start = raw_syscall(SYS_brk, 0, 0, 0, 0, 0, 0);
    uintptr_t end = raw_syscall(SYS_brk, start + 3 * PAGE, 0, 0, 0, 0, 0);

    EQUAL(end, start + 3 * PAGE);
    memset((void *)start, 9, 3 * PAGE);
    EQUAL(raw_syscall(SYS_brk, start, 0, 0, 0, 0, 0), start);
    EQUAL(raw_syscall(SYS_brk, start + PAGE, 0, 0, 0, 0, 0), start + PAGE);
    EQUAL(*(char *)((start + PAGE - 1) & ~(uintptr_t)(PAGE - 1)), 0);
    EQUAL(raw_syscall(SYS_brk, 0xffff800000000000, 0, 0, 0, 0, 0), start + PAGE);
    EQUAL(raw_syscall(SYS_brk, 1, 0, 0, 0, 0, 0), start + PAGE);
}

TEST(memory_fork_copies_both_ways)
{
    volatile char *pages = map_pages(50, PROT_READ | PROT_WRITE);
    int to_child[2], to_parent[2];
    char c;

    WORKS(pipe(to_child));
    WORKS(pipe(to_parent));
    memset((void *)pages, 1, 50 * PAGE);
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        memset((void *)pages, 2, 25 * PAGE);
        EQUAL(write(to_parent[1], "x", 1), 1);
        EQUAL(read(to_child[0], &c, 1), 1); /* the parent has changed the rest by now */
        for (int i = 0; i < 50; i++)
            EQUAL(pages[i * PAGE], i < 25 ? 2 : 1);
        _exit(0);
    }
    EQUAL(read(to_parent[0], &c, 1), 1);
    for (int i = 0; i < 50; i++)
        EQUAL(pages[i * PAGE], 1);
    memset((void *)pages, 3, 50 * PAGE);
    EQUAL(write(to_child[1], "x", 1), 1);
    EQUAL(wait_for(child), 0);
    EQUAL(pages[0] + pages[49 * PAGE], 6);
}

/* The kernel writes into memory for us: that must break the sharing, too. */
TEST(memory_fork_and_kernel_writes)
{
    char *page = map_pages(1, PROT_READ | PROT_WRITE);
    int ends[2];

    strcpy(page, "parent");
    WORKS(pipe(ends));
    pid_t child = fork();
    WORKS(child);
    if (child == 0) {
        EQUAL(write(ends[1], "child!", 6), 6);
        EQUAL(read(ends[0], page, 6), 6);
        _exit(strcmp(page, "child!") != 0);
    }
    EQUAL(wait_for(child), 0);
    CHECK(strcmp(page, "parent") == 0, "read() in the child changed the parent's memory to \"%s\"", page);
}

static volatile int generation;

static void fork_deeper(void)
{
    char *note = malloc(10000);

    memset(note, generation, 10000);
    if (++generation < 12)
        EQUAL(run_in_child(fork_deeper), 0);
    for (int i = 0; i < 10000; i++)
        CHECK(note[i] == note[0], "memory of generation %d was changed by a descendant", note[0]);
}

TEST(memory_deep_fork)
{
    fork_deeper();
    EQUAL(generation, 1);
}

TEST(memory_survives_exec_of_the_child)
{
    char *page = map_pages(1, PROT_READ | PROT_WRITE);

    *page = 42;
    pid_t child = vfork(); /* shares this memory until it execs */
    WORKS(child);
    if (child == 0) {
        *page = 43;
        execl("/bin/true", "true", NULL);
        _exit(99);
    }
    EQUAL(wait_for(child), 0);
    CHECK(*page == 43 || *page == 42, "the page holds %d", *page);
}

/* Pages of alternating rights cannot be joined to one mapping. */
TEST(memory_maps_are_limited)
{
    static char *pages[70000]; /* Linux allows 65,530 */
    int n = 0;

    while ((pages[n] = mmap(NULL, 4096, n % 2 ? PROT_READ : PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                            0)) != MAP_FAILED)
        n++;
    EQUAL(errno, ENOMEM);
    CHECK(n >= 4096, "only %d mappings are possible", n);
    while (n-- >
           0) /* the last first: the oldest may have joined its neighbour, and cutting one needs room too */
        WORKS(munmap(pages[n], 4096));
    for (int i = 0; i < 10000; i++)
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
              "equal mappings are not joined: number %d fails", i);
}

TEST(memory_null_is_never_mapped)
{
    target = NULL;
    dies_of(read_target, SIGSEGV, "reading address 0");
    target = (char *)0xffffffff80000000;
    dies_of(read_target, SIGSEGV, "reading kernel memory");
    dies_of(write_target, SIGSEGV, "writing kernel memory");
    dies_of(call_target, SIGSEGV, "calling kernel memory");
    target = (char *)0x8000000000000000;
    dies_of(read_target, SIGSEGV, "reading a non-canonical address");
    dies_of(call_target, SIGSEGV, "calling a non-canonical address");
    target = (char *)(uintptr_t)read_target;
    dies_of(write_target, SIGSEGV, "writing the program's own code");
}

static void execute_stack(void)
{
    volatile unsigned char code[16] = {0xc3}; /* ret */

    target = (volatile char *)code;
    call_target();
}

static void execute_heap(void)
{
    target = malloc(16);
    *target = (char)0xc3;
    call_target();
}

static volatile bool endless = true;

static void overflow_stack(void)
{
    volatile char frame[4096];

    frame[0] = 1;
    if (endless)
        overflow_stack();
    frame[1] = frame[0]; /* keeps the call from becoming a loop */
}

TEST(memory_stack)
{
    volatile char large[200 * 1024]; /* the stack grows when it is touched */

    large[0] = 1;
    EQUAL(large[0], 1);
    dies_of(execute_stack, SIGSEGV, "executing the stack");
    dies_of(execute_heap, SIGSEGV, "executing the heap");
    dies_of(overflow_stack, SIGSEGV, "overflowing the stack");
}
