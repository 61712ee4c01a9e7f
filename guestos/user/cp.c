/* cp: copy files; -r copies directories with all that is in them. */
#include "tree.h"
#include "user.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool recursive;

/* Would copying a directory into itself never end? */
static bool is_inside(const char *from, const char *to)
{
    size_t length = strlen(from);

    return strncmp(from, to, length) == 0 && to[length] == '/';
}

static int copy(const char *from, const char *to)
{
    if (recursive && is_inside(from, to)) {
        fprintf(stderr, "cp: %s: cannot be copied into itself, %s\n", from, to);
        return 1;
    }
    return copy_tree(from, to, recursive);
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "rR")) != -1) {
        recursive = true;
        if (option == '?')
            return usage("cp [-r] FROM TO, or cp [-r] FROM... DIRECTORY");
    }
    if (argc - optind < 2)
        return usage("cp [-r] FROM TO, or cp [-r] FROM... DIRECTORY");
    return for_each_source(argv + optind, argc - optind, copy);
}
