/* In: guestos/mm/frames.c. Caught by: unit_frames.a_shared_frame_stays_until_the_last_owner_leaves,
 * unit_frames.a_frame_that_came_back_is_given_out_again. Mistake: does not count the frame as available. */
void frame_put(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs == 0)
        panic("frame %lx was freed twice", physical);
    if (--frame->refs == 0) {
        frame->next_free = free_list;
        free_list = physical;
    }
    spin_unlock(&lock);
}
