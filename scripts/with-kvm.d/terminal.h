/* The terminal of the host, while the command behind the relay uses it. */
#ifndef WITH_KVM_TERMINAL_H
#define WITH_KVM_TERMINAL_H

#include "protocol.h"

/* Put into *command which of descriptors 0, 1, 2 are terminals, and the terminal's modes and size. */
void terminal_describe(struct command *command);

/*
 * If standard input is a terminal, hand every key to the command: no echo, no signals from keys, no line
 * editing here, because the terminal inside does all that. From then on whatever kills or stops this process
 * restores the terminal first. Safe to call again after a stop.
 */
void terminal_raw(void);

/* Put the terminal back as it was found. Safe to call at any time. */
void terminal_restore(void);

/* The descriptor on which the command's terminal output goes, or -1 if none is a terminal. */
int terminal_output(void);

/* Get the size of the terminal in rows and columns. Returns 0, or -1 if there is none. */
int terminal_size(uint32_t *rows, uint32_t *columns);

#endif
