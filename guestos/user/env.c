/* env: print the environment, or run a program in a changed one; -i starts with an empty one, -u NAME removes
 * one. */
#define _GNU_SOURCE
#include "user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "+iu:")) != -1) {
        if (option == '?')
            return usage("env [-i] [-u NAME] [NAME=VALUE...] [PROGRAM [ARG...]]");
        if (option == 'i')
            clearenv();
        else
            unsetenv(optarg);
    }
    for (; optind < argc && strchr(argv[optind], '='); optind++)
        putenv(argv[optind]);
    if (optind < argc) {
        execvp(argv[optind], argv + optind);
        complain(argv[optind]);
        return errno == ENOENT ? 127 : 126;
    }
    for (char **variable = environ; variable && *variable; variable++)
        puts(*variable);
    return finish(0);
}
