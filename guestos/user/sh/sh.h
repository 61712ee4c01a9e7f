/* The shell's parts and how they meet: text -> tokens -> syntax tree -> expanded words -> processes. */
#ifndef SH_H
#define SH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* --- arena.c: memory that is freed all at once, after the command it was needed for --- */

struct arena {
    struct arena_block *blocks;
};

/* A growing string in an arena; data is always NUL-terminated once something was appended. */
struct text {
    struct arena *arena;
    char *data;
    size_t length, capacity;
};

/* Zeroed memory; never NULL: without memory the shell says so and ends with status 2. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *data, size_t length);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);
void text_add(struct text *text, char c);
void text_append(struct text *text, const char *data, size_t length);

/* --- lex.c: characters to tokens --- */

#define NESTING_LIMIT                                                                                        \
    100 /* of parentheses, quotes and compound commands: recursion must stay within the stack */

enum token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_IO_NUMBER, /* digits right before < or > */
    TOKEN_SEMI,
    TOKEN_AMP,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LESS,
    TOKEN_GREAT,
    TOKEN_APPEND,
    TOKEN_LESS_AND,
    TOKEN_GREAT_AND,
    TOKEN_BAD, /* the lexer's message says why */
};

struct token {
    enum token_kind kind;
    const char *start; /* words keep their quotes: expand.c removes them */
    size_t length;
    int line;
};

struct lexer {
    const char *at;
    int line;
    const char *message; /* set with TOKEN_BAD */
    int message_line;
    bool incomplete; /* set with TOKEN_BAD: more text could complete it */
};

void lex_start(struct lexer *lexer, const char *text, int line);
struct token lex_next(struct lexer *lexer);

/*
 * The end of the quoted or substituted piece that begins at text (one of ' " ` \ $( ${), one past its last
 * character; NULL if it is not closed, skip_too_deep if it is nested too deeply. Neither happens for words
 * that lex_next has accepted.
 */
extern const char skip_too_deep[];
const char *skip_quoted(const char *text, int depth);

/* --- parse.c: tokens to a tree; knows nothing about running it --- */

enum node_kind {
    NODE_SIMPLE,   /* assignments, words, redirects */
    NODE_LIST,     /* children one after the other */
    NODE_AND_OR,   /* children joined by their `join` */
    NODE_PIPELINE, /* children connected by pipes */
    NODE_SUBSHELL, /* ( child ) */
    NODE_GROUP,    /* { child } */
    NODE_IF,       /* condition, body, condition, body, ..., [else body] */
    NODE_WHILE,    /* condition, body */
    NODE_UNTIL,
    NODE_FOR, /* name in words; body */
};

struct word {
    struct word *next;
    char *text;
};

struct redirect {
    struct redirect *next;
    enum token_kind kind;
    int fd;
    char *target;
};

struct node {
    enum node_kind kind;
    int line;
    struct node *next; /* sibling */
    struct node *children;
    struct word *assignments, *words; /* of NODE_SIMPLE; words also of NODE_FOR */
    struct redirect *redirects;
    char *name;           /* NODE_FOR's variable */
    enum token_kind join; /* in NODE_AND_OR: TOKEN_AND or TOKEN_OR before this child */
    bool background;      /* in NODE_LIST: ended by & */
    bool negated;         /* NODE_PIPELINE began with ! */
    bool has_in;          /* NODE_FOR has a word list; without one it walks the parameters */
};

enum parse_status {
    PARSE_OK,
    PARSE_INCOMPLETE, /* correct so far; message says what is missing */
    PARSE_ERROR,
};

/*
 * Parse whole text, whose first line has number *line. On PARSE_OK *tree is a NODE_LIST, or NULL if text has
 * no command. Otherwise *message (in the arena) says what is wrong and *line is where.
 */
enum parse_status parse(struct arena *arena, const char *text, struct node **tree, const char **message,
                        int *line);

/* Is text[0..length) a name as POSIX has it: letters, digits and _, not starting with a digit? */
bool is_name(const char *text, size_t length);

/* --- the running shell --- */

enum unwind { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_LINE, UNWIND_EXIT };

struct job {
    struct job *next;
    int number;
    pid_t pid; /* the last process of the pipeline: its status is the job's */
    bool done;
    int status;
};

struct shell {
    const char *name;
    char **parameters; /* $1.., NULL at the end */
    int parameter_count;
    struct variable *variables;
    struct job *jobs;
    int status; /* $? */
    pid_t pid;  /* $$ */
    pid_t last_background;
    bool interactive;
    bool job_control; /* each pipeline in its own process group, holding the terminal while it runs */
    bool exit_on_error, trace;
    int tested; /* > 0 while the status is being looked at: set -e does not apply */
    enum unwind unwind;
    int unwind_levels;
    int loops;
};

struct saved_fd; /* a descriptor as it was before a redirection */

extern volatile sig_atomic_t interrupted; /* ^C came while the interactive shell itself was running */

/* --- vars.c --- */

const char *var_get(struct shell *sh, const char *name);
void var_set(struct shell *sh, const char *name, const char *value);
/* Take name=value; returns false if text is not of that form. */
bool var_assign(struct shell *sh, const char *text);
void var_export(struct shell *sh, const char *name);
void var_unset(struct shell *sh, const char *name);
void var_print(struct shell *sh, bool exported_only);
char **var_environment(struct shell *sh, struct arena *arena);

/* --- expand.c: words to strings. On failure they have printed why and return NULL. --- */

/* All expansions, with field splitting and globbing: a NULL-terminated vector. */
char **expand_words(struct shell *sh, struct arena *arena, const struct word *words);
/* Without splitting and globbing, as in assignments and redirections. */
char *expand_string(struct shell *sh, struct arena *arena, const char *word);

/* --- arith.c: the inside of $((...)), already expanded. Returns 0, or -1 after a message. --- */

int arithmetic(struct shell *sh, const char *text, long *value);

/* --- run.c --- */

int run_node(struct shell *sh, struct node *node);

/* --- exec.c --- */

/* Search PATH and execve; returns only on failure, with 126 or 127 after a message. */
int run_program(struct shell *sh, struct arena *arena, char **argv);
/* Like printf to stderr, after the shell's or script's name and before a newline. */
void shell_error(const struct shell *sh, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- redirect.c --- */

/* Apply redirections in order; if saved is given they can be undone. Returns 0, or -1 after a message. */
int redirect_all(struct shell *sh, struct arena *arena, const struct redirect *redirect,
                 struct saved_fd **saved);
void restore_fds(struct saved_fd *saved);

/* --- input.c: read commands and run them. All return the last status. --- */

int run_text(struct shell *sh, const char *text);
int run_file(struct shell *sh, const char *path);
int run_stdin(struct shell *sh);

/* --- jobs.c --- */

/* Fork; the child is in process group *group (0: a new one, if there is job control). Returns as fork does.
 */
pid_t job_fork(struct shell *sh, pid_t *group, bool background);
/* Wait for all of a pipeline and take the terminal back. Returns the status of the last. */
int job_wait_foreground(struct shell *sh, const pid_t *pids, int count);
void job_add(struct shell *sh, pid_t pid);
/* Wait for one background process, or all with pid 0. Returns the status, 127 for a stranger. */
int job_wait(struct shell *sh, pid_t pid);
void job_report(struct shell *sh, bool all);
void jobs_forget(struct shell *sh);
void job_control_start(struct shell *sh);

/* --- builtins.c --- */

struct builtin {
    const char *name, *help;
    int (*run)(struct shell *sh, int argc, char **argv);
    bool special; /* assignments before it stay (POSIX XCU §2.14) */
};

const struct builtin *builtin_find(const char *name);
const struct builtin *builtin_at(size_t index); /* NULL after the last */
int builtin_test(struct shell *sh, int argc, char **argv);

/* --- edit.c: the line editor. Bytes in, bytes out; touches no terminal. --- */

enum edit_result { EDIT_MORE, EDIT_LINE, EDIT_CANCEL, EDIT_END };

#define HISTORY_LINES 500

struct history {
    char *lines[HISTORY_LINES]; /* oldest first */
    size_t count;
};

struct edit {
    struct arena arena;
    struct text line, output; /* output: what the terminal is to show now; the caller empties it */
    size_t cursor;
    size_t columns;
    const char *prompt;
    size_t shown;      /* how many bytes of the line the screen shows, if not changed */
    size_t end_column; /* of the last character shown, as if the screen were endlessly wide */
    size_t shown_row;  /* where the screen's cursor is, counted from the prompt's row */
    bool shown_at_end; /* it is right behind the last character shown */
    bool changed;      /* what the screen shows is not the line's beginning */
    const struct history *history;
    size_t history_at;
    char *draft; /* what was being typed before going up in history */
    char escape[16];
    size_t escape_length;
    /* Candidates for the word before the cursor, one a line in *out; NULL: no completion. */
    void (*complete)(struct edit *edit, const char *word, bool is_command, struct text *out);
};

void edit_start(struct edit *edit, const char *prompt, size_t columns, const struct history *history);
/* Take a byte from the keyboard. */
enum edit_result edit_feed(struct edit *edit, char byte);
/* Bring the screen up to date: once after many bytes is enough, so a paste is drawn in large pieces. */
void edit_refresh(struct edit *edit);
void edit_end(struct edit *edit);
void history_add(struct history *history, const char *line);

/* --- terminal.c: the editor at a real terminal --- */

/* Read a line with editing into *line, with its newline. EDIT_LINE, EDIT_CANCEL (^C) or EDIT_END (^D). */
enum edit_result terminal_read_line(struct shell *sh, const char *prompt, struct text *line);

#endif
