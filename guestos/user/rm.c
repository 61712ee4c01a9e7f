/* rm: remove files; -r directories with all that is in them, -f without complaint about what does not exist.
 */
#include "tree.h"
#include "user.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Removing these would take away what the running system stands on, or is a slip of the finger. */
static bool is_precious(const char *path)
{
    const char *last = base_name(path);

    return path[strspn(path, "/")] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

int main(int argc, char **argv)
{
    bool recursive = false, force = false;
    int option, status = 0;
    struct stat st;

    while ((option = getopt(argc, argv, "rRf")) != -1) {
        if (option == '?')
            return usage("rm [-r] [-f] FILE...");
        recursive |= option == 'r' || option == 'R';
        force |= option == 'f';
    }
    if (optind == argc && !force)
        return usage("rm [-r] [-f] FILE...");
    for (; optind < argc; optind++) {
        if (force && lstat(argv[optind], &st) < 0 && errno == ENOENT)
            continue;
        errno = EPERM;
        status |= *argv[optind] && is_precious(argv[optind]) ? complain(argv[optind])
                                                             : remove_tree(argv[optind], recursive);
    }
    return status;
}
