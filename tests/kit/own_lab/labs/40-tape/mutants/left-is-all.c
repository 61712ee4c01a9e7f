/* In: hypervisor/devices/tape.c. Caught by: unit_tape.left_is_what_can_still_be_read. Mistake: forgets the
 * head. */
unsigned tape_left(const struct tape *tape)
{
    return tape->end;
}
