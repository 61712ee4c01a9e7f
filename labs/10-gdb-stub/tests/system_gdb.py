"""The gdb server: what goes over the wire, and the real gdb against Moss."""

import contextlib
import functools
import os
import re
import select
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from tests.support import moss
from tests.support.gdb import GDB, QUIET

RUN = os.environ.get("TERRARIUM_RUN", "/tmp")  # where sockets can be made
KERNEL = os.path.join(moss.BUILD, "moss.elf")
STARTED = b"ready\n"  # what the guest's first command prints
LIMIT = moss.PATIENCE * moss.SCALE  # seconds: only ends what hangs,
SILENCE = 12 * moss.SCALE  # as this does: of gdb's, which prints a line for each thing that it did
STUB, STUB_SECONDS = b" is yours to write", 5  # a stub was called: who waits for it does not wait for long
SIGINT, SIGABRT, SIGTRAP, SIGKILL = 2, 6, 5, 9
UNMAPPED = 0x123456789000


@functools.lru_cache
def symbols():
    """The kernel's symbols: name -> address."""
    lines = subprocess.run(["nm", KERNEL], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {words[2]: int(words[0], 16) for words in map(str.split, lines) if len(words) == 3}


class Patience:
    """How long to wait for a guest, whose words on stderr are in the file `errors`; with gdb, whose words are in `output`."""

    def __init__(self, errors, output=None):
        self.errors, self.output, self.said = errors, output, 0
        self.end, self.stub = time.monotonic() + (SILENCE if output else LIMIT), ""

    def is_over(self):
        if self.output and os.fstat(self.output.fileno()).st_size > self.said:
            self.said = os.fstat(self.output.fileno()).st_size
            self.end = time.monotonic() + (STUB_SECONDS if self.stub else SILENCE)
        words = os.pread(self.errors.fileno(), 1 << 20, 0)
        if STUB in words and not self.stub:
            self.stub = "; ".join(line.decode() for line in words.splitlines() if STUB in line)
            self.end = min(self.end, time.monotonic() + STUB_SECONDS)
        return time.monotonic() > self.end


class Wire:
    """gdb's side of the protocol, packet by packet."""

    def __init__(self, path, errors):
        self.errors = errors
        end = time.monotonic() + LIMIT
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, contents):
        data = contents.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def read(self):
        """The next packet's contents; "" at the end of the connection. Acknowledges it."""
        while True:
            match = re.search(rb"\$([^#]*)#[0-9a-f]{2}", self.buffer)
            if match:
                self.buffer = self.buffer[match.end():]
                with contextlib.suppress(ConnectionError):  # after its last packet the server hangs up
                    self.socket.sendall(b"+")
                return match.group(1).decode("latin-1")
            patience = Patience(self.errors)
            while not select.select([self.socket], [], [], 0.2)[0]:
                if patience.is_over():
                    raise AssertionError("gdb waits for a packet that does not come; so far: %r. %s" % (
                        self.buffer, patience.stub))
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return ""
            self.buffer += data

    def ask(self, contents):
        self.send(contents)
        return self.read()

    def interrupt(self):
        self.socket.sendall(b"\x03")
        return self.read()

    def register(self, number):
        """Register by gdb's number: 16 is RIP, 18 CS, 2 RCX, 11 R11."""
        return int.from_bytes(bytes.fromhex(self.ask("p%x" % number)), "little")

    def memory(self, address, size):
        reply = self.ask("m%x,%x" % (address, size))
        return None if reply.startswith("E") else bytes.fromhex(reply)

    def monitor(self, line):
        self.send("qRcmd," + line.encode().hex())
        text = ""
        while (reply := self.read()).startswith("O") and reply != "OK":
            text += bytes.fromhex(reply[1:]).decode()
        return text


RCX, RSP, R11, RIP, CS = 2, 7, 11, 16, 18


class Guest:
    """Moss in Terrarium with a gdb server, its console a pipe. Use it in a `with` statement."""

    def __init__(self, *options, wait=True, script=b"echo ready\n", append="", where=None, **how):
        self.wires = []
        self.directory = tempfile.TemporaryDirectory(dir=RUN)
        self.socket = os.path.join(self.directory.name, "gdb")
        words = ["--gdb", where or "unix:" + self.socket, *(["--gdb-wait"] if wait else []), *options]
        self.output, self.errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = moss.TERRARIUM.start(None, *words, append=append, stdin=subprocess.PIPE, stdout=self.output,
                                            stderr=self.errors, **how)
        self.type(script)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for wire in self.wires:
            wire.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        self.output.close()
        self.errors.close()
        self.directory.cleanup()

    def connect(self):
        self.wires.append(Wire(self.socket, self.errors))
        return self.wires[-1]

    def type(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    @staticmethod
    def content(file):
        file.seek(0)
        return file.read()

    def printed(self, wanted, where=None):
        """Wait until the guest has printed `wanted`. Looks at the file, so that nothing is ever taken away."""
        end = time.monotonic() + LIMIT
        while wanted not in os.pread((where or self.output).fileno(), 1 << 24, 0):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("%r is not printed, but %r and %r" % (
                    wanted, self.content(self.output)[-500:], self.content(self.errors)[-1500:]))
            time.sleep(0.05)

    def wait(self):
        self.process.stdin.close()
        status = self.process.wait(LIMIT)
        self.process.stdin = None
        return status


class Packets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.symbols = symbols()

    def stop(self, reply, signal):
        self.assertRegex(reply, r"^T%02x" % signal)

    def test_the_socket_is_private(self):
        with Guest() as guest:
            wire = guest.connect()
            self.assertEqual(stat.S_IMODE(os.stat(guest.socket).st_mode), 0o600)
            self.stop(wire.ask("?"), SIGTRAP)
            wire.ask("k")
            wire.close()
            self.assertEqual(guest.wait(), 128 + SIGKILL)
            self.assertFalse(os.path.exists(guest.socket), "the socket's file stays behind")

    def test_damaged_packets_are_asked_for_again(self):
        with Guest() as guest:
            wire = guest.connect()
            wire.socket.sendall(b"$?#00")
            self.assertEqual(wire.socket.recv(1), b"-")
            self.stop(wire.ask("?"), SIGTRAP)
            wire.socket.sendall(b"-")
            self.stop(wire.read(), SIGTRAP)

    def test_memory_that_is_not_mapped_is_an_error(self):
        with Guest() as guest:
            wire = guest.connect()
            self.stop_at(wire, "kmain")
            self.assertIsNone(wire.memory(UNMAPPED, 8))
            self.assertRegex(wire.ask("M%x,1:00" % UNMAPPED), "^E")
            rsp = wire.register(RSP)
            self.assertEqual(len(wire.memory(rsp, 8)), 8)
            self.assertEqual(wire.ask("M%x,4:01020304" % (rsp - 64)), "OK")
            self.assertEqual(wire.memory(rsp - 64, 4), b"\1\2\3\4")
            self.assertEqual(wire.ask("Qqemu.PhyMemMode:1"), "OK")
            self.assertIsNone(wire.memory(rsp, 8))
            self.assertEqual(len(wire.memory(0x100000, 8)), 8)

    def stop_at(self, wire, name, point=0):
        """Run to a function of the kernel, and leave no breakpoint behind."""
        where = "%d,%x,1" % (point, self.symbols[name] if isinstance(name, str) else name)
        self.assertEqual(wire.ask("Z" + where), "OK")
        self.stop(wire.ask("vCont;c"), SIGTRAP)
        self.assertEqual(wire.register(RIP), self.symbols[name] if isinstance(name, str) else name)
        self.assertEqual(wire.ask("z" + where), "OK")

    def test_breakpoints_before_and_behind_the_idt(self):
        with Guest() as guest:
            wire = guest.connect()
            code = {}
            for name in "kmain", "traps_init", "syscall_init":  # before paging was on, before the IDT, behind it
                if name not in self.symbols:
                    continue
                self.stop_at(wire, name)
                code[name] = wire.memory(self.symbols[name], 16)
            self.stop_at(wire, "syscall_dispatch", point=1)
            with open(KERNEL, "rb") as file:
                image = file.read()
            for name, seen in code.items():
                self.assertIn(seen, image, "%s: a breakpoint is visible in memory" % name)

    def find_code(self, wire, start, code, size=1024):
        at = wire.memory(start, size).find(code)
        self.assertGreaterEqual(at, 0)
        return start + at

    def test_into_a_system_call_and_back(self):
        with Guest(script=b"exit 3\n") as guest:
            wire = guest.connect()
            self.stop_at(wire, "syscall_dispatch")
            frame = wire.register(5)  # RDI
            words = [int.from_bytes(wire.memory(frame + 8 * i, 8), "little") for i in range(22)]
            user = words[17]
            self.assertLess(user, 1 << 47)
            self.stop_at(wire, user)  # user code, in ring 3
            self.assertEqual(wire.register(CS) & 3, 3)
            for _ in range(20000):
                rip = wire.register(RIP)
                if wire.memory(rip, 2) == b"\x0f\x05":
                    break
                self.stop(wire.ask("vCont;s:1"), SIGTRAP)
            else:
                self.fail("no system call is reached by stepping")
            self.stop(wire.ask("vCont;s:1"), SIGTRAP)
            self.assertEqual(wire.register(RIP), self.symbols["syscall_entry"])
            self.assertEqual(wire.register(CS) & 3, 0)
            self.assertEqual(wire.register(RCX), rip + 2)
            self.assertEqual(wire.register(R11) & 0x100, 0, "our trap flag is in the flags that SYSCALL has saved")
            # pop %r11; pop %rsp; swapgs; sysretq: behind the second, an INT3 would find the program's stack.
            self.stop_at(wire, self.find_code(wire, self.symbols["syscall_entry"], b"\x41\x5b\x5c\x0f\x01\xf8\x48\x0f\x07"))
            for _ in range(3):
                self.stop(wire.ask("vCont;s:1"), SIGTRAP)
            self.assertEqual(wire.memory(wire.register(RIP), 3), b"\x48\x0f\x07")
            back = wire.register(RCX)
            self.stop(wire.ask("vCont;s:1"), SIGTRAP)
            self.assertEqual((wire.register(RIP), wire.register(CS) & 3), (back, 3))
            self.assertEqual(wire.ask("vCont;c"), "W03")

    def test_exceptions_are_still_the_guests(self):
        """Programs that execute INT3, or set the trap flag themselves, die of it as they would without a debugger."""
        with Guest(script=b"selftest faults; exit $?\n") as guest:
            wire = guest.connect()
            self.stop_at(wire, "syscall_dispatch")
            self.assertEqual(wire.ask("Z0,%x,1" % self.symbols["panic"]), "OK")
            self.assertEqual(wire.ask("vCont;c"), "W00", guest.content(guest.output)[-1000:])

    def test_a_range_is_stepped_without_a_word(self):
        with Guest() as guest:
            wire = guest.connect()
            self.stop_at(wire, "kmain")
            start = self.symbols["kmain"]
            reply = wire.ask("vCont;r%x,%x:1" % (start, start + 8))
            self.stop(reply, SIGTRAP)
            self.assertFalse(start <= wire.register(RIP) < start + 8)

    def test_interrupt_while_the_guest_sleeps(self):
        with Guest(wait=False) as guest:
            guest.printed(STARTED)
            wire = guest.connect()
            for _ in range(3):
                wire.send("vCont;c")
                time.sleep(0.2)
                self.stop(wire.interrupt(), SIGINT)
            wire.send("vCont;c")
            guest.type(b"echo alive\nexit 5\n")
            self.assertEqual(wire.read(), "W05")
            self.assertEqual(guest.wait(), 5)
            self.assertIn(b"alive", guest.content(guest.output))

    def test_detach_and_connect_again(self):
        with Guest(wait=False) as guest:
            guest.printed(STARTED)
            for number in range(3):
                wire = guest.connect()
                self.assertEqual(wire.ask("Z0,%x,1" % self.symbols["syscall_dispatch"]), "OK")
                guest.type(b"echo again\n")
                self.stop(wire.ask("vCont;c"), SIGTRAP)
                if number % 2 == 0:
                    self.assertEqual(wire.ask("D"), "OK")  # else the connection just ends
                wire.close()
            guest.type(b"exit 4\n")
            self.assertEqual(guest.wait(), 4)
            self.assertEqual(guest.content(guest.output).count(b"again\n"), 3)

    def test_no_console_byte_is_lost(self):
        lines = b"".join(b"line %d of the console\n" % i for i in range(2000))
        with Guest(wait=False, script=b"cat\n") as guest:
            wire = guest.connect()
            feeder = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=guest.process.stdin)
            for start in range(0, len(lines), 1024):
                feeder.stdin.write(lines[start:start + 1024])
                feeder.stdin.flush()
                wire.send("vCont;c")
                self.stop(wire.interrupt(), SIGINT)
            feeder.stdin.close()
            feeder.wait()
            guest.process.stdin.close()
            self.assertEqual(wire.ask("vCont;c"), "W00")
            guest.process.stdin = None
            self.assertIn(lines, guest.content(guest.output))

    def test_a_watched_variable(self):
        with Guest() as guest:
            wire = guest.connect()
            self.stop_at(wire, "kmain")
            stack = wire.register(RSP) - 16  # the second push of its prologue changes it
            before = wire.memory(stack, 8)
            reply = wire.ask("Z2,%x,8" % stack)
            if reply == "":
                self.skipTest("this KVM has no debug registers")
            self.assertEqual(reply, "OK")
            reply = wire.ask("vCont;c")
            self.assertIn("watch:%x;" % stack, reply)
            self.assertNotEqual(wire.memory(stack, 8), before)
            self.assertLess(wire.register(RIP) - self.symbols["kmain"], 16, "it is told when it is long past")

    def test_a_triple_fault_is_a_stop(self):
        with Guest(append="demo=lose-idt") as guest:
            wire = guest.connect()
            self.stop(wire.ask("vCont;c"), SIGABRT)
            self.assertGreater(wire.register(RIP), 1 << 63, "the dead kernel's registers are still there")
            self.assertEqual(len(wire.memory(wire.register(RIP), 2)), 2)
            guest.printed(b"The guest died", guest.errors)
            self.assertEqual(wire.ask("vCont;c"), "X%02x" % SIGABRT)
            self.assertEqual(guest.wait(), 121)

    def test_with_step_after(self):
        """While gdb is there, it alone decides what is stepped; then the other goes on."""
        with Guest("--step-after", "1", "--stats", append="demo=lose-idt") as guest:
            wire = guest.connect()
            self.stop_at(wire, "demo")  # far too far to be stepped to
            self.assertEqual(wire.ask("D"), "OK")
            self.assertEqual(guest.wait(), 121)
            errors = guest.content(guest.errors).decode()
            self.assertIn("The guest died: #UD", errors)
            self.assertRegex(errors, r"\d\d+ .*KVM_EXIT_DEBUG")

    def test_monitor(self):
        with Guest(wait=False) as guest:
            guest.printed(STARTED)
            wire = guest.connect()
            self.assertIn("virtq", wire.monitor("help"))
            self.assertIn("KVM_EXIT_IO", wire.monitor("exits"))
            self.assertIn("PML4[511]", wire.monitor("walk 0x%x" % self.symbols["kmain"]))
            self.assertIn("virtio-console", wire.monitor("virtq"))
            self.assertIn("CR3", wire.monitor("vcpus"))
            self.assertIn("local APIC of vCPU 0", wire.monitor("lapic"))
            self.assertIn("no command 'nonsense'", wire.monitor("nonsense"))

    def test_reset_keeps_the_connection(self):
        with Guest(wait=False, script=b"exit 6\n") as guest:
            wire = guest.connect()
            self.stop_at(wire, "syscall_dispatch")
            wire.monitor("reset")
            self.stop_at(wire, "kmain")
            self.stop_at(wire, "syscall_dispatch")

    def test_two_cpus_are_two_threads(self):
        with Guest("--cpus", "2", wait=False) as guest:
            guest.printed(STARTED)
            wire = guest.connect()
            self.assertEqual(wire.ask("qfThreadInfo"), "m1,2")
            self.assertEqual(wire.ask("qsThreadInfo"), "l")
            self.assertEqual(wire.ask("Hg2"), "OK")
            self.assertIn("not started", bytes.fromhex(wire.ask("qThreadExtraInfo,2")).decode())
            self.assertRegex(wire.ask("Hg3"), "^E")
            wire.send("vCont;c")
            self.stop(wire.interrupt(), SIGINT)

    def test_only_loopback(self):
        result = subprocess.run([*moss.terrarium_command("--gdb", "tcp:0.0.0.0:0")], stdin=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, timeout=moss.PATIENCE * moss.SCALE)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"loopback", result.stderr)


class RealGdb(unittest.TestCase):
    """gdb itself, in batch mode. One session, and each test looks at a part of what it saw: values, which come on lines of their
    own that begin with @, and the whole text."""

    SESSION = [
        'printf "@start %#lx\\n", $pc', "info threads", "set breakpoint always-inserted on",
        "break kmain", "continue", 'printf "@kmain %#lx\\n", $pc',
        'printf "@rsp %#lx\\n", $rsp', 'printf "@eflags %#lx\\n", $eflags', 'printf "@cs %#lx\\n", $cs',
        'printf "@cr0 %#lx\\n", $cr0', 'printf "@efer %#lx\\n", $efer', 'printf "@mxcsr %#lx\\n", $mxcsr',
        "dump binary memory DIRECTORY/code kmain kmain+64",
        "set $r12 = 0x1122334455667788", "set $xmm3.v2_int64[1] = 99", "maintenance flush register-cache",
        'printf "@r12 %#lx\\n", $r12', 'printf "@xmm3 %#lx\\n", $xmm3.v2_int64[1]',
        "set {char[4]} ($rsp - 64) = {1, 2, 125, 35}", "maintenance flush dcache",
        'printf "@stored %#x\\n", *(int *)($rsp - 64)',
        "x/xg UNMAPPED", "next", 'printf "@next %#lx\\n", $pc', "info symbol $pc",
        "delete", "break syscall_dispatch if ++$hits == 20", "set $hits = 0", "continue",
        'printf "@hits %d\\n", $hits', 'printf "@dispatch %#lx\\n", $pc', "backtrace 2",
        "delete", "finish", 'printf "@finish %#lx\\n", $pc', "detach"]

    session = None  # (values, text, status of the guest, the 64 bytes at kmain), once it was held

    @classmethod
    def gdb(cls, where, commands, errors):
        words = [GDB, "-nx", "-batch", "-ex", "set confirm off",
                 "-ex", "set remotetimeout %d" % (30 * moss.SCALE), "-ex", "target remote " + where]
        for command in commands:
            words += ["-ex", command]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(words + [KERNEL], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=QUIET)
            patience = Patience(errors, output)
            while process.poll() is None and not patience.is_over():
                time.sleep(0.05)
            process.kill()
            process.wait()
            text = Guest.content(output).decode(errors="replace")
        return dict(re.findall(r"^@(\w+) (.*)$", text, re.M)), text + patience.stub

    @classmethod
    def hold_session(cls):
        with Guest(script=b"echo ready\n" * 30) as guest:  # enough system calls to count
            guest.printed(b"waiting for gdb", guest.errors)
            words = [one.replace("DIRECTORY", guest.directory.name).replace("UNMAPPED", hex(UNMAPPED)) for one in cls.SESSION]
            values, text = cls.gdb(guest.socket, words, guest.errors)
            code, status = b"", None
            if os.path.exists(guest.directory.name + "/code"):
                with open(guest.directory.name + "/code", "rb") as file:
                    code = file.read()
            if "finish" in values:
                guest.type(b"exit 7\n")
                status = guest.wait()
        return values, text, status, code

    def setUp(self):
        if RealGdb.session is None:
            try:
                RealGdb.session = self.hold_session()
            except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:  # once is enough: it may take long
                RealGdb.session = {}, str(problem), None, b""
        self.values, self.text, self.status, self.code = self.session
        self.symbols = symbols()

    def value(self, name):
        """A value that gdb has printed."""
        self.assertIn(name, self.values, "gdb could not say; all that it said:\n" + self.text)
        return int(self.values[name], 0)

    def near(self, value, symbol, most):
        self.assertLess(value - self.symbols[symbol], most, self.text)
        self.assertGreater(value, self.symbols[symbol], self.text)

    def test_it_connects_and_knows_where_the_cpu_is(self):
        with open(KERNEL, "rb") as file:
            self.assertIn(self.value("start").to_bytes(4, "little"), file.read(), "the PVH note names the first instruction")

    def test_it_lists_the_vcpus(self):
        self.value("start")
        self.assertRegex(self.text, r"Thread 1[. ].*vCPU 0")

    def test_it_stops_at_a_breakpoint(self):
        self.assertEqual(self.value("kmain"), self.symbols["kmain"], self.text)

    def test_it_finds_each_register(self):
        self.assertGreater(self.value("rsp"), self.symbols["kmain"] & ~0xfffffff, self.text)
        self.assertEqual(self.value("eflags") & ~0xfff, 0, "EFLAGS: 4 bytes, and what follows them is CS")
        self.assertEqual(self.value("cs") & 3, 0)
        self.assertEqual(self.value("cr0") >> 31, 1, "paging is on")
        self.assertEqual(self.value("efer") >> 10 & 1, 1, "long mode is on")
        self.assertEqual(self.value("mxcsr") & 0x1f80, 0x1f80, "exceptions of SSE are masked")

    def test_it_sets_registers(self):
        self.assertEqual(self.value("r12"), 0x1122334455667788, self.text)
        self.assertEqual(self.value("xmm3"), 99, self.text)

    def test_it_reads_code_without_our_int3(self):
        self.assertEqual(len(self.code), 64, self.text)
        with open(KERNEL, "rb") as file:
            self.assertIn(self.code, file.read(), "a breakpoint is visible in memory")

    def test_it_writes_memory(self):
        self.assertEqual(self.value("stored"), 0x237d0201, self.text)

    def test_it_says_what_is_not_mapped(self):
        self.value("kmain")  # it has looked into the guest, not into the file
        self.assertIn("Cannot access memory at address 0x%x" % UNMAPPED, self.text)

    def test_it_steps_a_line(self):
        self.near(self.value("next"), "kmain", 0x200)

    def test_it_counts_hits_of_a_breakpoint(self):
        self.assertEqual((self.value("hits"), self.value("dispatch")), (20, self.symbols["syscall_dispatch"]), self.text)

    def test_it_finishes_a_function(self):
        self.near(self.value("finish"), "syscall_entry", 0x200)

    def test_the_guest_goes_on_without_it(self):
        self.assertEqual(self.status, 7, self.text)

    def test_over_a_pipe(self):
        command = " ".join(moss.terrarium_command("--gdb", "stdio", "--gdb-wait"))
        with tempfile.NamedTemporaryFile() as errors:
            values, text = self.gdb("| exec %s 2>%s" % (command, errors.name), [
                "break kmain", "continue", 'printf "@rip %#lx\\n", $pc', "kill"], errors)
        self.assertEqual(int(values.get("rip", "0"), 0), self.symbols["kmain"], text)


if __name__ == "__main__":
    unittest.main()
