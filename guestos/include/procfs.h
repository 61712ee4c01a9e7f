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
    bool is_link; /* a symbolic link; the text is where it leads, without a newline */
};

#define PROCFILE(id, ...) PROC_RECORD(id, __VA_ARGS__, false)
#define PROCLINK(id, ...) PROC_RECORD(id, __VA_ARGS__, true)

#define PROC_RECORD(id, ...)                                                                                 \
    static const struct procfile procfile_##id                                                               \
        __attribute__((used, section("procfiles"), aligned(8))) = {__VA_ARGS__}

#endif
