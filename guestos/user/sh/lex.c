/* The shell's lexer: cuts text into operators, newlines and words. Words keep their quotes (POSIX XCU §2.3).
 */
#include "sh.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *text;
    enum token_kind kind;
} operators[] = {
    /* longer ones first */
    {"&&", TOKEN_AND},       {"||", TOKEN_OR},   {">>", TOKEN_APPEND}, {"<&", TOKEN_LESS_AND},
    {">&", TOKEN_GREAT_AND}, {";", TOKEN_SEMI},  {"&", TOKEN_AMP},     {"|", TOKEN_PIPE},
    {"(", TOKEN_OPEN},       {")", TOKEN_CLOSE}, {"<", TOKEN_LESS},    {">", TOKEN_GREAT},
};

const char skip_too_deep[] = "";

/* Skip up to the unquoted character `end`; text starts after the opening one. */
static const char *skip_until(const char *text, char end, int depth)
{
    bool in_double_quotes = end == '"';
    int open = 0;

    if (depth > NESTING_LIMIT)
        return skip_too_deep;
    while (text && text != skip_too_deep && *text) {
        if (*text == end && open == 0)
            return text + 1;
        if (end == ')' && (*text == '(' || *text == ')'))
            open += *text++ == '(' ? 1 : -1;
        else if (*text == '\'' && in_double_quotes)
            text++;
        else if (strchr("\\'\"`", *text) || (*text == '$' && (text[1] == '(' || text[1] == '{')))
            text = skip_quoted(text, depth + 1);
        else
            text++;
    }
    return text == skip_too_deep ? text : NULL;
}

/* In backquotes only the backslash quotes. */
static const char *skip_backquotes(const char *text)
{
    for (; *text; text++) {
        if (*text == '`')
            return text + 1;
        if (*text == '\\' && text[1])
            text++;
    }
    return NULL;
}

const char *skip_quoted(const char *text, int depth)
{
    switch (*text) {
    case '\\':
        return text[1] && (text[1] != '\n' || text[2]) ? text + 2 : NULL;
    case '\'':
        text = strchr(text + 1, '\'');
        return text ? text + 1 : NULL;
    case '`':
        return skip_backquotes(text + 1);
    case '"':
        return skip_until(text + 1, '"', depth);
    default:
        return skip_until(text + 2, text[1] == '(' ? ')' : '}', depth);
    }
}

void lex_start(struct lexer *lexer, const char *text, int line)
{
    *lexer = (struct lexer){.at = text, .line = line};
}

static void skip_blanks(struct lexer *lexer)
{
    for (;;) {
        if (*lexer->at == ' ' || *lexer->at == '\t' || *lexer->at == '\r') {
            lexer->at++;
        } else if (lexer->at[0] == '\\' && lexer->at[1] == '\n') {
            lexer->at += 2;
            lexer->line++;
            lexer->incomplete = !*lexer->at; /* the next line belongs to this one */
        } else if (*lexer->at == '#') {
            lexer->at += strcspn(lexer->at, "\n");
        } else {
            return;
        }
    }
}

static void explain_unclosed(struct lexer *lexer, const char *at, bool too_deep)
{
    lexer->message_line = lexer->line;
    lexer->incomplete = !too_deep;
    if (too_deep) {
        lexer->message = "quotes and substitutions are nested too deeply";
        return;
    }
    switch (*at) {
    case '\'':
        lexer->message = "the single quote ' that opens here is not closed";
        break;
    case '"':
        lexer->message = "the double quote \" that opens here is not closed";
        break;
    case '`':
        lexer->message = "the backquote ` that opens here is not closed";
        break;
    case '\\':
        lexer->message = "nothing follows the backslash";
        break;
    default:
        lexer->message =
            at[1] == '(' ? "the $( that opens here is not closed" : "the ${ that opens here is not closed";
    }
}

static bool ends_word(char c)
{
    return !c || strchr(" \t\r\n;&|<>()", c);
}

static struct token lex_word(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_WORD, .start = lexer->at, .line = lexer->line};
    const char *at = lexer->at;

    while (!ends_word(*at)) {
        const char *piece = at;
        if (strchr("\\'\"`", *at) || (*at == '$' && (at[1] == '(' || at[1] == '{')))
            at = skip_quoted(at, 0);
        else
            at++;
        if (!at || at == skip_too_deep) {
            explain_unclosed(lexer, piece, at == skip_too_deep);
            token.kind = TOKEN_BAD;
            return token;
        }
        for (; piece < at; piece++)
            lexer->line += *piece == '\n';
    }
    token.length = at - lexer->at;
    lexer->at = at;
    if ((*at == '<' || *at == '>') && strspn(token.start, "0123456789") == token.length)
        token.kind = TOKEN_IO_NUMBER;
    return token;
}

struct token lex_next(struct lexer *lexer)
{
    skip_blanks(lexer);
    struct token token = {.kind = TOKEN_END, .start = lexer->at, .line = lexer->line};

    if (!*lexer->at) {
        if (lexer->incomplete)
            explain_unclosed(lexer, "\\", false);
        token.kind = lexer->incomplete ? TOKEN_BAD : TOKEN_END;
        return token;
    }
    if (*lexer->at == '\n') {
        token.kind = TOKEN_NEWLINE;
        token.length = 1;
        lexer->at++;
        lexer->line++;
        return token;
    }
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        token.length = strlen(operators[i].text);
        if (strncmp(lexer->at, operators[i].text, token.length) == 0) {
            token.kind = operators[i].kind;
            lexer->at += token.length;
            return token;
        }
    }
    return lex_word(lexer);
}
