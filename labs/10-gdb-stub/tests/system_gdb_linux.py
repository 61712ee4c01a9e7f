"""The gdb server and a guest that knows nothing of it: Debian's kernel as scripts/with-kvm has unpacked it, whose first process is
linux_init.c. The real gdb has the symbols of that program and none of the kernel's."""

import glob
import importlib.util
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from tests.support import moss
from tests.support.gdb import GDB, QUIET

KERNELS = os.path.join(moss.ROOT, "build/with-kvm/machine-*/kernel")
INIT = os.path.join(moss.ROOT, "labs/10-gdb-stub/tests/linux_init.c")
FAR = 0x600000  # where its far_away() lies: on a page of its own, which is not there before it is called
# An oops is a death; then the guest would begin anew. What it looks for in vain takes long: PCI, ACPI, a clock.
APPEND = "console=ttyS0 quiet panic=-1 oops=panic nokaslr acpi=off pci=off tsc=reliable no_timer_check initcall_blacklist=cmos_init"
SUM, GETPGID = sum(range(8)) + 2, 121
KERNEL_CS, PROGRAM_CS = 0, 3  # rings


def neighbour(name):
    """The module in a file beside this one, as it is for this build."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("%s_for_linux" % name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


server = neighbour("system_gdb")


def find_kernel():
    """The path of a kernel that Terrarium can boot, or None."""
    for path in sorted(glob.glob(KERNELS)):
        with open(path, "rb") as file:
            if file.read(4) == b"\177ELF":
                return path
    return None


class Linux(unittest.TestCase):
    """One session in one boot; each test looks at a part of what gdb and the guest said."""

    SESSION = [
        # Linux has no IDT yet, is not where it was linked, and has just made its first page tables.
        "break *ENTRY", "continue", 'printf "@entry %#lx %d\\n", $pc, $idt_base',
        "stepi", "stepi", 'printf "@entry_steps %#lx\\n", $pc', "delete",
        "continue",  # until ^C, while it sleeps
        'printf "@idle %d %d\\n", $cs & 3, go', "LEARN",
        "set var go = 1", "break *$getpgid if *(unsigned long *)($rdi + 112) == 103", "continue",
        'printf "@getpgid %#lx %d\\n", $pc, *(int *)($rdi + 112)',
        "stepi", "stepi", "stepi", "stepi", 'printf "@kernel_steps %#lx %d\\n", $pc, $cs & 3', "delete",
        "break one_round if number == 5", "continue", 'printf "@one_round %#lx %d %d\\n", $pc, number, $cs & 3',
        "next", "next", "info line", "delete",
        # In its first instruction, Linux is still on the program's stack.
        f"break *$lstar if $rax == {GETPGID} && $rdi == 106", "continue", 'printf "@lstar %#lx %#lx %d\\n", $pc, $rsp, $cs & 3', "delete",
        "break far_away", "continue", 'printf "@far_away %#lx %d\\n", $pc, sum', "delete", "detach"]

    values = None  # name -> words, as gdb printed them

    @staticmethod
    def symbol(said):
        """The address of the system call's function, as the guest has named it."""
        found = re.search(r"^(\w+) T __x64_sys_getpgid", said, re.M)
        return int(found.group(1), 16) if found else 0

    @classmethod
    def build(cls, directory):
        """The initial file system, and the program with its symbols."""
        cls.program, root = os.path.join(directory, "init"), os.path.join(directory, "root")
        os.makedirs(os.path.join(root, "proc"))
        subprocess.run(["musl-gcc", "-static", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-Wl,--section-start=.far={FAR:#x}",
                        "-o", cls.program, INIT], check=True)
        subprocess.run(["strip", "-o", os.path.join(root, "init"), cls.program], check=True)
        names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        with open(os.path.join(directory, "initrd"), "wb") as archive:
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, input=names, stdout=archive, check=True)
        return archive.name

    @classmethod
    def gdb(cls, guest, entry):
        """Have gdb do the session. When the guest says that it is ready, gdb learns a symbol that it has named, and gets ^C."""
        learned = cls.program + ".symbols"
        words = [GDB, "-nx", "-batch", "-ex", "set confirm off", "-ex", "set width 0",
                 "-ex", "set remotetimeout %d" % (30 * moss.SCALE), "-ex", "target remote " + guest.socket]
        for command in cls.SESSION:
            words += ["-ex", command.replace("ENTRY", hex(entry)).replace("LEARN", "source " + learned)]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(words + [cls.program], env=QUIET, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT)
            patience, interrupted = server.Patience(guest.errors), False
            while process.poll() is None and guest.process.poll() is None and not patience.is_over():
                time.sleep(0.05)
                said = os.pread(guest.output.fileno(), 1 << 20, 0).decode(errors="replace")
                if not interrupted and "\nready\n" in said:
                    with open(learned, "w") as file:
                        file.write("set $getpgid = %#x\n" % cls.symbol(said))
                    process.send_signal(signal.SIGINT)
                    interrupted = True
            if process.poll() is None:
                time.sleep(0.5)  # for its last words
            process.kill()
            process.wait()
            return guest.content(output).decode(errors="replace") + patience.stub

    @classmethod
    def setUpClass(cls):
        cls.kernel = find_kernel()
        if not cls.kernel:
            return
        with open(cls.kernel, "rb") as file:
            file.seek(24)
            entry = int.from_bytes(file.read(8), "little")
        with tempfile.TemporaryDirectory() as directory:
            initrd = cls.build(directory)
            with server.Guest(script=b"", append=APPEND, memory="256M", kernel=cls.kernel, initrd=initrd) as guest:
                guest.printed(b"waiting for gdb", guest.errors)
                cls.entry, cls.text = entry, cls.gdb(guest, entry)
                cls.status = guest.wait() if "detached" in cls.text else None
                cls.output = (guest.content(guest.output) + guest.content(guest.errors)).decode(errors="replace")
        cls.values = {name: words.split() for name, words in re.findall(r"^@(\w+) (.*)$", cls.text, re.M)}
        cls.getpgid = cls.symbol(cls.output)

    def setUp(self):
        if not self.kernel:
            self.skipTest("no kernel is unpacked, or none is an ELF file; TERRARIUM_FORCE_FALLBACK=1 scripts/with-kvm --prepare does that")

    def value(self, name):
        """What gdb has printed under this name, as numbers."""
        self.assertIn(name, self.values, "gdb could not say; all that it said:\n%s\nThe guest:\n%s" % (self.text, self.output))
        return [int(word, 0) for word in self.values[name]]

    def test_before_linux_has_an_idt(self):
        self.assertEqual(self.value("entry"), [self.entry, 0])
        self.assertTrue(self.entry < self.value("entry_steps")[0] < self.entry + 30, self.text)

    def test_interrupt_while_linux_sleeps(self):
        self.assertEqual(self.value("idle"), [KERNEL_CS, 0], "it waits for our sign, in the kernel")

    def test_a_condition_in_a_system_call(self):
        self.assertEqual(self.value("getpgid"), [self.getpgid, 103])
        rip, ring = self.value("kernel_steps")
        self.assertEqual(ring, KERNEL_CS)
        self.assertNotEqual(rip, self.getpgid)

    def test_a_program(self):
        rip, number, ring = self.value("one_round")
        self.assertEqual((number, ring), (5, PROGRAM_CS))
        self.assertLess(rip, FAR)
        self.assertRegex(self.text, "getpgid\\(100 \\+ number\\);", "two lines are stepped")

    def test_where_the_kernel_is_on_the_programs_stack(self):
        rip, rsp, ring = self.value("lstar")
        self.assertEqual(ring, KERNEL_CS)
        self.assertGreater(rip, 1 << 63)
        self.assertLess(rsp, 1 << 47)

    def test_a_page_that_is_not_there_yet(self):
        self.assertEqual(self.value("far_away"), [FAR, SUM - 2])

    def test_linux_goes_on_and_has_seen_nothing(self):
        self.value("far_away")
        self.assertEqual(self.status, SUM, self.output)
        self.assertIn("tainted 0\n", self.output)
        self.assertNotRegex(self.output, r"BUG|Oops|int3|traps:|general protection|double fault|Call Trace|WARNING")


if __name__ == "__main__":
    unittest.main()
