/* JSON (RFC 8259), read and written. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"

void json_put(FILE *out, const void *bytes, size_t size)
{
    fputc('"', out);
    for (const unsigned char *c = bytes; size--; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '<')
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    fputc('"', out);
}

struct json json_text(const void *text, size_t size)
{
    return (struct json){.start = text, .at = text, .end = (const char *)text + size};
}

static bool fail(struct json *j, const char *error)
{
    j->error = j->error ?: error;
    return false;
}

/* The next character that is no blank; 0 at the end and after an error. */
static char next(struct json *j)
{
    while (!j->error && j->at < j->end &&
           (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
    return j->error || j->at == j->end ? '\0' : *j->at;
}

static bool expect(struct json *j, char c, const char *error)
{
    if (next(j) != c || !c)
        return fail(j, error);
    j->at++;
    return true;
}

char json_peek(struct json *j)
{
    char c = next(j);

    return isdigit((unsigned char)c) ? '-' : strchr("{[\"tfn-", c) ? c : '\0';
}

void json_begin(struct json *j, char bracket)
{
    j->first = expect(j, bracket, bracket == '{' ? "an object" : "an array");
}

/* Whether the object or array goes on: it does not at `close`; a comma stands before all but its first value.
 */
static bool more(struct json *j, char close)
{
    bool first = j->first;

    j->first = false;
    if (next(j) == close) {
        j->at++;
        return false;
    }
    return first ? !j->error : expect(j, ',', "a comma or the end of the object or array");
}

bool json_key(struct json *j, char *key, size_t size)
{
    if (!more(j, '}'))
        return false;
    json_string(j, key, size);
    return expect(j, ':', "a colon after the key");
}

bool json_item(struct json *j)
{
    return more(j, ']');
}

/* Four hexadecimal digits. */
static unsigned code_unit(struct json *j)
{
    char digits[5] = "";

    for (int i = 0; i < 4 && j->at < j->end && isxdigit((unsigned char)*j->at); i++)
        digits[i] = *j->at++;
    if (!digits[3])
        fail(j, "four hexadecimal digits");
    return (unsigned)strtoul(digits, NULL, 16);
}

/* What follows a backslash, as a byte; characters that are no byte become '?'. */
static char escaped(struct json *j)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = j->at < j->end ? *j->at++ : '\0';
    const char *known = c ? strchr(names, c) : NULL;

    if (known)
        return meant[known - names];
    if (c != 'u')
        return fail(j, "a character that may follow a backslash");
    unsigned unit = code_unit(j);
    return unit < 256 ? (char)unit : '?';
}

size_t json_string(struct json *j, char *to, size_t size)
{
    size_t used = 0;

    to[0] = '\0';
    if (!expect(j, '"', "a string"))
        return 0;
    while (!j->error && j->at < j->end && *j->at != '"') {
        char c = *j->at++;
        if (c == '\\')
            c = escaped(j);
        if (used + 1 < size)
            to[used++] = c;
    }
    to[used] = '\0';
    expect(j, '"', "the end of the string");
    return used;
}

double json_number(struct json *j)
{
    char text[40], *end;
    size_t length = 0;

    next(j);
    while (!j->error && j->at + length < j->end && length + 1 < sizeof text &&
           strchr("+-.eE0123456789", j->at[length]) && j->at[length])
        length++;
    memcpy(text, j->at, length);
    text[length] = '\0';
    double number = strtod(text, &end);
    if (j->error || length == 0 || *end) {
        fail(j, "a number");
        return 0;
    }
    j->at += length;
    return number;
}

/* true, false, null. */
static void skip_word(struct json *j)
{
    static const char *const words[] = {"true", "false", "null"};

    for (unsigned i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(j->end - j->at) >= length && memcmp(j->at, words[i], length) == 0) {
            j->at += length;
            return;
        }
    }
    fail(j, "a value");
}

static void skip_simple(struct json *j)
{
    char ignored[2];

    switch (json_peek(j)) {
    case '"':
        json_string(j, ignored, sizeof ignored);
        break;
    case '-':
        json_number(j);
        break;
    default:
        skip_word(j);
    }
}

/* An object or an array is skipped by counting brackets: it is checked only as far as its strings and words.
 */
void json_skip(struct json *j)
{
    size_t depth = 0;

    do {
        char c = next(j);
        if (c && strchr("{[", c)) {
            depth++;
            j->at++;
        } else if (depth > 0 && c && strchr("}]", c)) {
            depth--;
            j->at++;
        } else if (depth > 0 && c && strchr(",:", c)) {
            j->at++;
        } else {
            skip_simple(j);
        }
    } while (depth > 0 && !j->error);
    j->first = false;
}

bool json_done(struct json *j)
{
    if (!j->error && next(j))
        fail(j, "the end of the text");
    return !j->error;
}
