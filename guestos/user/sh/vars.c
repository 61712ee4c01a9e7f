/* The shell's variables, exported or not. */
#include "sh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct variable {
    struct variable *next;
    char *name, *value; /* value NULL: exported before it was set */
    bool exported;
};

static struct variable *find(struct shell *sh, const char *name)
{
    for (struct variable *v = sh->variables; v; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

static struct variable *find_or_add(struct shell *sh, const char *name)
{
    struct variable *v = find(sh, name);

    if (v)
        return v;
    v = calloc(1, sizeof *v);
    if (!v || !(v->name = strdup(name))) {
        fprintf(stderr, "sh: out of memory\n");
        exit(2);
    }
    v->next = sh->variables;
    sh->variables = v;
    return v;
}

const char *var_get(struct shell *sh, const char *name)
{
    struct variable *v = find(sh, name);

    return v ? v->value : NULL;
}

void var_set(struct shell *sh, const char *name, const char *value)
{
    char *copy = strdup(value); /* first: value may be the old one */
    struct variable *v = find_or_add(sh, name);

    free(v->value);
    v->value = copy;
}

bool var_assign(struct shell *sh, const char *text)
{
    const char *equals = strchr(text, '=');
    char *name;

    if (!equals || !is_name(text, equals - text))
        return false;
    name = strndup(text, equals - text);
    var_set(sh, name, equals + 1);
    free(name);
    return true;
}

void var_export(struct shell *sh, const char *name)
{
    find_or_add(sh, name)->exported = true;
}

void var_unset(struct shell *sh, const char *name)
{
    for (struct variable **at = &sh->variables; *at; at = &(*at)->next) {
        struct variable *v = *at;
        if (strcmp(v->name, name) != 0)
            continue;
        *at = v->next;
        free(v->name);
        free(v->value);
        free(v);
        return;
    }
}

void var_print(struct shell *sh, bool exported_only)
{
    for (struct variable *v = sh->variables; v; v = v->next)
        if (v->value && (v->exported || !exported_only))
            printf("%s%s='%s'\n", exported_only ? "export " : "", v->name, v->value);
}

char **var_environment(struct shell *sh, struct arena *arena)
{
    size_t count = 0;
    char **environment, **at;

    for (struct variable *v = sh->variables; v; v = v->next)
        count += v->exported && v->value;
    at = environment = arena_alloc(arena, (count + 1) * sizeof *environment);
    for (struct variable *v = sh->variables; v; v = v->next)
        if (v->exported && v->value)
            *at++ = arena_format(arena, "%s=%s", v->name, v->value);
    return environment;
}
