/* In: guestos/mm/frames.c. Caught by: unit_frames.a_frame_that_came_back_is_given_out_again. Mistake: forgets
 * the frames that came back before. */
void frame_put(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs == 0)
        panic("frame %lx was freed twice", physical);
    if (--frame->refs == 0) {
        frame->next_free = 0;
        free_list = physical;
        available++;
    }
    spin_unlock(&lock);
}
