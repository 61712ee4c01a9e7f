"""moss symbols, moss start: debugging the program that Moss runs."""

import os
import gdb
import kernel
import walk

HEADER = 40  # bytes of an ELF header that strip(1) leaves as they are: up to e_phoff
PHNUM_AT, PHDR_SIZE = 56, 56


class Loaded:
    """The program whose symbols gdb has beside the kernel's."""

    file = path = None


def find(name):
    """The file with the symbols of Moss's program `name`, which `make` has left beside the kernel."""
    kernel.variable("kernel/main.c", "kmain")  # complains if this is not Moss
    build = os.path.dirname(gdb.lookup_global_symbol("kmain").symtab.objfile.filename)
    path = os.path.join(build, "user", os.path.basename(name))
    if not os.path.isfile(path):
        raise gdb.GdbError("there is no file with symbols for %s: only Moss's own programs have one, here %s" % (name, path))
    return path


def user_memory(process, address, size):
    """Bytes of a process, by its own page tables; None: not mapped. They must not cross pages."""
    level, _, entry = walk.steps(int(process["vm"]["pml4"]), address)[-1]
    if entry is None or not entry & walk.PRESENT:
        return None
    with kernel.physical():
        return kernel.read(walk.target(entry, level) | address & walk.page_size(level) - 1, size)


def is_same(process, path):
    """Whether the process runs this file: by the header, which is at the beginning of its memory."""
    with open(path, "rb") as file:
        wanted = file.read(kernel.PAGE)
    table = slice(64, 64 + PHDR_SIZE * int.from_bytes(wanted[PHNUM_AT:PHNUM_AT + 2], "little"))
    seen = user_memory(process, int(process["vm"]["areas"]["start"]), kernel.PAGE)
    return seen is None or (seen[:HEADER], seen[table]) == (wanted[:HEADER], wanted[table])


def forget():
    if Loaded.file:
        try:
            gdb.execute("remove-symbol-file %s" % Loaded.file, to_string=True)
        except gdb.error:
            pass  # the user has removed them
    Loaded.file = Loaded.path = None


def load(path):
    forget()
    gdb.execute("add-symbol-file %s -o 0" % path, to_string=True)
    Loaded.file = path


def load_of(process):
    """Take the symbols of a process. Returns the file."""
    program = kernel.text(process["program"]) if int(process["vm"]) else ""
    if not program:
        raise gdb.GdbError("process %d runs no program" % int(process["pid"]))
    forget()
    Loaded.path = program  # looked for once
    path = find(program)
    if not is_same(process, path):
        raise gdb.GdbError("%s is not the program %s that process %d runs: was it built again since?" % (
            path, program, int(process["pid"])))
    load(path)
    Loaded.path = program
    return path


def follow(event):
    """The guest has stopped: have the symbols of the program that runs now, if there are any."""
    try:
        process = kernel.this_process()
        program = kernel.text(process["program"]) if process is not None and int(process["vm"]) else ""
    except (gdb.error, gdb.GdbError):
        return  # not Moss, or not so far yet
    if program in ("", Loaded.path):
        return
    try:
        file = os.path.relpath(load_of(process))
        print("[%s runs, process %d: symbols of %s]" % (kernel.array_text(process["name"]), int(process["pid"]), file))
    except (gdb.error, gdb.GdbError) as problem:
        print("[%s]" % problem)


if hasattr(gdb, "moss_follow"):
    gdb.events.stop.disconnect(gdb.moss_follow)
gdb.moss_follow = follow
gdb.events.stop.connect(follow)


@kernel.command
class Symbols(kernel.Command):
    """Take the symbols of a program: of a process, or by its name.

    When the guest stops, gdb takes those of the program that runs by itself. In Moss's memory programs are without symbols;
    the files that have them lie in the build directory, in user/. With them: break main, list, backtrace, print argv[0].
    All programs lie at the same addresses, so gdb has the symbols of one at a time. What is loaded anew replaces the other.
    A breakpoint in a program needs memory that is mapped: `moss start NAME` goes there. See also `moss pt PID`.
    usage: moss symbols [PID | NAME]"""

    name = "moss symbols"

    def run(self, words):
        if len(words) > 1:
            raise self.usage()
        if words and not words[0].isdigit():
            load(find(words[0]))
        else:
            process = kernel.process(words[0]) if words else kernel.this_process()
            if process is None:
                raise gdb.GdbError("no program is running here; `moss ps` lists the processes: moss symbols PID")
            load_of(process)
        print("symbols of %s" % Loaded.file)


def runs(program):
    """Whether the process that the CPU works for is of this name."""
    process = kernel.this_process()
    return process is not None and kernel.array_text(process["name"]) == program


class PageArrives(gdb.Breakpoint):
    """Stops in the kernel where it gives the program its page with the code at `address`."""

    def __init__(self, program, address):
        super().__init__("vm_fault", internal=True)
        self.silent = True
        self.program, self.page = program, address & -kernel.PAGE

    def stop(self):
        return int(gdb.newest_frame().read_var("address")) & -kernel.PAGE == self.page and runs(self.program)


class InMain(gdb.Breakpoint):
    """Stops once in the program's main(): other programs have code at the same address."""

    def __init__(self, program):
        super().__init__("main", temporary=True)
        self.program = program

    def stop(self):
        return runs(self.program)


@kernel.command
class Start(kernel.Command):
    """Let the guest run until the next program of this name is in its main().

    Type the program's name at Moss's prompt, then or before: with `make gdb`, by `shell echo ls >$CONSOLE`.
    When a program starts, none of its code is in memory: the page with main() comes when the CPU first wants an instruction
    of it, by a page fault. A breakpoint can be put there only then. So this stops in vm_fault (guestos/proc/vm.c) for that
    page, lets it finish, and puts one.
    usage: moss start NAME"""

    name = "moss start"

    def run(self, words):
        if len(words) != 1:
            raise self.usage()
        program = os.path.basename(words[0])
        load(find(program))
        point = PageArrives(program, int(gdb.parse_and_eval("(unsigned long)&main")))
        try:
            gdb.execute("continue", to_string=True)
        finally:
            point.delete()
        if gdb.selected_thread() is None or gdb.newest_frame().name() != "vm_fault" or not runs(program):
            raise gdb.GdbError("the guest stopped before %s had started" % program)
        gdb.execute("finish", to_string=True)
        load(find(program))
        Loaded.path = kernel.text(kernel.this_process()["program"])
        InMain(program)
        gdb.execute("continue")
