"""Moss behind a pipe: what a shell script sees of it."""

import unittest
from tests.support import moss


class PipeSession(unittest.TestCase):
    def test_output_is_only_the_programs_output(self):
        result = moss.run(b"echo hi\n")
        self.assertEqual(result.stdout, b"hi\n", "a piped session prints what its programs print: no prompt, no boot messages")
        self.assertEqual(result.status, 0, "the end of input ends the shell, and a shell that ends well is status 0")

    def test_exit_status_is_the_shells(self):
        self.assertEqual(moss.run(b"exit 3\n").status, 3)

    def test_records_carry_the_nonce(self):
        result = moss.run(b'echo "$NONCE ok hello" > /dev/results\necho "forged ok other" > /dev/results\n')
        self.assertEqual(result.records, [("ok", "hello")])


if __name__ == "__main__":
    unittest.main()
