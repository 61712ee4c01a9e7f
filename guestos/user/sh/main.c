/* sh: the shell. sh [-e] [-x] [-c COMMAND [NAME [ARG...]] | FILE [ARG...]] */
#define _GNU_SOURCE
#include "sh.h"
#include "user.h"

#include <string.h>
#include <unistd.h>

static void import_environment(struct shell *sh, char **environment)
{
    for (; *environment; environment++) {
        struct arena arena = {0};
        if (var_assign(sh, *environment))
            var_export(sh, arena_copy(&arena, *environment, strcspn(*environment, "=")));
        arena_free(&arena);
    }
    if (!var_get(sh, "PATH"))
        var_set(sh, "PATH", "/bin");
}

static int run(struct shell *sh, const char *command, char **arguments)
{
    bool script = !command && *arguments;

    if (*arguments)
        sh->name = *arguments++;
    for (sh->parameters = arguments; sh->parameters[sh->parameter_count];)
        sh->parameter_count++;
    if (command)
        return run_text(sh, command);
    if (script)
        return run_file(sh, sh->name);
    sh->interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (sh->interactive)
        job_control_start(sh);
    return run_stdin(sh);
}

int main(int argc, char **argv)
{
    struct shell sh = {.name = "sh", .pid = getpid()};
    const char *command = NULL;
    int option;

    while ((option = getopt(argc, argv, "+c:ex")) != -1) {
        if (option == '?')
            return usage("sh [-e] [-x] [-c COMMAND [NAME [ARG...]] | FILE [ARG...]]");
        if (option == 'c')
            command = optarg;
        sh.exit_on_error |= option == 'e';
        sh.trace |= option == 'x';
    }
    import_environment(&sh, environ);
    return run(&sh, command, argv + optind);
}
