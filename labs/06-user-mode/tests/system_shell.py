"""A session with Moss's shell and its file tools: what they print, compared exactly."""

import re
import secrets
import unittest
from tests.support import moss

# Each runs in an empty directory of its own; what it prints, stdout and stderr, is compared. {N} in the expectation
# stands for any number, {ANY} for any lines.
SESSIONS = {
    "pwd_and_cd": ("mkdir d; cd d; pwd | grep -c /d; cd /; pwd", "1\n/\n"),
    "ls_sorts": ("touch b a c .hidden; ls; ls -a", "a\nb\nc\n.\n..\n.hidden\na\nb\nc\n"),
    "ls_long": ("echo hello > f; mkdir d; ls -l | head -n 1 | grep -c '^drwxr-xr-x  2    0    0        0 ... .. ..:.. d$'; "
                "ls -l f | grep -c '^-rw-r--r--  1    0    0        6 ... .. ..:.. f$'", "1\n1\n"),
    "ls_of_nothing": ("ls nothing; echo $?", "ls: nothing: No such file or directory\n1\n"),
    "mkdir_parents": ("mkdir a/b; mkdir -p a/b/c a/b; ls a/b", "mkdir: a/b: No such file or directory\nc\n"),
    "cp_file": ("echo text > a; cp a b; echo more >> a; cat b a", "text\ntext\nmore\n"),
    "cp_tree": ("mkdir -p a/b; echo 1 > a/f; echo 2 > a/b/g; cp -r a z; cat z/f z/b/g; ls z", "1\n2\nb\nf\n"),
    "cp_directory_without_r": ("mkdir a; cp a b 2> /tmp/error; echo $?; ls", "1\na\n"),
    "mv_renames": ("echo x > a; mv a b; ls; cat b", "b\nx\n"),
    "mv_into_directory": ("touch a b; mkdir d; mv a b d; ls; ls d", "d\na\nb\n"),
    "rm": ("touch a b; rm a; ls; rm a; echo $?; rm -f a; echo $?", "b\nrm: a: No such file or directory\n1\n0\n"),
    "rm_tree": ("mkdir -p d/e; touch d/e/f; rm d 2> /tmp/error; echo $?; rm -r d; ls; echo $?", "1\n0\n"),
    "rmdir": ("mkdir d d/e; rmdir d 2> /tmp/error; echo $?; rmdir d/e d; ls", "1\n"),
    "touch_makes_an_empty_file": ("touch f; wc -c f | grep -c ' 0 f$\\|^0 f$'; ls", "{N}\nf\n"),
    "cat_joins": ("echo 1 > a; echo 2 > b; echo 0 | cat - a b", "0\n1\n2\n"),
    "head": ("for i in 1 2 3 4 5; do echo $i; done | head -n 2; echo abc | head -c 2", "1\n2\nab"),
    "tail": ("for i in 1 2 3 4 5; do echo $i; done | tail -n 2", "4\n5\n"),
    "head_and_tail_with_a_bare_number": ("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; done > f; head -2 f; tail -1 f; tail -11 < f | "
                                         "head -1; head -5x f 2> /tmp/error; echo $?", "1\n2\n12\n2\n2\n"),
    "grep": ("for w in red green blue; do echo $w; done | grep e.*e; echo $?; echo x | grep y; echo $?", "green\n0\n1\n"),
    "grep_numbers": ("for w in red green blue; do echo $w; done > f; grep -n r f; grep -v r f; grep -c e f",
                     "1:red\n2:green\nblue\n3\n"),
    "wc": ("echo one two > f; wc -l < f; wc -w < f; wc -c < f", "{N}\n{N}\n{N}\n"),
    "sort": ("for i in 3 1 2 1; do echo $i; done | sort -u", "1\n2\n3\n"),
    "hexdump": ("echo Hello, World 12345 > f; hexdump -C f",
                "00000000  48 65 6c 6c 6f 2c 20 57  6f 72 6c 64 20 31 32 33  |Hello, World 123|\n"
                "00000010  34 35 0a                                          |45.|\n00000013\n"),
    "cksum": ("echo abc > f; cksum f", moss.cksum(b"abc\n") + " f\n"),
    "env": ("A=1 env | grep ^A=; export B='2 3'; env | grep ^B=; env | grep -c ^C=", "A=1\nB=2 3\n0\n"),
    "date": ("date -u +%Y | grep -c '^20[0-9][0-9]$'; date | wc -w", "1\n{N}\n"),
    "uname": ("uname", "Moss\n"),
    "free": ("free | wc -l; free | head -n 1", "{N}\n         total       used       free\n"),
    "uptime": ("uptime", "up {N}:{N}:{N}, {N} processes, load {N}.{N} {N}.{N} {N}.{N}\n"),
    "ps": ("sleep 1000 & until ps | grep -v '  sh$\\| sh$' > list; grep sleep list > /dev/null; do :; done\n"
           "grep -c init list; grep -c sleep list; grep -c ps list; kill $!", "1\n1\n1\n"),
    "kill": ("sleep 1000 & kill $!; wait $!; echo $?; sleep 1000 & kill -9 $!; wait $!; echo $?", "143\n137\n"),
    "kill_nobody": ("kill 9999; echo $?", "kill: 9999: No such process\n1\n"),
    "true_and_false": ("true; echo $?; false; echo $?", "0\n1\n"),
    "not_found": ("nothing 2> /tmp/error; echo $?; grep -c nothing: /tmp/error", "127\n1\n"),
    "not_executable": ("echo x > f; ./f 2> /tmp/error; echo $?", "126\n"),
    "death_is_told": ("sh -c 'kill -SEGV $$'; echo $?", "{ANY}139\n"),
    "quotes_and_variables": ("""a='x  y'; echo "$a" $a '$a' \\$a ${a}z""", "x  y x y $a $a x yz\n"),
    "lists": ("true && echo 1 || echo 2; false && echo 3 || echo 4; ! false && echo 5", "1\n4\n5\n"),
    "status_of_a_pipe_is_the_lasts": ("false | true; echo $?; true | false; echo $?", "0\n1\n"),
    "redirections": ("echo 1 > f; echo 2 >> f; cat < f; ls nothing > f 2>&1; cat f", "1\n2\nls: nothing: No such file or directory\n"),
    "long_pipe": ("echo deep | cat | cat | cat | cat | cat | cat | cat", "deep\n"),
    "script": ("echo '#!/bin/sh' > s; echo 'echo $0 $# $2; exit 4' >> s; sh s a b; echo $?", "s 2 b\n4\n"),
    "subshell": ("x=1; (x=2; cd /; exit 3); echo $? $x", "3 1\n"),
    "functions_and_loops": ("for i in 1 2 3; do echo $i; done | while read x; do echo $((x * x)); done", "1\n4\n9\n"),
    "comment": ("echo a # echo b", "a\n"),
    "dev_null_and_zero": ("echo x > /dev/null; cat /dev/null; head -c 3 /dev/zero | hexdump -C | head -n 1",
                          "00000000  00 00 00                                          |...|\n"),
    "wait_for_all": ("(sleep 0.1; echo done) & wait; echo waited", "done\nwaited\n"),
}


def pattern(expected):
    return re.escape(expected).replace(r"\{N\}", " *[0-9]+ *").replace(r"\{ANY\}", "(.*\n)*") + r"\Z"


class Shell(moss.TestCase):
    """All in one boot; a line that only this run knows separates the sessions' outputs."""

    @classmethod
    def setUpClass(cls):
        mark = secrets.token_hex(8)
        script = b""
        for name, (commands, _) in SESSIONS.items():
            script += b"mkdir /tmp/%s; cd /tmp/%s\n" % (name.encode(), name.encode())
            script += b"( %s\n) < /dev/null 2>&1\necho %s\n" % (commands.encode(), mark.encode())
        cls.result = cls.machine.run(script, timeout=300)
        outputs = cls.result.stdout.decode(errors="replace").split(mark + "\n")
        cls.outputs = dict(zip(SESSIONS, outputs))

    def test_status(self):
        self.assertEqual(self.result.status, 0)

    def check(self, name):
        commands, expected = SESSIONS[name]
        self.assertIn(name, self.outputs, "the session ended before this")
        output = self.outputs[name]
        if not re.match(pattern(expected), output):
            self.assertEqual(output, expected, "printed by: " + commands)


for session_name in SESSIONS:
    setattr(Shell, "test_" + session_name, lambda self, name=session_name: self.check(name))

if __name__ == "__main__":
    unittest.main()
