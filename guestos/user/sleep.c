/* sleep: wait for so many seconds; fractions work. */
#include "user.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    char *end = "x";
    double seconds = argc == 2 ? strtod(argv[1], &end) : 0;
    struct timespec left;

    if (*end || end == argv[1] || !(seconds >= 0 && seconds < 1e9))
        return usage("sleep SECONDS");
    left.tv_sec = seconds;
    left.tv_nsec = (seconds - left.tv_sec) * 1e9;
    while (nanosleep(&left, &left) < 0)
        if (errno != EINTR)
            return complain(argv[1]);
    return 0;
}
