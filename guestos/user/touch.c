/* touch: make files that do not exist, and set the times of those that do to now; -c makes none. */
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

static int touch(const char *path, bool create)
{
    int fd;

    if (utimensat(AT_FDCWD, path, NULL, 0) == 0)
        return 0;
    if (errno != ENOENT)
        return complain(path);
    if (!create)
        return 0;
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    if (fd < 0)
        return complain(path);
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    bool create = true;
    int option, status = 0;

    while ((option = getopt(argc, argv, "c")) != -1) {
        create = false;
        if (option == '?')
            return usage("touch [-c] FILE...");
    }
    if (optind == argc)
        return usage("touch [-c] FILE...");
    for (; optind < argc; optind++)
        status |= touch(argv[optind], create);
    return status;
}
