"""moss pt: page tables, in words and as a drawing."""

import gdb
import kernel
import walk

BITS = [(walk.PRESENT, "present"), (walk.WRITE, "writable"), (walk.USER, "user"), (walk.ACCESSED, "accessed"),
        (walk.DIRTY, "dirty"), (walk.LARGE, "large page"), (walk.GLOBAL, "global"), (walk.COW, "[Moss: copy-on-write]"),
        (walk.SHARED, "[Moss: shared]"), (walk.NO_ACCESS, "[Moss: no access]"), (walk.NO_EXECUTE, "no-execute")]
DRAWING = """\
      63      48 47    39 38    30 29    21 20    12 11         0
     +----------+--------+--------+--------+--------+------------+
     |   sign   |  {3:3}   |  {2:3}   |  {1:3}   |  {0:3}   |   {4:#05x}    |
     +----------+--------+--------+--------+--------+------------+
                   PML4     PDPT      PD       PT      in the page"""
LINES_MOST = 200


def words_of(entry, level):
    named = BITS if walk.is_page(entry, level) else [bit for bit in BITS if bit[0] not in (walk.LARGE, walk.DIRTY, walk.GLOBAL)]
    return ", ".join(name for bit, name in named if entry & bit)


def show_walk(root, address):
    address &= (1 << 64) - 1
    print("%016x, by the tables at CR3 = %#x:" % (address, root))
    print(DRAWING.format(*(walk.index(address, level) for level in range(4)), address % kernel.PAGE))
    if not walk.is_canonical(address):
        print("NOT CANONICAL: bits 63 to 48 must be as bit 47 is. No table is looked at; such an access is a #GP, not a #PF")
        return
    seen = []
    for depth, (level, physical, entry) in enumerate(walk.steps(root, address)):
        where = "%s%s[%d]" % ("  " * depth, walk.LEVELS[level], walk.index(address, level))
        if entry is None:
            print("%s: THE TABLE AT %#x IS NOT IN MEMORY" % (where, physical))
            return
        seen.append(entry)
        print("%-16s at %#x: %016x  %s" % (where, physical + 8 * walk.index(address, level), entry,
                                           words_of(entry, level) if entry & walk.PRESENT else
                                           "NOT PRESENT" + (", " + words_of(entry, level) if entry & walk.NO_ACCESS else "")))
    conclude(seen, level, entry, address)


def conclude(seen, level, entry, address):
    """What the walk comes to: each right needs all entries on the way to grant it."""
    if not entry & walk.PRESENT:
        print("=> a page fault: the %s has no entry for it" % walk.LEVELS[level])
        return
    writable, user = (all(each & bit for each in seen) for bit in (walk.WRITE, walk.USER))
    executable = not any(each & walk.NO_EXECUTE for each in seen)
    size = walk.page_size(level)
    print("=> physical %#x, in a page of %s: %s may read it%s%s" % (
        walk.target(entry, level) | address & size - 1, {0: "4 KiB", 1: "2 MiB", 2: "1 GiB"}[level],
        "programs, too," if user else "only the kernel", ", write" if writable else "", ", execute" if executable else ""))


def runs(pages):
    """Neighbouring pages with the same rights as one: (start, end, what, number of pages)."""
    start = None
    for address, entry, level in sorted(pages):
        what, end = walk.rights(entry), address + walk.page_size(level)
        if start is not None and (address, what) == (until, same):
            until, count = end, count + 1
            continue
        if start is not None:
            yield start, until, same, count
        start, until, same, count = address, end, what, 1
    if start is not None:
        yield start, until, same, count


def area_words(area):
    return "".join(letter if int(area["prot"]) & bit else "-" for bit, letter in ((1, "r"), (2, "w"), (4, "x"))) + (
        " from a file" if int(area["vnode"]) else " zeros at first")


def areas(vm):
    """The areas of an address space. A list that leads back ends."""
    at, seen = vm["areas"], set()
    while int(at) and int(at) not in seen:
        seen.add(int(at))
        yield at.dereference()
        at = at["next"]
    if int(at):
        print("    THE LIST OF AREAS IS BROKEN: it comes back to %#x" % int(at))


def show_space(process):
    if int(process["vm"]) == 0:
        raise gdb.GdbError("process %d has no memory any more" % int(process["pid"]))
    tables = walk.Tables(int(process["vm"]["pml4"]), walk.USER_HALF)
    print("process %d, %s: PML4 at %#x, %d tables, %d pages" % (int(process["pid"]), kernel.array_text(process["name"]),
                                                              int(process["vm"]["pml4"]), len(tables.found), len(tables.pages)))
    pages, lines = list(runs(tables.pages)), 0
    for area in areas(process["vm"]):
        start, end = int(area["start"]), int(area["end"])
        print("%014x-%014x %s" % (start, end, area_words(area)))
        inside = [run for run in pages if start <= run[0] < end]
        for number, (at, until, what, count) in enumerate(inside):
            print("  %s %012x-%012x %-28s %d page%s" % ("`--" if number + 1 == len(inside) else "|--", at, until, what, count,
                                                         "" if count == 1 else "s"))
        lines += 1 + len(inside)
        if lines > LINES_MOST:
            print("... (more than %d lines)" % LINES_MOST)
            break
    for damage in tables.damaged:
        print("DAMAGED: the %s" % damage)


@kernel.command
class Pt(kernel.Command):
    """Walk the page tables as the CPU does, or show all that a process has mapped.

    moss pt ADDRESS: every level for an address (an expression: $rsp, &processes, 0x401000), what each bit says, and what all
    together allow. With a PID behind it, by the tables of that process; else by those that the CPU uses now (CR3).
    moss pt PID: the areas of the process (what it asked for), and below each the pages that it has got so far: an area
    without pages has not been touched yet.
    To read: guestos/include/paging.h, guestos/include/vm.h; Intel SDM 3A 4.5 and figure 4-8.
    usage: moss pt PID | ADDRESS [PID]"""

    name = "moss pt"

    def run(self, words):
        if not 1 <= len(words) <= 2:
            raise self.usage()
        if len(words) == 1 and words[0].isdigit():
            show_space(kernel.process(words[0]))
        else:
            show_walk(self.root(words[1:]), int(gdb.parse_and_eval(words[0]).cast(gdb.lookup_type("unsigned long"))))

    @staticmethod
    def root(words):
        if words:
            memory = kernel.process(words[0])["vm"]
            if int(memory) == 0:
                raise gdb.GdbError("process %s has no memory any more" % words[0])
            return int(memory["pml4"])
        if not int(gdb.parse_and_eval("$cr0")) & 1 << 31:
            raise gdb.GdbError("paging is off (bit 31 of CR0 is 0): every address is physical")
        return int(gdb.parse_and_eval("$cr3"))
