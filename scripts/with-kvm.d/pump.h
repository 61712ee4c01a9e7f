/* A pump moves bytes from one descriptor to another without ever blocking the loop that drives it. */
#ifndef WITH_KVM_PUMP_H
#define WITH_KVM_PUMP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pump {
    int from, to;       /* -1: none */
    size_t write_limit; /* most bytes in one write; what a blocking descriptor takes once it is ready */
    uint64_t total;     /* bytes taken from `from` so far */
    uint64_t limit;     /* bytes that `from` will deliver in all; UINT64_MAX while unknown */
    bool ended;         /* `from` has delivered everything */
    bool broken;        /* nobody reads `to`: what comes is thrown away, not to hold up the writer */
    size_t start, end;  /* the bytes of the buffer still to be written */
    char buffer[65536];
};

/* Prepare a pump between two descriptors; either may be -1, and then the pump never has anything to do. */
void pump_init(struct pump *pump, int from, int to, size_t write_limit);

/* Fill in the one descriptor that the pump waits for (fd -1 if none). */
void pump_wait(const struct pump *pump, struct pollfd *wait);

/* Move bytes, after poll() has returned with revents for the descriptor of pump_wait(). */
void pump_step(struct pump *pump, short revents);

/* Stop for good. Bytes that were taken but not handed on no longer count in `total`. */
void pump_cut(struct pump *pump);

/* True when every byte that will ever come has been handed on. */
bool pump_done(const struct pump *pump);

#endif
