"""Running Moss for a test: in Terrarium (under with-kvm, where the caller already is) or in QEMU.

A test looks at what the machine produced: its exit status, its console bytes where those are the product, and records
on the results channel, which carry a nonce that only this run knows.
"""

import os
import pty
import re
import secrets
import select
import subprocess
import tempfile
import termios
import time
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


def terrarium_command(*options, append="", memory="128M", kernel="moss.elf", initrd="initrd.cpio"):
    """The words that start Moss in Terrarium. Kernel and initrd are sought in the build directory."""
    words = [os.path.join(BUILD, "terrarium"), "run", "--memory", memory,
             "--kernel", os.path.join(BUILD, kernel), *options]
    if initrd:
        words += ["--initrd", os.path.join(BUILD, initrd)]
    return words + (["--append", append] if append else [])


def read_records(path, nonce):
    """The records in a results file that begin with the nonce; anything else there is not ours."""
    if not os.path.exists(path):
        return []
    with open(path, errors="replace") as file:
        lines = [line.rstrip("\n").split(" ", 2) for line in file]
    return [(words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1 and words[0] == nonce]


def cksum(data):
    """What cksum(1) prints for these bytes: POSIX's CRC and the size.

    POSIX takes the bits of the CRC that zlib knows in the other order, begins with 0, and counts the size's bytes too.
    """
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "little")
    mirror = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    crc = zlib.crc32((data + size).translate(mirror), 0xffffffff)
    return "%d %d" % (int(f"{crc:032b}"[::-1], 2), len(data))


def run(script=b"", *options, timeout=120, **how):
    """Boot Moss in Terrarium with `script` (bytes) as its piped input; $NONCE is set in it. Returns a Result."""
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as directory:
        results = os.path.join(directory, "results")
        command = terrarium_command("--results", results, *options, **how)
        done = subprocess.run(command, input=b"export NONCE=%s\n%s" % (nonce.encode(), script),
                              capture_output=True, timeout=timeout * SCALE, cwd=ROOT, check=False)
        return Result(done.returncode, done.stdout, done.stderr, read_records(results, nonce))


def run_in_qemu(script=b"", append="", timeout=120, console="serial", options=""):
    """The same in plain QEMU. Its output goes to a file, because QEMU's virtio console waits for no reader."""
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as directory:
        results, output = os.path.join(directory, "results"), os.path.join(directory, "output")
        options += f" -device isa-debugcon,iobase=0xe8,chardev=results -chardev file,id=results,path={results}"
        with open(output, "wb") as stdout:
            done = subprocess.run([os.path.join(ROOT, "scripts/qemu"), BUILD, append], cwd=ROOT, check=False,
                                  input=b"export NONCE=%s\n%s" % (nonce.encode(), script), timeout=timeout * SCALE,
                                  stdout=stdout, stderr=subprocess.PIPE,
                                  env={**os.environ, "QEMU_OPTIONS": options, "CONSOLE": console})
        with open(output, "rb") as file:
            return Result(done.returncode, file.read(), done.stderr, read_records(results, nonce))


class Session:
    """Moss in Terrarium at a terminal of its own, typed at and read from like a user does.

    Use it in a `with` statement: nothing stays behind. `screen` has all bytes that came; `before` the terminal's
    settings (termios) as they were when the machine started. Before lab 6 there is no results channel.
    """

    def __init__(self, *options, rows=24, columns=80, results=True, stdout=None, **how):
        self.nonce = secrets.token_hex(8)
        self.directory = tempfile.TemporaryDirectory()
        self.results = os.path.join(self.directory.name, "results")
        self.master, self.terminal = pty.openpty()
        termios.tcsetwinsize(self.terminal, (rows, columns))
        self.before = self.settings()
        self.screen = b""
        self.seen = 0  # bytes of the screen that earlier calls of expect() took
        if results:
            options = ("--results", self.results, *options)
        self.process = subprocess.Popen(terrarium_command(*options, **how), cwd=ROOT,
                                        stdin=self.terminal, stdout=stdout or self.terminal, stderr=self.terminal)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
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
