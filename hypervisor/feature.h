/* A feature: one file that ends with one record. The command line, the start-up order and the help text come
 * from the records. */
#ifndef FEATURE_H
#define FEATURE_H

#include "host.h"
#include "vm.h"

/* One option of `terrarium run`. A list of options ends with an empty record. */
struct option {
    const char *name;              /* without the dashes */
    const char *arg;               /* what to call its argument in the help text; NULL: it takes none */
    const char *help;              /* one line */
    int (*set)(const char *value); /* may be NULL: check it; 0, or -errno after a complain() that says what
                                      would do */
    const char *value;             /* as given on the command line; NULL while it is not */
};

struct exit_handler {
    unsigned reason; /* KVM_EXIT_xxx */
    int (*handle)(struct vcpu *vcpu);
};

/* Every hook may be NULL. Those that return int return 0, or -errno after a complain(). */
struct feature {
    const char *name;
    unsigned lab; /* features start in the order of their labs, then in link order */
    const char *help;
    struct option *options;
    const struct exit_handler *exits; /* ends with a record without a handler */
    int (*attach)(struct vm *vm);     /* RAM is there, vCPUs are not: claim addresses, make chips */
    int (*vcpu)(struct vcpu *vcpu);   /* a vCPU was made */
    int (*boot)(struct vm *vm);       /* all vCPUs are there: load images, set registers */
    bool (*died)(struct vcpu *vcpu,
                 const char *what); /* the guest died on this vCPU, whose thread calls; true: I said why */
    void (*ended)(struct vm *vm);   /* no vCPU runs any more; everything can still be looked at */
    void (*detach)(struct vm *vm);  /* give back what attach took (also after a failed attach) */
};

struct command {
    const char *name, *synopsis, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit status of the process */
    void (*details)(void);             /* may be NULL: the rest of its help text */
};

/* `FEATURE(name) = {...};` and `COMMAND(name) = {...};` put a pointer to the record where the linker collects
 * them. */
#define LINKED(type, name, section_name)                                                                     \
    static struct type name;                                                                                 \
    static struct type *linked_##name __attribute__((section(section_name), used)) = &name;                  \
    static struct type name
#define FEATURE(name) LINKED(feature, name, "features")
#define COMMAND(name) LINKED(command, name, "commands")

/* The linker names the two ends of a section whose name is a C identifier. */
#define FOR_EACH_LINKED(type, item, section_name)                                                            \
    for (struct type **item = __start_##section_name; item < __stop_##section_name; item++)
#define FOR_EACH_FEATURE(f) FOR_EACH_LINKED(feature, f, features)
#define FOR_EACH_COMMAND(c) FOR_EACH_LINKED(command, c, commands)

extern struct feature *__start_features[], *__stop_features[];
extern struct command *__start_commands[], *__stop_commands[];

/* Put the table into start-up order. main() calls it first of all; calling it again changes nothing. */
void features_sort(void);

/* Read the options of `terrarium run` into the table. Returns 0 or -EINVAL after a complain(). */
int options_parse(int argc, char **argv);
void options_clear(void);
void options_print(void);

/* The candidate nearest to `word` by edit distance, kept in *best when it beats *distance (start with 4:
 * worse is no help). */
void nearest_word(const char *word, const char *candidate, const char **best, unsigned *distance);

/* Read "64", "64K", "128M", "2G" or "1T" as bytes, within [min, max]; `what` names it in the message. */
int parse_size(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *size);
int parse_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *number);

#endif
