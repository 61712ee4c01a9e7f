/*
 * selftest: checks the kernel from user space. Every test runs in its own child; verdicts go to stdout for
 * people and, if the environment has a NONCE, to /dev/results for the host: "NONCE ok NAME", "NONCE skip
 * NAME: reason", "NONCE FAIL NAME: message", and at last "NONCE end PASSED FAILED SKIPPED".
 */
#define _GNU_SOURCE
#include "selftest.h"
#include "tree.h"
#include "user.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_SECONDS 300 /* only for tests that hang: emulated machines are slow */
#define VERDICT_FD       100 /* out of the way of tests that look at descriptor numbers */
#define SKIPPED          77  /* a test's exit status */

extern const struct test __start_selftests[], __stop_selftests[];

static int verdict_pipe[2]; /* from the test to the runner: the message */
static int results = -1;
static const char *nonce;
static char scratch[64];

void fail(const char *file, int line, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    int length = snprintf(message, sizeof message, "%s:%d: ", base_name(file), line);
    vsnprintf(message + length, sizeof message - length, format, args);
    va_end(args);
    write_all(verdict_pipe[1], message, strlen(message));
    _exit(1);
}

void skip(const char *reason)
{
    write_all(verdict_pipe[1], reason, strlen(reason));
    _exit(SKIPPED);
}

bool on_moss(void)
{
    struct utsname name;

    return uname(&name) == 0 && strcmp(name.sysname, "Moss") == 0;
}

long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

int wait_for(pid_t child)
{
    int status;
    pid_t ended;

    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ;
    CHECK(ended == child, "waitpid(%d) gives %d: %s", child, ended, strerror(errno));
    return status;
}

int run_in_child(void (*body)(void))
{
    pid_t child = fork();

    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
        body();
        _exit(0);
    }
    return wait_for(child);
}

void dies_of(void (*body)(void), int signal, const char *what)
{
    int status = run_in_child(body);

    if (WIFSIGNALED(status))
        CHECK(WTERMSIG(status) == signal, "%s: killed by signal %d (%s), should be %d (%s)", what,
              WTERMSIG(status), strsignal(WTERMSIG(status)), signal, strsignal(signal));
    else
        FAIL("%s: the process lives on and exits with %d; signal %d (%s) should kill it", what,
             WEXITSTATUS(status), signal, strsignal(signal));
}

void *map_pages(size_t pages, int protection)
{
    void *at = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED, "mmap of %zu anonymous pages: %s", pages, strerror(errno));
    return at;
}

char *edge_of_mapping(void)
{
    char *pages = map_pages(2, PROT_READ | PROT_WRITE);

    WORKS(mprotect(pages + PAGE, PAGE, PROT_NONE)); /* not unmapped: the next mapping might fill the hole */
    return pages + PAGE;
}

int open_terminal(void)
{
    int tty = on_moss() ? open("/dev/console", O_RDWR | O_NOCTTY) : posix_openpt(O_RDWR | O_NOCTTY);

    if (tty >= 0 && !on_moss() && grantpt(tty) == 0 && unlockpt(tty) == 0)
        tty = open(ptsname(tty), O_RDWR | O_NOCTTY);
    if (tty < 0 || !isatty(tty))
        skip("there is no terminal");
    return tty;
}

void make_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0, "open(%s) to create it: %s", path, strerror(errno));
    EQUAL(write(fd, content, strlen(content)), strlen(content));
    WORKS(close(fd));
}

/* --- the runner --- */

static void report(const char *name, const char *verdict, const char *message)
{
    char record[700];

    printf("%-4s %s%s%s\n", verdict, name, *message ? ": " : "", message);
    fflush(stdout);
    if (results < 0)
        return;
    int length = snprintf(record, sizeof record, "%s %s %s%s%s\n", nonce, verdict, name, *message ? ": " : "",
                          message);
    write_all(results, record, length);
}

static void run_child(const struct test *test)
{
    char directory[100];

    setpgid(0, 0);
    dup2(verdict_pipe[1], VERDICT_FD);
    close(verdict_pipe[0]);
    close(verdict_pipe[1]);
    verdict_pipe[1] = VERDICT_FD;
    snprintf(directory, sizeof directory, "%s/%s", scratch, test->name);
    WORKS(mkdir(directory, 0755));
    WORKS(chdir(directory));
    test->run();
    _exit(0);
}

/* Wait until the child ends or patience does; then end all that the test left running. Returns its wait
 * status. */
static int wait_patiently(pid_t child, char *message, size_t size)
{
    struct pollfd verdict = {.fd = verdict_pipe[0], .events = POLLIN};
    int status = 0, tenths = 0;
    size_t length = 0;

    while (waitpid(child, &status, WNOHANG) == 0 && tenths < PATIENCE_SECONDS * 10) {
        tenths += poll(&verdict, 1, 100) == 0;
        ssize_t n = verdict.revents & POLLIN ? read(verdict.fd, message + length, size - 1 - length) : 0;
        length += n > 0 ? n : 0;
    }
    if (tenths == PATIENCE_SECONDS * 10)
        snprintf(message, size, "hangs: no end after %d seconds", PATIENCE_SECONDS);
    kill(-child, SIGKILL);
    if (tenths == PATIENCE_SECONDS * 10)
        waitpid(child, &status, 0);
    fcntl(verdict_pipe[0], F_SETFL, O_NONBLOCK);
    ssize_t n = read(verdict_pipe[0], message + length, size - 1 - length);
    if (n > 0)
        message[length + n] = '\0';
    return status;
}

/* Returns 0 if it passed, 1 if it failed, SKIPPED if it was skipped. */
static int run_test(const struct test *test)
{
    char message[600] = "";
    pid_t child;
    int status;

    if (pipe(verdict_pipe) < 0 || (child = fork()) < 0) {
        report(test->name, "FAIL", "the runner has no pipe or process for it");
        return 1;
    }
    if (child == 0)
        run_child(test);
    setpgid(child, child);
    close(verdict_pipe[1]);
    status = wait_patiently(child, message, sizeof message);
    close(verdict_pipe[0]);
    if (WIFSIGNALED(status) && !*message)
        snprintf(message, sizeof message, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        report(test->name, "skip", message);
        return SKIPPED;
    }
    report(test->name, status || *message ? "FAIL" : "ok", message);
    return status || *message ? 1 : 0;
}

static bool is_wanted(const struct test *test, char **names)
{
    if (!*names)
        return true;
    for (; *names; names++)
        if (strncmp(test->name, *names, strlen(*names)) == 0)
            return true;
    return false;
}

static void open_results(void)
{
    nonce = getenv("NONCE");
    if (nonce)
        results = open("/dev/results", O_WRONLY | O_CLOEXEC);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct test *)a)->name, ((const struct test *)b)->name);
}

/* The linker's table in order of names, because the compiler may put the records in any order. NULL after a
 * message. */
static struct test *sorted_tests(size_t *count)
{
    struct test *tests;

    *count = __stop_selftests - __start_selftests;
    tests = calloc(*count, sizeof *tests);
    if (!tests) {
        complain("memory");
        return NULL;
    }
    memcpy(tests, __start_selftests, *count * sizeof *tests);
    qsort(tests, *count, sizeof *tests, by_name);
    return tests;
}

/* Run the wanted tests, count the verdicts, report the sums. Returns the exit status. */
static int run_all(const struct test *tests, size_t count, char **names)
{
    int passed = 0, failed = 0, skipped = 0;

    for (const struct test *test = tests; test < tests + count; test++) {
        if (!is_wanted(test, names))
            continue;
        int verdict = run_test(test);
        passed += verdict == 0;
        failed += verdict == 1;
        skipped += verdict == SKIPPED;
    }
    printf("selftest: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    if (results >= 0)
        dprintf(results, "%s end %d %d %d\n", nonce, passed, failed, skipped);
    return failed || !passed;
}

int main(int argc, char **argv)
{
    bool list = argc > 1 && strcmp(argv[1], "-l") == 0;
    struct test *tests;
    size_t count;
    int status;

    if (argc > 1 && argv[1][0] == '-' && !list)
        return usage(
            "selftest [-l] [NAME...]; a NAME stands for all tests that begin with it, -l lists them");
    tests = sorted_tests(&count);
    if (!tests)
        return 1;
    for (size_t i = 0; list && i < count; i++)
        puts(tests[i].name);
    if (list)
        return finish(0);
    mkdir("/tmp", 01777); /* it may exist */
    snprintf(scratch, sizeof scratch, "/tmp/selftest.%d", getpid());
    if (mkdir(scratch, 0755) < 0)
        return complain(scratch);
    open_results();
    status = run_all(tests, count, argv + 1);
    remove_tree(scratch, true);
    free(tests);
    return finish(status);
}
