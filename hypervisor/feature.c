/* The table of features: its start-up order, and the options of all features together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "feature.h"

void features_sort(void)
{
    FOR_EACH_FEATURE(f) /* insertion sort keeps the link order within a lab */
    for (struct feature **g = f; g > __start_features && g[-1]->lab > g[0]->lab; g--) {
        struct feature *swap = g[0];
        g[0] = g[-1];
        g[-1] = swap;
    }
}

static struct option *option_find(const char *name)
{
    FOR_EACH_FEATURE(f)
    for (struct option *o = (*f)->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

static int option_unknown(const char *name)
{
    const char *best = NULL;
    unsigned distance = 4;

    FOR_EACH_FEATURE(f)
    for (struct option *o = (*f)->options; o && o->name; o++)
        nearest_word(name, o->name, &best, &distance);
    if (best)
        return complain(-EINVAL, "unknown option --%s; did you mean --%s?", name, best);
    return complain(-EINVAL, "unknown option --%s; 'terrarium help run' lists the options", name);
}

int options_parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            return complain(-EINVAL, "unexpected argument '%s'; options begin with --, as in --kernel FILE",
                            argv[i]);
        struct option *o = option_find(argv[i] + 2);
        if (!o)
            return option_unknown(argv[i] + 2);
        if (o->value)
            return complain(-EINVAL, "--%s is given twice ('%s' and again); give it once", o->name, o->value);
        if (o->arg && i + 1 == argc)
            return complain(-EINVAL, "--%s needs an argument: --%s %s", o->name, o->name, o->arg);
        const char *value = o->arg ? argv[++i] : "";
        if (o->set && o->set(value) < 0)
            return -EINVAL;
        o->value = value;
    }
    return 0;
}

void options_clear(void)
{
    FOR_EACH_FEATURE(f)
    for (struct option *o = (*f)->options; o && o->name; o++)
        o->value = NULL;
}

void options_print(void)
{
    FOR_EACH_FEATURE(f)
    for (struct option *o = (*f)->options; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", o->name, o->arg ? o->arg : "");
        printf("  %-20s %s\n", left, o->help);
    }
}

/* Levenshtein's distance between two short words, a row at a time. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[32], n = (unsigned)strlen(b);

    if (n >= 32)
        return 32;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; *a; a++, i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned cost = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            if (row[j - 1] + 1 < cost)
                cost = row[j - 1] + 1;
            row[j] = row[j] + 1 < cost ? row[j] + 1 : cost;
        }
    }
    return row[n];
}

void nearest_word(const char *word, const char *candidate, const char **best, unsigned *distance)
{
    unsigned d = edit_distance(word, candidate);

    if (d < *distance) {
        *distance = d;
        *best = candidate;
    }
}

int parse_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return complain(-EINVAL, "%s %s: not a number", what, text);
    if (*number < min || *number > max)
        return complain(-EINVAL, "%s %s: must be from %llu to %llu", what, text, (unsigned long long)min,
                        (unsigned long long)max);
    return 0;
}

int parse_size(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *size)
{
    static const char units[] = "KMGT";
    char *end;

    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (text[0] < '0' || text[0] > '9' || errno || (*end && (!unit || end[1])))
        return complain(-EINVAL, "%s %s: not a size; write it like 512K, 128M or 2G", what, text);
    if (n > max >> shift || n << shift < min)
        return complain(-EINVAL, "%s %s: must be from %lluM to %lluG", what, text,
                        (unsigned long long)(min / MiB), (unsigned long long)(max / GiB));
    *size = n << shift;
    return 0;
}
