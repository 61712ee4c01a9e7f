"""moss frames: who has which frame of memory."""

import gdb
import kernel
import walk

COLUMNS = 64
USES = [("H", "the heap: objects of up to 2 KiB"),
        ("T", "page tables"),
        ("S", "kernel stacks and large objects, mapped page by page"),
        ("u", "pages of programs"),
        ("o", "other: files in memory, rings, buffers")]
FREE, UNUSED = ".", " "  # lines of nothing but the latter are left out


class Notes:
    """The kernel's notes about frames, read in one piece for each range of memory."""

    def __init__(self, ranges):
        self.notes = {}  # physical address of a frame that was given out once: (refs, slab_size)
        self.ranges = []
        kind = ranges.type.target()["frames"].type.target()
        refs, slab = kernel.offset(kind, "refs"), kernel.offset(kind, "slab_size")
        for number in range(int(kernel.variable("mm/frames.c", "range_count"))):
            if number > ranges.type.range()[1]:
                break
            start, fresh, end = (int(ranges[number][member]) for member in ("start", "fresh", "end"))
            self.ranges.append((start, fresh, end))
            count = max(0, fresh - start) // kernel.PAGE
            data = kernel.read(int(ranges[number]["frames"]), count * kind.sizeof)
            for i in range(count):
                at = i * kind.sizeof
                self.notes[start + i * kernel.PAGE] = (int.from_bytes(data[at + refs:at + refs + 4], "little"),
                                                       int.from_bytes(data[at + slab:at + slab + 2], "little"))


def frames_of(pages):
    """The frames that these pages are."""
    for _, entry, level in pages:
        start = walk.target(entry, level)
        yield from range(start, start + walk.page_size(level), kernel.PAGE)


def kernel_pages(direct):
    """The kernel's tables, and the pages that it has mapped one by one: neither its image nor the map of all memory."""
    tables = walk.Tables(int(kernel.variable("mm/paging.c", "kernel_pml4")), walk.KERNEL_HALF)
    return tables.found, [page for page in tables.pages if page[0] - walk.target(page[1], page[2]) != direct]


def classify(notes, direct):
    """Returns the use of each frame that is in use, and for each process its frames."""
    use = {at: "o" for at, (refs, _) in notes.items() if refs}
    use.update((at, "H") for at, (refs, slab) in notes.items() if refs and slab)
    tables, mapped = kernel_pages(direct)
    use.update((at, "S") for at in frames_of(mapped) if at in use)
    spaces = {}
    try:
        for process in kernel.processes():
            if int(process["vm"]):
                space = walk.Tables(int(process["vm"]["pml4"]), walk.USER_HALF)
                spaces[(int(process["pid"]), kernel.array_text(process["name"]))] = set(frames_of(space.pages)) & use.keys()
                tables |= space.found
    except gdb.GdbError as problem:  # no processes in this kernel, or a broken list: what was found is shown
        print(problem)
    for frames in spaces.values():
        use.update((at, "u") for at in frames)
    use.update((at, "T") for at in tables if at in use)
    return use, spaces


def draw(frames, use):
    """A character for so many frames: what most of those in use are."""
    every = sum((end - start) // kernel.PAGE for start, _, end in frames.ranges)
    each = max(1, -(-every // (COLUMNS * 16))) * kernel.PAGE
    for start, fresh, end in frames.ranges:
        marks = ""
        for first in range(start, end, each):
            used = [use[at] for at in range(first, min(end, first + each), kernel.PAGE) if at in use]
            marks += max(set(used), key=used.count) if used else FREE if first < fresh else UNUSED
        for at in range(0, len(marks), COLUMNS):
            if marks[at:at + COLUMNS].strip():
                print("%10x |%s|" % (start + at * each, marks[at:at + COLUMNS]))
    print("One character is %d KiB: what most of its used frames are. %s: free again; blank: never used." % (each // 1024, FREE))


def show_programs(notes, spaces):
    owners = {}
    for frames in spaces.values():
        for at in frames:
            owners[at] = owners.get(at, 0) + 1
    print("\n%5s  %-16s %6s %7s" % ("PID", "NAME", "frames", "shared"))
    for (pid, name), frames in spaces.items():
        print("%5d  %-16s %6d %7d" % (pid, name, len(frames), sum(1 for at in frames if notes[at][0] > 1)))


@kernel.command
class Frames(kernel.Command):
    """Show who has the machine's memory, frame by frame (a frame is 4 KiB of physical memory).

    For each frame the allocator counts its owners; 0 means free. Who they are is found here as a detective would: the heap
    marks its frames, page tables lead to page tables and to the pages of programs, and the rest is the kernel's own.
    A program's frame is "shared" if it has several owners: after fork until somebody writes, or as a file's page.
    To read: guestos/mm/frames.c, struct frame in guestos/include/frames.h.
    usage: moss frames"""

    name = "moss frames"

    def run(self, words):
        if words:
            raise self.usage()
        ranges = kernel.variable("mm/frames.c", "ranges")
        total, free = (int(kernel.variable("mm/frames.c", name)) for name in ("total", "available"))
        if total == 0:
            raise gdb.GdbError("the frame allocator has no memory yet: it is filled by kernel_map_init (guestos/mm/kernel_map.c)")
        frames = Notes(ranges)
        # Notes lie at the end of the range that they are about, and are reached through the map of all memory.
        use, spaces = classify(frames.notes, int(ranges[0]["frames"]) - int(ranges[0]["end"]))
        draw(frames, use)
        print("\n%8d frames, %d of them free, %d used:" % (total, free, total - free))
        for mark, meaning in USES:
            print("%8d  %s  %s" % (sum(1 for each in use.values() if each == mark), mark, meaning))
        if len(use) != total - free:
            print("THE COUNT IS WRONG: %d frames have owners, but the allocator says that %d are used" % (len(use), total - free))
        if spaces:
            show_programs(frames.notes, spaces)
