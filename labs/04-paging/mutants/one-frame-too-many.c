/* In: guestos/mm/frames.c. Caught by: unit_frames.every_frame_is_given_out_once,
 * unit_frames.programs_leave_a_reserve_to_the_kernel. Mistake: gives out one of the frames of the reserve,
 * and the frame behind the last. */
static uint64_t take(uint64_t reserve)
{
    uint64_t physical = 0;

    spin_lock(&lock);
    if (available >= reserve) {
        physical = free_list;
        if (physical)
            free_list = frame_of(physical)->next_free;
        else
            physical = take_fresh();
        *frame_of(physical) = (struct frame){.refs = 1};
        available--;
    }
    spin_unlock(&lock);
    return physical;
}
