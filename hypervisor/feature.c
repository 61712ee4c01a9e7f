/* The table of features: its start-up order, and the options of all features together. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "feature.h"

struct feature *features;
static struct option *options; /* of all features, one list */

void features_collect(void)
{
    features = NULL;
    for (struct feature **f = __stop_features; f-- > __start_features;) {
        struct feature **at = &features;
        while (*at && (*at)->lab < (*f)->lab)
            at = &(*at)->next;
        (*f)->next = *at;
        *at = *f;
    }
    struct option **end = &options;
    for (struct feature *f = features; f; f = f->next)
        for (struct option *o = f->options; o && o->name; end = &o->next, o++)
            *end = o;
    *end = NULL;
}

static bool makes(const char *a, const char *b, unsigned edits)
{
    if (*a == *b)
        return !*a || makes(a + 1, b + 1, edits);
    return edits > 0 && ((*a && makes(a + 1, b, edits - 1)) || (*b && makes(a, b + 1, edits - 1)) ||
                         (*a && *b && makes(a + 1, b + 1, edits - 1)));
}

bool is_near(const char *a, const char *b, unsigned edits)
{
    return 2 * edits < strlen(b) && makes(a, b, edits);
}

static int option_unknown(const char *name)
{
    const char *value = strchr(name, '=');

    if (value)
        return complain(-EINVAL, "an option's value is a word of its own: --%.*s %s", (int)(value - name),
                        name, value + 1);
    for (unsigned edits = 1; edits <= 3; edits++)
        for (struct option *o = options; o; o = o->next)
            if (is_near(name, o->name, edits))
                return complain(-EINVAL, "unknown option --%s; did you mean --%s?", name, o->name);
    return complain(-EINVAL, "unknown option --%s; 'terrarium help run' lists the options", name);
}

int options_parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct option *o = options;
        if (strncmp(argv[i], "--", 2) != 0)
            return complain(-EINVAL, "unexpected argument '%s'; options begin with --, as in --kernel FILE",
                            argv[i]);
        while (o && strcmp(o->name, argv[i] + 2) != 0)
            o = o->next;
        if (!o)
            return option_unknown(argv[i] + 2);
        if (o->value && !o->most)
            return complain(-EINVAL, "--%s is given twice ('%s' and again); give it once", o->name, o->value);
        if (o->most && o->count == o->most)
            return complain(-EINVAL, "--%s is given more than %u times", o->name, o->most);
        if (o->arg && i + 1 == argc)
            return complain(-EINVAL, "--%s needs an argument: --%s %s", o->name, o->name, o->arg);
        o->value = o->values[o->count++] = o->arg ? argv[++i] : "";
        if (o->set && o->set(o->value) < 0)
            return -EINVAL;
    }
    return 0;
}

void options_clear(void)
{
    for (struct option *o = options; o; o = o->next) {
        o->value = NULL;
        o->count = 0;
    }
}

void options_print(void)
{
    for (struct option *o = options; o; o = o->next)
        printf("  --%s %-*s %s\n", o->name, 17 - (int)strlen(o->name), o->arg ? o->arg : "", o->help);
}

int parse_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoul(text, &end, 0);
    if (!isdigit(text[0]) || *end || errno)
        return complain(-EINVAL, "%s %s: not a number", what, text);
    if (*number < min || *number > max)
        return complain(-EINVAL, "%s %s: must be from %lu to %lu", what, text, min, max);
    return 0;
}

int parse_size(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *size)
{
    static const char units[] = "KMGT";
    char *end;

    errno = 0;
    *size = strtoul(text, &end, 10);
    const char *unit = *end ? strchr(units, toupper(*end)) : NULL;
    if (!isdigit(text[0]) || errno || (*end && (!unit || end[1])))
        return complain(-EINVAL, "%s %s: not a size; write it like 512K, 128M or 2G", what, text);
    bool wraps = unit && __builtin_mul_overflow(*size, KiB << 10 * (unit - units), size);
    if (wraps || *size < min || *size > max)
        return complain(-EINVAL, "%s %s: must be from %luM to %luG", what, text, min / MiB, max / GiB);
    return 0;
}
