"""Odd machines and damaged files: Moss works, or says what is wrong and ends with a status that tells."""

import os
import random
import re
import subprocess
import tempfile
import unittest
from tests.support import moss

HOST_ERROR = 120  # terrarium's status when the host lacks something


class Init(moss.TestCase):
    """Whatever init= names is process 1, and its status the machine's."""

    def test_false(self):
        self.assertEqual(self.machine.run(append="init=/bin/false").status, 1)

    def test_true(self):
        self.assertEqual(self.machine.run(append="init=/bin/true").status, 0)

    def test_shell(self):
        result = self.machine.run(b"echo $$\nexit 9\n", append="init=/bin/sh")
        self.assertEqual((result.status, result.stdout), (9, b"1\n"))

    def test_missing(self):
        result = self.machine.run(append="init=/bin/nothing")
        self.assertEqual(result.status, self.machine.panic)
        self.assertIn(b"Moss panics: cannot run /bin/nothing", result.stdout)

    def test_not_a_program(self):
        result = self.machine.run(append="init=/etc/motd")
        self.assertEqual(result.status, self.machine.panic)
        self.assertIn(b"Moss panics: cannot run /etc/motd", result.stdout)


class Initrd(moss.TestCase):
    def boot(self, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return self.machine.run(b"echo lives\n", initrd=file.name)

    @staticmethod
    def archive():
        with open(os.path.join(moss.BUILD, "initrd.cpio"), "rb") as file:
            return file.read()

    def test_truncated(self):
        archive = self.archive()
        result = self.boot(archive[:len(archive) // 2])
        self.assertIn(b"initrd: damaged at byte", result.words)
        self.assertIn(result.status, (127, self.machine.panic), "there is no shell, or no init")

    def test_random_bytes(self):
        result = self.boot(random.Random(1).randbytes(70000))
        self.assertIn(b"initrd: damaged at byte 0", result.words)
        self.assertIn(b"Moss panics: cannot run /bin/init", result.words)
        self.assertEqual(result.status, self.machine.panic)

    def test_something_behind_the_archive_does_not_matter(self):
        result = self.boot(self.archive() + b"\0" * 1000 + b"more")
        self.assertEqual((result.status, result.stdout), (0, b"lives\n"))

    def test_none(self):
        result = self.machine.run(initrd=None)
        self.assertIn(b"no initrd", result.words)
        self.assertEqual(result.status, self.machine.panic)

    @moss.only_terrarium
    def test_empty(self):
        result = self.boot(b"")
        self.assertEqual(result.status, HOST_ERROR)
        self.assertIn(b"0 bytes", result.stderr)

    @moss.only_terrarium
    def test_missing_file(self):
        result = self.machine.run(initrd="/no/such/initrd")
        self.assertEqual(result.status, HOST_ERROR)
        self.assertIn(b"/no/such/initrd: No such file or directory", result.stderr)

    @moss.only_terrarium
    def test_device(self):
        result = self.machine.run(initrd="/dev/null")
        self.assertEqual(result.status, HOST_ERROR)
        self.assertIn(b"--initrd /dev/null: is a pipe, a device or a directory", result.stderr)


class Closed(unittest.TestCase):
    """Whoever starts us may have closed the standard descriptors; nothing of ours may take their numbers."""

    def run_without(self, *closed, **how):
        return subprocess.run(moss.terrarium_command(append="quiet"), preexec_fn=lambda: [os.close(fd) for fd in closed],
                              timeout=120 * moss.SCALE, check=False, **how)

    def test_input(self):
        self.assertEqual(self.run_without(0, stdout=subprocess.DEVNULL).returncode, 0)

    def test_output(self):
        done = self.run_without(1, input=b"echo lost\n", stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, HOST_ERROR)
        self.assertIn(b"cannot write the guest's output to stdout", done.stderr)

    def test_all(self):
        self.assertIn(self.run_without(0, 1, 2).returncode, (0, HOST_ERROR))


class Kernel(unittest.TestCase):
    def refused(self, kernel, message):
        result = moss.run(kernel=kernel)
        self.assertEqual((result.status, result.stdout), (HOST_ERROR, b""))
        self.assertIn(message, result.stderr)

    def test_missing(self):
        self.refused("/no/such/kernel", b"/no/such/kernel: No such file or directory")

    def test_directory(self):
        self.refused("/", b"--kernel /: is a pipe, a device or a directory; give a regular file")

    def test_pipe_that_nobody_writes_to(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TERRARIUM_RUN")) as directory:
            path = os.path.join(directory, "pipe")
            os.mkfifo(path)
            self.refused(path, b"is a pipe")

    def test_empty(self):
        with tempfile.NamedTemporaryFile() as file:
            self.assertNotEqual(moss.run(kernel=file.name).status, 0)


def total(result):
    """The KiB that `free` tells."""
    return int(re.search(rb"Mem: +([0-9]+)", result.stdout).group(1))


class Memory(moss.TestCase):
    def test_16_mib(self):
        result = self.machine.run(b"free\n", memory="16M")
        self.assertEqual(result.status, 0, result.stdout)
        self.assertLess(total(result), 16 << 10)

    def test_8_mib_works_or_says_why_not(self):
        result = self.machine.run(b"free\n", memory="8M")
        if result.status != 0:
            self.assertEqual(result.status, self.machine.panic)
            self.assertIn(b"memory is full", result.words)

    @moss.only_terrarium
    def test_16_gib_on_a_smaller_host(self):
        result = self.machine.run(b"free\n", memory="16G")
        self.assertEqual(result.status, 0, result.stderr)
        self.assertGreater(total(result), 15 << 20)

    @moss.only_terrarium
    def test_too_small_for_the_initrd(self):
        result = self.machine.run(memory="1M")
        self.assertEqual(result.status, HOST_ERROR)
        self.assertIn(b"use a larger --memory", result.stderr)


if __name__ == "__main__":
    unittest.main()
