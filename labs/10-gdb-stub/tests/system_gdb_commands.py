"""The commands of scripts/gdb, the programs that Moss runs, and the sessions of editors, all with the real gdb.

Each class boots once and holds one session; its tests look at parts of what gdb said.
"""

import importlib.util
import json
import os
import re
import subprocess
import tempfile
import unittest
from tests.support import moss

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = os.path.join(moss.ROOT, "scripts/gdb/terrarium.py")
KERNEL = os.path.join(moss.BUILD, "moss.elf")
LIMIT = 5 * moss.PATIENCE * moss.SCALE  # seconds: only ends what hangs
HITS = 1000
LINES = 400


def neighbour(name):
    """The module in a file beside this one, as it is for this build."""
    spec = importlib.util.spec_from_file_location("%s_shared" % name, os.path.join(HERE, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Guest = neighbour("system_gdb").Guest


def session(where, commands, kernel=KERNEL, environment=None):
    """Have gdb do all `commands`, each a string or (name, string). Returns what it said from each name to the next."""
    words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set confirm off", "-ex", "set width 0",
             "-ex", "set remotetimeout %d" % (30 * moss.SCALE), "-ex", "source " + COMMANDS]
    words += ["-ex", "target remote " + where] if where else []
    for command in commands:
        name, command = command if isinstance(command, tuple) else (None, command)
        words += (["-ex", "echo @@%s@@\\n" % name] if name else []) + ["-ex", command]
    done = subprocess.run(words + ([kernel] if kernel else []), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT, cwd=moss.ROOT, errors="replace",
                          env={**os.environ, **(environment or {})}, check=False)
    parts = re.split(r"^@@(\w+)@@$", done.stdout, flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


class Session(unittest.TestCase):
    """What gdb said in the session that the class holds (hold(), once) is in self.said."""

    said = None

    @classmethod
    def setUpClass(cls):
        cls.hold()

    def numbers(self, name):
        """All that `printf` printed under this name as hexadecimal numbers."""
        return [int(word, 16) for word in re.findall(r"\b0x[0-9a-f]+\b", self.said[name])]


class Commands(Session):
    """A guest whose shell waits for input, with a program that sleeps."""

    @classmethod
    def hold(cls):
        with Guest(wait=False, script=b"cat /dev/null | cat; sleep 100000 & echo ready\n") as guest:
            guest.printed(b"ready\n")
            cls.said = session(guest.socket, [
                "set $sh = 'guestos/proc/process.c'::init_process",
                ("ps", "moss ps"), ("bt", "moss bt 1"), ("bt_all", "moss bt"), ("bt_idle", "moss bt cpus[0].idle"),
                ("bt_nobody", "moss bt 999"), ("bt_type", "moss bt cpus"),
                "python address = int(gdb.parse_and_eval('(unsigned long)&processes'))",
                ("pt", "moss pt &processes"), ("pt_expected", "python gdb.execute('monitor walk %#x' % address)"),
                ("pt_user", "moss pt 0x401000 1"), ("pt_odd", "moss pt 0x800000000000"),
                ("pt_space", "moss pt 1"),
                ("pt_pml4", 'printf "%#lx\\n", $sh->vm->pml4'), ("pt_none", "moss pt 0x7ffffffff000"),
                ("frame", "moss trapframe 1"), ("frame_rip", 'printf "%#lx\\n", $sh->frame->rip'),
                ("calls", "moss syscalls wait4"), ("calls_all", "moss syscalls"),
                ("frames", "moss frames"),
                ("frames_used", "printf \"%#lx %#lx\\n\", 'guestos/mm/frames.c'::total, 'guestos/mm/frames.c'::available"),
                ("virtq", "virtq virtio-console"), ("virtq_none", "virtq virtio-tape"),
                ("virtq_driver", "monitor virtq"), ("exits", "exits"), ("exits_again", "exits"),
                ("symbols", "moss symbols 1"), ("symbols_line", "info line main"), ("symbols_none", "moss symbols busybox"),
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
                ("after", "moss ps"), "detach"])
            # gdb leaves, and comes again while the shell works: it goes on as if nobody had looked.
            guest.type(b"echo again\n")
            guest.printed(b"again\n")
            cls.second = session(guest.socket, [("ps", "moss ps"), "detach"])
            guest.type(b"exit 9\n")
            cls.status = guest.wait()

    def test_ps(self):
        rows = [line.split() for line in self.said["ps"].splitlines()[1:]]
        by_name = {row[-1]: row for row in rows}
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

    def test_pt_finds_what_the_hypervisor_finds(self):
        expected = re.search(r"-> ([0-9a-f]+) \(kernel", self.said["pt_expected"])
        self.assertTrue(expected, self.said["pt_expected"])
        self.assertIn("=> physical 0x%x," % int(expected.group(1), 16), self.said["pt"])
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

    def test_virtq_agrees_with_the_device(self):
        """The driver has offered as many input buffers as the device has not used."""
        queue = re.search(r"queue 0: (\d+) places.*?(\d+) chains with the device\n(.*?)queue 1",
                          self.said["virtq"], re.S)
        self.assertTrue(queue, self.said["virtq"])
        self.assertEqual(queue.group(3).count("A"), int(queue.group(2)))
        self.assertEqual(len(re.findall(r"chain +\d+: \[\d+\] [0-9a-f]+\+\d+ W", queue.group(3))), min(16, int(queue.group(2))))
        self.assertIn("there is no device virtio-tape; there are: ", self.said["virtq_none"])

    def test_exits_counts_since_the_last_time(self):
        self.assertRegex(self.said["exits"], r"0 +\d+ +\+\d+ +KVM_EXIT_")
        counts = re.findall(r"^ *\d+ +\d+ +\+(\d+) ", self.said["exits_again"], re.M)
        self.assertEqual(set(counts), {"0"}, "the guest stood still between the two: " + self.said["exits_again"])

    def test_symbols_of_a_process(self):
        self.assertIn("user/init", self.said["symbols"])
        self.assertIn("guestos/user/init.c", self.said["symbols_line"])
        self.assertIn("there is no file with symbols for busybox", self.said["symbols_none"])

    def test_what_is_wrong_is_said(self):
        self.assertIn("There is no `moss nonsense`", self.said["unknown"])
        self.assertIn("usage: moss ps", self.said["usage"])
        self.assertIn("make gdb WHO=both", self.said["hypervisor"])
        self.assertRegex(self.said["unmapped"], "moss bt: Cannot access memory at address 0x[0-9a-f]+")

    def test_damaged_structures_end(self):
        self.assertIn("THE LIST IS BROKEN", self.said["broken_list"])
        self.assertIn("init", self.said["broken_list"], "what comes before the damage is shown")
        self.assertIn("THE CHAIN OF FRAMES IS BROKEN", self.said["broken_stack"])
        self.assertIn("IS NOT IN MEMORY", self.said["broken_tables"])
        self.assertIn("is not in memory", self.said["broken_space"])
        self.assertIn("frames, ", self.said["broken_frames"])
        self.assertIn("THE LIST OF AREAS IS BROKEN", self.said["broken_areas"])
        self.assertEqual(self.said["after"], self.said["ps"], "all is as before")

    def test_no_python_error_is_shown(self):
        for name, text in self.said.items():
            self.assertNotRegex(text, "Traceback|Python Exception|Error occurred in Python", name)

    def test_the_guest_goes_on_without_gdb(self):
        self.assertIn("sh", self.second["ps"])
        self.assertEqual(self.status, 9)


class Programs(Session):
    """Through breakpoints in the kernel and in a program, from the first instruction on."""

    @classmethod
    def hold(cls):
        numbers = b" ".join(b"%d" % i for i in range(LINES))
        script = b"cat /etc/motd >/dev/null; for i in " + numbers + b"; do echo line $i; done\n"
        with Guest(script=script) as guest:
            guest.printed(b"waiting for gdb", guest.errors)
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
                "break frame_alloc_user", "continue", "delete", "set can-use-hw-watchpoints 0",
                "set $before = 'guestos/mm/frames.c'::available",
                ("watch", "watch 'guestos/mm/frames.c'::available"), "continue",
                ("watched", "printf \"%#lx %#lx\\n\", $before, 'guestos/mm/frames.c'::available"), ("watched_in", "backtrace 1"),
                "delete", "set $hits = 0", "break syscall_dispatch if ++$hits == %d" % HITS, "continue",
                ("hits", 'printf "%#x\\n", $hits'),
                ("hits_at", 'printf "%#lx %#lx\\n", $pc, (unsigned long)&syscall_dispatch'),
                "delete", "detach"])
            guest.type(b"exit 8\n")
            cls.status = guest.wait()
            cls.output = guest.content(guest.output)

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

    def test_a_variable_that_is_watched_by_stepping(self):
        self.assertIn("Watchpoint", self.said["watch"])
        before, after = self.numbers("watched")
        self.assertEqual(after, before - 1, "one frame was taken")
        self.assertRegex(self.said["watched_in"], "take|frame_alloc")

    def test_a_condition_is_evaluated_a_thousand_times(self):
        self.assertEqual(self.numbers("hits"), [HITS])
        at, dispatch = self.numbers("hits_at")
        self.assertEqual(at, dispatch)

    def test_the_symbols_follow_the_program_that_runs(self):
        self.assertRegex("".join(self.said.values()), r"\[sh runs, process \d+: symbols of .*user/sh\]")

    def test_no_byte_of_the_console_is_lost(self):
        expected = b"".join(b"line %d\n" % i for i in range(LINES))
        self.assertIn(expected, self.output)
        self.assertEqual(self.status, 8)

    def test_no_python_error_is_shown(self):
        for name, text in self.said.items():
            self.assertNotRegex(text, "Traceback|Python Exception|Error occurred in Python", name)


class TwoCpus(unittest.TestCase):
    """A guest of a few bytes that starts its second vCPU (Moss does not before lab 11), and both count."""

    FIRST = bytes.fromhex(
        "31c0 8ed8"                        # xor %ax, %ax; mov %ax, %ds
        "66b91b000000 0f32 660d000c0000"   # mov $0x1b, %ecx; rdmsr; or $0xc00, %eax: the local APIC's registers are MSRs now
        "0f30 66b930080000 66ba01000000"   # wrmsr; mov $0x830, %ecx (the interrupt command); mov $1, %edx (to vCPU 1)
        "66b800450000 0f30"                # mov $0x4500, %eax (INIT); wrmsr
        "66b808460000 0f30"                # mov $0x4608, %eax (start at 0x8000); wrmsr
        "66ff060006 ebf9")                 # 1: incl 0x600; jmp 1b
    SECOND = bytes.fromhex("ea05800000 66ff060406 ebf9")  # ljmp $0, $0x8005; 1: incl 0x604; jmp 1b
    LOAD, START, LOOP, AGAIN = 0x7c00, 0x8000, 0x8005, 0x800a

    def test_a_breakpoint_that_only_one_of_them_meets(self):
        counters = 'printf "%#x %#x\\n", *(int *)0x600, *(int *)0x604'
        with tempfile.TemporaryDirectory(dir=os.environ.get("TERRARIUM_RUN", "/tmp")) as directory:
            image = os.path.join(directory, "two.bin")
            with open(image, "wb") as file:
                file.write(self.FIRST.ljust(self.START - self.LOAD, b"\0") + self.SECOND)
            server = "| exec %s/terrarium run --flat %s --cpus 2 --gdb stdio --gdb-wait" % (moss.BUILD, image)
            self.said = session(server, [
                "break *%#x" % self.LOOP, "continue", ("hit", 'printf "%#x %#x\\n", $_thread, $pc'), ("before", counters),
                "set scheduler-locking on", "stepi", ("step", 'printf "%#x %#x\\n", $_thread, $pc'), ("after", counters),
                "set scheduler-locking off", "continue", ("again", 'printf "%#x %#x\\n", $_thread, $pc'), ("counted", counters),
                "thread 1", ("first", 'printf "%#x\\n", $pc'), "kill"], kernel=None)
        numbers = {name: [int(word, 16) for word in re.findall(r"\b0x[0-9a-f]+|\b0\b", text)] for name, text in self.said.items()}
        self.assertEqual(numbers["hit"], [2, self.LOOP], self.said)
        self.assertEqual(numbers["step"], [2, self.AGAIN], self.said)
        self.assertEqual(numbers["after"], [numbers["before"][0], 1], "only vCPU 1 makes a step, the other is held")
        self.assertEqual(numbers["again"], [2, self.LOOP], self.said)
        self.assertEqual(numbers["counted"][1], 1)
        self.assertGreater(numbers["counted"][0], numbers["after"][0], "both run when gdb lets both go on")
        self.assertIn(numbers["first"][-1], (0x7c30, 0x7c35), "vCPU 0 counts, and does not stop there")


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

    def test_the_hypervisor_under_gdb(self):
        """As `make gdb WHO=hypervisor` has it: Terrarium runs to its end, and kicks of vCPUs are no stops."""
        arguments = "run --flat %s/hello.bin" % moss.BUILD
        said = session(None, ["handle SIGUSR1 nostop noprint pass", "set args " + arguments, "break bus_access",
                              "run", ("bt", "backtrace"), ("ps", "moss ps"), "delete", "continue", ("end", "print $_exitcode")],
                       kernel=os.path.join(moss.BUILD, "terrarium"))
        self.assertIn("bus_access", said["bt"])
        self.assertIn("vcpu_thread", said["bt"])
        self.assertIn("these symbols are not Moss's", said["ps"])
        self.assertIn("= 0", said["end"])


class Start(unittest.TestCase):
    """scripts/gdb/start as `make gdb` calls it."""

    def start(self, who, *options):
        words = [os.path.join(moss.ROOT, "scripts/gdb/start"), who, KERNEL, *moss.terrarium_command()]
        return subprocess.run(words, cwd=moss.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=LIMIT, check=False, env={**os.environ, "GDB_OPTIONS": " ".join(options)})

    def test_a_guest_and_the_hypervisor_around_it(self):
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as file:
            file.write("set confirm off\nbreak syscall_dispatch\ncontinue\nshell echo 'exit 3' >$CONSOLE\nmoss ps\n"
                       'hypervisor -batch -ex "info threads"\ndelete\ncontinue\n')
            file.flush()
            done = self.start("both", "-batch", "-x", file.name)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"1 +0 +on CPU 0 .*init", done.stdout)
        self.assertIn("LWP", done.stdout, "the second gdb lists Terrarium's threads")
        self.assertIn("exited with code 03", done.stdout)

    def test_a_wrong_who(self):
        done = self.start("nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("guest, hypervisor or both, not 'nobody'", done.stdout)


class Machine:
    """gdb with its machine interface, as editors use it."""

    def __init__(self):
        self.process = subprocess.Popen(["gdb", "-nx", "-iex", "set debuginfod enabled off", "--interpreter=mi2"], cwd=moss.ROOT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        errors="replace")
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
        gdb.ask("-break-delete")
        gdb.ask("-exec-continue", "running")
        gdb.ask("-exec-interrupt")
        self.assertIn("*stopped", gdb.until(r"\*stopped"))
        gdb.ask('-interpreter-exec console "kill"')


if __name__ == "__main__":
    unittest.main()
