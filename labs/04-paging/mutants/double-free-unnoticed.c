/* In: guestos/mm/frames.c. Caught by: unit_frames.freeing_twice_panics. Mistake: takes no notice of a frame
 * that is free already. */
void frame_put(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs > 0 && --frame->refs == 0) {
        frame->next_free = free_list;
        free_list = physical;
        available++;
    }
    spin_unlock(&lock);
}
