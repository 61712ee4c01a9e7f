"""Moss behind a pipe: what a shell script sees of it."""

import random
import subprocess
import time
import unittest
from tests.support import moss

CHECKSUM = b'echo "$NONCE sum $(cksum)" > /dev/results\n'


class PipeSession(moss.TestCase):
    def test_output_is_only_the_programs_output(self):
        result = self.machine.run(b"echo hi\n")
        self.assertEqual(result.stdout, b"hi\n", "a piped session prints what its programs print: no prompt, no boot messages")
        self.assertEqual(result.status, 0, "the end of input ends the shell, and a shell that ends well is status 0")

    def test_exit_status_is_the_shells(self):
        self.assertEqual(self.machine.run(b"exit 3\n").status, 3)

    def test_power_off_with_a_status(self):
        self.assertEqual(self.machine.run(b"poweroff 7\n").status, 7)

    def test_records_carry_the_nonce(self):
        result = self.machine.run(b'echo "$NONCE ok hello" > /dev/results\necho "forged ok other" > /dev/results\n')
        self.assertEqual(result.records, [("ok", "hello")])

    def test_input_that_is_closed_at_once(self):
        with self.machine.start(None, stdin=subprocess.DEVNULL) as process:
            output = process.communicate(timeout=120 * moss.SCALE)[0]
        self.assertEqual((process.returncode, output), (0, b""))

    def test_no_newline_at_the_end(self):
        self.assertEqual(self.machine.run(b"echo last").stdout, b"last\n")

    @moss.only_terrarium
    def test_after_a_reset_the_end_of_the_input_is_told_again(self):
        result = self.machine.run(b"echo one\nreboot\n")
        self.assertEqual((result.status, result.stdout), (0, b"one\n"))

    def test_pipes_redirections_and_jobs(self):
        result = self.machine.run(b"ls /none 2>&1 | cat\n"
                          b"for i in 3 1 2; do echo $i; done | sort | head -n 2 | cat\n"
                          b"(sleep 0.2; echo late) & wait; echo waited\n"
                          b"echo a > /tmp/f; echo b >> /tmp/f; cat < /tmp/f\n")
        self.assertEqual(result.stdout, b"ls: /none: No such file or directory\n1\n2\nlate\nwaited\na\nb\n")

    def test_a_script_with_an_interpreter_line(self):
        result = self.machine.run(b"cp /bin/true /tmp/s\n"  # an executable file; its content is replaced
                          b"echo '#!/bin/sh' > /tmp/s; echo 'echo $1 of $#; exit 6' >> /tmp/s\n"
                          b"/tmp/s one two; echo $?\n")
        self.assertEqual(result.stdout, b"one of 2\n6\n")


class Amounts(moss.TestCase):
    """Every byte arrives, in both directions, whatever its value."""

    def test_64_kib_in(self):
        data = random.Random(1).randbytes(65536 + 1)
        result = self.machine.run(CHECKSUM + data, timeout=300)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])

    @moss.only_terrarium  # QEMU's serial port drops a byte that a full pipe has not taken at the fifth attempt
    def test_much_out_and_a_slow_reader(self):
        script = b"cat /bin/true /bin/true; echo; cat /bin/true /bin/true | cksum\n"
        with self.machine.start(None) as process:
            process.stdin.write(script)
            process.stdin.close()
            output = b""
            while piece := process.stdout.read(20000):
                output += piece
                time.sleep(0.5)  # meanwhile the pipe fills up
        sum_line = output.splitlines()[-1]
        data = output[:-len(sum_line) - 2]  # without both newlines
        self.assertGreater(len(data), 65536)
        self.assertEqual(sum_line.decode(), moss.cksum(data))
        self.assertEqual(process.returncode, 0)  # set by the end of the with statement

    def test_a_mebibyte_through_pipes_inside(self):
        result = self.machine.run(b'head -c 1048576 /dev/zero | cat | cat | ' + b'{ ' + CHECKSUM.rstrip() + b'; }\n')
        self.assertEqual(result.records, [("sum", moss.cksum(bytes(1048576)))])


if __name__ == "__main__":
    unittest.main()
