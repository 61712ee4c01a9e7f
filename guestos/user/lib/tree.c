/* Copying and removing files with all that is below them. */
#define _GNU_SOURCE
#include "tree.h"
#include "user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_file(const char *from, const char *to, mode_t mode)
{
    int in = open(from, O_RDONLY), out, status;

    if (in < 0)
        return complain(from);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
    status = out < 0 ? complain(to) : copy_fd(in, out, from, to);
    if (out >= 0 && close(out) < 0)
        status = complain(to);
    close(in);
    return status;
}

/* Call work(from/NAME, to/NAME) for everything in the directory `from`; `to` may be NULL. */
static int for_each_entry(const char *from, const char *to, int (*work)(const char *from, const char *to))
{
    struct dirent **entries;
    int status = 0,
        count = scandir(from, &entries, NULL, NULL); /* read whole: work may change the directory */

    if (count < 0)
        return complain(from);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            char *inner_from = join_path(from, name), *inner_to = to ? join_path(to, name) : NULL;
            status |= inner_from && (inner_to || !to) ? work(inner_from, inner_to) : complain(name);
            free(inner_from);
            free(inner_to);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static int copy_all(const char *from, const char *to)
{
    return copy_tree(from, to, true);
}

static int copy_directory(const char *from, const char *to, mode_t mode)
{
    struct stat st;

    if (mkdir(to, (mode & 0777) | S_IRWXU) < 0 &&
        !(errno == EEXIST && stat(to, &st) == 0 && S_ISDIR(st.st_mode)))
        return complain(to);
    return for_each_entry(from, to, copy_all);
}

int copy_tree(const char *from, const char *to, bool recursive)
{
    struct stat source, target;

    if (stat(from, &source) < 0)
        return complain(from);
    if (stat(to, &target) == 0 && target.st_dev == source.st_dev && target.st_ino == source.st_ino) {
        fprintf(stderr, "%s: %s and %s are the same file\n", program_invocation_short_name, from, to);
        return 1;
    }
    if (!S_ISDIR(source.st_mode))
        return copy_file(from, to, source.st_mode);
    if (recursive)
        return copy_directory(from, to, source.st_mode);
    errno = EISDIR;
    return complain(from);
}

static int remove_all(const char *path, const char *unused)
{
    (void)unused;
    return remove_tree(path, true);
}

int remove_tree(const char *path, bool recursive)
{
    struct stat st;
    int status = 0;

    if (lstat(path, &st) < 0)
        return complain(path);
    if (!S_ISDIR(st.st_mode) || !recursive)
        return unlink(path) < 0 ? complain(path) : 0;
    status = for_each_entry(path, NULL, remove_all);
    if (status == 0 && rmdir(path) < 0)
        status = complain(path);
    return status;
}

int for_each_source(char **paths, int count, int (*work)(const char *from, const char *to))
{
    const char *target = paths[count - 1];
    struct stat st;
    int status = 0;

    if (stat(target, &st) < 0 || !S_ISDIR(st.st_mode)) {
        if (count == 2)
            return work(paths[0], target);
        errno = ENOTDIR;
        return complain(target);
    }
    for (int i = 0; i < count - 1; i++) {
        char *to = join_path(target, base_name(paths[i]));
        status |= to ? work(paths[i], to) : complain(paths[i]);
        free(to);
    }
    return status;
}
