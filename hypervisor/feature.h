/* A feature: one file that ends with one record. The command line, the start-up order and the help text come
 * from the records. */
#ifndef FEATURE_H
#define FEATURE_H

#include "vm.h"

#define OPTION_VALUES_MAX 16

/* One option of `terrarium run`. A list of options ends with an empty record. */
struct option {
    const char *name;              /* without the dashes */
    const char *arg;               /* what to call its argument in the help text; NULL: it takes none */
    const char *help;              /* one line */
    int (*set)(const char *value); /* may be NULL: check it; 0, or -EINVAL after a complain() */
    unsigned most;                 /* how often it may be given; 0: once */
    const char *value;             /* as given on the command line, the last time; NULL while it is not */
    const char *values[OPTION_VALUES_MAX];
    unsigned count; /* of values */
    struct option *next;
};

/* Every hook may be NULL. Those that return int return 0, or -errno after a complain(). */
struct feature {
    const char *name;
    unsigned lab; /* features start in the order of their labs, then in link order */
    const char *help;
    struct option *options;
    int (*attach)(struct vm *vm);                      /* RAM is there, vCPUs are not: claim addresses */
    int (*vcpu)(struct vcpu *vcpu);                    /* a vCPU was made */
    int (*boot)(struct vm *vm);                        /* all vCPUs are there: load, set registers */
    bool (*died)(struct vcpu *vcpu, const char *what); /* on the vCPU's own thread; true: I said why */
    void (*ended)(struct vm *vm);                      /* no vCPU runs (any more): report, clean up */
    struct feature *next;
};

struct command {
    const char *name, *synopsis, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit status of the process */
    void (*details)(void);             /* may be NULL: the rest of its help text */
};

/* `FEATURE(name) = {...};` and `COMMAND(name) = {...};` put a pointer to the record into a section; the
 * linker names the two ends of a section whose name is a C identifier. */
#define LINKED(type, name, section_name)                                                                     \
    static struct type name;                                                                                 \
    static struct type *linked_##name __attribute__((section(section_name), used)) = &name;                  \
    static struct type name
#define FEATURE(name) LINKED(feature, name, "features")
#define COMMAND(name) LINKED(command, name, "commands")

extern struct feature *__start_features[], *__stop_features[];
extern struct command *__start_commands[], *__stop_commands[];

/* All features in start-up order, once features_collect() was called. */
extern struct feature *features;
void features_collect(void);

/* Read the options of `terrarium run` into the table. Returns 0 or -EINVAL after a complain(). */
int options_parse(int argc, char **argv);
void options_clear(void);
void options_print(void);

/* Whether at most `edits` insertions, removals and replacements of a letter make `a` into `b`, and leave most
 * of it. */
bool is_near(const char *a, const char *b, unsigned edits);

/* Read "64", "64K", "128M", "2G" or "1T" as bytes, within [min, max]; `what` names it in the message. */
int parse_size(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *size);
int parse_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *number);

#endif
