"""hypervisor: a second gdb, on Terrarium, while the first one has the guest."""

import os
import shlex
import gdb
import kernel

PREPARE = ["-ex", "handle SIGUSR1 nostop noprint pass"]  # with it vCPUs are kicked out of KVM_RUN


@kernel.command
class Hypervisor(kernel.Command):
    """Open a gdb on Terrarium, the process that the guest runs in; leave it with `quit`, and you are here again.

    Meanwhile the guest stays as you have left it. To see what Terrarium does for it, let it run in the background first:
      continue &
      hypervisor
        break bus_access          in the second gdb: where every port and MMIO access arrives
        continue
        backtrace
        quit                      answer y: Terrarium goes on
      interrupt                   here again
    Words behind it are options for the second gdb, as in: hypervisor -batch -ex "info threads"
    It is there after `make gdb WHO=both`. To read: hypervisor/vcpu.c, the loop around the guest.
    usage: hypervisor [OPTION...]"""

    name = "hypervisor"
    needs_machine = False

    def run(self, words):
        process = os.environ.get("TERRARIUM_PID")
        if not process:
            raise gdb.GdbError("gdb does not know Terrarium's process: leave, and type `make gdb WHO=both`")
        options = ["-q", "-p", process, *PREPARE, *words]
        gdb.execute("shell %s" % " ".join(map(shlex.quote, [os.environ.get("GDB") or "gdb", *options])))
        if int(gdb.convenience_variable("_shell_exitcode") or 0):
            raise gdb.GdbError("the second gdb has failed. If it may not attach (ptrace: Operation not permitted): "
                               "sudo sysctl kernel.yama.ptrace_scope=0")
