/* Waiting for any of several files: what poll and its relatives share. */
#ifndef POLL_H
#define POLL_H

#include "abi.h"

/* Wait until a file has something to tell: its revents is then not 0. Returns the number of such files, 0
 * when the deadline has passed, or a negative errno. */
ssize_t poll_files(struct pollfd *fds, size_t count, uint64_t deadline);

/* For this call only, the signals in a program's mask (0: none is given) are the blocked ones. Returns 0 or
 * -errno. */
int poll_block_signals(uint64_t user_mask, size_t set_size);

#endif
