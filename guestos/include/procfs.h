/* Files in /proc. */
#ifndef PROCFS_H
#define PROCFS_H

#include "types.h"

struct process;

struct procfile {
    const char *name;
    bool per_process; /* /proc/PID/name, else /proc/name */
    /* Write the text, as format() does. About a process: called with process_lock held; else `process` is
     * NULL.
     */
    int (*show)(struct process *process, char *to, size_t size);
};

#define PROCFILE(id, ...)                                                                                    \
    static const struct procfile procfile_##id                                                               \
        __attribute__((used, section("procfiles"), aligned(8))) = {__VA_ARGS__}

#endif
