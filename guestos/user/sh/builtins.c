/* The builtins: commands that must run in the shell's own process, because they change it. */
#include "sh.h"
#include "user.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Say how a builtin is used; its status is then 2. */
static int wrong_use(struct shell *sh, const char *text)
{
    shell_error(sh, "usage: %s", text);
    return 2;
}

static int builtin_true(struct shell *sh, int argc, char **argv)
{
    (void)sh, (void)argc, (void)argv;
    return 0;
}

static int builtin_false(struct shell *sh, int argc, char **argv)
{
    (void)sh, (void)argc, (void)argv;
    return 1;
}

/* Go to a directory and tell PWD and OLDPWD. */
static int change_directory(struct shell *sh, const char *to)
{
    char *before = getcwd(NULL, 0), *now;

    if (chdir(to) < 0) {
        shell_error(sh, "cd: %s: %s", to, strerror(errno));
        free(before);
        return 1;
    }
    now = getcwd(NULL, 0);
    var_set(sh, "OLDPWD", before ? before : "");
    var_set(sh, "PWD", now ? now : to);
    free(before);
    free(now);
    return 0;
}

static int builtin_cd(struct shell *sh, int argc, char **argv)
{
    bool back = argc == 2 && strcmp(argv[1], "-") == 0;
    const char *to = back ? var_get(sh, "OLDPWD") : argc == 2 ? argv[1] : var_get(sh, "HOME");

    if (argc > 2)
        return wrong_use(sh, "cd [DIRECTORY | -]");
    if (!to) {
        shell_error(sh, "cd: %s is not set", back ? "OLDPWD" : "HOME");
        return 1;
    }
    if (back)
        puts(to);
    return change_directory(sh, to);
}

static int builtin_exit(struct shell *sh, int argc, char **argv)
{
    long status = sh->status;

    if (argc > 2 || (argc == 2 && parse_number(argv[1], 0, INT_MAX, &status) < 0))
        return wrong_use(sh, "exit [STATUS]");
    sh->unwind = UNWIND_EXIT;
    return status & 0xff;
}

static int builtin_export(struct shell *sh, int argc, char **argv)
{
    if (argc == 1 || strcmp(argv[1], "-p") == 0)
        var_print(sh, true);
    for (int i = 1; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        if (!is_name(argv[i], length))
            return strcmp(argv[i], "-p") ? wrong_use(sh, "export [NAME[=VALUE]...]") : 0;
        var_assign(sh, argv[i]);
        argv[i][length] = '\0';
        var_export(sh, argv[i]);
    }
    return 0;
}

static int builtin_unset(struct shell *sh, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        var_unset(sh, argv[i]);
    return argc > 1 ? 0 : wrong_use(sh, "unset NAME...");
}

/* Replace $1, $2, ...; the copies live as long as the shell, like the arguments that they replace. */
static void set_parameters(struct shell *sh, int count, char **values)
{
    char **copy = calloc(count + 1, sizeof *copy);

    for (int i = 0; copy && i < count; i++)
        copy[i] = strdup(values[i]);
    if (!copy)
        return;
    sh->parameters = copy;
    sh->parameter_count = count;
}

static int builtin_set(struct shell *sh, int argc, char **argv)
{
    int i = 1;

    if (argc == 1)
        var_print(sh, false);
    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
        bool on = argv[i][0] == '-';
        if (strcmp(argv[i], "--") == 0) {
            set_parameters(sh, argc - i - 1, argv + i + 1);
            return 0;
        }
        if (argv[i][1 + strspn(argv[i] + 1, "ex")])
            return wrong_use(sh, "set [-e | +e] [-x | +x] [--] [PARAMETER...]");
        if (strchr(argv[i], 'e'))
            sh->exit_on_error = on;
        if (strchr(argv[i], 'x'))
            sh->trace = on;
    }
    if (i < argc)
        set_parameters(sh, argc - i, argv + i);
    return 0;
}

static int builtin_shift(struct shell *sh, int argc, char **argv)
{
    long count = 1;

    if (argc > 2 || (argc == 2 && parse_number(argv[1], 0, INT_MAX, &count) < 0))
        return wrong_use(sh, "shift [N]");
    if (count > sh->parameter_count) {
        shell_error(sh, "shift: %ld is more than the %d parameters there are", count, sh->parameter_count);
        return 1;
    }
    sh->parameters += count;
    sh->parameter_count -= count;
    return 0;
}

/* break [N] and continue [N]: leave N loops, or N-1 and begin the Nth anew. */
static int builtin_break(struct shell *sh, int argc, char **argv)
{
    long levels = 1;

    if (argc > 2 || (argc == 2 && parse_number(argv[1], 1, INT_MAX, &levels) < 0))
        return wrong_use(sh, "break [LEVELS] or continue [LEVELS]");
    if (sh->loops == 0)
        return 0;
    sh->unwind = argv[0][0] == 'b' ? UNWIND_BREAK : UNWIND_CONTINUE;
    sh->unwind_levels = levels < sh->loops ? levels : sh->loops;
    return 0;
}

/* Read a line byte by byte: the rest of the input is for others. A backslash quotes, unless raw. False at the
 * end. */
static bool read_line(bool raw, struct text *line)
{
    char c;
    ssize_t n;

    text_append(line, "", 0);
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (c == '\\' && !raw) {
            if (read(STDIN_FILENO, &c, 1) != 1)
                return false;
            if (c == '\n')
                continue;
        }
        if (c)
            text_add(line, c);
    }
    return n == 1;
}

/* Give each variable its field of the line, the last one all the rest. */
static void assign_fields(struct shell *sh, struct arena *arena, char **names, char *at)
{
    const char *separators = var_get(sh, "IFS");

    if (!separators)
        separators = " \t\n";
    for (; *names; names++) {
        while (*at && strchr(" \t\n", *at) && strchr(separators, *at))
            at++;
        size_t length = names[1] ? strcspn(at, separators) : strlen(at);
        char *value = arena_copy(arena, at, length);
        at += length + (at[length] != '\0');
        while (!names[1] && length && strchr(" \t\n", value[length - 1]) &&
               strchr(separators, value[length - 1]))
            value[--length] = '\0';
        var_set(sh, *names, value);
    }
}

static int builtin_read(struct shell *sh, int argc, char **argv)
{
    static char *reply[] = {"REPLY", NULL};
    struct arena arena = {0};
    struct text line = {.arena = &arena};
    bool raw = argc > 1 && strcmp(argv[1], "-r") == 0, got;
    char **names = argv + 1 + raw;

    for (char **name = names; *name; name++)
        if (!is_name(*name, strlen(*name)))
            return wrong_use(sh, "read [-r] [NAME...]");
    got = read_line(raw, &line);
    assign_fields(sh, &arena, *names ? names : reply, line.data);
    arena_free(&arena);
    return !got;
}

static int builtin_wait(struct shell *sh, int argc, char **argv)
{
    int status = 0;
    long pid;

    if (argc == 1)
        return job_wait(sh, 0);
    for (int i = 1; i < argc; i++) {
        if (parse_number(argv[i], 1, INT_MAX, &pid) < 0)
            return wrong_use(sh, "wait [PID...]");
        status = job_wait(sh, pid);
    }
    return status;
}

static int builtin_jobs(struct shell *sh, int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return wrong_use(sh, "jobs");
    job_report(sh, true);
    return 0;
}

static int builtin_dot(struct shell *sh, int argc, char **argv)
{
    if (argc != 2)
        return wrong_use(sh, ". FILE");
    return run_file(sh, argv[1]);
}

static int builtin_eval(struct shell *sh, int argc, char **argv)
{
    struct arena arena = {0};
    struct text command = {.arena = &arena};
    int status;

    for (int i = 1; i < argc; i++) {
        text_append(&command, argv[i], strlen(argv[i]));
        text_add(&command, ' ');
    }
    status = command.length ? run_text(sh, command.data) : 0;
    arena_free(&arena);
    return status;
}

static int builtin_exec(struct shell *sh, int argc, char **argv)
{
    struct arena arena = {0};
    int status = 0;

    if (argc > 1) {
        status = run_program(sh, &arena, argv + 1);
        if (!sh->interactive)
            sh->unwind = UNWIND_EXIT;
    }
    arena_free(&arena);
    return status;
}

static int builtin_umask(struct shell *sh, int argc, char **argv)
{
    char *end = "";
    mode_t mask = argc == 2 ? strtoul(argv[1], &end, 8) : 0;

    if (argc > 2 || *end || mask > 0777 || (argc == 2 && !*argv[1]))
        return wrong_use(sh, "umask [OCTAL]");
    if (argc == 2) {
        umask(mask);
        return 0;
    }
    mask = umask(0);
    umask(mask);
    printf("%04o\n", mask);
    return 0;
}

static int builtin_pwd(struct shell *sh, int argc, char **argv)
{
    char *cwd = getcwd(NULL, 0);

    (void)argc, (void)argv;
    if (!cwd) {
        shell_error(sh, "pwd: %s", strerror(errno));
        return 1;
    }
    puts(cwd);
    free(cwd);
    return 0;
}

static void list_programs(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort), printed = 0;

    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            printf("%s%-10s", printed++ % 7 ? " " : "\n  ", entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    putchar('\n');
}

static int builtin_help(struct shell *sh, int argc, char **argv)
{
    const struct builtin *builtin;

    (void)sh, (void)argc, (void)argv;
    puts("Builtin commands:");
    for (size_t i = 0; (builtin = builtin_at(i)); i++)
        printf("  %-9s %s\n", builtin->name, builtin->help);
    fputs("Also: cmd | cmd, cmd && cmd, cmd || cmd, cmd &, < > >> 2>&1, $VAR $(cmd) $((1+2)), * ? [a-z],\n"
          "      if, while, until, for, ! cmd, ( list ), { list; }\n"
          "Programs in /bin:",
          stdout);
    list_programs("/bin");
    return 0;
}

static const struct builtin builtins[] = {
    {":", "do nothing", builtin_true, true},
    {".", "run the commands of a file in this shell", builtin_dot, true},
    {"[", "a condition, closed by ]; see test", builtin_test, false},
    {"break", "leave the loop, or that many loops", builtin_break, true},
    {"cd", "change the current directory; - goes back", builtin_cd, false},
    {"continue", "begin the loop's next round", builtin_break, true},
    {"eval", "run the arguments as a command", builtin_eval, true},
    {"exec", "become a program; without one, keep the redirections", builtin_exec, true},
    {"exit", "end the shell, and with the console's shell the machine", builtin_exit, true},
    {"export", "give variables to the programs that are started", builtin_export, true},
    {"false", "fail", builtin_false, false},
    {"help", "this list", builtin_help, false},
    {"jobs", "list what runs in the background", builtin_jobs, false},
    {"pwd", "print the current directory", builtin_pwd, false},
    {"read", "read a line into variables", builtin_read, false},
    {"set", "-e: end at the first failure, -x: show commands, -- A B: set $1 $2", builtin_set, true},
    {"shift", "drop $1, or that many parameters", builtin_shift, true},
    {"test", "conditions: -e -f -d -s -r -w -x FILE, A = B, A -lt B, ! -a -o", builtin_test, false},
    {"true", "succeed", builtin_true, false},
    {"umask", "show or set which permissions new files lack", builtin_umask, false},
    {"unset", "forget variables", builtin_unset, true},
    {"wait", "wait for background jobs", builtin_wait, false},
};

const struct builtin *builtin_at(size_t index)
{
    return index < sizeof builtins / sizeof *builtins ? &builtins[index] : NULL;
}

const struct builtin *builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    return NULL;
}
