"""Terrarium's gdb server under the real gdb with the commands of scripts/gdb, `make gdb`, and the sessions of editors.

The commands themselves are tested in tests/kit/test_gdb_commands.py, in plain QEMU.
"""

import importlib.util
import json
import os
import re
import subprocess
import tempfile
import unittest
from tests.support import moss
from tests.support.gdb import GDB, KERNEL, QUIET, Session, session, start

HITS = 1000
LINES = 400


def neighbour(name):
    """The module in a file beside this one, as it is for this build."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("%s_shared" % name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Guest = neighbour("system_gdb").Guest


class OnTerrarium(Session):
    """From the first instruction on, through breakpoints that gdb decides about, to the end of a loop in the shell."""

    @classmethod
    def hold(cls):
        numbers = b" ".join(b"%d" % i for i in range(LINES))
        with Guest(script=b"for i in " + numbers + b"; do echo line $i; done\n") as guest:
            guest.printed(b"waiting for gdb", guest.errors)
            cls.said = session(guest.socket, [
                ("early", "moss ps"), ("early_pt", "moss pt $rip"),
                "break vm_fault", "continue", "continue", ("fault", "backtrace"), ("fault_frame", "moss trapframe"),
                ("fault_cause", 'printf "%#lx %#lx\\n", address, $cr2'), "delete",
                "python address = int(gdb.parse_and_eval('(unsigned long)&processes'))",
                ("pt", "moss pt &processes"), ("pt_expected", "python gdb.execute('monitor walk %#x' % address)"),
                "set $pml4 = init_process->vm->pml4", "set variable init_process->vm->pml4 = 0x7ffffff000",
                ("broken_tables", "moss pt 0x401000 1"), ("broken_space", "moss pt 1"),
                "set variable init_process->vm->pml4 = $pml4",
                ("virtq", "virtq virtio-console"), ("exits", "exits"), ("exits_again", "exits"),
                "set can-use-hw-watchpoints 0", "break frame_alloc_user", "continue", "delete",
                "set $before = 'guestos/mm/frames.c'::available",
                ("watch", "watch 'guestos/mm/frames.c'::available"), "continue",
                ("watched", "printf \"%#lx %#lx\\n\", $before, 'guestos/mm/frames.c'::available"), ("watched_in", "backtrace 1"),
                "delete", "set $hits = 0", "break syscall_dispatch if ++$hits == %d" % HITS, "continue",
                ("hits", 'printf "%#x\\n", $hits'),
                ("hits_at", 'printf "%#lx %#lx\\n", $pc, (unsigned long)&syscall_dispatch'), ("ps", "moss ps"),
                "delete", "detach"])
            # gdb leaves, and comes again while the shell works: it goes on as if nobody had looked.
            guest.type(b"echo again\n")
            guest.printed(b"again\n")
            cls.second = session(guest.socket, [("cs", 'printf "%#x\\n", $cs'), ("end", "detach")], kernel=None)
            guest.type(b"exit 8\n")
            cls.status = guest.wait()
            cls.output = guest.content(guest.output)

    def test_before_paging(self):
        self.assertRegex(self.said["early"], "moss ps: Cannot access memory at address 0xffffffff[0-9a-f]+. Is that mapped")
        self.assertIn("paging is off", self.said["early_pt"])

    def test_a_backtrace_through_a_page_fault_to_the_program(self):
        self.assertRegex(self.said["fault"], r"#0 +vm_fault [^#]*(#\d+ .*\n)*#\d+ .*page_fault .*\n#\d+ .*trap_dispatch .*\n"
                                             r"#\d+ .*trap_common .*\n#\d+ +0x0000000000\w{6} in .*\n#\d+ +0x0+ in \?\?")
        address, cr2 = self.numbers("fault_cause")
        self.assertEqual(address, cr2, "the page fault that the kernel works at is the last one")
        self.assertIn("page fault: a program tried to", self.said["fault_frame"])

    def test_pt_finds_what_the_hypervisor_finds(self):
        expected = re.search(r"-> ([0-9a-f]+) \(kernel", self.said["pt_expected"])
        self.assertTrue(expected, self.said["pt_expected"])
        self.assertIn("=> physical 0x%x," % int(expected.group(1), 16), self.said["pt"])

    def test_tables_outside_memory(self):
        self.assertIn("IS NOT IN MEMORY", self.said["broken_tables"])
        self.assertIn("is not in memory", self.said["broken_space"])

    def test_virtq_shows_what_the_driver_has_offered(self):
        queue = re.search(r"queue 0: (\d+) places.*?(\d+) chains with the device\n(.*?)queue 1", self.said["virtq"], re.S)
        self.assertTrue(queue, self.said["virtq"])
        count = int(queue.group(2))
        self.assertGreater(count, 0, "the console's driver waits for input")
        self.assertEqual(queue.group(3).count("A"), count)
        self.assertEqual(len(re.findall(r"chain +\d+: \[\d+\] [0-9a-f]+\+\d+ W", queue.group(3))), min(16, count))

    def test_exits_counts_since_the_last_time(self):
        rows = r"^ *0 +(\d+) +\+(\d+)  .*KVM_EXIT_"
        first, again = (re.findall(rows, self.said[name], re.M) for name in ("exits", "exits_again"))
        self.assertTrue(first, self.said["exits"])
        self.assertTrue(all(count == since and int(count) for count, since in first), first)
        self.assertEqual(again, [(count, "0") for count, _ in first], "the guest stood still between the two")

    def test_a_variable_that_is_watched_by_stepping(self):
        self.assertIn("Watchpoint", self.said["watch"])
        before, after = self.numbers("watched")
        self.assertEqual(after, before - 1, "one frame was taken")
        self.assertRegex(self.said["watched_in"], "take|frame_alloc")

    def test_a_condition_is_evaluated_a_thousand_times(self):
        self.assertEqual(self.numbers("hits"), [HITS])
        at, dispatch = self.numbers("hits_at")
        self.assertEqual(at, dispatch)
        self.assertRegex(self.said["ps"], "on CPU 0 .* sh")

    def test_no_byte_of_the_console_is_lost(self):
        expected = b"".join(b"line %d\n" % i for i in range(LINES))
        self.assertIn(expected, self.output)

    def test_the_guest_goes_on_without_gdb(self):
        self.assertRegex(self.second["cs"], "^\\s*0x[0-9a-f]+\\s*$")
        self.assertEqual(self.status, 8)

    def test_no_python_error_is_shown(self):
        self.no_python_error()


class Start(unittest.TestCase):
    def test_a_guest_and_the_hypervisor_around_it(self):
        """scripts/gdb/start as `make gdb WHO=both` calls it."""
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as file:
            file.write("set confirm off\nbreak syscall_dispatch\ncontinue\nshell echo 'exit 3' >$CONSOLE\nmoss ps\n"
                       'hypervisor -batch -ex "info threads"\ndelete\ncontinue\n')
            file.flush()
            said = start("both", "-batch -x " + file.name).stdout
        self.assertRegex(said, r"1 +0 +on CPU 0 .*init")
        self.assertIn("LWP", said, "the second gdb lists Terrarium's threads")
        self.assertIn("exited with code 03", said)


class Machine:
    """gdb with its machine interface, as editors use it."""

    def __init__(self):
        self.process = subprocess.Popen([GDB, "-nx", "--interpreter=mi2"], cwd=moss.ROOT, env=QUIET, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
        self.seen = []

    def until(self, pattern):
        """The first line from here on that matches; an error of gdb's ends the test."""
        for line in self.process.stdout:
            self.seen.append(line)
            if re.match(pattern, line):
                return line
        raise AssertionError("gdb ended without %s:\n%s" % (pattern, "".join(self.seen)[-3000:]))

    def ask(self, command, expected="done"):
        number = str(len(self.seen) + 1000)
        self.process.stdin.write(number + command + "\n")
        self.process.stdin.flush()
        line = self.until(number + r"\^")
        if not line.startswith(number + "^" + expected):
            raise AssertionError("%s is answered by %s" % (command, line))
        return line


class Editor(unittest.TestCase):
    """What Visual Studio Code's debugger does with the settings that `make vscode` writes (MIEngine's order of commands)."""

    def settings(self):
        with tempfile.TemporaryDirectory() as directory:
            options = "--kernel %s --initrd %s/initrd.cpio" % (KERNEL, moss.BUILD)
            script, build = os.path.join(moss.ROOT, "scripts/vscode"), os.path.relpath(moss.BUILD, moss.ROOT)
            subprocess.run([script, build, options], check=True, cwd=directory, stdout=subprocess.DEVNULL)
            with open(os.path.join(directory, ".vscode/launch.json")) as file:
                return json.load(file)["configurations"][0]

    def test_a_session(self):
        settings = self.settings()
        gdb = Machine()
        self.addCleanup(gdb.process.communicate)
        self.addCleanup(gdb.process.kill)
        gdb.until(r"\(gdb\)")
        gdb.ask("-gdb-set target-async on")
        gdb.ask('-interpreter-exec console "set pagination off"')
        for command in settings["customLaunchSetupCommands"]:
            text = command["text"].replace("${workspaceFolder}", moss.ROOT)
            gdb.ask(text, "connected" if "target-select" in text else "done")
        gdb.ask("-break-insert syscall_dispatch")
        gdb.ask("-" + settings["launchCompleteCommand"], "running")
        self.assertIn('func="kmain"', gdb.until(r"\*stopped"))
        self.assertIn('vCPU 0', gdb.ask("-thread-info"))
        frames = gdb.ask("-stack-list-frames")
        self.assertRegex(frames, r'func="kmain".*fullname="[^"]*/guestos/kernel/main.c"')
        gdb.ask("-exec-next", "running")
        self.assertIn('reason="end-stepping-range"', gdb.until(r"\*stopped"))
        gdb.ask("-exec-continue", "running")
        self.assertIn('func="syscall_dispatch"', gdb.until(r"\*stopped"))
        gdb.ask("-stack-list-variables --thread 1 --frame 0 --simple-values")
        gdb.ask("-var-create - * frame->rax")
        self.assertIn("rip", gdb.ask("-data-list-register-names"))
        gdb.ask("-data-list-register-values x 16")
        gdb.ask('-interpreter-exec console "moss ps"')
        self.assertIn("init", "".join(gdb.seen))
        gdb.ask('-interpreter-exec console "exits"')
        gdb.ask("-break-delete")
        gdb.ask("-exec-continue", "running")
        gdb.ask("-exec-interrupt")
        self.assertIn("*stopped", gdb.until(r"\*stopped"))
        gdb.ask('-interpreter-exec console "kill"')


if __name__ == "__main__":
    unittest.main()
