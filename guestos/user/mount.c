/* mount: put the file system on a disk at a directory; without arguments, list what is mounted. */
#include "user.h"

#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int list_mounts(void)
{
    FILE *file = setmntent("/proc/mounts", "r");
    struct mntent *entry;

    if (!file)
        return complain("/proc/mounts");
    while ((entry = getmntent(file)) != NULL)
        printf("%s on %s type %s (%s)\n", entry->mnt_fsname, entry->mnt_dir, entry->mnt_type,
               entry->mnt_opts);
    endmntent(file);
    return finish(0);
}

/* Understand ro and rw; other options are for other file systems. Returns -1 after a message. */
static int parse_options(char *options, bool *read_only)
{
    for (char *word = strtok(options, ","); word; word = strtok(NULL, ",")) {
        if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0) {
            *read_only = word[1] == 'o';
        } else if (strcmp(word, "defaults") != 0 && strcmp(word, "noatime") != 0 &&
                   strcmp(word, "sync") != 0) {
            fprintf(stderr, "mount: unknown option %s; there are ro and rw\n", word);
            return -1;
        }
    }
    return 0;
}

/* mount(2), and once more without writing if the disk cannot be written. */
static int mount_type(const char *source, const char *directory, const char *type, bool read_only)
{
    int result = mount(source, directory, type, read_only ? MS_RDONLY : 0, NULL);

    if (result == 0 || read_only || (errno != EACCES && errno != EROFS))
        return result;
    fprintf(stderr, "mount: %s cannot be written; mounting it read-only\n", source);
    return mount(source, directory, type, MS_RDONLY, NULL);
}

/* Try every kind of file system that the kernel knows. */
static int mount_any(const char *source, const char *directory, bool read_only)
{
    FILE *file = fopen("/proc/filesystems", "r");
    char line[64], *type;
    int result = -1;

    if (!file)
        return -1;
    errno = ENODEV;
    while (result < 0 && (errno == ENODEV || errno == EINVAL) && fgets(line, sizeof line, file)) {
        type = line + strspn(line, "\t");
        type[strcspn(type, "\n")] = '\0';
        result = mount_type(source, directory, type, read_only);
    }
    int reason = errno;
    fclose(file);
    errno = reason;
    return result;
}

static int explain(const char *source, const char *directory)
{
    switch (errno) {
    case EINVAL:
        fprintf(
            stderr,
            "mount: %s: no file system that can be mounted here (a disk made by scripts/mkdisk has one)\n",
            source);
        return 1;
    case EBUSY:
        fprintf(stderr, "mount: %s or %s is in use already\n", source, directory);
        return 1;
    case ENODEV:
        fprintf(stderr, "mount: %s: unknown kind of file system\n", source);
        return 1;
    case ENOTDIR:
        return complain(directory);
    default:
        return access(directory, F_OK) < 0 ? complain(directory) : complain(source);
    }
}

int main(int argc, char **argv)
{
    const char *type = NULL;
    bool read_only = false;
    int option, result;

    while ((option = getopt(argc, argv, "rt:o:")) != -1) {
        if (option == '?')
            return usage("mount [-r] [-t TYPE] [-o ro] DISK DIRECTORY; alone, it lists what is mounted");
        read_only |= option == 'r';
        if (option == 't')
            type = optarg;
        if (option == 'o' && parse_options(optarg, &read_only) < 0)
            return 2;
    }
    if (argc == 1)
        return list_mounts();
    if (argc - optind != 2)
        return usage("mount [-r] [-t TYPE] [-o ro] DISK DIRECTORY; alone, it lists what is mounted");
    if (type && strcmp(type, "auto") != 0)
        result = mount_type(argv[optind], argv[optind + 1], type, read_only);
    else
        result = mount_any(argv[optind], argv[optind + 1], read_only);
    return result < 0 ? explain(argv[optind], argv[optind + 1]) : 0;
}
