/* In: guestos/mm/frames.c. Caught by: unit_frames.only_whole_frames_of_a_range_count. Mistake: rounds the
 * range to whole frames outwards, and gives out what is not in it. */
void frames_add(uint64_t start, uint64_t end)
{
    start = ROUND_DOWN(start, PAGE_SIZE);
    end = ROUND_UP(end, PAGE_SIZE);
    if (start == 0)
        start = PAGE_SIZE; /* physical 0 means "none" */
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
