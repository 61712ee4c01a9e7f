"""The control socket and `terrarium inspect`: a running Moss, looked at from outside."""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import tempfile
import unittest
from tests.support import moss

TERRARIUM = os.path.join(moss.BUILD, "terrarium")
SHARED = "/dev/shm"  # a tmpfs: not every file system takes sockets


class Control(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=SHARED)
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "control")

    def inspect(self, *words, status=0):
        """What terrarium inspect prints: stdout, or stderr if it refuses."""
        done = subprocess.run([TERRARIUM, "inspect", self.path, *words], capture_output=True, text=True, check=False,
                              timeout=60 * moss.SCALE)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr if status else done.stdout

    def session(self, *options):
        return moss.Session("--control", self.path, *options)

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(60 * moss.SCALE)
        connection.connect(self.path)
        return connection

    def test_a_machine_is_looked_at_while_it_runs(self):
        with self.session() as session:
            session.command(b"true | true | true; echo ready; (cat; true)")
            session.expect(b"\nready\n")
            self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600, "the socket is for this user only")
            with self.subTest("help"):
                for name in ("walk", "virtq", "memory", "vcpus", "devices"):
                    self.assertRegex(self.inspect("help"), r"(?m)^  %s " % name)
            with self.subTest("vcpus"):
                text = self.inspect("vcpus")
                self.assertRegex(text, r"vCPU 0  (runs|sleeps \(HLT\)), ring [03], 64-bit mode, interrupts (on|off), \d+ exits")
                rip = re.search(r"RIP ([0-9a-f]{16})", text).group(1)
            with self.subTest("walk"):
                walk = self.inspect("walk", "0x" + rip)
                self.assertRegex(walk, r"PML4\[\d+\].*\n +-> PDPT\[\d+\]")
                self.assertIn("x)", walk, "the page that the CPU executes may be executed")
                self.assertIn("NOT PRESENT", self.inspect("walk", "0"))
                self.assertIn("walk needs an address", self.inspect("walk", status=1))
                self.assertIn("no vCPU '9'", self.inspect("walk", "0", "9", status=1))
            with self.subTest("devices"):
                self.assertRegex(self.inspect("devices"), r"3f8-3ff +uart16550 +[1-9]\d* accesses")
            with self.subTest("memory"):
                text = self.inspect("memory")
                frames = {mark: int(count) for mark, count in re.findall(r"(?m)^  ([.+L=a-zT]) +(\d+)  \S", text)}
                self.assertEqual(sum(frames.values()), 128 * 256, "every frame of 128 MiB has one use")
                self.assertTrue(all(frames[mark] > 0 for mark in ".+L=T"), frames)
                spaces = [count for mark, count in frames.items() if mark.islower() and count > 0]
                self.assertEqual(len(spaces), 4, "init, sh, its copy and cat live, and share what the fork left; the others have ended: " + text)
                self.assertIn("initrd", text)
            with self.subTest("virtq"):
                text = self.inspect("virtq", "virtio-console")
                self.assertIn("status ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK", text)
                queues = re.findall(r"offered (\d+), taken (\d+), given back (\d+)", text)
                self.assertEqual(len(queues), 2)
                self.assertEqual(queues[1][0], queues[1][1], "all output was taken")
                self.assertRegex(text, r"chain +\d+: [0-9a-f]+\+\d+ W", "a buffer for input waits")
                self.assertIn("no virtio device floppy", self.inspect("virtq", "floppy", status=1))
            with self.subTest("errors"):
                self.assertIn("unknown command 'fly'", self.inspect("fly", status=1))
            with self.subTest("lines that are no requests"):
                self.odd_lines()
            session.send(b"still here\r")
            session.expect(b"still here\nstill here\n")
            session.send(b"\x04")
            self.connect().sendall(b"{\"command\":\"me")
            session.command(b"poweroff 5")
            self.assertEqual(session.wait(), 5, "looking changed nothing; a client that says no more keeps no machine from its end")
        self.assertFalse(os.path.exists(self.path), "the socket goes with the machine")
        self.assertIn("start a machine with", self.inspect("vcpus", status=120))

    def odd_lines(self):
        connection = self.connect()
        stream = connection.makefile("r")
        connection.sendall(b"what?\n\0\n{\"command\":\"vcpus\"}\n")
        answers = [json.loads(stream.readline()) for _ in range(3)]
        self.assertEqual([answer["ok"] for answer in answers], [False, False, True])
        connection.sendall(b"x" * 5000)
        with contextlib.suppress(ConnectionResetError):  # the rest of the line was never read
            self.assertEqual(stream.readline(), "", "a line that never ends is the end of the talk")
        connection.close()
        self.assertIn("vCPU 0", self.inspect("vcpus"), "the next client is served")

    def test_a_socket_left_over_by_a_machine_that_was_killed(self):
        with self.session() as session:
            session.expect(moss.PROMPT)
        self.assertTrue(os.path.exists(self.path))
        with self.session() as session:
            session.expect(moss.PROMPT)
            self.assertIn("vCPU 0", self.inspect("vcpus"))
            second = subprocess.run([TERRARIUM, "run", "--flat", os.path.join(moss.BUILD, "hello.bin"), "--control", self.path],
                                    capture_output=True, check=False, timeout=60 * moss.SCALE)
            self.assertEqual(second.returncode, 120, "a socket that is in use is not taken away")
            self.assertIn("vCPU 0", self.inspect("vcpus"))

    def test_a_file_in_its_place_stays(self):
        with open(self.path, "w") as file:
            file.write("mine")
        done = subprocess.run([TERRARIUM, "run", "--flat", os.path.join(moss.BUILD, "hello.bin"), "--control", self.path],
                              capture_output=True, check=False, timeout=60 * moss.SCALE)
        self.assertEqual(done.returncode, 120, done.stderr)
        with open(self.path) as file:
            self.assertEqual(file.read(), "mine")

    def test_a_path_that_is_too_long(self):
        self.path += "x" * 108
        complaint = r"%s.*: a socket's path has 1 to 107 bytes, this one %d" % (self.path[:80], len(self.path))
        self.assertRegex(self.inspect("vcpus", status=2), complaint)
        for option, value in (("--control", self.path), ("--gdb", "unix:" + self.path)):
            done = subprocess.run([TERRARIUM, "run", "--flat", os.path.join(moss.BUILD, "hello.bin"), option, value],
                                  capture_output=True, text=True, check=False, timeout=60 * moss.SCALE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, option + " .*" + complaint)


if __name__ == "__main__":
    unittest.main()
