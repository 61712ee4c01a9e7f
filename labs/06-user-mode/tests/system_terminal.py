"""Moss at a terminal: keys, line editing, the ways out, and a terminal that is whole afterwards."""

import os
import re
import select
import signal
import time
import unittest
from tests.support import moss

CONTROL_A, CONTROL_C, CONTROL_D = b"\x01", b"\x03", b"\x04"
UP, RIGHT, LEFT, DELETE, BACKSPACE = b"\x1b[A", b"\x1b[C", b"\x1b[D", b"\x1b[3~", b"\x7f"


class Keys(moss.TestCase):
    """One machine for all: each test finds a shell whose prompt has been seen, and leaves one."""

    @classmethod
    def setUpClass(cls):
        cls.session = cls.machine.session()
        cls.session.expect(b"moss:/# ")

    @classmethod
    def tearDownClass(cls):
        cls.session.__exit__()

    def gives(self, keys, output):
        self.session.send(keys + b"\r")
        self.session.expect(b"\n" + output + b"\nmoss:/# ")

    def test_prompt_and_echo(self):
        self.gives(b"echo one", b"one")

    def test_arrows_move_in_the_line(self):
        self.gives(b"ech to" + LEFT * 3 + b"o" + RIGHT + DELETE + b"w", b"wo")

    def test_backspace_erases(self):
        self.gives(b"echo abd" + BACKSPACE + b"c", b"abc")

    def test_up_brings_the_last_line_back(self):
        self.gives(b"echo again", b"again")
        self.gives(UP, b"again")

    def test_interrupt_at_the_prompt_forgets_the_line(self):
        self.session.send(b"echo never" + CONTROL_C)
        self.session.expect(b"^C\nmoss:/# ")
        self.gives(b"echo lives with $?", b"lives with 130")

    def test_interrupt_kills_the_program_and_not_the_shell(self):
        self.session.send(b"echo begins; sleep 1000\r")
        self.session.expect(b"\nbegins\n")
        self.session.send(CONTROL_C)
        self.session.expect(b"moss:/# ")
        self.gives(b"echo $?", b"130")

    def test_end_of_input_ends_a_program(self):
        self.session.send(b"cat\r")
        self.session.expect(b"\n")
        self.session.send(b"typed\r" + CONTROL_D)
        self.session.expect(b"\ntyped\nmoss:/# ")

    @moss.only_terrarium
    def test_control_a_h_helps(self):
        self.session.send(CONTROL_A + b"h")
        self.session.expect(re.compile(rb"Ctrl-A x  leave Terrarium\n(.*\n)*"))
        self.session.send(b"\r")
        self.session.expect(b"\nmoss:/# ")

    @moss.only_terrarium
    def test_control_a_a_is_control_a(self):
        self.gives(b"cho to the beginning" + CONTROL_A + b"ae", b"to the beginning")


class WaysOut(moss.TestCase):
    """However it ends, the terminal's settings are again what they were."""

    def leave(self, how, status):
        with self.machine.session(append="quiet") as session:
            session.expect(moss.PROMPT)
            self.assertNotEqual(session.settings(), session.before, "while the guest runs the terminal must be raw")
            how(session)
            self.assertEqual(session.wait(), status)
            self.assertEqual(session.settings(), session.before, "the terminal was left in another state")

    @moss.only_terrarium
    def test_control_a_x(self):
        self.leave(lambda session: session.send(CONTROL_A + b"x"), 0)

    def test_end_of_input(self):
        self.leave(lambda session: session.send(CONTROL_D), 0)

    def test_exit_status(self):
        self.leave(lambda session: session.send(b"exit 3\r"), 3)

    @moss.only_terrarium
    def test_sigterm(self):
        self.leave(lambda session: session.process.send_signal(signal.SIGTERM), 128 + signal.SIGTERM)

    @moss.only_terrarium
    def test_sighup(self):
        self.leave(lambda session: session.process.send_signal(signal.SIGHUP), 128 + signal.SIGHUP)

    @moss.only_terrarium
    def test_signals_that_kill(self):
        for number in (signal.SIGSEGV, signal.SIGUSR2, signal.SIGALRM, signal.SIGXCPU, signal.SIGTRAP, signal.SIGSYS):
            with self.subTest(number):
                self.leave(lambda session: session.process.send_signal(number), -number)

    @moss.only_terrarium
    def test_stop_and_continue(self):
        with self.machine.session(append="quiet") as session:
            session.expect(moss.PROMPT)
            raw = session.settings()
            session.process.send_signal(signal.SIGTSTP)
            os.waitid(os.P_PID, session.process.pid, os.WSTOPPED | os.WNOWAIT)
            self.assertEqual(session.settings(), session.before, "while it is stopped the terminal is the user's")
            session.process.send_signal(signal.SIGCONT)
            session.send(b"echo goes on\r")
            session.expect(b"\ngoes on\n")
            self.assertEqual(session.settings(), raw)

    @moss.only_terrarium
    def test_control_a_x_while_nobody_reads_the_output(self):
        reader, writer = os.pipe()
        with self.machine.session(append="quiet", stdout=writer) as session:
            session.send(b"while true; do cat /bin/sh; done\r")
            while select.select([], [writer], [], 0.5)[1]:
                pass  # the pipe has room
            session.send(b"typed\r")
            time.sleep(1)
            session.send(CONTROL_A + b"x")
            self.assertEqual(session.wait(), 0)
            self.assertEqual(session.settings(), session.before)
        os.close(reader)
        os.close(writer)


class Paste(moss.TestCase):
    def paste(self, lines, **how):
        text = b"".join(b"%05d and so on, up to the end of a line of sixty-four characters\n" % i for i in range(lines))
        with self.machine.session(append="quiet", **how) as session:
            session.command(b"cat > /tmp/f")
            session.expect(b"\n")
            session.send(text.replace(b"\n", b"\r") + CONTROL_D)
            session.command(b"export NONCE=" + session.nonce.encode(), timeout=600)
            session.command(b'echo "$NONCE sum $(cksum < /tmp/f)" > /dev/results')
            session.command(b"exit 5")
            self.assertEqual(session.wait(), 5)
            self.assertEqual(session.records(), [("sum", moss.cksum(text))])

    @moss.only_terrarium  # what shares QEMU's terminal among devices overruns its 32 bytes before a virtio console
    def test_64_kib_arrive_whole(self):
        self.paste(1000)

    def test_8_kib_arrive_whole_at_the_serial_port(self):
        self.paste(120, console="serial")

    @moss.only_terrarium
    def test_a_reset_gives_a_fresh_machine(self):
        with self.machine.session(append="quiet") as session:
            session.command(b"echo old > /tmp/f")
            session.command(b"reboot")
            session.command(b"echo fresh: /tmp/*")
            session.expect(b"\nfresh: /tmp/*\n")
            session.command(b"exit 5")
            self.assertEqual(session.wait(), 5)


if __name__ == "__main__":
    unittest.main()
