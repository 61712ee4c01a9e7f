/* In: guestos/mm/frames.c. Caught by: unit_frames.a_frame_that_came_back_is_given_out_again. Mistake: gives
 * out the first frame of the free list, and leaves it there. */
static uint64_t take(uint64_t reserve)
{
    uint64_t physical = 0;

    spin_lock(&lock);
    if (available > reserve) {
        physical = free_list;
        if (!physical)
            physical = take_fresh();
        *frame_of(physical) = (struct frame){.refs = 1};
        available--;
    }
    spin_unlock(&lock);
    return physical;
}
