"""Moss behind a pipe: what a shell script sees of it."""

import random
import subprocess
import time
import unittest
from tests.support import moss

CHECKSUM = b'echo "$NONCE sum $(cksum)" > /dev/results\n'


class PipeSession(unittest.TestCase):
    def test_output_is_only_the_programs_output(self):
        result = moss.run(b"echo hi\n")
        self.assertEqual(result.stdout, b"hi\n", "a piped session prints what its programs print: no prompt, no boot messages")
        self.assertEqual(result.status, 0, "the end of input ends the shell, and a shell that ends well is status 0")

    def test_exit_status_is_the_shells(self):
        self.assertEqual(moss.run(b"exit 3\n").status, 3)

    def test_power_off_with_a_status(self):
        self.assertEqual(moss.run(b"poweroff 7\n").status, 7)

    def test_records_carry_the_nonce(self):
        result = moss.run(b'echo "$NONCE ok hello" > /dev/results\necho "forged ok other" > /dev/results\n')
        self.assertEqual(result.records, [("ok", "hello")])

    def test_input_that_is_closed_at_once(self):
        done = subprocess.run(moss.terrarium_command(), stdin=subprocess.DEVNULL, capture_output=True, cwd=moss.ROOT,
                              timeout=120 * moss.SCALE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_no_newline_at_the_end(self):
        self.assertEqual(moss.run(b"echo last").stdout, b"last\n")

    def test_after_a_reset_the_end_of_the_input_is_told_again(self):
        result = moss.run(b"echo one\nreboot\n")
        self.assertEqual((result.status, result.stdout), (0, b"one\n"))

    def test_pipes_redirections_and_jobs(self):
        result = moss.run(b"ls /none 2>&1 | cat\n"
                          b"for i in 3 1 2; do echo $i; done | sort | head -n 2 | cat\n"
                          b"(sleep 0.2; echo late) & wait; echo waited\n"
                          b"echo a > /tmp/f; echo b >> /tmp/f; cat < /tmp/f\n")
        self.assertEqual(result.stdout, b"ls: /none: No such file or directory\n1\n2\nlate\nwaited\na\nb\n")

    def test_a_script_with_an_interpreter_line(self):
        result = moss.run(b"cp /bin/true /tmp/s\n"  # an executable file; its content is replaced
                          b"echo '#!/bin/sh' > /tmp/s; echo 'echo $1 of $#; exit 6' >> /tmp/s\n"
                          b"/tmp/s one two; echo $?\n")
        self.assertEqual(result.stdout, b"one of 2\n6\n")


class Amounts(unittest.TestCase):
    """Every byte arrives, in both directions, whatever its value."""

    def test_64_kib_in(self):
        data = random.Random(1).randbytes(65536 + 1)
        result = moss.run(CHECKSUM + data, timeout=300)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])

    def test_much_out_and_a_slow_reader(self):
        script = b"cat /bin/true /bin/true; echo; cat /bin/true /bin/true | cksum\n"
        with subprocess.Popen(moss.terrarium_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=moss.ROOT) as process:
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
        result = moss.run(b'head -c 1048576 /dev/zero | cat | cat | ' + b'{ ' + CHECKSUM.rstrip() + b'; }\n')
        self.assertEqual(result.records, [("sum", moss.cksum(bytes(1048576)))])


if __name__ == "__main__":
    unittest.main()
