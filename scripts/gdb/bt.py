"""moss bt: where a process that is not running stands in the kernel."""

import gdb
import kernel
import trapframe

SAVED = 6  # words that switch_stacks (guestos/kernel/switch.S) has pushed: r15, r14, r13, r12, rbx, rbp; then its return address
FRAMES_MOST = 64
STACK_MOST = 1 << 16  # a frame further away than this is not of this stack


def stack_frames(rsp):
    """The return addresses on a saved stack, innermost first: each frame begins with its caller's rbp, and the address above."""
    base, pc = kernel.word(rsp + 8 * (SAVED - 1)), kernel.word(rsp + 8 * SAVED)
    yield pc
    below = rsp
    for _ in range(FRAMES_MOST):
        if base == 0:
            return
        if base % 8 or not below < base < rsp + STACK_MOST:
            print("    THE CHAIN OF FRAMES IS BROKEN: rbp is %#x, which is not on this stack" % base)
            return
        below, pc, base = base, kernel.word(base + 8), kernel.word(base)
        yield pc
    print("    (more than %d frames)" % FRAMES_MOST)


def show_stack(thread):
    rsp = int(thread["rsp"])
    print("saved rsp %#x, on the stack at %#x" % (rsp, int(thread["stack"])))
    for number, pc in enumerate(stack_frames(rsp)):
        print("#%-2d %#x  %s" % (number, pc, kernel.place(pc - 1)))  # a return address may lie behind the function's end


def show_process(process):
    print("process %d, %s: " % (int(process["pid"]), kernel.array_text(process["name"])), end="")
    thread = process["thread"]
    if int(thread) == 0:
        print("has ended, and has no stack any more")
    elif kernel.cpu_of(thread) is not None:
        print("is running on CPU %d: `backtrace` shows its stack" % int(kernel.cpu_of(thread)["id"]))
    else:
        show_stack(thread)
        if int(process["frame"]):
            frame = process["frame"]
            print("    entered from the program at %#x %s: %s" % (
                int(frame["rip"]), kernel.symbol(int(frame["rip"])), trapframe.cause(frame)))


@kernel.command
class Bt(kernel.Command):
    """Show the kernel stack of a process that is not running, or of all.

    While a thread does not run, all that the CPU must know of it lies on its own kernel stack, and struct thread keeps where
    (rsp). switch_stacks pushed its registers there, and whoever switches to it pops them. From rbp on, each frame leads to its
    caller's. An expression of type struct thread * is allowed, too: moss bt cpus[0].idle
    To read: guestos/kernel/switch.S, schedule() in guestos/kernel/thread.c.
    usage: moss bt [PID | THREAD]"""

    name = "moss bt"

    def run(self, words):
        if len(words) > 1:
            raise self.usage()
        if words and not words[0].isdigit():
            self.show_thread(words[0])
            return
        for process in [kernel.process(words[0])] if words else kernel.processes():
            show_process(process)

    @staticmethod
    def show_thread(expression):
        thread = gdb.parse_and_eval(expression)
        if str(thread.type.unqualified()) != "struct thread *":
            raise gdb.GdbError("%s is of type %s, not a struct thread *; nor is it a PID" % (expression, thread.type))
        if int(thread) == 0:
            raise gdb.GdbError("%s is NULL" % expression)
        if kernel.cpu_of(thread) is not None:
            raise gdb.GdbError("that thread is running: `backtrace` shows its stack")
        show_stack(thread)
