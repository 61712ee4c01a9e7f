/* Checks that teach: when one fails, it prints what was expected, what came, and what the learner should
 * know. */
#include <stdio.h>
#include <string.h>
#include "expect.h"

void expect_number(uint64_t got, uint64_t expected, const char *lesson)
{
    if (got != expected)
        fail_msg("expected %llu (0x%llx), got %llu (0x%llx)\n%s", (unsigned long long)expected,
                 (unsigned long long)expected, (unsigned long long)got, (unsigned long long)got, lesson);
}

void expect_true(bool condition, const char *lesson)
{
    if (!condition)
        fail_msg("%s", lesson);
}

void expect_text(const char *got, const char *expected, const char *lesson)
{
    if (!got || strcmp(got, expected) != 0)
        fail_msg("expected \"%s\", got \"%s\"\n%s", expected, got ? got : "(nothing)", lesson);
}

void expect_contains(const char *got, const char *part, const char *lesson)
{
    if (!got || !strstr(got, part))
        fail_msg("expected \"%s\" in:\n%s\n%s", part, got && *got ? got : "(nothing)", lesson);
}

#define SHOWN_MAX 64u /* bytes; longer ones are not looked at as a text */

static bool is_text(const unsigned char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && bytes[at] >= ' ' && bytes[at] < 127)
        at++;
    return at == size && size <= SHOWN_MAX;
}

/* Up to SHOWN_MAX bytes as a text, with \xNN for what cannot be shown. */
static const char *shown(const unsigned char *bytes, size_t size)
{
    static char text[4 * SHOWN_MAX + 1];
    char *to = text;

    for (size_t at = 0; at < size; at++)
        to += sprintf(to, is_text(bytes + at, 1) ? "%c" : "\\x%02x", bytes[at]);
    return text;
}

void expect_bytes(const void *got, const void *expected, size_t size, const char *lesson)
{
    const unsigned char *g = got, *e = expected;
    size_t at = 0;

    if (!got)
        fail_msg("expected %zu bytes, got no memory at all\n%s", size, lesson);
    while (at < size && g[at] == e[at])
        at++;
    if (at < size && is_text(e, size))
        fail_msg("expected \"%.*s\", got \"%s\"\n%s", (int)size, e, shown(g, size), lesson);
    if (at < size)
        fail_msg("expected byte %zu of %zu to be 0x%02x, got 0x%02x\n%s", at, size, e[at], g[at], lesson);
}
