/* Where commands come from (a string, a file, standard input, the line editor), and the loop that reads and
 * runs them. */
#include "sh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct input {
    /* Append the next line with its newline. EDIT_LINE, EDIT_CANCEL: forget what was begun, EDIT_END: no
     * more. */
    enum edit_result (*read_line)(struct shell *sh, struct input *input, bool continued, struct text *line);
    const char *text;
};

static enum edit_result read_from_text(struct shell *sh, struct input *input, bool continued,
                                       struct text *line)
{
    size_t length = strcspn(input->text, "\n");

    (void)sh, (void)continued;
    length += input->text[length] == '\n';
    text_append(line, input->text, length);
    input->text += length;
    return length ? EDIT_LINE : EDIT_END;
}

/* A byte at a time: what follows the line belongs to the commands that it starts, as in "read x" or "cat". */
static enum edit_result read_from_stdin(struct shell *sh, struct input *input, bool continued,
                                        struct text *line)
{
    size_t before = line->length;
    ssize_t n;
    char c;

    (void)input, (void)continued;
    while ((n = read(STDIN_FILENO, &c, 1)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            shell_error(sh, "standard input: %s", strerror(errno));
            break;
        }
        if (c)
            text_add(line, c);
        if (c == '\n')
            return EDIT_LINE;
    }
    return line->length > before ? EDIT_LINE : EDIT_END;
}

static enum edit_result read_from_terminal(struct shell *sh, struct input *input, bool continued,
                                           struct text *line)
{
    char cwd[256], prompt[300] = "> ";

    (void)input;
    if (!continued) {
        job_report(sh, false);
        if (!getcwd(cwd, sizeof cwd))
            strcpy(cwd, "?");
        strcpy(stpcpy(stpcpy(stpcpy(prompt, "moss:"), cwd), geteuid() ? "$" : "#"), " ");
    }
    return terminal_read_line(sh, prompt, line);
}

/*
 * Read lines until they make whole commands, and run those. A command is parsed again from its beginning when
 * a line is added: simple, and commands are short. Returns false at the end of the input.
 */
static bool run_next(struct shell *sh, struct input *input, int *line)
{
    struct arena text_arena = {0};
    struct text command = {.arena = &text_arena};
    bool more = true;

    for (bool parsed = false; !parsed && more;) {
        struct arena tree_arena = {0};
        size_t before = command.length;
        enum edit_result result = input->read_line(sh, input, before > 0, &command);
        const char *message;
        int where = *line;
        struct node *tree;

        if (result == EDIT_CANCEL) {
            sh->status = 128 + SIGINT;
            break;
        }
        more = result == EDIT_LINE;
        enum parse_status status =
            parse(&tree_arena, command.length ? command.data : "", &tree, &message, &where);
        parsed = status != PARSE_INCOMPLETE;
        if (status == PARSE_ERROR || (!parsed && !more)) {
            shell_error(sh, "line %d: %s", where, message);
            sh->status = 2;
            sh->unwind = sh->interactive ? UNWIND_LINE : UNWIND_EXIT;
        } else if (parsed && tree) {
            run_node(sh, tree);
        }
        arena_free(&tree_arena);
    }
    for (size_t i = 0; i < command.length; i++)
        *line += command.data[i] == '\n';
    arena_free(&text_arena);
    return more;
}

static int run_input(struct shell *sh, struct input *input)
{
    int line = 1;

    while (sh->unwind == UNWIND_NONE && run_next(sh, input, &line))
        if (sh->interactive && sh->unwind == UNWIND_LINE && input->read_line == read_from_terminal)
            sh->unwind = UNWIND_NONE;
    return sh->status;
}

int run_text(struct shell *sh, const char *text)
{
    struct input input = {read_from_text, text};

    sh->status = 0;
    return run_input(sh, &input);
}

int run_stdin(struct shell *sh)
{
    struct input input = {sh->interactive ? read_from_terminal : read_from_stdin, NULL};

    return run_input(sh, &input);
}

/* Read a whole script. Returns 0, or -1 with errno set: ENOEXEC if it holds a NUL: it is no text. */
static int read_script(const char *path, struct text *script)
{
    char buffer[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        text_append(script, buffer, n);
    close(fd);
    if (n < 0)
        return -1;
    text_append(script, "", 0);
    if (strlen(script->data) < script->length) {
        errno = ENOEXEC;
        return -1;
    }
    return 0;
}

int run_file(struct shell *sh, const char *path)
{
    struct arena arena = {0};
    struct text script = {.arena = &arena};

    if (read_script(path, &script) == 0) {
        run_text(sh, script.data);
    } else {
        shell_error(sh, "%s: %s", path, strerror(errno));
        sh->status = errno == ENOENT ? 127 : 126;
    }
    arena_free(&arena);
    return sh->status;
}
