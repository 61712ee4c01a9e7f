/* head: print the first lines of files, ten or -n N (or -N); -c N counts bytes. */
#include "user.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static long limit = 10;
static bool count_bytes, titled;

static int print(int fd, const char *name)
{
    static bool again;
    FILE *file = fdopen(dup(fd), "r");
    long left = limit;
    int c;

    if (!file)
        return complain(name);
    if (titled)
        printf("%s==> %s <==\n", again ? "\n" : "", name);
    again = true;
    while (left > 0 && (c = getc(file)) != EOF) {
        putchar(c);
        left -= count_bytes || c == '\n';
    }
    int status = ferror(file) ? complain(name) : 0;
    fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    int option;

    optind += old_number(argv, &limit);
    while ((option = getopt(argc, argv, "n:c:")) != -1) {
        if (option == '?' || parse_number(optarg, 0, LONG_MAX, &limit) < 0)
            return usage("head [-n LINES | -c BYTES] [FILE...]");
        count_bytes = option == 'c';
    }
    titled = argc - optind > 1;
    return finish(for_each_input(argv + optind, print));
}
