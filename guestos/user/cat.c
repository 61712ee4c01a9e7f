/* cat: print files, or standard input, one after the other. */
#include "user.h"

#include <unistd.h>

static int print(int fd, const char *name)
{
    return copy_fd(fd, STDOUT_FILENO, name, "standard output");
}

int main(int argc, char **argv)
{
    if (getopt(argc, argv, "u") == '?')
        return usage("cat [FILE...]");
    return for_each_input(argv + optind, print);
}
