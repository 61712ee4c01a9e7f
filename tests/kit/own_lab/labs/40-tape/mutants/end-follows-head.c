/* In: hypervisor/devices/tape.c. Caught by: unit_tape.writing_in_the_middle_keeps_the_rest. Mistake: the end
 * is always where the head is. */
int tape_write(struct tape *tape, uint8_t byte)
{
    if (tape->head == TAPE_CELLS)
        return -ENOSPC;
    tape->cells[tape->head++] = byte;
    tape->end = tape->head;
    return 0;
}
