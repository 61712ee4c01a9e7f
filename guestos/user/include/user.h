/* What every small program shares: errors printed as "name: thing: reason", and noticing output that got
 * lost. */
#ifndef USER_H
#define USER_H

#include <stddef.h>

/* Say on stderr what went wrong with `thing`, the reason taken from errno. Returns 1, the usual exit status.
 */
int complain(const char *thing);

/* Say on stderr how the program is used: "usage: TEXT". Returns 2, the usual status for wrong use. */
int usage(const char *text);

/*
 * Flush stdout and return the program's exit status: `status`, or 1 with a message if anything that was
 * printed could not be written (a full disk, a reader that went away).
 */
int finish(int status);

/* Write all of data. Returns 0, or -1 with errno set. */
int write_all(int fd, const void *data, size_t size);

/* Copy everything from one descriptor to the other; messages name the file. Returns 0, or 1 after a message.
 */
int copy_fd(int from, int to, const char *from_name, const char *to_name);

/*
 * Call work(fd, name) for every file named, or once for standard input if none is; "-" is standard input too.
 * Files that do not open are complained about. Returns the worst status seen.
 */
int for_each_input(char **names, int (*work)(int fd, const char *name));

/* Join directory and name with one slash. The caller frees; NULL with errno set if there is no memory. */
char *join_path(const char *directory, const char *name);

/* Parse a whole decimal number in [low, high] into *value. Returns 0, or -1 if text is anything else. */
int parse_number(const char *text, long low, long high, long *value);

/* The old way to say -n NUMBER: -NUMBER as the first argument. Returns how many arguments it takes: 0 or 1.
 */
int old_number(char **argv, long *number);

/* The last component of a path, without changing it: "a/b/" gives "b/". */
const char *base_name(const char *path);

#endif
