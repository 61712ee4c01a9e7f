/* umount: write everything of a mounted file system and take it away; it is named by its directory or disk.
 */
#include "user.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* Where the disk is mounted, in `directory`; else the argument is a directory itself. */
static const char *directory_of(const char *what, char *directory, size_t size)
{
    FILE *file = setmntent("/proc/mounts", "r");
    const struct mntent *entry;
    const char *result = what;

    if (!file)
        return what;
    while ((entry = getmntent(file)) != NULL) {
        if (strcmp(entry->mnt_fsname, what) != 0)
            continue;
        snprintf(directory, size, "%s", entry->mnt_dir);
        result = directory;
    }
    endmntent(file);
    return result;
}

static int unmount(const char *what)
{
    char directory[4096];

    if (umount(directory_of(what, directory, sizeof directory)) == 0)
        return 0;
    if (errno == EBUSY)
        fprintf(stderr, "umount: %s is in use: files are open, or a program stands in a directory of it\n",
                what);
    else if (errno == EINVAL)
        fprintf(stderr, "umount: %s: nothing is mounted there\n", what);
    else
        complain(what);
    return 1;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc < 2 || argv[1][0] == '-')
        return usage("umount DIRECTORY-OR-DISK...");
    for (int i = 1; i < argc; i++)
        status |= unmount(argv[i]);
    return status;
}
