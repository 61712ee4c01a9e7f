"""The commands of scripts/gdb with the real gdb, and Moss in plain QEMU, whose gdb server they work with as well.

What they do with Terrarium's server is tested in lab 10. Each class boots once; its tests look at parts of what gdb said.
"""

import os
import re
import subprocess
import tempfile
import time
import unittest
from tests.support import moss
from tests.support.gdb import Session, session, start


class Guest:
    """Moss in QEMU with a gdb server. Use it in a `with` statement."""

    def __init__(self, script, *options):
        self.directory = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.directory.name, "gdb")
        self.output = tempfile.TemporaryFile()
        server = "-chardev socket,path=%s,server=on,wait=off,id=gdb -gdb chardev:gdb" % self.socket
        self.process = moss.QEMU.start(None, server, *options, stdout=self.output, console="serial")
        self.type(script)
        self.until(lambda: os.path.exists(self.socket))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            moss.QEMU.kill(self.process)
        self.process.stdin.close()
        self.output.close()
        self.directory.cleanup()

    def until(self, condition):
        end = time.monotonic() + moss.PATIENCE * moss.SCALE
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                printed = os.pread(self.output.fileno(), 2000, 0)
                raise AssertionError("Moss in QEMU does not come so far; it has printed %r" % printed)
            time.sleep(0.05)

    def printed(self, wanted):
        self.until(lambda: wanted in os.pread(self.output.fileno(), 1 << 20, 0))

    def type(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait(self):
        self.process.stdin.close()
        return self.process.wait(moss.PATIENCE * moss.SCALE)


class Commands(Session):
    """A guest whose shell waits for input, with a program that sleeps."""

    @classmethod
    def hold(cls):
        with Guest(b"cat /dev/null | cat; cp /bin/cat /tmp/ls; sleep 100000 | /tmp/ls & echo ready\n") as guest:
            guest.printed(b"ready\n")
            cls.said = session(guest.socket, [
                "set $sh = 'guestos/proc/process.c'::init_process",
                ("ps", "moss ps"), ("bt", "moss bt 1"), ("bt_all", "moss bt"), ("bt_idle", "moss bt cpus[0].idle"),
                ("bt_nobody", "moss bt 999"), ("bt_type", "moss bt cpus"),
                ("pt", "moss pt &processes"),
                "python address = int(gdb.parse_and_eval('(unsigned long)&processes'))",
                ("pt_expected", "python gdb.execute('monitor gva2gpa %#x' % address)"),
                ("pt_user", "moss pt 0x401000 1"), ("pt_odd", "moss pt 0x800000000000"),
                ("pt_space", "moss pt 1"),
                ("pt_pml4", 'printf "%#lx\\n", $sh->vm->pml4'), ("pt_none", "moss pt 0x7ffffffff000"),
                ("frame", "moss trapframe 1"), ("frame_rip", 'printf "%#lx\\n", $sh->frame->rip'),
                ("calls", "moss syscalls wait4"), ("calls_all", "moss syscalls"),
                ("frames", "moss frames"),
                ("frames_used", "printf \"%#lx %#lx\\n\", 'guestos/mm/frames.c'::total, 'guestos/mm/frames.c'::available"),
                ("virtq", "virtq virtio-rng"), ("virtq_none", "virtq virtio-tape"), ("exits", "exits"),
                ("symbols", "moss symbols 1"), ("symbols_line", "info line main"), ("symbols_none", "moss symbols busybox"),
                "python import kernel; ls = [p for p in kernel.processes() if kernel.array_text(p['name']) == 'ls']",
                "python gdb.set_convenience_variable('ls', ls[0]['pid'])", ("symbols_other", 'eval "moss symbols %d", $ls'),
                ("unknown", "moss nonsense"), ("usage", "moss ps too many"), ("hypervisor", "hypervisor"),
                # Damage, and repair: the commands must end and say what is wrong.
                "set $first = processes.next", "set $second = $first->next",
                "set variable $first->next = $first", ("broken_list", "moss ps"), "set variable $first->next = $second",
                "set $rsp0 = $sh->thread->rsp", "set $rbp0 = *(unsigned long *)($rsp0 + 40)",
                "set variable *(unsigned long *)($rsp0 + 40) = $rsp0 - 8", ("broken_stack", "moss bt 1"),
                "set variable *(unsigned long *)($rsp0 + 40) = $rbp0",
                "set $pml4 = $sh->vm->pml4", "set variable $sh->vm->pml4 = 0x7ffffff000",
                ("broken_tables", "moss pt 0x401000 1"), ("broken_space", "moss pt 1"), ("broken_frames", "moss frames"),
                "set variable $sh->vm->pml4 = $pml4",
                "set $area = $sh->vm->areas->next", "set variable $sh->vm->areas->next = $sh->vm->areas",
                ("broken_areas", "moss pt 1"), "set variable $sh->vm->areas->next = $area",
                "set variable $sh->thread->rsp = 0x123456789000", ("unmapped", "moss bt 1"),
                "set variable $sh->thread->rsp = $rsp0",
                ("after", "moss ps"), ("end", "detach")])
            # gdb leaves, and comes again while the shell works: it goes on as if nobody had looked.
            guest.type(b"echo again\n")
            guest.printed(b"again\n")
            cls.second = session(guest.socket, [("ps", "moss ps"), "detach"])
            guest.type(b"exit 9\n")
            cls.status = guest.wait()

    def test_ps(self):
        rows = [line.split() for line in self.said["ps"].splitlines()[1:]]
        by_name = {row[-1]: row for row in reversed(rows)}  # of several, the first
        self.assertEqual(by_name["init"][:3], ["1", "0", "waiting"])
        self.assertEqual(by_name["init"][4], "sys_wait4", self.said["ps"])
        self.assertEqual(by_name["sh"][1], "1")
        self.assertIn("nanosleep", by_name["sleep"][4], self.said["ps"])
        self.assertIn("sys_read", by_name["sh"][4], self.said["ps"])

    def test_bt_shows_the_saved_stack(self):
        names = re.findall(r"^#\d+ +0x[0-9a-f]+ +(\S+)", self.said["bt"], re.M)
        self.assertEqual(names[0], "switch_to", self.said["bt"])
        self.assertIn("sys_wait4", names)
        self.assertTrue(names[-1].startswith("syscall_entry"), "the oldest frame is where the program came in: %r" % names)
        self.assertIn("guestos/proc/wait_calls.c:", self.said["bt"])
        self.assertIn("system call 61", self.said["bt"])
        self.assertGreaterEqual(self.said["bt_all"].count("switch_to"), 3, "init, sh and sleep wait")

    def test_bt_of_a_thread(self):
        self.assertRegex(self.said["bt_idle"], "kmain|that thread is running")
        self.assertIn("not a struct thread *", self.said["bt_type"])
        self.assertIn("there is no process 999", self.said["bt_nobody"])

    def test_pt_finds_what_the_machine_finds(self):
        expected = int(re.search("gpa: (0x[0-9a-f]+)", self.said["pt_expected"]).group(1), 16)
        self.assertIn("=> physical %#x," % expected, self.said["pt"])
        self.assertIn("only the kernel may read it, write", self.said["pt"])
        self.assertNotIn("execute", self.said["pt"].split("=>")[1], "data is not executable")

    def test_pt_of_another_process(self):
        self.assertIn("by the tables at CR3 = %#x" % self.numbers("pt_pml4")[0], self.said["pt_user"])
        self.assertIn("programs, too, may read it, execute", self.said["pt_user"])
        self.assertRegex(self.said["pt_space"], r"0*400000-0*401000 r--.*\n.*user +r--")
        self.assertIn("NOT CANONICAL", self.said["pt_odd"])
        self.assertIn("=> a page fault", self.said["pt_none"])

    def test_trapframe(self):
        self.assertIn("system call 61", self.said["frame"])
        self.assertIn("rip %#x" % self.numbers("frame_rip")[0], self.said["frame"])
        self.assertIn("from a program (ring 3)", self.said["frame"])

    def test_syscalls(self):
        self.assertRegex(self.said["calls"], r" 61 +sys_wait4 +guestos/proc/wait_calls.c:\d+ +init \(1\)")
        listed = re.findall(r"^ *(\d+) +sys_\w+", self.said["calls_all"], re.M)
        self.assertGreater(len(listed), 50)
        self.assertEqual(listed, sorted(set(listed), key=int), "each number once")

    def test_frames_add_up(self):
        total, free = self.numbers("frames_used")
        self.assertIn("%d frames, %d of them free, %d used" % (total, free, total - free), self.said["frames"])
        uses = [int(count) for count in re.findall(r"^ *(\d+)  [HTSuo]  ", self.said["frames"], re.M)]
        self.assertEqual((len(uses), sum(uses)), (5, total - free), self.said["frames"])
        self.assertTrue(all(uses), "each use has frames: %r" % uses)
        self.assertNotIn("THE COUNT IS WRONG", self.said["frames"])

    def test_virtq(self):
        self.assertRegex(self.said["virtq"], r"virtio-rng at 0x\w+, interrupt line \d+\n  queue 0: \d+ places")
        self.assertIn("there is no device virtio-tape; there are: virtio-rng", self.said["virtq_none"])
        self.assertIn("this gdb server has no `monitor exits`", self.said["exits"])

    def test_symbols_of_a_process(self):
        self.assertIn("user/init", self.said["symbols"])
        self.assertIn("guestos/user/init.c", self.said["symbols_line"])
        self.assertIn("there is no file with symbols for busybox", self.said["symbols_none"])
        self.assertRegex(self.said["symbols_other"], r"user/ls is not the program /tmp/ls that process \d+ runs")

    def test_what_is_wrong_is_said(self):
        self.assertIn("There is no `moss nonsense`", self.said["unknown"])
        self.assertIn("usage: moss ps", self.said["usage"])
        self.assertIn("make gdb WHO=both", self.said["hypervisor"])
        self.assertRegex(self.said["unmapped"], "moss bt: Cannot access memory at address 0x[0-9a-f]+")

    def test_damaged_structures_end(self):
        self.assertIn("THE LIST IS BROKEN", self.said["broken_list"])
        self.assertIn("init", self.said["broken_list"], "what comes before the damage is shown")
        self.assertIn("THE CHAIN OF FRAMES IS BROKEN", self.said["broken_stack"])
        self.assertIn("a page fault", self.said["broken_tables"])
        self.assertIn("0 pages", self.said["broken_space"])
        self.assertIn("frames, ", self.said["broken_frames"])
        self.assertIn("THE LIST OF AREAS IS BROKEN", self.said["broken_areas"])
        self.assertEqual(self.said["after"], self.said["ps"], "all is as before")

    def test_no_python_error_is_shown(self):
        self.no_python_error()

    def test_the_guest_goes_on_without_gdb(self):
        self.assertIn("sh", self.second["ps"])
        self.assertEqual(self.status, 9)


class Programs(Session):
    """Through breakpoints in the kernel and in a program, from the first instruction on."""

    @classmethod
    def hold(cls):
        script = b"cat /etc/motd >/dev/null; cp /bin/true /tmp/other; /tmp/other\n"
        with Guest(script, "-S") as guest:
            cls.said = session(guest.socket, [
                ("early", "moss ps"), ("early_pt", "moss pt $rip"), ("early_frame", "moss trapframe"),
                "break kmain", "continue", ("boot", "backtrace"), ("boot_virtq", "virtq"), "delete",
                ("start", "moss start cat"), ("start_place", 'printf "%#lx %#lx %#lx\\n", $pc, (unsigned long)&main, $cs'),
                ("start_argv", "print argv[1]"), ("start_bt", "backtrace"), ("start_frame", "moss trapframe"),
                "break vm_fault", "continue", ("fault", "backtrace"), ("fault_frame", "moss trapframe"),
                ("fault_cause", 'printf "%#lx %#lx\\n", address, $cr2'),
                ("fault_up", "up 5"), ("fault_user", 'printf "%#lx\\n", $pc'), "frame 0", "delete",
                "break sys_openat", "continue", ("call", "backtrace"), ("call_frame", "moss trapframe"),
                ("call_calls", "moss syscalls openat"), "delete",
                "break sys_exit_group", "continue", "delete", "break syscall_dispatch", ("next_program", "continue"), "delete",
                "break sys_exit_group", ("cp", "continue"), ("other", "continue"),
                "delete", "detach"])
            guest.type(b"exit 8\n")
            cls.status = guest.wait()

    def test_before_paging(self):
        self.assertRegex(self.said["early"], "moss ps: Cannot access memory at address 0xffffffff[0-9a-f]+. Is that mapped")
        self.assertIn("paging is off", self.said["early_pt"])
        self.assertIn("Moss has found no virtio devices", self.said["boot_virtq"])

    def test_a_backtrace_of_the_first_thread_ends(self):
        self.assertRegex(self.said["boot"], r"#0 +kmain .*\n#1 .*higher_half .*\n#2 +0x0+ in \?\? \(\)\s*$")

    def test_a_program_from_main_on(self):
        pc, main, cs = self.numbers("start_place")
        self.assertEqual((pc, cs & 3), (main, 3), self.said["start"])
        self.assertIn("/etc/motd", self.said["start_argv"])
        self.assertIn("#0  main (argc=2", self.said["start_bt"])
        self.assertIn("a program is running", self.said["start_frame"])

    def test_a_backtrace_through_a_page_fault_to_the_program(self):
        self.assertRegex(self.said["fault"], r"#0 +vm_fault [^#]*(#\d+ .*\n)*#\d+ .*page_fault .*\n#\d+ .*trap_dispatch .*\n"
                                             r"#\d+ .*trap_common .*\n#\d+ +0x0000000000\w{6} in \w+ .*\n#\d+ +0x0+ in \?\?")
        address, cr2 = self.numbers("fault_cause")
        self.assertEqual(address, cr2, "the page fault that the kernel works at is the last one")
        self.assertIn("page fault: a program tried to", self.said["fault_frame"])
        user = self.numbers("fault_user")[0]
        rip = int(re.search("at rip (0x[0-9a-f]+)", self.said["fault_frame"]).group(1), 16)
        self.assertIn(user - rip, (0, 1), "`up` leads to where the program was interrupted")  # 1: see unwind.py

    def test_a_backtrace_through_a_system_call(self):
        self.assertRegex(self.said["call"], r"#0 +sys_openat .*\n(#\d+ .*\n)*#\d+ .*syscall_entry .*\n"
                                            r"#\d+ +0x0000000000\w{6} in \w+")
        self.assertRegex(self.said["call_frame"], r"system call (2|257) ", "open is Linux's call 2, openat 257")
        self.assertRegex(self.said["call_calls"], r"257 +sys_openat +guestos/")

    def test_the_symbols_follow_the_program_that_runs(self):
        self.assertRegex(self.said["cp"], r"\[cp runs, process \d+: symbols of .*user/cp\]")
        self.assertIn("[there is no file with symbols for /tmp/other", self.said["other"])
        self.assertRegex(self.said["next_program"], r"\[sh runs, process \d+: symbols of .*user/sh\]")

    def test_the_program_ends_as_without_gdb(self):
        self.assertEqual(self.status, 8)

    def test_no_python_error_is_shown(self):
        self.no_python_error()


class WithoutAGuest(unittest.TestCase):
    def test_nothing_to_look_at(self):
        said = session(None, [("ps", "moss ps"), ("exits", "exits"), ("help", "help moss pt"), ("list", "help moss")])
        self.assertIn("gdb looks at no machine yet", said["ps"])
        self.assertIn("gdb looks at no machine yet", said["exits"])
        self.assertIn("usage: moss pt", said["help"])
        for name in "bt frames ps pt start symbols syscalls trapframe".split():
            self.assertRegex(said["list"], "moss %s -- [A-Z].*[.]" % name)

    def test_other_symbols(self):
        """A program that is not Moss, and none at all."""
        stops = ["starti", ("ps", "moss ps"), ("frames", "moss frames"), ("pt", "moss pt 5 1"), ("exits", "exits"), "kill"]
        said = session(None, stops, kernel="/bin/true")
        for name in "ps", "frames", "pt":
            self.assertIn("these symbols are not Moss's", said[name])
        self.assertIn("this gdb server has no `monitor exits`", said["exits"])


    def test_records_for_an_editor_are_read(self):
        """gdb 18, started by an editor, hands records to Python where others hand text."""
        records = '~"sending: x\\n"\n~"received: \\"OK\\"\\n"\n'
        said = session(None, ["python import kernel", ("records", "python print(kernel.plain(%r), end='')" % records),
                              ("text", "python print(kernel.plain('~ \"a\"\\n~'))"), ("said", "python print(kernel.say('echo a'))")])
        self.assertEqual(said["records"], '\nsending: x\nreceived: "OK"\n')
        self.assertEqual(said["text"], '\n~ "a"\n~\n')
        self.assertEqual(said["said"], "\na\n")


class Start(unittest.TestCase):
    """scripts/gdb/start as `make gdb` calls it, as far as no guest runs."""

    def test_the_hypervisor(self):
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as file:
            file.write("set confirm off\nbreak main\nrun\nbacktrace\ninfo signals SIGUSR1\nkill\n")
            file.flush()
            said = start("hypervisor", "-batch -x " + file.name).stdout
        self.assertRegex(said, r"SIGUSR1 +No\s+No\s+Yes", "kicks of vCPUs are no stops, and Terrarium gets them")
        self.assertRegex(said, r"#0 +main \(argc=\d+, argv=0x\w+\) at hypervisor/main.c")

    def test_another_gdb(self):
        with tempfile.NamedTemporaryFile("w", suffix="-gdb", delete=False) as file:
            self.addCleanup(os.remove, file.name)
            file.write("#!/bin/sh\necho I am another: $*\n")
        os.chmod(file.name, 0o700)
        self.assertIn("I am another: -q", start("hypervisor", GDB=file.name).stdout)
        done = start("hypervisor", GDB="/none/gdb")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no /none/gdb; ", done.stdout)

    def test_a_wrong_who(self):
        done = start("nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("guest, hypervisor or both, not 'nobody'", done.stdout)

    def test_a_guest_that_does_not_start(self):
        words = [moss.ROOT + "/scripts/gdb/start", "guest", "none.elf", moss.BUILD + "/terrarium", "run", "--memory", "none"]
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=moss.ROOT, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "TERRARIUM_RUN": place})
            self.assertEqual(os.listdir(place), [], "nothing is left behind")
        self.assertIn("--memory none: not a size", done.stderr)
        self.assertEqual(done.returncode, 2, "its status is that of Terrarium")


if __name__ == "__main__":
    unittest.main()
