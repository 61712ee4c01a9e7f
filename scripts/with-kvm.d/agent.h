/* The agent runs the command inside the fallback machine and connects it with the relay outside. */
#ifndef WITH_KVM_AGENT_H
#define WITH_KVM_AGENT_H

/* Run the one command that the relay sends and report how it ended. Returns 0, or -1 without a relay. */
int agent_run(void);

#endif
