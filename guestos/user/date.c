/* date: print the time; +FORMAT as strftime has it, -u in UTC. */
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *format = "%a %b %e %H:%M:%S %Z %Y";
    time_t now = time(NULL);
    char text[1024];
    int option;

    while ((option = getopt(argc, argv, "u")) != -1) {
        if (option == '?')
            return usage("date [-u] [+FORMAT]");
        setenv("TZ", "UTC0", 1);
    }
    if (argc - optind > 1 || (optind < argc && argv[optind][0] != '+'))
        return usage("date [-u] [+FORMAT]");
    if (optind < argc)
        format = argv[optind] + 1;
    if (strftime(text, sizeof text, format, localtime(&now)) == 0 && *format) {
        fprintf(stderr, "date: the format gives nothing, or more than %zu characters\n", sizeof text - 1);
        return 1;
    }
    puts(*format ? text : "");
    return finish(0);
}
