/*
 * linuxtest: an ordinary Linux program, without a line for Moss. What it prints is the same wherever it runs;
 * a test compares Linux and Moss, built with musl and with glibc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint32_t seed = 1;

static uint32_t next_random(void)
{
    return seed = seed * 1664525 + 1013904223;
}

/* Blocks of all sizes come and go and grow; each keeps what was put into it. */
static void use_heap(void)
{
    unsigned char *blocks[100] = {0};
    size_t sizes[100] = {0}, wrong = 0;

    for (int round = 0; round < 2000; round++) {
        int i = next_random() % 100;
        for (size_t n = 0; n < sizes[i]; n += 97)
            wrong += blocks[i][n] != (unsigned char)(i + n);
        sizes[i] = next_random() % (round % 50 ? 5000 : 300000);
        blocks[i] = realloc(blocks[i], sizes[i] + 1);
        for (size_t n = 0; n < sizes[i]; n++)
            blocks[i][n] = i + n;
    }
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    printf("heap: %zu bytes wrong\n", wrong);
}

static int by_value(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static void sort(void)
{
    static int values[10000];
    int disorder = 0;

    for (int i = 0; i < 10000; i++)
        values[i] = next_random() >> 8;
    qsort(values, 10000, sizeof *values, by_value);
    for (int i = 1; i < 10000; i++)
        disorder += values[i - 1] > values[i];
    printf("qsort: %d in disorder, first %d, last %d\n", disorder, values[0], values[9999]);
}

static void calculate(void)
{
    volatile double x = 2;
    double sum = 0;

    for (int i = 1; i <= 1000; i++)
        sum += 1.0 / i / i;
    printf("floats: %f %.15g %e %g %a\n", sqrt(x), sin(x / 2), exp(-50 * x), 1 / (x - 2), sum);
    printf("pi: %.10f, %.3Lf, pow %.6f, fmod %.3f, %d\n", sqrt(6 * sum), (long double)x / 3, pow(x, 0.5),
           fmod(7.5, x), (int)lround(x * 1.3));
    printf("text: %d %s\n", (int)strtod("12.75e1xyz", NULL), strerror(ENOENT));
}

static jmp_buf back;

static void descend(int depth)
{
    if (depth == 0)
        longjmp(back, 42);
    if (depth > 0)
        descend(depth - 1);
}

static void jump(void)
{
    volatile int before = 7;
    int value = setjmp(back);

    if (value == 0) {
        before++;
        descend(50);
    }
    printf("longjmp: %d %d\n", value, before);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
    alarms += signal == SIGALRM;
}

static void use_timers(void)
{
    struct itimerval often = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}}, left;
    struct sigaction action = {.sa_handler = count_alarm};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (alarms < 3)
        pause();
    getitimer(ITIMER_REAL, &left);
    setitimer(ITIMER_REAL, &off, NULL);
    printf("timer: interval %ld us, %s\n", (long)left.it_interval.tv_usec,
           left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 10000 ? "runs" : "does not run");
    alarms = 0;
    alarm(100);
    printf("alarm: %u s were left, ", alarm(0));
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 20000}}, NULL);
    int n = poll(NULL, 0, 100000);
    printf("poll gives %d (%s), %d alarm\n", n, strerror(errno), (int)alarms);
}

static sigjmp_buf out_of_fault;
static char *alternate, *forbidden;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    char here;

    printf("fault: signal %d, code %d, address %s, stack %s, context %s\n", signal, info->si_code,
           (char *)info->si_addr == forbidden + 5 ? "right" : "wrong",
           &here > alternate && &here < alternate + 65536 ? "alternate" : "wrong",
           context ? "given" : "missing");
    siglongjmp(out_of_fault, 1);
}

static void fault(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = alternate = malloc(65536), .ss_size = 65536};

    forbidden = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(out_of_fault, 1) == 0)
        *(volatile char *)(forbidden + 5) = 1;
    munmap(forbidden, 4096);
    if (sigsetjmp(out_of_fault, 1) == 0)
        *(volatile char *)(forbidden + 5) = 1;
}

static volatile int child_code, child_status;

static void on_child(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    child_code = info->si_code;
    child_status = info->si_status;
}

static void use_children(void)
{
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    siginfo_t info = {0};
    int status, go[2];
    char byte = 0;

    sigaction(SIGCHLD, &action, NULL);
    fflush(stdout);
    if (pipe(go) < 0)
        perror("pipe");
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(read(go[0], &byte, 1) == 1 ? 5 : 6); /* not before the parent has seen it go on */
    }
    waitpid(child, &status, WUNTRACED);
    printf("child: stopped %d by %d, SIGCHLD code %d status %d\n", WIFSTOPPED(status), WSTOPSIG(status),
           child_code, child_status);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    while (child_code != CLD_CONTINUED) /* the signal may come a little later */
        usleep(1000);
    printf("child: continued %d, SIGCHLD code %d status %d\n", WIFCONTINUED(status), child_code,
           child_status);
    if (write(go[1], &byte, 1) != 1)
        perror("write");
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    printf("child: waitid code %d status %d\n", info.si_code, info.si_status);
    waitpid(child, &status, 0);
    printf("child: exited %d with %d, SIGCHLD code %d status %d\n", WIFEXITED(status), WEXITSTATUS(status),
           child_code, child_status);
}

static void use_files(void)
{
    char line[100], name[] = "/tmp/linuxtestXXXXXX";
    int fd = mkstemp(name);
    FILE *file = fdopen(fd, "w+");

    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %d\n", i);
    rewind(file);
    for (int i = 0; i < 500; i++)
        if (!fgets(line, sizeof line, file))
            return;
    printf("file: %s", line);
    fseek(file, -9, SEEK_END);
    printf("end: %s", fgets(line, sizeof line, file));
    printf("position: %ld\n", ftell(file));
    fclose(file);
    unlink(name);
    FILE *pipe = popen("echo from the shell; exit 3", "r");
    printf("popen: %s", fgets(line, sizeof line, pipe));
    printf("status: %d\n", WEXITSTATUS(pclose(pipe)));
}

static void wait_for_input(void)
{
    struct timeval soon = {0, 20000};
    int ends[2];
    fd_set set;

    if (pipe(ends) < 0)
        return;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    printf("select: %d", select(ends[0] + 1, &set, NULL, NULL, &soon));
    FD_SET(ends[0], &set);
    if (write(ends[1], "x", 1) != 1)
        return;
    printf(", then %d, %d\n", select(ends[0] + 1, &set, NULL, NULL, NULL), FD_ISSET(ends[0], &set) != 0);
}

static void tell_time(void)
{
    time_t then = 951782400; /* 29 February 2000 */
    char text[64];

    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %A", gmtime(&then));
    printf("date: %s\n", text);
}

int main(void)
{
    use_heap();
    sort();
    calculate();
    jump();
    use_timers();
    fault();
    use_children();
    use_files();
    wait_for_input();
    tell_time();
    return 23;
}
