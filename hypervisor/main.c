/* The terrarium command: finds the subcommand in the table of commands and runs it. */
#include <stdio.h>
#include <string.h>
#include "feature.h"

#define VERSION "0.1"

static int command_unknown(const char *name)
{
    const char *best = NULL;
    unsigned distance = 4;

    FOR_EACH_COMMAND(c)
    nearest_word(name, (*c)->name, &best, &distance);
    if (best)
        return complain(STATUS_USAGE, "unknown command '%s'; did you mean '%s'?", name, best);
    return complain(STATUS_USAGE, "unknown command '%s'; 'terrarium help' lists the commands", name);
}

static struct command *command_find(const char *name)
{
    FOR_EACH_COMMAND(c)
    if (strcmp((*c)->name, name) == 0)
        return *c;
    return NULL;
}

static int help_all(void)
{
    puts("Terrarium runs a small virtual machine and shows how it works.\n\nCommands:");
    FOR_EACH_COMMAND(c)
    printf("  terrarium %-8s %-26s %s\n", (*c)->name, (*c)->synopsis, (*c)->help);
    puts("  terrarium --version\n\nFeatures in this build:");
    FOR_EACH_FEATURE(f)
    printf("  lab %-2u  %-14s %s\n", (*f)->lab, (*f)->name, (*f)->help);
    return 0;
}

static int help_run(int argc, char **argv)
{
    if (argc < 2)
        return help_all();
    struct command *c = command_find(argv[1]);
    if (!c)
        return command_unknown(argv[1]);
    printf("Usage: terrarium %s %s\n%s\n", c->name, c->synopsis, c->help);
    if (c->details)
        c->details();
    return 0;
}

COMMAND(help) = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .help = "explain a command and its options",
    .run = help_run,
};

static int version(void)
{
    unsigned lab = 0;

    FOR_EACH_FEATURE(f)
    lab = (*f)->lab; /* sorted: the last is the newest */
    printf("terrarium %s, labs 1 to %u\n", VERSION, lab);
    return 0;
}

int main(int argc, char **argv)
{
    features_sort();
    if (argc < 2) {
        help_all();
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help_all();
    struct command *c = command_find(argv[1]);
    return c ? c->run(argc - 1, argv + 1) : command_unknown(argv[1]);
}
