"""How gdb's `backtrace` gets through a trap: from the kernel's frames, by the trap frame, to the code that was interrupted.

Assembly says nothing about its stack, so gdb cannot know that `trap_common` and `syscall_entry` have pushed all registers, nor
that nothing called the first function of a thread. The program's frame is the last that is shown: gdb would not believe that
its callers lie at lower addresses.
"""

import gdb
from gdb.unwinder import Unwinder, register_unwinder
import kernel

CALL = 0xe8  # the instruction's first byte; four more follow
OTHER_NAMES = {"rflags": "eflags"}  # gdb's name for a member of struct trapframe
NOT_REGISTERS = {"vector", "error"}
FIRST = ["thread_begin", "higher_half"]  # where the stack of a thread, of the first one, begins


def frame_type():
    """struct trapframe, as trap_dispatch takes it."""
    return kernel.variable("kernel/traps.c", "trap_dispatch").type.fields()[0].type.target()


def function_at(address):
    """The name of the symbol that an address belongs to."""
    return kernel.symbol(address).split("+")[0]


def trapframe_address(frame):
    """Where the trap frame is that this frame of gdb's (or a pending one) has made; None: it is not one that makes any."""
    pc = int(frame.read_register("rip"))
    name = function_at(pc)
    if name not in ("trap_common", "syscall_entry") or kernel.read(pc - 5, 1)[0] != CALL:
        return None
    return int(frame.read_register("rbx" if name == "trap_common" else "rsp"))


class FrameId:
    """What gdb knows a frame by."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class TrapUnwinder(Unwinder):
    """Finds the caller of a frame that has no caller in the sense of C."""

    def __init__(self):
        super().__init__("moss-traps")
        self.interrupted = {}  # (rip, rsp) of programs: the trap frame that they were found in
        gdb.events.cont.connect(lambda event: self.interrupted.clear())

    def __call__(self, frame):
        try:
            return self.find(frame)
        except (gdb.error, gdb.GdbError):  # no such symbols, no such memory: others may know more
            return None

    def find(self, frame):
        pc = int(frame.read_register("rip"))
        sp = frame.read_register("rsp")
        if pc < 1 << 63:
            at = self.interrupted.get((pc, int(sp)))
            return None if at is None else self.end(frame, gdb.Value(at).cast(sp.type))
        at = trapframe_address(frame)
        if at is not None:
            return self.through(frame, sp, at)
        return self.end(frame, sp) if function_at(pc) in FIRST else None

    def end(self, frame, sp):
        """The last frame: gdb ends a backtrace where the next address is 0, and memory further up can be read there."""
        found = frame.create_unwind_info(FrameId(sp, frame.read_register("rip")))
        self.add(frame, found, "rip", 0)
        self.add(frame, found, "rsp", kernel.address_of("kernel_end") - 16)
        return found

    def through(self, frame, sp, at):
        found = frame.create_unwind_info(FrameId(sp, frame.read_register("rip")))
        registers = gdb.Value(at).cast(frame_type().pointer())
        values = {field.name: int(registers[field.name]) for field in frame_type().fields() if field.name not in NOT_REGISTERS}
        if "+" not in kernel.symbol(values["rip"]):  # the first instruction of a function has faulted; gdb looks at what lies
            values["rip"] += 1  # before an address, for the call. trap_entry.S does the same for Moss's own backtrace
        for name, value in values.items():
            self.add(frame, found, OTHER_NAMES.get(name, name), value)
        self.interrupted[values["rip"], values["rsp"]] = at + frame_type().sizeof
        return found

    @staticmethod
    def add(frame, found, name, number):
        kind = frame.read_register(name).type
        integer = gdb.lookup_type("unsigned int" if kind.sizeof == 4 else "unsigned long")
        found.add_saved_register(name, gdb.Value(number & (1 << 8 * kind.sizeof) - 1).cast(integer).cast(kind))


register_unwinder(None, TrapUnwinder(), replace=True)
