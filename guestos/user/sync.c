/* sync: make everything durable that was written; with files, only these. */
#include "user.h"

#include <unistd.h>

static int sync_file(int fd, const char *name)
{
    return fsync(fd) < 0 ? complain(name) : 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return for_each_input(argv + 1, sync_file);
    sync();
    return 0;
}
