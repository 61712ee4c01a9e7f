/* df: how full the mounted file systems are, in KiB or with -h in units that fit; with paths, those that have
 * them. */
#include "user.h"

#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static bool human;

static void print_size(unsigned long long bytes)
{
    static const char units[] = "BKMGT";
    double size = (double)bytes;
    int unit = 0;

    if (!human) {
        printf(" %10llu", (bytes + 1023) / 1024);
        return;
    }
    for (; size >= 1024 && units[unit + 1]; unit++)
        size /= 1024;
    printf(" %*.*f%c", 9, size < 10 && unit > 0 ? 1 : 0, size, units[unit]);
}

static int print_line(const char *source, const char *directory)
{
    struct statfs fs;

    if (statfs(directory, &fs) < 0)
        return complain(directory);
    if (fs.f_blocks == 0)
        return 0; /* not a place that fills up */
    unsigned long long size = fs.f_bsize, used = fs.f_blocks - fs.f_bfree;
    printf("%-12s", source);
    print_size(fs.f_blocks * size);
    print_size(used * size);
    print_size(fs.f_bavail * size);
    printf(" %3llu%% %s\n", (used * 100 + fs.f_blocks - 1) / fs.f_blocks, directory);
    return 0;
}

/* Is the path on the file system that is mounted at this directory? */
static bool is_on(const char *path, const char *directory)
{
    struct stat a, b;

    return stat(path, &a) == 0 && stat(directory, &b) == 0 && a.st_dev == b.st_dev;
}

/* All file systems, or those that have one of the paths. */
static int print_all(char **paths)
{
    FILE *file = setmntent("/proc/mounts", "r");
    struct mntent *entry;
    int status = 0;

    if (!file)
        return complain("/proc/mounts");
    while ((entry = getmntent(file)) != NULL) {
        bool wanted = !*paths;
        for (char **path = paths; *path && !wanted; path++)
            wanted = is_on(*path, entry->mnt_dir);
        if (wanted)
            status |= print_line(entry->mnt_fsname, entry->mnt_dir);
    }
    endmntent(file);
    return status;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    while ((option = getopt(argc, argv, "hk")) != -1) {
        if (option == '?')
            return usage("df [-h] [PATH...]");
        human = option == 'h';
    }
    for (char **path = argv + optind; *path; path++)
        if (access(*path, F_OK) < 0)
            status = complain(*path);
    printf("Filesystem   %10s %10s %10s Use%% Mounted on\n", human ? "Size" : "1K-blocks", "Used",
           "Available");
    return finish(status | print_all(argv + optind));
}
