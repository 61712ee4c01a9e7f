/* mv: rename files and directories, or move them into a directory; across file systems it copies and removes.
 */
#include "tree.h"
#include "user.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int move(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return 0;
    if (errno != EXDEV)
        return complain(from);
    return copy_tree(from, to, true) || remove_tree(from, true);
}

int main(int argc, char **argv)
{
    if (getopt(argc, argv, "f") == '?' || argc - optind < 2)
        return usage("mv FROM TO, or mv FROM... DIRECTORY");
    return for_each_source(argv + optind, argc - optind, move);
}
