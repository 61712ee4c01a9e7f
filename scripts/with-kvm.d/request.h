/* What the relay asks the agent to run: the command with everything that it would inherit on the host. */
#ifndef WITH_KVM_REQUEST_H
#define WITH_KVM_REQUEST_H

#include <stdbool.h>

/* Note which signals are ignored and the terminal's modes. Call it before changing either. */
void request_prepare(void);

/* True if `signal` was ignored when the relay was started. */
bool request_ignores(int signal);

/* Send the command to the agent. `arguments` ends with NULL. Returns 0 or -1. */
int request_send(int port, char **arguments);

#endif
