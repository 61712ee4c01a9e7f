/* In: hypervisor/devices/tape.c. Caught by: unit_tape.bytes_have_no_sign. Mistake: bytes above 127 become
 * negative. */
int tape_read(struct tape *tape)
{
    return tape->head < tape->end ? (int8_t)tape->cells[tape->head++] : -ENODATA;
}
