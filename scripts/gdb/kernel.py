"""What the commands share: Moss's variables, structures and strings, found by its debugging information, and clear errors."""

import inspect
import re
import gdb

PAGE = 4096
SYSCALL_VECTOR = 0x100  # trap.h: in a trap frame, "a system call"
TEXT_MOST = 256  # bytes of a string that are shown
LIST_MOST = 4096  # elements of a list, after which it is taken for a broken one


class Command(gdb.Command):
    """A command of gdb: its name is in `name`, its help is the text of its class, and its work is in run(words)."""

    name = None
    needs_machine = True  # that stands still

    def __init__(self):
        self.__doc__ = inspect.cleandoc(type(self).__doc__)
        super().__init__(self.name, gdb.COMMAND_DATA, gdb.COMPLETE_NONE, self.name == "moss")

    def invoke(self, argument, from_tty):
        try:
            if self.needs_machine:
                running()
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as problem:
            raise gdb.GdbError("%s: %s. Is that mapped? `moss pt ADDRESS` walks the page tables; before `kmain`, paging is "
                               "off." % (self.name, str(problem).rstrip("."))) from None
        except gdb.error as problem:
            raise gdb.GdbError("%s: %s" % (self.name, problem)) from None

    def usage(self):
        return gdb.GdbError(self.__doc__.split("\n")[-1])


class Moss(Command):
    """Look into Moss, the guest: its processes, page tables, frames, system calls.

    The guest must stand still: type ^C, or let it run to a breakpoint.
    `help moss ps` and so on tell what each command shows, and where to read on."""

    name = "moss"
    needs_machine = False

    def run(self, words):
        raise gdb.GdbError('%s"moss" is followed by one of: %s' % (
            "There is no `moss %s`. " % words[0] if words else "", ", ".join(sorted(COMMANDS))))


COMMANDS = []


def command(kind):
    """Make a class a command of gdb."""
    kind()
    if kind.name.startswith("moss "):
        COMMANDS.append(kind.name[5:])
    return kind


Moss()

# ---- Variables and types ------------------------------------------------------------------------------------------------


def running():
    """Complain unless gdb looks at a machine that stands still."""
    thread = gdb.selected_thread()
    if thread is None:
        raise gdb.GdbError("gdb looks at no machine yet: `target remote ...`, or leave gdb and type `make gdb`")
    if thread.is_running():
        raise gdb.GdbError("the guest is running: stop it first, with ^C or `interrupt`")


def variable(file, name):
    """The variable or function `name` of guestos/`file`."""
    try:
        return gdb.parse_and_eval("'guestos/%s'::%s" % (file, name))
    except gdb.error:
        pass
    if not gdb.objfiles():
        raise gdb.GdbError("there are no symbols of the kernel: type `file build/moss.elf`")
    try:
        gdb.parse_and_eval("'guestos/kernel/main.c'::kmain")
    except gdb.error:
        raise gdb.GdbError("these symbols are not Moss's: type `file build/moss.elf`") from None
    raise gdb.GdbError("this kernel has no %s (guestos/%s): it is of an earlier lab" % (name, file))


def type_of(value, name):
    """The type `name` as the file knows it that holds the function `value`: other files and programs may have others."""
    block = gdb.block_for_pc(int(value.address))
    return gdb.lookup_type(name, block.static_block)


def address_of(name):
    """The address of a symbol, one of assembly or of the linker's included; None: there is no such symbol."""
    try:
        return int(gdb.parse_and_eval("(unsigned long)&%s" % name))
    except gdb.error:
        return None


def offset(kind, member):
    """Where the member of a structure begins, in bytes."""
    return kind[member].bitpos // 8


# ---- What gdb says --------------------------------------------------------------------------------------------------------


def plain(said):
    """What gdb has said, as it is shown. gdb 18 hands it to us as it writes to an editor: each line a record, ~"text\\n"."""
    lines = said.splitlines()
    records = [match.group(1) for match in (re.match(r'[~@]"(.*)"$', line) for line in lines) if match]
    if len(records) != len(lines):
        return said
    return "".join(records).encode("latin-1", "replace").decode("unicode_escape")


def say(command):
    """What gdb answers to a command."""
    return plain(gdb.execute(command, to_string=True))


# ---- Memory -------------------------------------------------------------------------------------------------------------


def read(address, size):
    """Bytes of memory. Of no byte gdb itself would read none, or complain: it depends on its version."""
    return bytes(gdb.selected_inferior().read_memory(address, size)) if size else b""


def word(address):
    return int.from_bytes(read(address, 8), "little")


class physical:
    """In a `with` statement: addresses are physical. Terrarium and QEMU both know this packet."""

    def __enter__(self):
        if '"OK"' not in say("maintenance packet Qqemu.PhyMemMode:1"):
            raise gdb.GdbError("this gdb server cannot read physical memory; Terrarium's and QEMU's can")

    def __exit__(self, *unused):
        say("maintenance packet Qqemu.PhyMemMode:0")


def text(pointer):
    """The string at a pointer of Moss, cut off where it is too long or not mapped."""
    at, found = int(pointer), b""
    if at == 0:
        return ""
    while len(found) < TEXT_MOST:
        try:
            found += read(at + len(found), min(64, PAGE - (at + len(found)) % PAGE))
        except gdb.MemoryError:
            break
        if b"\0" in found:
            break
    return found.split(b"\0")[0][:TEXT_MOST].decode("ascii", "backslashreplace")


def array_text(array):
    """The string in an array of characters."""
    return text(array.address)


def elements(head, kind, member):
    """The structures of type `kind` in Moss's list `head` (list.h). A broken list ends with an error, not never."""
    at, start, seen = int(head["next"]), int(head.address), set()
    if at == 0:
        return  # not initialized yet
    while at != start:
        if at in seen or len(seen) == LIST_MOST:
            raise gdb.GdbError("THE LIST IS BROKEN: it comes back to %#x instead of its head at %#x" % (at, start))
        seen.add(at)
        element = gdb.Value(at - offset(kind, member)).cast(kind.pointer()).dereference()
        yield element
        at = int(element[member]["next"])


# ---- Processes and threads ----------------------------------------------------------------------------------------------


def processes():
    """The processes, in the order in which they were made."""
    kind = variable("proc/process.c", "init_process").type.target()
    return elements(variable("proc/process.c", "processes"), kind, "all")


def process(number):
    """The process with this number (a word that the user typed)."""
    if not number.isdigit():
        raise gdb.GdbError("%s is not the number of a process; `moss ps` lists them" % number)
    for found in processes():
        if int(found["pid"]) == int(number):
            return found
    raise gdb.GdbError("there is no process %s; `moss ps` lists them" % number)


def cpus():
    """The CPUs that have been started."""
    array = variable("kernel/spinlock.c", "cpus")
    return [array[i] for i in range(array.type.range()[1] + 1) if int(array[i]["self"]) == int(array[i].address)]


def cpu_of(thread):
    """The CPU that the thread (struct thread *) has now, or None."""
    for cpu in cpus():
        if int(cpu["current"]) == int(thread):
            return cpu
    return None


def this_cpu():
    """The CPU that gdb looks at, or None before it is started: vCPU n is gdb's thread n + 1."""
    number = gdb.selected_thread().ptid[1] - 1
    found = [cpu for cpu in cpus() if int(cpu["id"]) == number]
    return found[0] if found else None


def this_process():
    """The process (struct process) of the CPU that gdb looks at, or None."""
    cpu = this_cpu()
    if cpu is None or int(cpu["current"]) == 0 or int(cpu["current"]["process"]) == 0:
        return None
    return cpu["current"]["process"].dereference()


def in_user_mode():
    return int(gdb.newest_frame().read_register("cs")) & 3 == 3


# ---- Places -------------------------------------------------------------------------------------------------------------


def symbol(address):
    """"name+offset" of an address, or "?"."""
    said = say("info symbol %#x" % address)
    if said.startswith("No symbol"):
        return "?"
    return said.split(" in section")[0].replace(" ", "")


def place(address):
    """"function (file:line)" of a code address, with the function that an inlined one is in."""
    block, names = gdb.block_for_pc(address), []
    while block is not None and not block.is_static and not block.is_global:
        if block.function is not None and block.function.name not in names:
            names.append(block.function.name)
        block = block.superblock
    line = gdb.find_pc_line(address)
    if not names:
        return symbol(address)
    return " in ".join(names) + (" (%s:%d)" % (line.symtab.filename, line.line) if line.symtab else "")
