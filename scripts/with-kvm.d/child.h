/* The process of the command, with the user, directory, environment and terminal it would have on the host.
 */
#ifndef WITH_KVM_CHILD_H
#define WITH_KVM_CHILD_H

#include "protocol.h"

#include <sys/types.h>

struct child {
    pid_t pid;
    int streams[3]; /* our ends of its pipes on descriptors 0, 1, 2; -1 where it has the terminal */
    int terminal;   /* our side of its terminal, or -1 */
};

/* Start `command`, whose strings follow it in memory. Returns 0, or -1 with a line on the console. */
int child_start(struct child *child, struct command *command);

#endif
