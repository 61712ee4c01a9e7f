/* ls: list files and directories, sorted by name; -a with dot files, -l in detail, -d the directory itself,
 * -1 one a line. */
#define _GNU_SOURCE
#include "user.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static bool all, detailed, directory_itself, single_column;

static void print_mode(mode_t mode)
{
    static const char kinds[] = "?pc?d?b?-?l?s???";
    char text[11] = "-rwxrwxrwx";

    for (int bit = 0; bit < 9; bit++)
        if (!(mode & (0400 >> bit)))
            text[1 + bit] = '-';
    text[0] = kinds[mode >> 12 & 15];
    if (mode & S_ISVTX)
        text[9] = mode & 01 ? 't' : 'T';
    fputs(text, stdout);
}

static int print_detail(const char *path, const char *name)
{
    struct stat st;
    char when[32], size[32], target[256];

    if (lstat(path, &st) < 0)
        return complain(path);
    strftime(when, sizeof when, "%b %e %H:%M", localtime(&st.st_mtime));
    snprintf(size, sizeof size, "%lld", (long long)st.st_size);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        snprintf(size, sizeof size, "%u, %u", major(st.st_rdev), minor(st.st_rdev));
    print_mode(st.st_mode);
    printf(" %2lu %4u %4u %8s %s %s", (unsigned long)st.st_nlink, st.st_uid, st.st_gid, size, when, name);
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof target) : -1;
    if (n >= 0)
        printf(" -> %.*s", (int)n, target);
    putchar('\n');
    return 0;
}

static int window_width(void)
{
    struct winsize window;

    if (single_column || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0)
        return 1;
    return window.ws_col ? window.ws_col : 80;
}

/* Print names down columns as wide as the longest; one name a line when the output is not a terminal. */
static void print_columns(char **names, int count)
{
    int width = 1, columns, rows;

    for (int i = 0; i < count; i++)
        if ((int)strlen(names[i]) + 2 > width)
            width = strlen(names[i]) + 2;
    columns = window_width() / width;
    if (columns < 1)
        columns = 1;
    rows = (count + columns - 1) / columns;
    for (int row = 0; row < rows; row++)
        for (int i = row; i < count; i += rows)
            printf("%-*s%s", i + rows < count ? width : 0, names[i], i + rows < count ? "" : "\n");
}

static int print_names(const char *directory, char **names, int count)
{
    int status = 0;

    if (!detailed) {
        print_columns(names, count);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        char *path = directory ? join_path(directory, names[i]) : strdup(names[i]);
        status |= path ? print_detail(path, names[i]) : complain(names[i]);
        free(path);
    }
    return status;
}

static int keep(const struct dirent *entry)
{
    return all || entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int list_directory(const char *path)
{
    struct dirent **entries;
    int status = 1, count = scandir(path, &entries, keep, by_name);
    char **names;

    if (count < 0)
        return complain(path);
    names = calloc(count + 1, sizeof *names);
    if (names) {
        for (int i = 0; i < count; i++)
            names[i] = entries[i]->d_name;
        status = print_names(path, names, count);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(names);
    return status;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return !directory_itself && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Plain files first, in one block, then each directory under its name, as every ls does. */
static int list_arguments(char **paths, int count)
{
    char **files = calloc(count, sizeof *files);
    int status = 0, file_count = 0;
    struct stat st;
    bool printed;

    if (!files)
        return complain("memory");
    for (int i = 0; i < count; i++) {
        if (lstat(paths[i], &st) < 0)
            status = complain(paths[i]);
        else if (!is_directory(paths[i]))
            files[file_count++] = paths[i];
    }
    status |= print_names(NULL, files, file_count);
    printed = file_count > 0;
    free(files);
    for (int i = 0; i < count; i++) {
        if (!is_directory(paths[i]))
            continue;
        if (count > 1)
            printf("%s%s:\n", printed ? "\n" : "", paths[i]);
        printed = true;
        status |= list_directory(paths[i]);
    }
    return status;
}

int main(int argc, char **argv)
{
    static char *here[] = {".", NULL};
    int option;

    while ((option = getopt(argc, argv, "ald1")) != -1) {
        if (option == '?')
            return usage("ls [-a] [-l] [-d] [-1] [FILE...]");
        all |= option == 'a';
        detailed |= option == 'l';
        directory_itself |= option == 'd';
        single_column |= option == '1';
    }
    if (optind == argc)
        return finish(list_arguments(here, 1));
    return finish(list_arguments(argv + optind, argc - optind));
}
