/* echo: print the arguments; -n without the newline, -e with \n, \t, \0NNN and friends understood. */
#include "user.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Print the escape whose letter is at `at`; returns the last character used, or NULL for \c: print no more.
 */
static const char *print_escape(const char *at)
{
    static const char letters[] = "abefnrtv\\", meanings[] = "\a\b\033\f\n\r\t\v\\";
    const char *found = strchr(letters, *at);
    unsigned value = 0;
    int digits = 0;

    if (*at == 'c')
        return NULL;
    if (*at == '0') {
        for (; digits < 3 && at[1] >= '0' && at[1] <= '7'; digits++)
            value = value * 8 + (*++at - '0');
        putchar(value & 0xff);
    } else if (*at && found) {
        putchar(meanings[found - letters]);
    } else {
        putchar('\\');
        if (!*at)
            return at - 1;
        putchar(*at);
    }
    return at;
}

/* Returns false when \c asked to stop all output. */
static bool print_with_escapes(const char *text)
{
    for (; *text; text++) {
        if (*text != '\\')
            putchar(*text);
        else if (!(text = print_escape(text + 1)))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool newline = true, escapes = false;
    int i = 1;

    for (; i < argc && argv[i][0] == '-' && argv[i][1] && !argv[i][1 + strspn(argv[i] + 1, "neE")]; i++) {
        if (strchr(argv[i], 'n'))
            newline = false;
        if (strpbrk(argv[i], "eE"))
            escapes = !strchr(argv[i], 'E');
    }
    for (; i < argc; i++) {
        if (!escapes)
            fputs(argv[i], stdout);
        else if (!print_with_escapes(argv[i]))
            return finish(0);
        if (i + 1 < argc)
            putchar(' ');
    }
    if (newline)
        putchar('\n');
    return finish(0);
}
