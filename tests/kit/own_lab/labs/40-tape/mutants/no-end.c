/* In: hypervisor/devices/tape.c. Caught by: unit_tape.a_full_tape_takes_no_more. Mistake: the tape never
 * ends. */
int tape_write(struct tape *tape, uint8_t byte)
{
    tape->cells[tape->head++ % TAPE_CELLS] = byte;
    if (tape->end < tape->head)
        tape->end = tape->head;
    return 0;
}
