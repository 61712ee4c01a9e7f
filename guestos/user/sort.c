/* sort: print the lines of all files in order; -r backwards, -n by the number they begin with, -u each line
 * once. */
#define _GNU_SOURCE
#include "user.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool backwards, numeric, unique;
static char **lines;
static size_t count, capacity;

static int compare(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    double x = numeric ? strtod(a, NULL) : 0, y = numeric ? strtod(b, NULL) : 0;
    int order = x < y ? -1 : x > y ? 1 : strcmp(a, b);

    return backwards ? -order : order;
}

static int add_line(char *line)
{
    if (count == capacity) {
        size_t wanted = 2 * capacity + 64;
        char **bigger = realloc(lines, wanted * sizeof *lines);
        if (!bigger)
            return complain("memory");
        lines = bigger;
        capacity = wanted;
    }
    lines[count++] = line;
    return 0;
}

static int read_lines(int fd, const char *name)
{
    FILE *file = fdopen(dup(fd), "r");
    char *line = NULL;
    size_t size = 0;
    int status = 0;

    if (!file)
        return complain(name);
    while (status == 0 && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        status = add_line(line);
        line = NULL;
    }
    if (ferror(file))
        status = complain(name);
    free(line);
    fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    int option, status;

    while ((option = getopt(argc, argv, "rnu")) != -1) {
        if (option == '?')
            return usage("sort [-r] [-n] [-u] [FILE...]");
        backwards |= option == 'r';
        numeric |= option == 'n';
        unique |= option == 'u';
    }
    status = for_each_input(argv + optind, read_lines);
    if (count)
        qsort(lines, count, sizeof *lines, compare);
    for (size_t i = 0; i < count; i++)
        if (!unique || i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
            puts(lines[i]);
    return finish(status);
}
