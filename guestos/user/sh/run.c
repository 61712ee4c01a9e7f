/* Running the tree: processes, pipes, loops. */
#include "sh.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- simple commands --- */

/* Assign, expanding each value; exported too if they are for one program only. */
static int assign_all(struct shell *sh, struct arena *arena, const struct word *word, bool exported)
{
    for (; word; word = word->next) {
        size_t length = strchr(word->text, '=') - word->text;
        char *name = arena_copy(arena, word->text, length);
        char *value = expand_string(sh, arena, word->text + length + 1);
        if (!value)
            return -1;
        var_set(sh, name, value);
        if (exported)
            var_export(sh, name);
        if (sh->trace)
            fprintf(stderr, "+ %s=%s\n", name, value);
    }
    return 0;
}

static void trace(struct shell *sh, char **argv)
{
    if (!sh->trace || !*argv)
        return;
    fputc('+', stderr);
    while (*argv)
        fprintf(stderr, " %s", *argv++);
    fputc('\n', stderr);
}

static int count_words(char **argv)
{
    int count = 0;

    while (argv[count])
        count++;
    return count;
}

/* After "x=1 builtin": give the variables their old values back. */
struct old_value {
    struct old_value *next;
    const char *name, *value;
};

static struct old_value *save_values(struct shell *sh, struct arena *arena, const struct word *word)
{
    struct old_value *saved = NULL;

    for (; word; word = word->next) {
        struct old_value *old = arena_alloc(arena, sizeof *old);
        old->name = arena_copy(arena, word->text, strcspn(word->text, "="));
        old->value = var_get(sh, old->name);
        if (old->value)
            old->value = arena_copy(arena, old->value, strlen(old->value));
        old->next = saved;
        saved = old;
    }
    return saved;
}

static void restore_values(struct shell *sh, const struct old_value *saved)
{
    for (; saved; saved = saved->next)
        saved->value ? var_set(sh, saved->name, saved->value) : var_unset(sh, saved->name);
}

/* Without a program: assignments, redirections and a builtin happen in the shell itself. */
static int run_here(struct shell *sh, struct arena *arena, struct node *node, char **argv)
{
    const struct builtin *builtin = argv[0] ? builtin_find(argv[0]) : NULL;
    struct saved_fd *saved = NULL;
    bool keep = builtin && strcmp(builtin->name, "exec") == 0;
    bool temporary = builtin && !builtin->special;
    struct old_value *old = temporary ? save_values(sh, arena, node->assignments) : NULL;
    int status = 1;

    if (redirect_all(sh, arena, node->redirects, keep ? NULL : &saved) == 0 &&
        assign_all(sh, arena, node->assignments, false) == 0) {
        status = builtin ? builtin->run(sh, count_words(argv), argv) : sh->status;
        if (builtin && finish(0) != 0)
            status = 1;
        clearerr(stdout);
    }
    restore_values(sh, old);
    restore_fds(saved);
    return status;
}

static int exec_here(struct shell *sh, struct arena *arena, struct node *node, char **argv)
{
    if (redirect_all(sh, arena, node->redirects, NULL) < 0 ||
        assign_all(sh, arena, node->assignments, true) < 0)
        return 1;
    return run_program(sh, arena, argv);
}

static void end_child(int status)
{
    fflush(stdout);
    _exit(status);
}

static int fork_and_exec(struct shell *sh, struct arena *arena, struct node *node, char **argv)
{
    pid_t group = 0, pid = job_fork(sh, &group, false);

    if (pid < 0) {
        shell_error(sh, "%s: %s", argv[0], strerror(errno));
        return 126;
    }
    if (pid == 0)
        end_child(exec_here(sh, arena, node, argv));
    return job_wait_foreground(sh, &pid, 1);
}

/* in_child: this process exists only for the command, so a program may replace it. */
static int run_simple(struct shell *sh, struct node *node, bool in_child)
{
    struct arena arena = {0};
    int before = sh->status, status;
    char **argv;

    sh->status = 0; /* what x=$(false) returns is the substitution's status, if there was one */
    if (node->words)
        sh->status = before;
    argv = expand_words(sh, &arena, node->words);
    if (!argv) {
        status = 2;
        sh->unwind = sh->interactive ? UNWIND_LINE : UNWIND_EXIT;
    } else {
        trace(sh, argv);
        if (!argv[0] || builtin_find(argv[0]))
            status = run_here(sh, &arena, node, argv);
        else if (in_child)
            status = exec_here(sh, &arena, node, argv);
        else
            status = fork_and_exec(sh, &arena, node, argv);
    }
    arena_free(&arena);
    return status;
}

/* --- pipelines and lists --- */

/* The whole life of a forked copy of the shell that runs one node. */
static void run_child(struct shell *sh, struct node *node)
{
    int status;

    sh->tested = 0;
    if (node->kind == NODE_SIMPLE)
        status = run_simple(sh, node, true);
    else
        status = run_node(sh, node);
    end_child(status);
}

static void connect_pipe(int in, const int out[2])
{
    if (in >= 0) {
        dup2(in, STDIN_FILENO);
        close(in);
    }
    if (out[1] >= 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
    }
}

/* Start every command of the pipeline. Returns how many run; fewer than there are after a message. */
static int start_pipeline(struct shell *sh, struct node *node, pid_t *pids, pid_t *group)
{
    int count = 0, in = -1;

    for (struct node *command = node->children; command; command = command->next) {
        int out[2] = {-1, -1};
        if ((command->next && pipe(out) < 0) || (pids[count] = job_fork(sh, group, false)) < 0) {
            shell_error(sh, "cannot start the pipeline: %s", strerror(errno));
            close(out[0]);
            close(out[1]);
            break;
        }
        if (pids[count] == 0) {
            connect_pipe(in, out);
            run_child(sh, command);
        }
        count++;
        close(in);
        close(out[1]);
        in = out[0];
    }
    close(in);
    return count;
}

static int run_pipeline(struct shell *sh, struct node *node)
{
    struct arena arena = {0};
    int count = 0, started, status;
    pid_t *pids, group = 0;

    if (!node->children->next) { /* there is a ! then, which exit ignores */
        status = run_node(sh, node->children);
        return sh->unwind == UNWIND_EXIT ? status : !status;
    }
    for (struct node *command = node->children; command; command = command->next)
        count++;
    pids = arena_alloc(&arena, count * sizeof *pids);
    started = start_pipeline(sh, node, pids, &group);
    status = job_wait_foreground(sh, pids, started);
    arena_free(&arena);
    if (started < count)
        status = 126;
    return node->negated ? !status : status;
}

static int run_background(struct shell *sh, struct node *node)
{
    pid_t group = 0, pid = job_fork(sh, &group, true);

    if (pid < 0) {
        shell_error(sh, "cannot start a background job: %s", strerror(errno));
        return 126;
    }
    if (pid == 0) {
        int null = sh->job_control ? -1 : open("/dev/null", O_RDONLY);
        if (null >= 0) {
            dup2(null, STDIN_FILENO);
            close(null);
        }
        node->background = false;
        run_child(sh, node);
    }
    job_add(sh, pid);
    return 0;
}

static int run_subshell(struct shell *sh, struct node *node)
{
    pid_t group = 0, pid = job_fork(sh, &group, false);

    if (pid < 0) {
        shell_error(sh, "cannot start a subshell: %s", strerror(errno));
        return 126;
    }
    if (pid == 0)
        end_child(run_node(sh, node->children));
    return job_wait_foreground(sh, &pid, 1);
}

static bool unwinding(struct shell *sh)
{
    if (interrupted && sh->interactive)
        sh->unwind = UNWIND_LINE;
    return sh->unwind != UNWIND_NONE;
}

static int run_list(struct shell *sh, struct node *node)
{
    int status = 0;

    for (struct node *item = node->children; item && !unwinding(sh); item = item->next)
        status = sh->status = item->background ? run_background(sh, item) : run_node(sh, item);
    return status;
}

static int run_and_or(struct shell *sh, struct node *node)
{
    int status = 0;

    for (struct node *item = node->children; item && !unwinding(sh); item = item->next) {
        if (item != node->children && (item->join == TOKEN_AND) != (status == 0))
            continue;
        sh->tested += item->next != NULL;
        status = sh->status = run_node(sh, item);
        sh->tested -= item->next != NULL;
    }
    return status;
}

/* --- if, while, for --- */

static bool is_true(struct shell *sh, struct node *condition)
{
    int status;

    sh->tested++;
    status = sh->status = run_node(sh, condition);
    sh->tested--;
    return status == 0;
}

static int run_if(struct shell *sh, struct node *node)
{
    struct node *condition = node->children;

    for (; condition->next; condition = condition->next->next) {
        bool chosen = is_true(sh, condition);
        if (unwinding(sh))
            return sh->status;
        if (chosen)
            return run_node(sh, condition->next);
        if (!condition->next->next)
            return 0;
    }
    return run_node(sh, condition); /* else */
}

/* After a loop's body: does the loop go on? break and continue may be meant for an outer loop. */
static bool loop_goes_on(struct shell *sh)
{
    if (!unwinding(sh))
        return true;
    if (sh->unwind != UNWIND_BREAK && sh->unwind != UNWIND_CONTINUE)
        return false;
    if (--sh->unwind_levels > 0)
        return false;
    bool goes_on = sh->unwind == UNWIND_CONTINUE;
    sh->unwind = UNWIND_NONE;
    return goes_on;
}

static int run_while(struct shell *sh, struct node *node)
{
    int status = 0;

    sh->loops++;
    for (;;) {
        bool wanted = is_true(sh, node->children) == (node->kind == NODE_WHILE);
        if (sh->unwind == UNWIND_NONE && !wanted)
            break;
        if (!unwinding(sh))
            status = sh->status = run_node(sh, node->children->next);
        if (!loop_goes_on(sh))
            break;
    }
    sh->loops--;
    return status;
}

static int run_for(struct shell *sh, struct node *node)
{
    struct arena arena = {0};
    char **values = node->has_in ? expand_words(sh, &arena, node->words) : sh->parameters;
    int status = 0;

    if (!values) {
        sh->unwind = sh->interactive ? UNWIND_LINE : UNWIND_EXIT;
        status = 2;
    }
    sh->loops++;
    for (; values && *values; values++) {
        var_set(sh, node->name, *values);
        status = sh->status = run_node(sh, node->children);
        if (!loop_goes_on(sh))
            break;
    }
    sh->loops--;
    arena_free(&arena);
    return status;
}

static int run_kind(struct shell *sh, struct node *node)
{
    switch (node->kind) {
    case NODE_SIMPLE:
        return run_simple(sh, node, false);
    case NODE_LIST:
        return run_list(sh, node);
    case NODE_AND_OR:
        return run_and_or(sh, node);
    case NODE_PIPELINE:
        return run_pipeline(sh, node);
    case NODE_SUBSHELL:
        return run_subshell(sh, node);
    case NODE_GROUP:
        return run_node(sh, node->children);
    case NODE_IF:
        return run_if(sh, node);
    case NODE_FOR:
        return run_for(sh, node);
    default:
        return run_while(sh, node);
    }
}

static int run_redirected(struct shell *sh, struct node *node)
{
    struct arena arena = {0};
    struct saved_fd *saved = NULL;
    int status = 1;

    if (redirect_all(sh, &arena, node->redirects, &saved) == 0)
        status = run_kind(sh, node);
    restore_fds(saved);
    arena_free(&arena);
    return status;
}

int run_node(struct shell *sh, struct node *node)
{
    bool ends_command =
        node->kind == NODE_SIMPLE || node->kind == NODE_SUBSHELL || node->kind == NODE_PIPELINE;
    int status;

    sh->tested += node->negated;
    if (node->redirects && node->kind != NODE_SIMPLE)
        status = run_redirected(sh, node);
    else
        status = run_kind(sh, node);
    if (status != 0 && ends_command && sh->exit_on_error && sh->tested == 0 && sh->unwind == UNWIND_NONE)
        sh->unwind = UNWIND_EXIT;
    sh->tested -= node->negated;
    sh->status = status;
    return status;
}
