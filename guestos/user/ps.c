/* ps: list the processes: pid, parent, state, memory and name, read from /proc as on Linux. */
#include "user.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * /proc/PID/stat is "pid (name) state ppid ..." (proc(5)); the name may hold spaces and parentheses, so it
 * ends at the last one. Field 23 is the virtual size in bytes. Returns 0, or -1 if the process has just
 * ended.
 */
static int print_process(const char *pid)
{
    char path[300], line[1024], state;
    const char *name, *end;
    unsigned long size;
    int parent;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return -1;
    end = fgets(line, sizeof line, file);
    fclose(file);
    if (!end || !(name = strchr(line, '(')) || !(end = strrchr(line, ')')) ||
        sscanf(end + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
               &state, &parent, &size) != 3)
        return -1;
    printf("%5s %5d  %c  %7lu %.*s\n", pid, parent, state, size / 1024, (int)(end - name - 1), name + 1);
    return 0;
}

static int is_process(const struct dirent *entry)
{
    return isdigit((unsigned char)entry->d_name[0]);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
    return atoi((*a)->d_name) - atoi((*b)->d_name);
}

int main(void)
{
    struct dirent **entries;
    int count = scandir("/proc", &entries, is_process, by_number);

    if (count < 0)
        return complain("/proc");
    printf("  PID  PPID  S      KiB NAME\n");
    for (int i = 0; i < count; i++) {
        print_process(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return finish(0);
}
