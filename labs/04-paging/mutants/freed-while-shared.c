/* In: guestos/mm/frames.c. Caught by: unit_frames.a_shared_frame_stays_until_the_last_owner_leaves. Mistake:
 * frees the frame as soon as one of its owners leaves it. */
void frame_put(uint64_t physical)
{
    spin_lock(&lock);
    struct frame *frame = frame_of(physical);
    if (frame->refs == 0)
        panic("frame %lx was freed twice", physical);
    frame->refs--;
    frame->next_free = free_list;
    free_list = physical;
    available++;
    spin_unlock(&lock);
}
