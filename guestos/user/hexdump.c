/* hexdump: show bytes as hexdump -C does; -n N only the first N. */
#include "user.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long limit = LONG_MAX;
static unsigned long offset;
static unsigned char row[16], before[16];
static unsigned filled;

static void print_row(void)
{
    static bool starred;

    if (offset >= 16 && filled == 16 &&
        memcmp(row, before, 16) == 0) { /* rows like the one before become one * */
        if (!starred)
            puts("*");
        starred = true;
    } else {
        starred = false;
        printf("%08lx ", offset);
        for (unsigned i = 0; i < 16; i++) {
            const char *gap = i == 8 ? "  " : " ";
            i < filled ? printf("%s%02x", gap, row[i]) : printf("%s  ", gap);
        }
        printf("  |");
        for (unsigned i = 0; i < filled; i++)
            putchar(isprint(row[i]) ? row[i] : '.');
        puts("|");
    }
    memcpy(before, row, 16);
    offset += filled;
    filled = 0;
}

static int dump(int fd, const char *name)
{
    unsigned char buffer[4096];
    ssize_t n = 0;

    while (limit > 0 &&
           (n = read(fd, buffer, limit < (long)sizeof buffer ? (size_t)limit : sizeof buffer)) > 0) {
        limit -= n;
        for (ssize_t i = 0; i < n; i++) {
            row[filled++] = buffer[i];
            if (filled == 16)
                print_row();
        }
    }
    return n < 0 ? complain(name) : 0;
}

int main(int argc, char **argv)
{
    int option, status;

    while ((option = getopt(argc, argv, "Cn:")) != -1)
        if (option == '?' || (option == 'n' && parse_number(optarg, 0, LONG_MAX, &limit) < 0))
            return usage("hexdump [-C] [-n BYTES] [FILE...]");
    status = for_each_input(argv + optind, dump);
    if (filled)
        print_row();
    if (offset)
        printf("%08lx\n", offset);
    return finish(status);
}
