/* tail: print the last lines of files, ten or -n N (or -N). */
#include "user.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long limit = 10;

/* Read all of fd into memory. Returns it, to be freed, and its size; NULL with errno set on failure. */
static char *read_all(int fd, size_t *size)
{
    size_t capacity = 4096;
    char *data = malloc(capacity), *bigger;
    ssize_t n = 1;

    for (*size = 0; data && (n = read(fd, data + *size, capacity - *size)) > 0;) {
        *size += n;
        if (*size < capacity)
            continue;
        bigger = realloc(data, capacity *= 2);
        if (!bigger)
            free(data);
        data = bigger;
    }
    if (n >= 0)
        return data;
    free(data);
    return NULL;
}

static int print(int fd, const char *name)
{
    size_t size, from;
    char *data = read_all(fd, &size);
    long lines = 0;

    if (!data)
        return complain(name);
    for (from = size; from > 0; from--)
        if (data[from - 1] == '\n' && from < size && ++lines == limit)
            break;
    if (limit == 0)
        from = size;
    fwrite(data + from, 1, size - from, stdout);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int option;

    optind += old_number(argv, &limit);
    while ((option = getopt(argc, argv, "n:")) != -1)
        if (option == '?' || parse_number(optarg, 0, LONG_MAX, &limit) < 0)
            return usage("tail [-n LINES] [FILE...]");
    return finish(for_each_input(argv + optind, print));
}
