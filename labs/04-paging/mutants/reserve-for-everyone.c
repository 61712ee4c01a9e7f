/* In: guestos/mm/frames.c. Caught by: unit_frames.programs_leave_a_reserve_to_the_kernel. Mistake: leaves no
 * reserve. */
static uint64_t take(uint64_t reserve)
{
    (void)reserve;
    uint64_t physical = 0;

    spin_lock(&lock);
    if (available > 0) {
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
