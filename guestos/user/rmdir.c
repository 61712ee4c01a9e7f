/* rmdir: remove empty directories. */
#include "user.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    int status = 0;

    if (getopt(argc, argv, "") == '?' || optind == argc)
        return usage("rmdir DIRECTORY...");
    for (; optind < argc; optind++)
        if (rmdir(argv[optind]) < 0)
            status = complain(argv[optind]);
    return status;
}
