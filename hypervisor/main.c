/* The terrarium command: finds the subcommand in the table of commands and runs it. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "feature.h"

#define VERSION "0.1"

/* The command of that name. NULL after a complain() that suggests the nearest. */
static struct command *command_find(const char *name)
{
    for (unsigned edits = 0; edits <= 3; edits++)
        for (struct command **c = __start_commands; c < __stop_commands; c++) {
            if (!is_near(name, (*c)->name, edits))
                continue;
            if (edits > 0)
                complain(0, "unknown command '%s'; did you mean '%s'?", name, (*c)->name);
            return edits > 0 ? NULL : *c;
        }
    complain(0, "unknown command '%s'; 'terrarium help' lists the commands", name);
    return NULL;
}

static int help_all(void)
{
    puts("Terrarium runs a small virtual machine and shows how it works.\n\nCommands:");
    for (struct command **c = __start_commands; c < __stop_commands; c++)
        printf("  terrarium %-8s %-26s %s\n", (*c)->name, (*c)->synopsis, (*c)->help);
    puts("  terrarium --version\n\nFeatures in this build:");
    for (struct feature *f = features; f; f = f->next)
        printf("  lab %-2u  %-14s %s\n", f->lab, f->name, f->help);
    return 0;
}

static int help_run(int argc, char **argv)
{
    if (argc < 2)
        return help_all();
    struct command *c = command_find(argv[1]);
    if (!c)
        return STATUS_USAGE;
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

    for (struct feature *f = features; f; f = f->next)
        lab = f->lab; /* in order: the last is the newest */
    printf("terrarium %s, labs 1 to %u\n", VERSION, lab);
    return 0;
}

/* Descriptors 0 to 2 must exist: a file of ours would take the place of a closed one. Reading such gives the
 * end of input, writing an error. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    features_collect();
    if (argc < 2)
        return help_all(), STATUS_USAGE;
    if (strcmp(argv[1], "--version") == 0)
        return version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help_all();
    struct command *c = command_find(argv[1]);
    if (c && argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
        return help_run(2, argv);
    return c ? c->run(argc - 1, argv + 1) : STATUS_USAGE;
}
