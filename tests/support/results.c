/*
 * Runs cmocka's tests each in a process of its own, and reports the verdicts on a pipe.
 *
 * TERRARIUM_RESULTS="FD NONCE" asks for the report; without it the program was started by hand, and cmocka
 * says itself what it finds; under gdb in one process, which gdb can follow. A test that crashes or hangs
 * costs itself only. What it prints is caught and becomes its message. The verdict never
 * comes out of that text: the tested code runs in the child, the nonce stays with the parent, and a child
 * that ends before it has handed over the token of its test has failed, whatever its exit status.
 *
 * A verdict on FD is a line "NONCE VERDICT LENGTH NAME", then LENGTH bytes of message. TERRARIUM_TESTS="NAME
 * NAME" picks.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "results.h"

#define CPU_SECONDS                                                                                          \
    60 /* that a test may compute (TERRARIUM_TEST_CPU_SECONDS): a busy machine does not stretch it */
#define CPU_SECONDS_MIN                                                                                      \
    5 /* where others of the program have computed without an end: the same loop, most likely */
#define REAL_SECONDS 90 /* that it may take: a guard against sleeping for ever; both times TIMEOUT_SCALE */
#define MESSAGE_MAX  (256u << 10)

/* Set by a test program whose tests look at one long run: they share a process. (Not const: a compiler would
 * take this value for the one of the program.) */
__attribute__((weak)) bool tests_share_a_process = false;

int __real__cmocka_run_group_tests(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
                                   CMFixtureFunction);
void __real__skip(const char *file, int line);

static struct {
    int fd;
    char nonce[80];
} results = {.fd = -1};

struct group {
    const struct CMUnitTest *tests;
    size_t count;
    CMFixtureFunction setup, teardown;
};

struct verdict {
    uint64_t token;
    size_t test;
    int failed, skipped;
};

static int skipped;

/* cmocka counts a skipped test as neither passed nor failed, and does not tell. */
void __wrap__skip(const char *file, int line)
{
    skipped = 1;
    __real__skip(file, line);
}

static unsigned scaled(unsigned seconds)
{
    const char *scale = getenv("TIMEOUT_SCALE");

    return seconds * (unsigned)(scale && atoi(scale) > 0 ? atoi(scale) : 1);
}

static unsigned endless; /* tests so far that computed until they were ended */

/* Half as long after each of those. */
static unsigned cpu_seconds(void)
{
    const char *text = getenv("TERRARIUM_TEST_CPU_SECONDS");
    unsigned seconds = text && atoi(text) > 0 ? (unsigned)atoi(text) : CPU_SECONDS;

    for (unsigned i = 0; i < endless && seconds / 2 >= CPU_SECONDS_MIN; i++)
        seconds /= 2;
    return scaled(seconds);
}

/* Before any other code of the program: take the nonce out of the environment. */
__attribute__((constructor(101))) static void take_nonce(void)
{
    char *text = getenv("TERRARIUM_RESULTS");

    if (!text || sscanf(text, "%d %79s", &results.fd, results.nonce) != 2)
        return;
    memset(text, 0, strlen(text));
    unsetenv("TERRARIUM_RESULTS");
}

static bool is_wanted(const char *name)
{
    const char *names = getenv("TERRARIUM_TESTS");
    size_t length = strlen(name);

    if (!names)
        return true;
    for (const char *at = names; (at = strstr(at, name)); at += length)
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static void write_all(int fd, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno != EINTR)
            return;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

/* Report test `name`; what it printed lies in the file `caught`, whose end tells the most. */
static void report(const char *name, const char *verdict, const char *reason, int caught)
{
    static char message[MESSAGE_MAX];
    off_t size = lseek(caught, 0, SEEK_END), from = size > MESSAGE_MAX / 2 ? size - MESSAGE_MAX / 2 : 0;
    ssize_t n = pread(caught, message, MESSAGE_MAX / 2, from);
    size_t length = n > 0 ? (size_t)n : 0;
    char head[512];

    if (*reason)
        length += (size_t)snprintf(message + length, sizeof message - length, "%s\n", reason);
    int head_length = snprintf(head, sizeof head, "%s %s %zu %s\n", results.nonce, verdict, length, name);
    write_all(results.fd, head, (size_t)head_length);
    write_all(results.fd, message, length);
}

/* The child: run tests [first, end) of the group one by one, hand over each verdict, and exit. */
static void run_range(const struct group *g, size_t first, size_t end, const int *caught, int out,
                      uint64_t token)
{
    const rlim_t seconds = cpu_seconds() * (end - first);
    const struct rlimit cpu = {seconds, seconds + 1};
    int failures = 0;

    memset(&results, 0, sizeof results);
    prctl(PR_SET_DUMPABLE, 1); /* the sanitizers look into it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
    for (size_t i = first; i < end; i++) {
        struct verdict v = {.token = token, .test = i};
        if (caught[i] < 0)
            continue;
        fflush(NULL);
        dup2(caught[i], STDOUT_FILENO);
        dup2(caught[i], STDERR_FILENO);
        skipped = 0;
        v.failed = __real__cmocka_run_group_tests("test", &g->tests[i], 1, g->setup, g->teardown);
        v.skipped = skipped;
        failures += v.failed != 0;
        fflush(NULL);
        write_all(out, &v, sizeof v);
    }
    if (failures)
        _exit(EXIT_FAILURE); /* a test that failed has freed nothing: no leaks are to be told */
    exit(EXIT_SUCCESS);
}

static void put_end(char *text, size_t size, int status, bool late)
{
    if (late)
        snprintf(text, size, "the test did not end within %u s; what it waits for does not come",
                 scaled(REAL_SECONDS));
    else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU))
        snprintf(text, size, "the test computed for %u s and did not end: a loop without an end?",
                 cpu_seconds());
    else if (WIFSIGNALED(status))
        snprintf(text, size, "the test died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "the test ended its process with status %d", WEXITSTATUS(status));
}

/* Collect the verdicts of tests [first, end) until the child has ended. Returns false if it did not end in
 * time. */
static bool collect(pid_t child, int channel, uint64_t token, size_t first, size_t end,
                    struct verdict *verdicts)
{
    int child_fd = (int)syscall(SYS_pidfd_open, child, 0);
    bool late = false;
    struct verdict v;

    for (bool ended = false; !ended;) {
        struct pollfd ready[] = {{.fd = channel, .events = POLLIN}, {.fd = child_fd, .events = POLLIN}};
        if (poll(ready, 2, (int)scaled(REAL_SECONDS) * 1000) < 0 && errno == EINTR)
            continue;
        late = !(ready[0].revents | ready[1].revents);
        /* Not until the end of the pipe: a process that the test left behind may hold it open. */
        ended = !(ready[0].revents & POLLIN);
        if (!ended && read(channel, &v, sizeof v) == sizeof v && v.token == token && v.test >= first &&
            v.test < end)
            verdicts[v.test - first] = v;
    }
    close(child_fd);
    return !late;
}

/* Run tests [first, end) in one child and report them. Returns how many failed. */
static int run_child(const struct group *g, size_t first, size_t end, const int *caught)
{
    struct verdict verdicts[end - first];
    int channel[2], status = 0, failures = 0;
    uint64_t token;
    char reason[160];

    memset(verdicts, 0, sizeof verdicts);
    if (getrandom(&token, sizeof token, 0) != sizeof token || pipe(channel) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        close(results.fd);
        close(channel[0]);
        setpgid(0, 0);
        run_range(g, first, end, caught, channel[1], token);
    }
    close(channel[1]);
    bool late = !collect(child, channel[0], token, first, end, verdicts);
    close(channel[0]);
    kill(-child, late ? SIGKILL : 0);
    waitpid(child, &status, 0);
    kill(-child, SIGKILL); /* what the test left behind */
    put_end(reason, sizeof reason, status, late);
    endless += WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
    for (size_t i = first; i < end; i++) {
        const struct verdict *v = &verdicts[i - first];
        bool told = v->token == token;
        /* The sanitizers speak at the very end: a child of one test that then fails has failed. */
        bool ended_badly = !told || (end - first == 1 && !v->failed && status != 0);
        bool failed = ended_badly || v->failed;
        if (caught[i] < 0)
            continue;
        report(g->tests[i].name,
               failed       ? "fail"
               : v->skipped ? "skip"
                            : "pass",
               ended_badly ? reason : "", caught[i]);
        failures += failed;
    }
    return failures;
}

/* Is this process being traced? By gdb, say (proc(5), "TracerPid"). */
static bool is_debugged(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    int tracer = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (file)
        fclose(file);
    return tracer != 0;
}

static int run_by_hand(const struct group *g)
{
    struct CMUnitTest wanted[g->count + 1];
    size_t count = 0;
    int failures = 0;

    for (size_t i = 0; i < g->count; i++)
        if (is_wanted(g->tests[i].name))
            wanted[count++] = g->tests[i];
    if (tests_share_a_process || is_debugged())
        return __real__cmocka_run_group_tests("tests", wanted, count, g->setup, g->teardown);
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            exit(__real__cmocka_run_group_tests(wanted[i].name, &wanted[i], 1, g->setup, g->teardown));
        failures += child < 0 || waitpid(child, &status, 0) < 0 || status != 0;
        if (WIFSIGNALED(status))
            fprintf(stderr, "%s died of signal %d (%s)\n", wanted[i].name, WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
    }
    fprintf(stderr, "%zu tests, %d failed\n", count, failures);
    return failures;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const struct group g = {tests, count, setup, teardown};
    int caught[count], failures = 0;

    (void)name;
    if (results.fd < 0)
        return run_by_hand(&g);
    for (size_t i = 0; i < count; i++)
        caught[i] = is_wanted(tests[i].name) ? memfd_create(tests[i].name, MFD_CLOEXEC) : -1;
    prctl(PR_SET_DUMPABLE, 0); /* no child looks into this process, where the nonce is */
    const size_t at_once = tests_share_a_process ? count : 1;
    for (size_t i = 0; i < count; i += at_once)
        if (tests_share_a_process || caught[i] >= 0)
            failures += run_child(&g, i, i + at_once, caught);
    prctl(PR_SET_DUMPABLE, 1);
    return failures;
}
