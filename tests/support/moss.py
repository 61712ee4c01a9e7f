"""Running Moss for a test: in Terrarium (under with-kvm, where the caller already is) or in QEMU (anywhere).

A test looks at what the machine produced: its exit status, its console bytes where those are the product, and records
on the results channel, which carry a nonce that only this run knows.
"""

import os
import pty
import re
import secrets
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("TERRARIUM_BUILD", "build"))
SCALE = int(os.environ.get("TIMEOUT_SCALE", "1"))
PATIENCE = 60  # seconds, times SCALE: only ends what hangs

PROMPT = b"# "  # what the shell shows when it is ready for a line


class Result:
    """What a machine left behind: status, stdout and stderr as bytes, records as a list of (verdict, text)."""

    def __init__(self, status, stdout, stderr, records):
        self.status, self.stdout, self.stderr, self.records = status, stdout, stderr, records

    @property
    def words(self):
        """What Moss and its machine said: what comes before Moss has found its console may be in either stream."""
        return self.stdout + self.stderr


def terrarium_command(*options, append="", memory="128M", kernel="moss.elf", initrd="initrd.cpio"):
    """The words that start Moss in Terrarium. Kernel and initrd are sought in the build directory."""
    words = [os.path.join(BUILD, "terrarium"), "run", "--memory", memory,
             "--kernel", os.path.join(BUILD, kernel), *options]
    if initrd:
        words += ["--initrd", os.path.join(BUILD, initrd)]
    return words + (["--append", append] if append else [])


def read_records(path, nonce):
    """The records in a results file that begin with the nonce; anything else there is not ours, nor is a line without its end: the
    machine was killed in the middle of it."""
    if not os.path.exists(path):
        return []
    with open(path, errors="replace") as file:
        lines = [line.rstrip("\n").split(" ", 2) for line in file if line.endswith("\n")]
    return [(words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1 and words[0] == nonce]


def cksum(data):
    """What cksum(1) prints for these bytes: POSIX's CRC and the size.

    POSIX takes the bits of the CRC that zlib knows in the other order, begins with 0, and counts the size's bytes too.
    """
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "little")
    mirror = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    crc = zlib.crc32((data + size).translate(mirror), 0xffffffff)
    return "%d %d" % (int(f"{crc:032b}"[::-1], 2), len(data))


class Machine:
    """What runs Moss. A test that is about Moss asks nothing of it that only one of them has, and runs in each.

    Options that all take: append, memory, kernel, initrd (sought in the build directory; None: none), disks (paths, with ",ro"
    behind those that are only to be read), console ("virtio" or "serial"). Further options are words of the machine's own.
    """

    panic = 255  # how a machine ends whose Moss panics
    own_session = False

    def start(self, results, *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, **how):
        """Start it. What is written to /dev/results goes to the file `results`, if one is named."""
        words, environment = self.command(results, *options, **how)
        return subprocess.Popen(words, stdin=stdin, stdout=stdout, stderr=stderr, cwd=ROOT, env={**os.environ, **environment},
                                start_new_session=self.own_session)

    def kill(self, process):
        """End it at once, with all the processes that it has."""
        if self.own_session:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()

    def run(self, script=b"", *options, timeout=120, **how):
        """Boot Moss with `script` (bytes) as its piped input; $NONCE is set in it. Returns a Result."""
        nonce = secrets.token_hex(8)
        with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as output:
            results = os.path.join(directory, "results")
            process = self.start(results, *options, stdout=output if self.output_is_a_file else subprocess.PIPE,
                                 stderr=subprocess.PIPE, **how)
            try:
                stdout, stderr = process.communicate(b"export NONCE=%s\n%s" % (nonce.encode(), script), timeout * SCALE)
            except subprocess.TimeoutExpired:
                self.kill(process)
                raise
            if self.output_is_a_file:
                output.seek(0)
                stdout = output.read()
            return Result(process.returncode, stdout, stderr, read_records(results, nonce))

    def session(self, *options, **how):
        """Boot Moss at a terminal. Returns a Session."""
        return Session(*options, machine=self, **how)


class Terrarium(Machine):
    """Where KVM works."""

    output_is_a_file = False

    @staticmethod
    def command(results, *options, disks=(), console=None, **how):
        words = ["--results", results] if results else []
        for disk in disks:
            words += ["--disk", disk]
        words += ["--console", console] if console else []
        return terrarium_command(*words, *options, **how), {}


class Qemu(Machine):
    """Plain QEMU in software emulation (scripts/qemu): it runs everywhere and knows nothing that only Terrarium has."""

    panic = 255 & 127  # QEMU passes on seven bits
    own_session = True  # a shell and its children
    output_is_a_file = True  # then the console may be virtio's, which waits for no reader

    @staticmethod
    def command(results, *options, append="", memory="128M", kernel="moss.elf", initrd="initrd.cpio", disks=(), console=""):
        options = list(options)
        if results:
            options += ["-device isa-debugcon,iobase=0xe8,chardev=results", f"-chardev file,id=results,path={results}"]
        for number, disk in enumerate(disks):
            path, _, readonly = disk.partition(",")
            options += [f"-drive if=none,id=disk{number},file={path},format=raw{',readonly=on' if readonly else ''}",
                        f"-device virtio-blk-device,drive=disk{number}"]
        return [os.path.join(ROOT, "scripts/qemu"), BUILD, append], {
            "MEMORY": memory, "KERNEL": os.path.join(BUILD, kernel), "INITRD": os.path.join(BUILD, initrd) if initrd else "",
            "DISK": "", "CONSOLE": console, "QEMU_OPTIONS": " ".join(options)}


TERRARIUM, QEMU = Terrarium(), Qemu()
run = TERRARIUM.run


class TestCase(unittest.TestCase):
    """Tests of Moss, which hold on every machine: they use self.machine, and tests/support/on_qemu.py makes them for QEMU too."""

    machine = TERRARIUM


def only_terrarium(test):
    """Marks a test of such a class that needs what only Terrarium has."""
    test.only_terrarium = True
    return test


class Session:
    """Moss at a terminal of its own, typed at and read from like a user does.

    Use it in a `with` statement: nothing stays behind. `screen` has all bytes that came; `before` the terminal's
    settings (termios) as they were when the machine started. Before lab 6 there is no results channel.
    """

    def __init__(self, *options, machine=TERRARIUM, rows=24, columns=80, results=True, stdout=None, **how):
        self.machine = machine
        self.nonce = secrets.token_hex(8)
        self.directory = tempfile.TemporaryDirectory()
        self.results = os.path.join(self.directory.name, "results")
        self.master, self.terminal = pty.openpty()
        termios.tcsetwinsize(self.terminal, (rows, columns))
        self.before = self.settings()
        self.screen = b""
        self.seen = 0  # bytes of the screen that earlier calls of expect() took
        self.process = machine.start(self.results if results else None, *options, stdin=self.terminal,
                                     stdout=stdout or self.terminal, stderr=self.terminal, **how)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.machine.kill(self.process)
        os.close(self.master)
        os.close(self.terminal)
        self.directory.cleanup()

    def settings(self):
        return termios.tcgetattr(self.terminal)

    def records(self):
        return read_records(self.results, self.nonce)

    def send(self, data):
        """Type. Reads the screen meanwhile, because a machine whose output nobody reads stops."""
        while data:
            _, writable, _ = select.select([self.master], [self.master], [], 1)
            self._read(0)
            if writable:
                data = data[os.write(self.master, data[:512]):]

    def _read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            time.sleep(0.02)  # so that a byte is not read alone
            self.screen += os.read(self.master, 65536).replace(b"\r", b"")

    def expect(self, wanted, timeout=PATIENCE):
        """Wait until `wanted` (bytes, or a pattern of bytes) appears behind what earlier calls found. Carriage returns are left out.

        Returns the match. AssertionError, with the screen, if it does not come or the machine ends before.
        """
        pattern = wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(wanted))
        end = time.monotonic() + timeout * SCALE
        while True:
            ended = self.process.poll() is not None
            self._read(0 if ended else 0.1)
            match = pattern.search(self.screen, self.seen)
            if match:
                self.seen = match.end()
                return match
            if time.monotonic() > end or (ended and not select.select([self.master], [], [], 0)[0]):
                raise AssertionError("%r does not appear%s; the screen since the last that did: %r" % (
                    pattern.pattern, " before the machine's end" if ended else "", self.screen[self.seen:][-2000:]))

    def command(self, line, timeout=PATIENCE):
        """Type a line at the prompt, without waiting for its end."""
        self.expect(PROMPT, timeout)
        self.send(line + b"\r")

    def wait(self, timeout=PATIENCE):
        """Read on until the machine ends. Returns its exit status, -N if signal N killed it."""
        end = time.monotonic() + timeout * SCALE
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError("the machine does not end; its last words: %r" % self.screen[-2000:])
            self._read(0.05)
        self._read(0)
        return self.process.returncode
