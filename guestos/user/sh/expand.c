/*
 * Word expansion: parameters, command substitution, arithmetic, field splitting, globbing, quote removal
 * (POSIX XCU §2.6). A field is built as a glob pattern: quoted characters that mean something in a pattern
 * get a backslash, so quoting needs no second array, and removing the backslashes gives the plain text.
 */
#include "sh.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct expansion {
    struct shell *sh;
    struct arena *arena;
    struct text field;
    bool started;   /* the field exists even if it is empty, as in "" */
    bool pattern;   /* an unquoted * ? or [ is in the field */
    bool split;     /* split fields and glob: an ordinary word of a command */
    bool in_braces; /* in the word of ${x:-word}, which is split as a value is */
    bool failed;    /* a message was printed */
    struct word *fields, **tail;
};

static void expand_text(struct expansion *e, const char *text, const char *end, bool quoted);

static void fail(struct expansion *e, const char *what, const char *where, size_t length)
{
    if (!e->failed)
        shell_error(e->sh, "%.*s: %s", (int)length, where, what);
    e->failed = true;
}

static char *remove_backslashes(char *pattern)
{
    char *to = pattern;

    for (char *from = pattern; *from; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return pattern;
}

static void add_field(struct expansion *e, const char *text, size_t length)
{
    *e->tail = arena_alloc(e->arena, sizeof **e->tail);
    (*e->tail)->text = arena_copy(e->arena, text, length);
    e->tail = &(*e->tail)->next;
}

/* The field is complete: replace it by the files it matches, or keep it as text. */
static void end_field(struct expansion *e)
{
    glob_t found;

    if (!e->started && e->field.length == 0)
        return;
    text_append(&e->field, "", 0);
    if (e->pattern && e->split && glob(e->field.data, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            add_field(e, found.gl_pathv[i], strlen(found.gl_pathv[i]));
        globfree(&found);
    } else {
        remove_backslashes(e->field.data);
        add_field(e, e->field.data, strlen(e->field.data));
    }
    e->field = (struct text){.arena = e->arena};
    e->started = e->pattern = false;
}

static void put_quoted(struct expansion *e, char c)
{
    if (strchr("*?[]\\-!^", c))
        text_add(&e->field, '\\');
    text_add(&e->field, c);
    e->started = true;
}

static void put_unquoted(struct expansion *e, char c)
{
    if (c == '\\')
        text_add(&e->field, '\\');
    e->pattern |= c == '*' || c == '?' || c == '[';
    text_add(&e->field, c);
}

/* Add a character of an expansion's result; outside quotes those of IFS end the field. */
static void put_result(struct expansion *e, char c, bool quoted)
{
    const char *separators = var_get(e->sh, "IFS");

    if (quoted) {
        put_quoted(e, c);
    } else if (!e->split || !strchr(separators ? separators : " \t\n", c)) {
        put_unquoted(e, c);
    } else {
        e->started |= !isspace((unsigned char)c); /* a::b has an empty field, a  b has not */
        end_field(e);
    }
}

static void put_value(struct expansion *e, const char *value, bool quoted)
{
    while (*value)
        put_result(e, *value++, quoted);
}

/* $@ and $*: "$@" gives one field for each parameter, "$*" all in one. */
static void put_parameters(struct expansion *e, char which, bool quoted)
{
    char **parameters = e->sh->parameters;

    for (; *parameters; parameters++) {
        put_value(e, *parameters, quoted);
        if (!parameters[1])
            break;
        if (e->split && (which == '@' || !quoted))
            end_field(e);
        else
            put_value(e, " ", true);
    }
}

/* What the child's standard output says, without the newlines at its end (POSIX XCU §2.6.3). */
static char *read_all(struct expansion *e, int fd)
{
    struct text output = {.arena = e->arena};
    char buffer[4096];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) != 0) {
        if (n < 0 && errno == EINTR && !interrupted)
            continue;
        if (n < 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            if (buffer[i])
                text_add(&output, buffer[i]);
    }
    while (output.length && output.data[output.length - 1] == '\n')
        output.length--;
    text_append(&output, "", 0);
    return output.data;
}

static char *substitute_command(struct expansion *e, const char *command, size_t length)
{
    char *text = arena_copy(e->arena, command, length), *output;
    int ends[2], status;
    pid_t child, group = getpgrp();

    if (pipe(ends) < 0 || (child = job_fork(e->sh, &group, false)) < 0) {
        fail(e, strerror(errno), "command substitution", 20);
        return "";
    }
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        status = run_text(e->sh, text);
        fflush(stdout);
        _exit(status);
    }
    close(ends[1]);
    output = read_all(e, ends[0]);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    e->sh->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return output;
}

/* `command`, where \` \\ and \$ stand for the second character. */
static char *substitute_backquotes(struct expansion *e, const char *text, const char *end)
{
    struct text command = {.arena = e->arena};

    for (; text < end; text++) {
        if (*text == '\\' && text + 1 < end && strchr("`\\$", text[1]))
            text++;
        text_add(&command, *text);
    }
    return substitute_command(e, command.data ? command.data : "", command.length);
}

static char *substitute_arithmetic(struct expansion *e, const char *text, size_t length)
{
    char *copy = arena_copy(e->arena, text, length);
    char *expression = expand_string(e->sh, e->arena, copy);
    long value;

    if (!expression || arithmetic(e->sh, expression, &value) < 0) {
        e->failed = true;
        return "";
    }
    return arena_format(e->arena, "%ld", value);
}

/* The value of a parameter, or NULL if it is not set. */
static const char *lookup(struct expansion *e, const char *name, size_t length)
{
    struct shell *sh = e->sh;

    if (isdigit((unsigned char)*name)) {
        long n = strtol(arena_copy(e->arena, name, length), NULL, 10);
        return n == 0 ? sh->name : n <= sh->parameter_count ? sh->parameters[n - 1] : NULL;
    }
    switch (*name) {
    case '?':
        return arena_format(e->arena, "%d", sh->status);
    case '$':
        return arena_format(e->arena, "%d", sh->pid);
    case '!':
        return sh->last_background ? arena_format(e->arena, "%d", sh->last_background) : NULL;
    case '#':
        return arena_format(e->arena, "%d", sh->parameter_count);
    case '-':
        return sh->exit_on_error ? "e" : "";
    default:
        return var_get(sh, arena_copy(e->arena, name, length));
    }
}

/* How long is the parameter's name at text? `braces`: ${12} may have more than one digit. */
static size_t name_length(const char *text, bool braces)
{
    size_t length = 0;

    if (isdigit((unsigned char)*text))
        return braces ? strspn(text, "0123456789") : 1;
    if (*text && strchr("?$!#@*-", *text))
        return 1;
    while (is_name(text, length + 1) && text[length])
        length++;
    return length;
}

static void expand_alternative(struct expansion *e, const char *word, const char *end, bool quoted)
{
    bool before = e->in_braces;

    e->in_braces = true;
    expand_text(e, word, end, quoted);
    e->in_braces = before;
}

/* ${name-word} and its relatives (POSIX XCU §2.6.2); `operator` points behind the name. */
static void expand_operator(struct expansion *e, const char *name, size_t length, const char *op,
                            const char *end, bool quoted)
{
    bool colon = *op == ':';
    const char *value = lookup(e, name, length), *word = op + colon + 1;
    bool set = value && (!colon || *value);
    char *text;

    switch (op[colon]) {
    case '-':
        return set ? put_value(e, value, quoted) : expand_alternative(e, word, end, quoted);
    case '+':
        return set ? expand_alternative(e, word, end, quoted) : (void)0;
    case '=':
    case '?':
        if (set)
            return put_value(e, value, quoted);
        text = expand_string(e->sh, e->arena, arena_copy(e->arena, word, end - word));
        if (!text || op[colon] == '?' || !is_name(name, length))
            return fail(e, text && *text ? text : "not set", name, length);
        var_set(e->sh, arena_copy(e->arena, name, length), text);
        return put_value(e, text, quoted);
    default:
        fail(e, "this shell does not know this kind of ${...}", name - 2, end - name + 3);
    }
}

static void put_parameter(struct expansion *e, const char *name, size_t length, bool quoted)
{
    const char *value;

    if (*name == '@' || *name == '*') {
        put_parameters(e, *name, quoted);
        return;
    }
    value = lookup(e, name, length);
    if (value)
        put_value(e, value, quoted);
}

/* ${...}: text is behind the opening brace, end is at the closing one. */
static void expand_braces(struct expansion *e, const char *text, const char *end, bool quoted)
{
    bool count = *text == '#' && text + 1 < end;
    size_t length = name_length(text + count, true);
    const char *name = text + count, *value;

    if (length == 0 || name + length > end || (count && name + length != end)) {
        fail(e, "this shell does not know this kind of ${...}", text - 2, end - text + 3);
    } else if (count) {
        value = lookup(e, name, length);
        put_value(e, arena_format(e->arena, "%zu", value ? strlen(value) : 0), quoted);
    } else if (name + length == end) {
        put_parameter(e, name, length, quoted);
    } else {
        expand_operator(e, name, length, name + length, end, quoted);
    }
}

/* At a $: expand what it introduces. Returns the position behind. */
static const char *expand_dollar(struct expansion *e, const char *text, bool quoted)
{
    const char *behind;
    size_t length;

    if (text[1] == '(' || text[1] == '{') {
        behind = skip_quoted(text, 0);
        if (text[1] == '{')
            expand_braces(e, text + 2, behind - 1, quoted);
        else if (text[2] == '(' && behind[-2] == ')')
            put_value(e, substitute_arithmetic(e, text + 3, behind - text - 5), quoted);
        else
            put_value(e, substitute_command(e, text + 2, behind - text - 3), quoted);
        return behind;
    }
    length = name_length(text + 1, false);
    if (length == 0)
        quoted ? put_quoted(e, '$') : put_unquoted(e, '$');
    else
        put_parameter(e, text + 1, length, quoted);
    return text + 1 + length;
}

static const char *expand_backslash(struct expansion *e, const char *text, bool quoted)
{
    if (text[1] == '\n')
        return text + 2;
    if (quoted && !strchr("$`\"\\", text[1])) {
        put_quoted(e, '\\');
        return text + 1;
    }
    put_quoted(e, text[1]);
    return text + 2;
}

/* "$@" without parameters is no field at all, any other "..." is one, if an empty one. */
static void expand_double_quotes(struct expansion *e, const char *text, const char *end)
{
    if (!(end - text == 2 && memcmp(text, "$@", 2) == 0) || e->sh->parameter_count)
        e->started = true;
    expand_text(e, text, end, true);
}

static const char *expand_quotes(struct expansion *e, const char *text)
{
    const char *behind = skip_quoted(text, 0);

    if (*text == '`') {
        put_value(e, substitute_backquotes(e, text + 1, behind - 1), false);
    } else if (*text == '"') {
        expand_double_quotes(e, text + 1, behind - 1);
    } else {
        e->started = true;
        while (++text < behind - 1)
            put_quoted(e, *text);
    }
    return behind;
}

static void expand_text(struct expansion *e, const char *text, const char *end, bool quoted)
{
    while (text < end && !e->failed) {
        if (*text == '\\') {
            text = expand_backslash(e, text, quoted);
        } else if (*text == '$') {
            text = expand_dollar(e, text, quoted);
        } else if (*text == '`' && quoted) {
            const char *behind = skip_quoted(text, 0);
            put_value(e, substitute_backquotes(e, text + 1, behind - 1), true);
            text = behind;
        } else if (*text == '`' || *text == '"' || (*text == '\'' && !quoted)) {
            text = expand_quotes(e, text);
        } else {
            e->in_braces || quoted ? put_result(e, *text, quoted) : put_unquoted(e, *text);
            text++;
        }
    }
}

static void expand_word(struct expansion *e, const char *word)
{
    const char *home = var_get(e->sh, "HOME");

    if (word[0] == '~' && (!word[1] || word[1] == '/') && home) {
        while (*home)
            put_quoted(e, *home++);
        word++;
    }
    expand_text(e, word, word + strlen(word), false);
}

char **expand_words(struct shell *sh, struct arena *arena, const struct word *words)
{
    struct expansion e = {.sh = sh, .arena = arena, .field.arena = arena, .split = true, .tail = &e.fields};
    size_t count = 0;
    char **vector;

    for (; words; words = words->next) {
        expand_word(&e, words->text);
        end_field(&e);
    }
    if (e.failed)
        return NULL;
    for (struct word *field = e.fields; field; field = field->next)
        count++;
    vector = arena_alloc(arena, (count + 1) * sizeof *vector);
    count = 0;
    for (struct word *field = e.fields; field; field = field->next)
        vector[count++] = field->text;
    return vector;
}

char *expand_string(struct shell *sh, struct arena *arena, const char *word)
{
    struct expansion e = {.sh = sh, .arena = arena, .field.arena = arena, .started = true, .tail = &e.fields};

    expand_word(&e, word);
    end_field(&e);
    return e.failed ? NULL : e.fields->text;
}
