/* The strings that a new program receives. */
#ifndef EXEC_ARGS_H
#define EXEC_ARGS_H

#include "types.h"

/* One after the other, each with its zero: the path, argv, envp. */
struct exec_args {
    char *bytes;
    size_t used, room;
    size_t argc, envc;
    size_t argv_end; /* offset of the first string of envp */
};

#define ARGS_MAX (128 * 1024)

/* Copy all from the current program. Returns 0, -EFAULT, -E2BIG, -ENOMEM or -ENAMETOOLONG. Free the result in
 * any case. */
int exec_args_take(struct exec_args *args, uint64_t path, uint64_t argv, uint64_t envp);
void exec_args_free(struct exec_args *args);

/* Add a string at the end; exec_args_take does it for all. Returns 0, -E2BIG or -ENOMEM. */
int exec_args_add(struct exec_args *args, const char *string);

/*
 * The path is a script: make `interpreter` the path and the first argument, followed by `argument` (may be
 * NULL), the script's path, and the other arguments that there were. Returns 0, -E2BIG or -ENOMEM.
 */
int exec_args_interpret(struct exec_args *args, const char *interpreter, const char *argument);

#endif
