/*
 * Give the allocator the physical memory [start, end), bytes: whole frames in it only, and never the frame at
 * physical 0, which means "none". A struct frame for each frame, rounded up to whole frames, goes to the end
 * of the range, where the direct map shows it to us; the rest is free and counted in total and available.
 * Ignored: a range that has no frame left then (start and end may be any numbers), and what ranges[] has no
 * room for. Called while the machine starts, by one CPU. Handout, section 4.6.
 */
void frames_add(uint64_t start, uint64_t end)
{
    (void)start, (void)end;
    lab_todo(4, "frames_add", "handout section 4.6");
}

/*
 * Give out a frame with one owner, if more than `reserve` are available: one that came back (free_list,
 * chained through next_free), else one that was never given out (take_fresh()). Its struct frame has nothing
 * left of an earlier life. Returns its physical address, or 0. Several CPUs may come here at once. Handout,
 * section 4.7.
 */
static uint64_t take(uint64_t reserve)
{
    (void)reserve;
    (void)take_fresh, (void)free_list; /* yours to use */
    return (uint64_t)lab_todo(4, "take", "handout section 4.7");
}

/*
 * The frame at `physical` has one owner fewer. When the last one is gone, it is free again. If nobody owned
 * it, panic: "frame %lx was freed twice". Several CPUs may come here at once. Handout, section 4.8.
 */
void frame_put(uint64_t physical)
{
    (void)physical;
    lab_todo(4, "frame_put", "handout section 4.8");
}
