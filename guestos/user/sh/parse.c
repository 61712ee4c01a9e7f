/* The shell's parser: recursive descent over tokens, one function for each rule of POSIX's grammar (XCU
 * §2.10). */
#include "sh.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct lexer lexer;
    struct token token; /* the next one, not yet taken */
    struct arena *arena;
    int depth;
    enum parse_status status;
    const char *message;
    int message_line;
};

static struct node *parse_list(struct parser *p);

/* The first failure counts; the token becomes the end, so that every rule returns. */
static void fail(struct parser *p, enum parse_status status, int line, const char *message)
{
    if (p->status == PARSE_OK) {
        p->status = status;
        p->message = message;
        p->message_line = line;
    }
    p->token.kind = TOKEN_END;
    p->token.length = 0;
}

static void advance(struct parser *p)
{
    if (p->status != PARSE_OK)
        return;
    p->token = lex_next(&p->lexer);
    if (p->token.kind == TOKEN_BAD)
        fail(p, p->lexer.incomplete ? PARSE_INCOMPLETE : PARSE_ERROR, p->lexer.message_line,
             p->lexer.message);
}

static bool at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && p->token.length == strlen(word) &&
           memcmp(p->token.start, word, p->token.length) == 0;
}

static void fail_unexpected(struct parser *p, const char *context)
{
    const struct token *t = &p->token;

    if (t->kind == TOKEN_END)
        fail(p, PARSE_INCOMPLETE, t->line, arena_format(p->arena, "the input ends, but %s", context));
    else if (t->kind == TOKEN_NEWLINE)
        fail(p, PARSE_ERROR, t->line, arena_format(p->arena, "the line ends, but %s", context));
    else
        fail(p, PARSE_ERROR, t->line,
             arena_format(p->arena, "unexpected '%.*s': %s", (int)(t->length < 40 ? t->length : 40), t->start,
                          context));
}

static void skip_newlines(struct parser *p)
{
    while (p->token.kind == TOKEN_NEWLINE)
        advance(p);
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
    struct node *node = arena_alloc(p->arena, sizeof *node);

    node->kind = kind;
    node->line = p->token.line;
    return node;
}

static char *take_text(struct parser *p)
{
    char *text = arena_copy(p->arena, p->token.start, p->token.length);

    advance(p);
    return text;
}

/* Append the word at hand; returns where the next one goes. */
static struct word **take_word(struct parser *p, struct word **tail)
{
    *tail = arena_alloc(p->arena, sizeof **tail);
    (*tail)->text = take_text(p);
    return &(*tail)->next;
}

/* Words that mean something where a command could start, and end the list before them. */
static bool at_closer(const struct parser *p)
{
    static const char *const closers[] = {"then", "elif", "else", "fi", "do", "done", "}"};

    for (size_t i = 0; i < sizeof closers / sizeof *closers; i++)
        if (at_word(p, closers[i]))
            return true;
    return false;
}

static bool at_redirect(const struct parser *p)
{
    return p->token.kind == TOKEN_IO_NUMBER ||
           (p->token.kind >= TOKEN_LESS && p->token.kind <= TOKEN_GREAT_AND);
}

static struct redirect **parse_redirect(struct parser *p, struct redirect **tail)
{
    struct redirect *redirect = arena_alloc(p->arena, sizeof *redirect);
    bool numbered = p->token.kind == TOKEN_IO_NUMBER;

    if (numbered && p->token.length > 3)
        fail_unexpected(p, "file descriptors go up to 999");
    if (numbered)
        redirect->fd = atoi(take_text(p));
    redirect->kind = p->token.kind;
    if (!numbered)
        redirect->fd = redirect->kind == TOKEN_LESS || redirect->kind == TOKEN_LESS_AND ? 0 : 1;
    advance(p);
    if (redirect->kind == TOKEN_LESS && p->token.kind == TOKEN_LESS)
        fail_unexpected(p, "this shell has no here-documents; write the text to a file");
    if (p->token.kind != TOKEN_WORD) {
        fail_unexpected(p, "a redirection needs a file name");
        return tail;
    }
    redirect->target = take_text(p);
    *tail = redirect;
    return &redirect->next;
}

bool is_name(const char *text, size_t length)
{
    if (length == 0 || isdigit((unsigned char)*text))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static bool at_assignment(const struct parser *p)
{
    const char *equals = p->token.kind == TOKEN_WORD ? memchr(p->token.start, '=', p->token.length) : NULL;

    return equals && is_name(p->token.start, equals - p->token.start);
}

static struct node *parse_simple(struct parser *p)
{
    struct node *node = new_node(p, NODE_SIMPLE);
    struct word **assignments = &node->assignments, **words = &node->words;
    struct redirect **redirects = &node->redirects;

    for (;;) {
        if (at_redirect(p))
            redirects = parse_redirect(p, redirects);
        else if (!node->words && at_assignment(p))
            assignments = take_word(p, assignments);
        else if (p->token.kind == TOKEN_WORD)
            words = take_word(p, words);
        else
            break;
    }
    if (p->token.kind == TOKEN_OPEN)
        fail_unexpected(p, "quote it to use it as a character; this shell has no functions");
    return node;
}

/* A list that must not be empty. `what` says in a message where it was expected. */
static struct node *parse_body(struct parser *p, const char *what)
{
    struct node *list = parse_list(p);

    if (!list && p->status == PARSE_OK)
        fail_unexpected(p, arena_format(p->arena, "a command is missing %s", what));
    return list;
}

static bool expect_word(struct parser *p, const char *word, const char *opener, int line)
{
    if (!at_word(p, word)) {
        fail_unexpected(p, arena_format(p->arena, "'%s' of line %d needs '%s'", opener, line, word));
        return false;
    }
    advance(p);
    return true;
}

static struct node **append(struct node **tail, struct node *node)
{
    *tail = node;
    return node ? &node->next : tail;
}

static struct node *parse_if(struct parser *p)
{
    struct node *node = new_node(p, NODE_IF);
    struct node **tail = &node->children;

    do { /* at 'if' or 'elif' */
        advance(p);
        tail = append(tail, parse_body(p, "after 'if'"));
        if (!expect_word(p, "then", "if", node->line))
            return node;
        tail = append(tail, parse_body(p, "after 'then'"));
    } while (at_word(p, "elif"));
    if (at_word(p, "else")) {
        advance(p);
        append(tail, parse_body(p, "after 'else'"));
    }
    expect_word(p, "fi", "if", node->line);
    return node;
}

static struct node *parse_do(struct parser *p, const char *opener, int line)
{
    struct node *body;

    if (!expect_word(p, "do", opener, line))
        return NULL;
    body = parse_body(p, "after 'do'");
    expect_word(p, "done", opener, line);
    return body;
}

static struct node *parse_while(struct parser *p)
{
    const char *opener = at_word(p, "while") ? "while" : "until";
    struct node *node = new_node(p, *opener == 'w' ? NODE_WHILE : NODE_UNTIL);

    advance(p);
    node->children = parse_body(p, "as the condition of the loop");
    if (node->children)
        node->children->next = parse_do(p, opener, node->line);
    return node;
}

static struct node *parse_for(struct parser *p)
{
    struct node *node = new_node(p, NODE_FOR);
    struct word **tail = &node->words;

    advance(p);
    if (p->token.kind != TOKEN_WORD || !is_name(p->token.start, p->token.length)) {
        fail_unexpected(p, "'for' needs the name of a variable");
        return node;
    }
    node->name = take_text(p);
    skip_newlines(p);
    if (at_word(p, "in")) {
        node->has_in = true;
        advance(p);
        while (p->token.kind == TOKEN_WORD)
            tail = take_word(p, tail);
    }
    if (p->token.kind == TOKEN_SEMI)
        advance(p);
    skip_newlines(p);
    node->children = parse_do(p, "for", node->line);
    return node;
}

/* ( list ) or { list } */
static struct node *parse_enclosed(struct parser *p)
{
    bool subshell = p->token.kind == TOKEN_OPEN;
    struct node *node = new_node(p, subshell ? NODE_SUBSHELL : NODE_GROUP);

    advance(p);
    node->children = parse_body(p, subshell ? "after '('" : "after '{'");
    if (!subshell)
        expect_word(p, "}", "{", node->line);
    else if (p->token.kind == TOKEN_CLOSE)
        advance(p);
    else
        fail_unexpected(p, arena_format(p->arena, "'(' of line %d needs ')'", node->line));
    return node;
}

static struct node *parse_compound(struct parser *p)
{
    if (p->token.kind == TOKEN_OPEN || at_word(p, "{"))
        return parse_enclosed(p);
    if (at_word(p, "if"))
        return parse_if(p);
    if (at_word(p, "while") || at_word(p, "until"))
        return parse_while(p);
    if (at_word(p, "for"))
        return parse_for(p);
    return NULL;
}

/* A command with its redirections; NULL if none starts here. */
static struct node *parse_command(struct parser *p)
{
    struct node *node;

    if (at_closer(p) || (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_OPEN && !at_redirect(p)))
        return NULL;
    if (++p->depth > NESTING_LIMIT)
        fail(p, PARSE_ERROR, p->token.line, "commands are nested too deeply");
    node = parse_compound(p);
    p->depth--;
    if (!node)
        return parse_simple(p);
    for (struct redirect **tail = &node->redirects; at_redirect(p);)
        tail = parse_redirect(p, tail);
    if (p->token.kind == TOKEN_WORD && !at_closer(p))
        fail_unexpected(p, "';' or a new line must come before the next command");
    return node;
}

static struct node *parse_pipeline(struct parser *p)
{
    struct node *node = new_node(p, NODE_PIPELINE), **tail = &node->children;
    bool inverted = at_word(p, "!");

    while (at_word(p, "!")) {
        node->negated = !node->negated;
        advance(p);
    }
    tail = append(tail, parse_command(p));
    if (!node->children && inverted)
        fail_unexpected(p, "a command is missing after '!'");
    while (node->children && p->token.kind == TOKEN_PIPE) {
        advance(p);
        skip_newlines(p);
        struct node *command = parse_command(p);
        if (!command)
            fail_unexpected(p, "a command is missing after '|'");
        tail = append(tail, command);
    }
    if (node->children && !node->children->next && !node->negated)
        return node->children; /* one command is no pipeline */
    return node->children ? node : NULL;
}

static struct node *parse_and_or(struct parser *p)
{
    struct node *node = new_node(p, NODE_AND_OR), **tail = &node->children;

    tail = append(tail, parse_pipeline(p));
    while (node->children && (p->token.kind == TOKEN_AND || p->token.kind == TOKEN_OR)) {
        enum token_kind join = p->token.kind;
        advance(p);
        skip_newlines(p);
        struct node *right = parse_pipeline(p);
        if (!right) {
            fail_unexpected(p, join == TOKEN_AND ? "a command is missing after '&&'"
                                                 : "a command is missing after '||'");
            break;
        }
        right->join = join;
        tail = append(tail, right);
    }
    return node->children && !node->children->next ? node->children : node->children ? node : NULL;
}

/* Commands up to a closing word, a ')' or the end; NULL if there are none. */
static struct node *parse_list(struct parser *p)
{
    struct node *list = new_node(p, NODE_LIST), **tail = &list->children;

    for (;;) {
        skip_newlines(p);
        struct node *item = parse_and_or(p);
        if (!item)
            break;
        tail = append(tail, item);
        if (p->token.kind == TOKEN_AMP)
            item->background = true;
        else if (p->token.kind != TOKEN_SEMI && p->token.kind != TOKEN_NEWLINE)
            break;
        advance(p);
    }
    return list->children ? list : NULL;
}

enum parse_status parse(struct arena *arena, const char *text, struct node **tree, const char **message,
                        int *line)
{
    struct parser p = {.arena = arena};

    lex_start(&p.lexer, text, *line);
    advance(&p);
    *tree = parse_list(&p);
    if (p.status == PARSE_OK && p.token.kind != TOKEN_END)
        fail_unexpected(&p, "a command was expected");
    *message = p.message;
    *line = p.message_line;
    return p.status;
}
