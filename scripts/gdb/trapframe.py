"""moss trapframe: the registers that an interrupted program or kernel has left on the stack."""

import gdb
import kernel
import unwind

PAGE_FAULT, FIRST_IRQ, TIMER = 14, 32, 0xf0
ACCESS = {0: "read", 2: "write", 0x10: "fetch an instruction"}  # by bits of a page fault's error code (Intel SDM 3A 4.7)
REGISTERS = [("rax", "rbx", "rcx", "rdx"), ("rsi", "rdi", "rbp", "rsp"), ("r8", "r9", "r10", "r11"), ("r12", "r13", "r14", "r15")]


def cause(frame):
    """Why the kernel was entered, in words."""
    vector, error = int(frame["vector"]), int(frame["error"])
    if vector == kernel.SYSCALL_VECTOR:
        return "system call %d (SYSCALL)" % error
    if vector == PAGE_FAULT:
        who = "a program" if error & 4 else "the kernel"
        return "page fault: %s tried to %s where %s; CR2 has the address" % (
            who, ACCESS.get(error & 0x12, "access memory"), "that is not allowed" if error & 1 else "no page is mapped")
    if vector == TIMER:
        return "the timer's tick"
    names = kernel.variable("kernel/traps.c", "names")
    if vector <= names.type.range()[1]:
        return "exception %d, %s; error code %#x" % (vector, kernel.text(names[vector]), error)
    return "interrupt vector %d (line %d)" % (vector, vector - FIRST_IRQ)


def show(frame):
    user = int(frame["cs"]) & 3
    print("trap frame at %#x: %s" % (int(frame.address), cause(frame)))
    print("from %s, at rip %#x %s" % ("a program (ring 3)" if user else "the kernel (ring 0)", int(frame["rip"]),
                                      kernel.symbol(int(frame["rip"]))))
    print("cs %#x  ss %#x  rflags %#x (interrupts %s)" % (
        int(frame["cs"]), int(frame["ss"]), int(frame["rflags"]), "on" if int(frame["rflags"]) & 0x200 else "off"))
    for names in REGISTERS:
        print("  ".join("%-3s %016x" % (name, int(frame[name])) for name in names))


def innermost():
    """The trap frame that the code where gdb stands runs for."""
    frame = gdb.newest_frame()
    while frame is not None:
        at = unwind.trapframe_address(frame)
        if at is not None:
            return at
        frame = frame.older()
    if kernel.in_user_mode():
        raise gdb.GdbError("a program is running, so there is none: a trap frame lies on the stack while the kernel works for it")
    raise gdb.GdbError("the kernel was not entered by a trap or a system call here, or is not done with pushing the registers")


@kernel.command
class TrapFrame(kernel.Command):
    """Show the trap frame: all registers of the code that a trap or system call has interrupted.

    The CPU pushes five words (ss, rsp, rflags, cs, rip), and guestos/kernel/trap_entry.S the rest. When the kernel returns, it
    takes the registers from there again: whoever changes the frame changes where the program goes on.
    Without a word: that of the innermost trap; with a PID, that of a process that is in the kernel; else any address.
    To read: struct trapframe in guestos/include/trap.h; Intel SDM 3A 6.14.2.
    usage: moss trapframe [PID | ADDRESS]"""

    name = "moss trapframe"

    def run(self, words):
        if len(words) > 1:
            raise self.usage()
        if words and words[0].isdigit():
            process = kernel.process(words[0])
            if int(process["thread"]) == 0:
                raise gdb.GdbError("process %s has ended: its stack, where the trap frame was, is gone" % words[0])
            if int(process["frame"]) == 0:
                raise gdb.GdbError("process %s has not entered the kernel by itself yet" % words[0])
            if kernel.cpu_of(process["thread"]) is not None and kernel.in_user_mode():
                raise gdb.GdbError("process %s is running its own code: `info registers` shows the registers" % words[0])
            at = int(process["frame"])
        else:
            at = int(gdb.parse_and_eval(words[0])) if words else innermost()
        show(gdb.Value(at & (1 << 64) - 1).cast(unwind.frame_type().pointer()).dereference())
