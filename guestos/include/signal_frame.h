/* What a signal handler finds on its stack. */
#ifndef SIGNAL_FRAME_H
#define SIGNAL_FRAME_H

#include "process.h"

/* A signal and its cause as programs are told of them. */
struct siginfo signal_info(int signal, const struct signal_cause *cause);

/*
 * Put a frame in Linux's format on the program's stack and make `frame` enter the handler. `blocked` is the
 * set of signals that sigreturn will put back. Returns 0, or -EFAULT if the stack cannot be written to.
 */
int signal_frame_push(struct process *process, struct trapframe *frame, int signal,
                      const struct sigaction *action, const struct signal_cause *cause, uint64_t blocked);

#endif
