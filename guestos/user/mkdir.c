/* mkdir: make directories; -p with their parents and without complaint if they exist, -m MODE with these
 * permissions. */
#include "user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Make every missing directory on the way to path. */
static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return complain(path);
        *slash = '/';
    }
    return 0;
}

static int make(char *path, mode_t mode, bool parents)
{
    if (parents && make_parents(path) != 0)
        return 1;
    if (mkdir(path, mode) == 0)
        return 0;
    if (parents && errno == EEXIST && is_directory(path))
        return 0;
    return complain(path);
}

int main(int argc, char **argv)
{
    mode_t mode = 0777;
    bool parents = false;
    char *end = "";
    int option, status = 0;

    while ((option = getopt(argc, argv, "pm:")) != -1) {
        if (option == 'm')
            mode = strtoul(optarg, &end, 8);
        parents |= option == 'p';
        if (option == '?')
            optind = argc;
    }
    if (optind == argc || *end || mode > 07777)
        return usage("mkdir [-p] [-m OCTAL-MODE] DIRECTORY...");
    for (; optind < argc; optind++)
        status |= make(argv[optind], mode, parents);
    return status;
}
