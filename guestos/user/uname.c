/* uname: the system's name; -a all that is known, -s -n -r -v -m one part each. */
#include "user.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const char letters[] = "snrvm";
    bool wanted[5] = {0}, any = false;
    struct utsname name;
    int option;

    while ((option = getopt(argc, argv, "asnrvm")) != -1) {
        if (option == '?')
            return usage("uname [-a] [-s] [-n] [-r] [-v] [-m]");
        for (int i = 0; i < 5; i++)
            wanted[i] |= option == 'a' || option == letters[i];
    }
    if (optind < argc)
        return usage("uname [-a] [-s] [-n] [-r] [-v] [-m]");
    if (argc == 1)
        wanted[0] = true;
    if (uname(&name) < 0)
        return complain("uname");
    const char *parts[] = {name.sysname, name.nodename, name.release, name.version, name.machine};
    for (int i = 0; i < 5; i++) {
        if (wanted[i])
            printf("%s%s", any ? " " : "", parts[i]);
        any |= wanted[i];
    }
    putchar('\n');
    return finish(0);
}
