"""Debian's busybox at Moss's terminal: the interactive shell with job control, vi, top."""

import os
import re
import tempfile
import unittest
from tests.support import busybox, moss

PROMPT = b"/tmp # "
CONTROL_C, CONTROL_D, CONTROL_Z, ESCAPE = b"\x03", b"\x04", b"\x1a", b"\x1b"
LEFT = b"\x1b[D"


class Terminal(moss.TestCase):
    """One machine for all: each test finds ash's prompt seen, and leaves one."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        initrd = os.path.join(cls.directory.name, "initrd.cpio")
        busybox.make_initrd(initrd)
        cls.session = cls.machine.session(initrd=initrd, append="quiet")
        cls.session.command(b"cd /tmp; PATH=/bb /bb/ash")
        cls.session.expect(PROMPT)

    @classmethod
    def tearDownClass(cls):
        cls.session.__exit__()
        cls.directory.cleanup()

    def type(self, keys, *wanted):
        """Type, and see each of these appear, in this order. What comes in two pieces, vi may draw in two, with the cursor moved
        between them."""
        self.session.send(keys)
        for text in wanted:
            letters = [re.escape(text[i : i + 1]) for i in range(len(text))]
            self.session.expect(re.compile(rb"(?:\x1b\[[0-9;]*[A-Za-z])*".join(letters)))

    def test_line_editing(self):
        self.type(b"ech two" + LEFT * 4 + b"o\r", b"\ntwo\n", PROMPT)

    def test_interrupt(self):
        self.type(b"echo begin; sleep 1000\r", b"\nbegin\n")
        self.type(CONTROL_C, PROMPT)
        self.type(b"echo status $?\r", b"\nstatus 130\n", PROMPT)

    def test_stop_background_foreground(self):
        self.type(b"sh -c 'echo begin; exec sleep 1000'\r", b"\nbegin\n")
        self.type(CONTROL_Z, b"Stopped", PROMPT)
        self.type(b"bg\r", b"[1] sh -c", PROMPT)
        self.type(b"jobs\r", b"Running", PROMPT)
        self.type(b"kill -STOP %1; sleep 1\r", PROMPT)
        self.type(b"jobs\r", b"Stopped", PROMPT)
        self.type(b"fg\r", b'\nsh -c "echo begin; exec sleep 1000"\n')
        self.type(CONTROL_C, PROMPT)

    def test_a_job_in_the_background_does_not_read_the_terminal(self):
        self.type(b"cat & sleep 1\r", PROMPT)
        self.type(b"jobs\r", b"Stopped (tty input)", PROMPT)
        self.type(b"fg\r", b"\ncat\n")
        self.type(b"typed\r", b"\ntyped\n")
        self.type(CONTROL_D, PROMPT)

    def test_vi_writes_a_file(self):
        self.type(b"vi f\r", b"~", b"f 1/1 100%")
        self.type(b"ihello world", b"hello world")
        self.type(ESCAPE, b"[Modified]")
        self.type(b"yyp", b"Put 1 lines")
        self.type(b":wq\r", PROMPT)
        self.type(b"cat f\r", b"\nhello world\nhello world\n", PROMPT)

    def test_vi_fills_the_window(self):
        self.type(b"seq 1 200 >g; stty rows 15 columns 60; vi g\r", b"\x1b[14;1H14", b"g 1/200 0%")
        self.type(b"G", b"200/200")
        self.type(b":q\r", PROMPT)

    def test_top_updates_and_ends(self):
        self.type(b"top -d 1\r", b"Load average:", b"COMMAND", b"Load average:", b"init")
        self.type(b"q", PROMPT)

    def test_reading_with_a_time_limit(self):
        self.type(b"read -t 1 x; echo status $?\r", b"\nstatus 1\n", PROMPT)

    def test_the_terminal_is_cooked_again(self):
        self.type(b"stty -a\r", b"icanon", PROMPT)


if __name__ == "__main__":
    unittest.main()
