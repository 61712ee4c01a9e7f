"""moss ps: the processes."""

import kernel

ROW = "%5s %5s  %-10s %6s  %-18s %s"
RESIDENT_KIB = kernel.PAGE // 1024


def state_of(process):
    """What `ps` calls the state of a process, in a word."""
    thread = process["thread"]
    if process["zombie"]:
        return "zombie"
    if int(thread) == 0:
        return "ending"
    cpu = kernel.cpu_of(thread)
    if cpu is not None:
        return "on CPU %d" % int(cpu["id"])
    if int(process["stopped"]):
        return "stopped"
    return str(thread["state"]).replace("THREAD_", "").lower()


def call_name(process):
    """The function of the system call that a process is in; "program": it was interrupted in its own code; "-": it runs."""
    if int(process["thread"]) == 0 or kernel.cpu_of(process["thread"]) is not None:
        return "-"
    frame = process["frame"]
    if int(frame) == 0:
        return "program"
    if int(frame["vector"]) != kernel.SYSCALL_VECTOR:
        return "program"
    table = kernel.variable("proc/syscall.c", "table")
    number = int(frame["error"])
    if number > table.type.range()[1] or int(table[number]) == 0:
        return "call %d" % number
    return kernel.symbol(int(table[number]["call"]))


def row(process):
    parent, memory = process["parent"], process["vm"]
    return ROW % (int(process["pid"]), int(parent["pid"]) if int(parent) else 0, state_of(process),
                  int(memory["resident"]) * RESIDENT_KIB if int(memory) else "-", call_name(process),
                  kernel.array_text(process["name"]))


@kernel.command
class Ps(kernel.Command):
    """List Moss's processes, from the kernel's own list.

    STATE is "on CPU n" (the one that gdb shows you registers of), ready (waits for its turn), waiting (for an event, or for
    time), stopped (by a signal), zombie (ended; its parent has not asked how). IN is the function of the system call that it
    is in; "program": it was interrupted in its own code.
    Try next: `moss bt PID`, `moss pt PID`. To read: struct process in guestos/include/process.h.
    usage: moss ps"""

    name = "moss ps"

    def run(self, words):
        if words:
            raise self.usage()
        listed = kernel.processes()
        print(ROW % ("PID", "PPID", "STATE", "KiB", "IN", "NAME"))
        for process in listed:
            print(row(process))
