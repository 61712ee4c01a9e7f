"""moss syscalls: the system calls that Moss has, and who is in which."""

import kernel
import ps


def registered():
    """(number, function) of each call, from the table that the linker made of all SYSCALL() records."""
    kind = kernel.variable("proc/syscall.c", "table").type.target().target()
    start, stop = kernel.address_of("__start_syscalls"), kernel.address_of("__stop_syscalls")
    size = kind.unqualified().sizeof
    data = kernel.read(start, stop - start)
    number, call = kernel.offset(kind, "number"), kernel.offset(kind, "call")
    for at in range(0, len(data) - size + 1, size):
        record = data[at:at + size]
        yield int.from_bytes(record[number:number + 4], "little"), int.from_bytes(record[call:call + 8], "little")


@kernel.command
class Syscalls(kernel.Command):
    """List the system calls that Moss has: Linux's number, the function, where it is, and which processes are in it now.

    SYSCALL(number, function) beside each function puts a record into a section of its own (guestos/include/syscall.h), and at
    the start syscall_init makes a table of them. A number that is not there is -ENOSYS. A word shows only calls that contain it.
    To stop at one: break sys_openat. All: break syscall_dispatch, where frame->rax has the number.
    usage: moss syscalls [WORD]"""

    name = "moss syscalls"

    def run(self, words):
        if len(words) > 1:
            raise self.usage()
        inside = {}
        for process in kernel.processes():
            who = "%s (%d)" % (kernel.array_text(process["name"]), int(process["pid"]))
            inside.setdefault(ps.call_name(process), []).append(who)
        shown = 0
        for number, call in sorted(registered()):
            name = kernel.symbol(call)
            if not words or words[0] in name:
                where = kernel.place(call).split("(")[-1].rstrip(")")
                print("%4d  %-24s %-40s %s" % (number, name, where, ", ".join(inside.get(name, []))))
                shown += 1
        print("%d calls" % shown)
