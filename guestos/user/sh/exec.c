/* Finding a program and becoming it; scripts without #! are run by the shell itself. */
#include "sh.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void shell_error(const struct shell *sh, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    fprintf(stderr, "%s: ", sh->interactive ? "sh" : sh->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Execve one candidate. A file that is no program the kernel knows is a script of this shell (POSIX XCU
 * §2.9.1.1). */
static void try_program(struct shell *sh, const char *path, char **argv, char **environment)
{
    execve(path, argv, environment);
    if (errno == EACCES && is_directory(path))
        errno = EISDIR;
    if (errno != ENOEXEC)
        return;
    sh->name = path;
    sh->parameters = argv + 1;
    for (sh->parameter_count = 0; sh->parameters[sh->parameter_count];)
        sh->parameter_count++;
    sh->unwind = UNWIND_NONE;
    exit(run_file(sh, path));
}

static void search_path(struct shell *sh, struct arena *arena, char **argv, char **environment)
{
    const char *path = var_get(sh, "PATH"), *end;
    int found = ENOENT;

    for (path = path ? path : "/bin"; path; path = *end ? end + 1 : NULL) {
        end = path + strcspn(path, ":");
        try_program(sh,
                    arena_format(arena, "%.*s/%s", end > path ? (int)(end - path) : 1,
                                 end > path ? path : ".", argv[0]),
                    argv, environment);
        if (errno != ENOENT && errno != ENOTDIR && errno != EISDIR)
            found = errno;
    }
    errno = found;
}

int run_program(struct shell *sh, struct arena *arena, char **argv)
{
    char **environment = var_environment(sh, arena);
    bool has_slash = strchr(argv[0], '/');

    if (has_slash)
        try_program(sh, argv[0], argv, environment);
    else if (argv[0][0])
        search_path(sh, arena, argv, environment);
    else
        errno = ENOENT;
    if (errno == ENOENT && !has_slash)
        shell_error(sh, "%s: command not found; 'help' lists what there is", argv[0]);
    else
        shell_error(sh, "%s: %s", argv[0], strerror(errno));
    return errno == ENOENT || errno == ENOTDIR ? 127 : 126;
}
