/* In: hypervisor/devices/tape.c. Caught by: unit_tape.seeking_stops_at_the_end. Mistake: believes the guest.
 */
void tape_seek(struct tape *tape, unsigned to)
{
    tape->head = to;
}
