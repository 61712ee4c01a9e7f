/* In: guestos/mm/frames.c. Caught by: unit_frames.physical_0_is_never_given_out. Mistake: gives out the frame
 * at physical 0, which means "none". */
void frames_add(uint64_t start, uint64_t end)
{
    start = ROUND_UP(start, PAGE_SIZE);
    end = ROUND_DOWN(end, PAGE_SIZE);
    if (end <= start || range_count == RANGES_MAX)
        return;
    uint64_t notes = ROUND_UP((end - start) / PAGE_SIZE * sizeof(struct frame), PAGE_SIZE);
    if (end - start <= notes)
        return;
    end -= notes;
    ranges[range_count++] = (struct range){start, start, end, phys_to_virt(end)};
    total += (end - start) / PAGE_SIZE;
    available += (end - start) / PAGE_SIZE;
}
