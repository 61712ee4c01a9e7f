/* In: guestos/mm/frames.c. Caught by: unit_frames.the_notes_are_taken_from_the_range,
 * unit_frames.every_frame_is_given_out_once. Mistake: gives out the frames in which the notes lie. */
void frames_add(uint64_t start, uint64_t end)
{
    start = ROUND_UP(start, PAGE_SIZE);
    end = ROUND_DOWN(end, PAGE_SIZE);
    if (start == 0)
        start = PAGE_SIZE; /* physical 0 means "none" */
    if (end <= start || range_count == RANGES_MAX)
        return;
    uint64_t notes = ROUND_UP((end - start) / PAGE_SIZE * sizeof(struct frame), PAGE_SIZE);
    if (end - start <= notes)
        return;
    ranges[range_count++] = (struct range){start, start, end, phys_to_virt(end - notes)};
    total += (end - start) / PAGE_SIZE;
    available += (end - start) / PAGE_SIZE;
}
