/* A tape of bytes with a head that reads and writes. */
#ifndef TAPE_H
#define TAPE_H

#include <stdint.h>

#define TAPE_CELLS 16

/* Invariant: head <= end <= TAPE_CELLS. */
struct tape {
    uint8_t cells[TAPE_CELLS];
    unsigned head; /* the cell that is read or written next */
    unsigned end;  /* how many cells were ever written */
};

int tape_write(struct tape *tape, uint8_t byte);
int tape_read(struct tape *tape);
void tape_seek(struct tape *tape, unsigned to);
unsigned tape_left(const struct tape *tape);

#endif
