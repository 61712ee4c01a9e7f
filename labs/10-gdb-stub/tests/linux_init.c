/* The first process of the Linux that system_gdb_linux.py boots, and the program that gdb looks into. What it
 * says goes to Terrarium's debug port, which needs no driver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define DEBUG_PORT 0xe9
#define EXIT_PORT  0xf4
#define ROUNDS     8
#define READ_ALL   3 /* klogctl() */

volatile int go; /* gdb's sign */
static volatile int sum;

static void say(const char *text)
{
    for (; *text; text++)
        outb((unsigned char)*text, DEBUG_PORT);
}

/* Say the first line of a file that ends with `end`. */
static void say_line(const char *path, const char *end)
{
    static char line[256];
    FILE *file = fopen(path, "r");

    while (file && fgets(line, sizeof line, file))
        if (strlen(line) >= strlen(end) && strcmp(line + strlen(line) - strlen(end), end) == 0)
            break;
    say(line);
    fclose(file);
}

__attribute__((noinline)) void one_round(int number)
{
    sum += number;
    getpgid(100 + number);
}

/* On a page of its own, far from all others. */
__attribute__((noinline, section(".far"))) void far_away(void)
{
    sum += 2;
}

static void say_log(void)
{
    static char log[1 << 18];

    klogctl(READ_ALL, log, sizeof log - 1);
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        if (line[1] <= '4') {
            say(line);
            say("\n");
        }
}

int main(void)
{
    mount("proc", "/proc", "proc", 0, NULL);
    iopl(3);
    say_line("/proc/kallsyms", " T __x64_sys_getpgid\n");
    say("ready\n");
    while (!go)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    for (int i = 0; i < ROUNDS; i++)
        one_round(i);
    far_away();
    say_log();
    say("tainted ");
    say_line("/proc/sys/kernel/tainted", "\n");
    outb((unsigned char)sum, EXIT_PORT);
    for (;;)
        pause();
}
