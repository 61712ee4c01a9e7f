"""An ordinary program (linuxtest), built with musl and with glibc, prints on Moss what it prints on Linux; and strace tells."""

import os
import re
import subprocess
import tempfile
import unittest
from tests.support import busybox, moss

SOURCE = os.path.join(moss.ROOT, "guestos/user/linuxtest.c")
STATUS = 23  # what it returns

# For busybox ash. What strace tells goes to a file first: in one stream, the program's words may fall into the middle of its lines.
SCRIPT = """
PATH=/bin:/bb
result() { echo "$NONCE $1 $(base64 -w 0 /out)" >/dev/results; }
run() { "$@" >/out 2>&1; result $?; }
traced() { strace -o /told "$@" >/out 2>&1; status=$?; cat /told >>/out; result $status; }
run /bin/linuxtest
run /bb/linuxtest-glibc
traced echo hello
traced cat /nothere
traced -c true
traced sh -c 'cat /etc/motd | wc; exit 3'
traced -e openat /bb/busybox cat /etc/motd
traced /bb/busybox ash -c 'kill -9 $$'
run strace -o /trace sh -c 'strace true; echo $?'
traced /bin/nothere
"""


class LinuxPrograms(moss.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            cls.glibc = os.path.join(directory, "linuxtest-glibc")
            subprocess.run(["gcc", "-O2", "-static", "-o", cls.glibc, SOURCE, "-lm"], check=True)
            initrd = os.path.join(directory, "initrd.cpio")
            script = os.path.join(directory, "script")
            with open(script, "w") as file:
                file.write(SCRIPT)
            busybox.make_initrd(initrd, [("bb/linuxtest-glibc", cls.glibc), ("script", script)])
            result = cls.machine.run(b"/bb/busybox ash /script\n", initrd=initrd, append="quiet", timeout=60)
            here = subprocess.run([cls.glibc], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        cls.here = here.stdout.decode(), here.returncode
        cls.outcomes = [(subprocess.run(["base64", "-d"], input=text.encode(), capture_output=True, check=True).stdout.decode(),
                         int(status)) for status, text in result.records]

    def outcome(self, number):
        self.assertLess(number, len(self.outcomes), "Moss did not come to this program")
        return self.outcomes[number]

    def has(self, number, status, *patterns):
        text, its_status = self.outcome(number)
        self.assertEqual(its_status, status, text)
        for pattern in patterns:
            self.assertRegex(text, re.compile(pattern, re.MULTILINE))
        return text

    def test_here(self):
        self.assertEqual(self.here[1], STATUS)

    def test_musl(self):
        self.assertEqual(self.outcome(0), self.here)

    def test_glibc(self):
        self.assertEqual(self.outcome(1), self.here)

    def test_strace_shows_calls_with_arguments_and_results(self):
        self.has(2, 0, r'^execve\("/bin/echo", \["echo", "hello"\], 0x[0-9a-f]+ /\* \d+ vars \*/\) = 0$',
                 r'^writev\(1, \[\{iov_base="hello", iov_len=5\}', r"^exit_group\(0\) +\?|= \?$", r"^\+\+\+ exited with 0 \+\+\+$")

    def test_strace_names_errors(self):
        self.has(3, 1, r'^open\("/nothere", O_RDONLY.*\) += -1 ENOENT \(No such file or directory\)$')

    def test_strace_counts(self):
        text = self.has(4, 0, r"^% time +seconds +usecs/call +calls +errors syscall$", r" 1 +execve$", r" total$")
        self.assertNotIn("exited", text)

    def test_strace_follows_children(self):
        self.has(5, 3, r"^\[pid \d+\] wait4\(\d+, ", r"WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0", r"^\[pid \d+\] execve\(\"/bin/wc\"",
                 r"^\[pid \d+\] \+\+\+ exited with 3 \+\+\+$")

    def test_strace_shows_only_what_is_asked_for(self):
        text = self.has(6, 0, r'^openat\(AT_FDCWD, "/etc/motd", O_RDONLY\) = 3$')
        self.assertNotIn("read(", text)

    def test_strace_lists_missing_calls_and_deaths(self):
        self.has(7, 137, r"^\+\+\+ killed by SIGKILL \+\+\+$", r"^calls that Moss does not have: .*rseq x1")

    def test_a_traced_process_belongs_to_one_strace(self):
        self.has(8, 0, r"Device or resource busy|Resource busy", r"^1$")

    def test_strace_of_nothing(self):
        self.has(9, 127, r"^strace: /bin/nothere: No such file or directory$")


class BootOption(moss.TestCase):
    def test_every_process_is_traced(self):
        result = self.machine.run(b"/bin/echo traced\n", append="quiet strace")
        text = result.stdout.decode(errors="replace").replace("\r", "")
        self.assertEqual(result.status, 0)
        self.assertRegex(text, r'\[pid 1\] execve\("/bin/init"|\[pid 1\] ')
        self.assertRegex(text, r'\[pid \d+\] execve\("/bin/echo", \["/bin/echo", "traced"\]')
        self.assertRegex(text, r"\[pid 1\] \+\+\+ exited with 0 \+\+\+")


if __name__ == "__main__":
    unittest.main()
