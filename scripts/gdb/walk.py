"""Page tables (Intel SDM 3A 4.5), read by physical address: the walk that the CPU does, and all that a table maps."""

import kernel

LEVELS = ["PT", "PD", "PDPT", "PML4"]
PRESENT, WRITE, USER, ACCESSED, DIRTY, LARGE, GLOBAL = 1, 2, 4, 0x20, 0x40, 0x80, 0x100
COW, SHARED, NO_ACCESS = 0x200, 0x400, 0x800  # Moss's own (guestos/include/paging.h), in bits that the CPU ignores
NO_EXECUTE = 1 << 63
ADDRESS = 0x000ffffffffff000
ENTRIES = 512


def index(address, level):
    return address >> 12 + 9 * level & ENTRIES - 1


def page_size(level):
    return kernel.PAGE << 9 * level


def is_page(entry, level):
    return level == 0 or bool(entry & LARGE and level < 3)


def is_canonical(address):
    return address >> 47 in (0, 0x1ffff)


def target(entry, level):
    """The physical address that an entry has: of a page, or of the next table."""
    return entry & ADDRESS & -(page_size(level) if is_page(entry, level) else kernel.PAGE)


def table(physical):
    """The entries of the table at a physical address; None: that is not memory. Within `with kernel.physical()`."""
    try:
        data = kernel.read(physical, kernel.PAGE)
    except kernel.gdb.MemoryError:
        return None
    return [int.from_bytes(data[at:at + 8], "little") for at in range(0, kernel.PAGE, 8)]


def steps(root, address):
    """The walk: (level, physical address of the table, entry or None) for each level, up to the page, or to where it ends."""
    physical, seen = root & ADDRESS, []
    with kernel.physical():
        for level in reversed(range(4)):
            entries = table(physical)
            entry = entries[index(address, level)] if entries else None
            seen.append((level, physical, entry))
            if entry is None or not entry & PRESENT or is_page(entry, level):
                break
            physical = entry & ADDRESS
    return seen


class Tables:
    """All that the tables below `root` hold, of the PML4's entries in `slots`: `found` are the tables' addresses, `pages` is
    (address, entry, level) of each page, also of those that Moss keeps without letting anybody use them."""

    def __init__(self, root, slots):
        self.found, self.pages, self.damaged = set(), [], []
        with kernel.physical():
            self.look(root & ADDRESS, 3, 0, slots)

    def look(self, physical, level, base, slots):
        entries = table(physical)
        if entries is None or physical in self.found:  # tables that contain each other would never end
            what = "is not in memory" if entries is None else "is used twice"
            self.damaged.append("%s at %#x %s" % (LEVELS[level], physical, what))
            return
        self.found.add(physical)
        for number in slots:
            entry, address = entries[number], base + number * page_size(level)
            if level == 3 and number >= ENTRIES // 2:
                address |= 0xffff << 48
            if level == 0 and entry & (PRESENT | NO_ACCESS) or entry & PRESENT and is_page(entry, level):
                self.pages.append((address, entry, level))
            elif entry & PRESENT:
                self.look(entry & ADDRESS, level - 1, address, range(ENTRIES))


USER_HALF, KERNEL_HALF = range(ENTRIES // 2), range(ENTRIES // 2, ENTRIES)


def rights(entry):
    """Of a page: "user rw-", and what Moss notes about it."""
    text = "%s r%s%s" % ("user" if entry & USER else "kernel", "w" if entry & WRITE else "-", "-" if entry & NO_EXECUTE else "x")
    notes = [(COW, "copy-on-write"), (SHARED, "shared"), (NO_ACCESS, "no access")]
    return ", ".join([text] + [name for bit, name in notes if entry & bit])
