/* Arithmetic of $((...)): integers, variables, ( ) + - * / % and comparisons, by precedence climbing. */
#include "sh.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct calculation {
    struct shell *sh;
    const char *at;
    int depth;
    const char *error;
};

static const struct {
    const char *text;
    int precedence;
} operators[] = {
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4},
    {">", 4},  {"+", 5},  {"-", 5},  {"*", 6},  {"/", 6},  {"%", 6},
};

static unsigned long parse_operation(struct calculation *c, int precedence);

static char skip_space(struct calculation *c)
{
    while (isspace((unsigned char)*c->at))
        c->at++;
    return *c->at;
}

static long parse_variable(struct calculation *c)
{
    size_t length = 1;
    char *name;
    const char *value;

    while (is_name(c->at, length + 1) && c->at[length])
        length++;
    name = strndup(c->at, length);
    value = var_get(c->sh, name);
    free(name);
    c->at += length;
    return value ? strtol(value, NULL, 0) : 0;
}

static unsigned long parse_operand(struct calculation *c)
{
    unsigned long value = 0;
    char first = skip_space(c), *end;

    if (++c->depth > NESTING_LIMIT)
        c->error = "nested too deeply";
    if (c->error) {
        c->depth--;
        return 0;
    }
    if (first == '(') {
        c->at++;
        value = parse_operation(c, 1);
        if (skip_space(c) == ')')
            c->at++;
        else if (!c->error)
            c->error = "a ')' is missing";
    } else if (first == '-' || first == '+' || first == '!') {
        c->at++;
        value = parse_operand(c);
        value = first == '-' ? -value : first == '!' ? !value : value;
    } else if (isdigit((unsigned char)first)) {
        value = strtol(c->at, &end, 0);
        c->at = end;
    } else if (is_name(c->at, 1)) {
        value = parse_variable(c);
    } else {
        c->error = "a number is missing";
    }
    c->depth--;
    return value;
}

static unsigned long divide(struct calculation *c, char op, long a, long b)
{
    if (b == 0) {
        c->error = "division by zero";
        return 0;
    }
    if (b == -1) /* LONG_MIN / -1 would trap */
        return op == '/' ? -(unsigned long)a : 0;
    return op == '/' ? a / b : a % b;
}

/* Unsigned, so that overflow wraps instead of being undefined. */
static unsigned long apply(struct calculation *c, const char *op, unsigned long a, unsigned long b)
{
    switch (op[0]) {
    case '|':
        return a || b;
    case '&':
        return a && b;
    case '=':
        return a == b;
    case '!':
        return a != b;
    case '<':
        return op[1] ? (long)a <= (long)b : (long)a < (long)b;
    case '>':
        return op[1] ? (long)a >= (long)b : (long)a > (long)b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        return divide(c, op[0], a, b);
    }
}

static int operator_at(struct calculation *c)
{
    skip_space(c);
    for (int i = 0; i < (int)(sizeof operators / sizeof *operators); i++)
        if (strncmp(c->at, operators[i].text, strlen(operators[i].text)) == 0)
            return i;
    return -1;
}

static unsigned long parse_operation(struct calculation *c, int precedence)
{
    unsigned long value = parse_operand(c);
    int op;

    while (!c->error && (op = operator_at(c)) >= 0 && operators[op].precedence >= precedence) {
        c->at += strlen(operators[op].text);
        value = apply(c, operators[op].text, value, parse_operation(c, operators[op].precedence + 1));
    }
    return value;
}

int arithmetic(struct shell *sh, const char *text, long *value)
{
    struct calculation c = {.sh = sh, .at = text};

    *value = skip_space(&c) ? parse_operation(&c, 1) : 0;
    if (!c.error && skip_space(&c))
        c.error = "this is no operator that the shell knows";
    if (c.error)
        shell_error(sh, "$((%s)): %s, at '%s'", text, c.error, c.at);
    return c.error ? -1 : 0;
}
