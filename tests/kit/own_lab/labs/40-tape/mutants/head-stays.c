/* In: hypervisor/devices/tape.c. Caught by: unit_tape.writing_moves_the_head. Mistake: does not move on. */
int tape_write(struct tape *tape, uint8_t byte)
{
    if (tape->head == TAPE_CELLS)
        return -ENOSPC;
    tape->cells[tape->head] = byte;
    tape->end = tape->head + 1;
    return 0;
}
