"""The virtio console: megabytes both ways, a window that changes its size, and what a KiB costs in Terrarium."""

import fcntl
import random
import re
import signal
import struct
import termios
import unittest
from tests.support import moss

MIB = 1 << 20


class Amounts(moss.TestCase):
    def test_two_mib_in(self):
        data = random.Random(7).randbytes(2 * MIB)
        result = self.machine.run(b'echo $NONCE sum $(cksum) > /dev/results\n' + data)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])

    def output_is_whole(self, size, *options, **how):
        data = random.Random(size).randbytes(size)
        result = self.machine.run(b"cat\n" + data, *options, **how)
        self.assertEqual(len(result.stdout), len(data))
        self.assertEqual(result.stdout, data)

    def test_two_mib_out(self):
        self.output_is_whole(2 * MIB)

    @moss.only_terrarium
    def test_out_by_exits(self):
        if re.search(r"lab[78]$", moss.BUILD):
            self.skipTest("before lab 9 there is no other way")
        self.output_is_whole(MIB, "--no-eventfd")

    def test_out_by_the_serial_port(self):
        self.output_is_whole(MIB // 32, console="serial")

    def exits_per_kib(self, kib, **how):
        """What printing costs: the exits of a run that prints so much, less those of a run that prints nothing."""
        exits = []
        for script in (b"cat /dev/null\n", b"cat /tmp/file\n"):
            result = self.machine.run(b"head -c %d /dev/zero > /tmp/file\n" % (kib << 10) + script, "--stats", **how)
            self.assertEqual(result.status, 0, result.stderr)
            exits.append(int(re.search(rb"vCPU 0: (\d+) exits", result.stderr).group(1)))
        self.assertEqual(len(result.stdout), kib << 10)
        return (exits[1] - exits[0]) / kib

    @moss.only_terrarium
    def test_a_kib_costs_less_than_one_exit(self):
        self.assertLess(self.exits_per_kib(1024), 1)
        self.assertGreater(self.exits_per_kib(16, console="serial"), 1000)


class Window(unittest.TestCase):
    def test_a_resize_reaches_a_program(self):
        with moss.Session(rows=40, columns=100) as session:
            session.command(b"winsize -w")
            session.expect(b"\n40 100\n")
            fcntl.ioctl(session.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
            session.process.send_signal(signal.SIGWINCH)  # its terminal is not its controlling one
            session.expect(b"50 132\n")
            session.send(b"\x03")
            session.expect(moss.PROMPT)


if __name__ == "__main__":
    unittest.main()
