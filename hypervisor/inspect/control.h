/*
 * The control socket: look at a machine while it runs. A client writes a line of JSON,
 *     {"command": "walk", "arguments": ["0xffffffff80100000"]}
 * and gets one back: {"ok": true, "text": "..."} or {"ok": false, "error": "..."}; then it may write the
 * next. The command "help" lists what there is. `terrarium inspect` is such a client.
 *
 * A feature adds a command as it adds itself, by a record:
 *     static bool show_cost(struct vm *vm, const char *const *arguments, FILE *out) { ... }
 *     CONTROL(cost) = {"cost", "DEVICE", "what it cost so far", show_cost};
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdio.h>
#include "../feature.h"

#define CONTROL_ARGUMENTS 4

/* What can be asked for. */
struct control {
    const char *name, *synopsis, *help;
    /* Write the answer to `out`. There are CONTROL_ARGUMENTS arguments, "" where none was given. The vCPUs
     * stand still, and vm->lock is held. Returns whether there is an answer; if not, what was written says
     * why. */
    bool (*run)(struct vm *vm, const char *const *arguments, FILE *out);
};

#define CONTROL(name) LINKED(control, name, "controls")

extern struct control *__start_controls[], *__stop_controls[];

/* The command of that name, or NULL. */
const struct control *control_find(const char *name);

/* Answer one line, by one line. Any thread but a vCPU's. */
void control_answer(struct vm *vm, const char *line, size_t size, FILE *out);

/* Print what can be asked for, a command a line. */
void control_list(FILE *out);

/* The number in an argument (decimal or 0x...), or `otherwise` if it is empty. Returns whether it is one. */
bool control_number(const char *argument, uint64_t otherwise, uint64_t *number);

/* The vCPU that an argument names; "": the first. NULL after a message to `out`. */
struct vcpu *control_vcpu(struct vm *vm, const char *argument, FILE *out);

#endif
