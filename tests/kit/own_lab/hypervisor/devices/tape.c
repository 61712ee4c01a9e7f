/* What a tape does; tape_port.c lets guests use it. */
#include "tape.h"
#include <errno.h>

/* Write a byte and move on. Returns 0, or -ENOSPC at the end of the tape. */
int tape_write(struct tape *tape, uint8_t byte)
{
    if (tape->head == TAPE_CELLS)
        return -ENOSPC;
    tape->cells[tape->head++] = byte;
    if (tape->end < tape->head)
        tape->end = tape->head;
    return 0;
}

/* Read a byte, 0 to 255, and move on. Returns -ENODATA where nothing was written. */
int tape_read(struct tape *tape)
{
    return tape->head < tape->end ? tape->cells[tape->head++] : -ENODATA;
}

/* Move the head to a cell, but not beyond what was written. */
void tape_seek(struct tape *tape, unsigned to)
{
    tape->head = to < tape->end ? to : tape->end;
}

/* How many bytes can be read from here. */
unsigned tape_left(const struct tape *tape)
{
    return tape->end - tape->head;
}
