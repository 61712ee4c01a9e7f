"""exits: what the guest has cost the hypervisor, by reason."""

import re
import gdb
import kernel

before = {}  # (vCPU, reason): count when they were shown last


def parse(text):
    """(vCPU, reason, count) from what Terrarium's `monitor exits` says."""
    cpu = None
    for line in text.splitlines():
        head, row = re.match(r"vCPU (\d+):", line), re.match(r"\s+([\d,]+)\s+(\S.*)", line)
        if head:
            cpu = int(head.group(1))
        elif row and cpu is not None:
            yield cpu, row.group(2), int(row.group(1).replace(",", ""))


@kernel.command
class Exits(kernel.Command):
    """Show how often the guest has left to the hypervisor (a VM exit), by reason, and how often since `exits` was typed last.

    An exit costs more than a thousand instructions. So: `exits`, `next`, `exits` tells what a line of Moss costs. Watch how
    a byte on the serial port is an exit each, and a whole line on the virtio console none or one.
    Steps and breakpoints of gdb's own are exits too: KVM_EXIT_DEBUG, or an OUT to port 0xb5 where KVM does not report INT3.
    To read: hypervisor/vcpu.c; KVM API, "5. The kvm_run structure".
    usage: exits"""

    name = "exits"

    def run(self, words):
        if words:
            raise self.usage()
        try:
            said = kernel.say("monitor exits")
        except gdb.error:
            said = ""
        rows = list(parse(said))
        if not rows:
            raise gdb.GdbError("this gdb server has no `monitor exits`: Terrarium's has")
        print("%4s %10s %10s  %s" % ("vCPU", "EXITS", "SINCE LAST", "REASON"))
        for cpu, reason, count in sorted(rows, key=lambda row: (row[0], -row[2])):
            print("%4d %10d %+10d  %s" % (cpu, count, count - before.get((cpu, reason), 0), reason))
            before[(cpu, reason)] = count
