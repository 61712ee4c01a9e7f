/* In: guestos/mm/frames.c. Caught by: unit_frames.a_frame_that_came_back_is_given_out_again. Mistake: gives
 * out frames that were never given out, and none that came back. */
static uint64_t take(uint64_t reserve)
{
    uint64_t physical = 0;

    spin_lock(&lock);
    if (available > reserve) {
        physical = take_fresh();
        if (physical) {
            *frame_of(physical) = (struct frame){.refs = 1};
            available--;
        } else
            free_list = 0;
    }
    spin_unlock(&lock);
    return physical;
}
