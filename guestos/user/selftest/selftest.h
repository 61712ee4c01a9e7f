/* The kernel's self-test: how a test is written. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

struct test {
    const char *name;
    void (*run)(void);
};

/*
 * TEST(name) { ... } adds a test. Each runs in a child of its own, leading a process group, in an empty
 * directory of its own; returning means that it passed.
 */
#define TEST(test_name)                                                                                      \
    static void test_name(void);                                                                             \
    static const struct test test_name##_record                                                              \
        __attribute__((used, aligned(16), section("selftests"))) = {#test_name, test_name};                  \
    static void test_name(void)

/* End the test as failed, with a message that says what should be; as skipped, with the reason. */
void fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void skip(const char *reason) __attribute__((noreturn));

#define FAIL(...) fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition, ...)                                                                                \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            FAIL(__VA_ARGS__);                                                                               \
    } while (0)

/* The value must be exactly this. */
#define EQUAL(expression, expected)                                                                          \
    do {                                                                                                     \
        long got_ = (long)(expression), expected_ = (long)(expected);                                        \
        CHECK(got_ == expected_, "%s is %ld, should be %ld (errno %d, %s)", #expression, got_, expected_,    \
              errno, strerror(errno));                                                                       \
    } while (0)

/* The call must fail with exactly this errno. */
#define FAILS(call, error)                                                                                   \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        long got_ = (long)(call);                                                                            \
        CHECK(got_ == -1 && errno == (error), "%s gives %ld with errno %d (%s), should fail with %s", #call, \
              got_, errno, strerror(errno), #error);                                                         \
    } while (0)

/* The call must succeed. */
#define WORKS(call)                                                                                          \
    do {                                                                                                     \
        long got_ = (long)(call);                                                                            \
        CHECK(got_ >= 0, "%s fails: %s", #call, strerror(errno));                                            \
    } while (0)

/* A system call without the C library in between: returns what the kernel returned, -errno included. */
long raw_syscall(long number, long a, long b, long c, long d, long e, long f);

/* Are we on Moss, whose promises go beyond Linux's? */
bool on_moss(void);

/* Run body in a child and return its wait status; a body that returns is exit status 0. */
int run_in_child(void (*body)(void));

/* The child must be killed by exactly this signal. */
void dies_of(void (*body)(void), int signal, const char *what);

/* waitpid that must succeed. Returns the wait status. */
int wait_for(pid_t child);

/* An anonymous private mapping, zeroed; fails the test if there is none. */
void *map_pages(size_t pages, int protection);

/* Two pages of which only the first may be used; returns the second's address. */
char *edge_of_mapping(void);

/* The console of Moss, a new pseudo-terminal of Linux; skips the test if there is none. */
int open_terminal(void);

/* Make a file with this content. */
void make_file(const char *path, const char *content);

#define PAGE 4096

#endif
