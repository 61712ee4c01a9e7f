"""Debian's busybox runs unmodified on Moss: each script here must do there what it does on this Linux."""

import base64
import os
import tempfile
import unittest
from tests.support import busybox, moss

# Each runs by `busybox ash -c` in an empty directory; output (both streams) and status are compared.
SAME = {
    "arithmetic": "echo $((3 * (4 + 5) % 7)) $((1 << 10 | 3)) $((0x1f)) $((-7 / 2)) $((5 > 3 && 2)); i=5; echo $((i++ + ++i)) $i",
    "functions": """
        fib() { local n=$1; [ $n -lt 2 ] && { echo $n; return; }; echo $(( $(fib $((n - 1))) + $(fib $((n - 2))) )); }
        for n in 1 2 3 4 5 6 7; do printf '%s ' "$(fib $n)"; done; echo""",
    "case": "for w in apple a.c README 42 ''; do case $w in [0-9]*) echo number;; *.c) echo C;; [A-Z]*) echo loud;; '') echo empty;; *) echo word;; esac; done",
    "here_documents": "x=5\ncat <<END\nx is $x and $((x + 1)) `echo sub`\nEND\ncat <<'END'\nx is $x\nEND\ncat <<-END\n\ttabs go\n\tEND\n",
    "substitution": "s=path/to/file.tar.gz; echo ${s##*/} ${s%%.*} ${s%.gz} ${#s} ${s:3:5} ${s/to/from} ${none:-default} ${s:+yes}; echo $(echo $(echo deep))",
    "loops": "i=0; while :; do i=$((i + 1)); [ $i = 3 ] && continue; [ $i -gt 6 ] && break; echo $i; done; until [ $i = 0 ]; do i=$((i - 1)); done; echo $i",
    "read_lines": "printf 'a b c\\nd  e\\\\ f\\n' | while read -r x y; do echo \"[$x] [$y]\"; done; IFS=: read a b c <<END\n1:2:3:4\nEND\necho $a $b $c",
    "traps": "trap 'echo bye' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; (trap 'echo sub' EXIT; exit 3); echo $?; exit 4",
    "jobs_wait": "sleep 0.1 & p=$!; (exit 7) & q=$!; wait $q; echo $?; wait $p; echo $?; wait; echo done",
    # ash says "Terminated" only if the child dies after `wait` began, so that word goes to /dev/null.
    "kill_status": "sleep 100 & kill -TERM $!; wait $! 2>/dev/null; echo $?; sh -c 'kill -9 $$'; echo $?",
    "stopped_process": "sleep 100 & p=$!; kill -STOP $p; sleep 0.2; grep State /proc/$p/status; kill -CONT $p; sleep 0.2; grep State /proc/$p/status; kill $p",
    "options": "set -- -a -b value rest; while getopts ab: o; do echo $o $OPTARG; done; shift $((OPTIND - 1)); echo $*; set -e; false; echo never",
    "redirections": "exec 3>f; echo three >&3; exec 3>&-; cat f; { echo out; echo err >&2; } >g 2>&1; cat g; cat <f >>g; wc -l <g; echo x 2>/dev/null >&2; cat nothere; echo $?",
    "pipe_status": "true | false; echo $?; set -o pipefail; false | true; echo $?; seq 1 100000 | head -2",
    "ulimits_and_umask": "umask 027; >f; mkdir d; stat -c '%a %F' f d; umask",
    "globs": "touch a1 a2 b1 .h; mkdir d; touch d/x; echo *; echo a? [ab]1 d/* .h* nothing*; for f in *1; do echo $f; done",
    "environment": "A=1 env | grep ^A=; export B=2; sh -c 'echo $B'; env -i C=3 env; unset B; echo ${B-unset}",
    "long_script": """
        n=0; while [ $n -lt 300 ]; do
            case $((n % 3)) in 0) l="$l z";; 1) f() { echo one $1; }; [ $n = 298 ] && f $n;; *) : $(echo $n);; esac
            n=$((n + 1)); eval "v$((n % 10))=$n"; done
        echo $v0 $v9 $(echo $l | wc -w); printf '%05d|%-8s|%x|%c|%5.2f\\n' 42 text 255 char 3.14159""",
    "awk": "seq 1 20 | awk 'NR % 2 {s += $1; a[$1 % 5] = a[$1 % 5] \" \" $1} END {print s; for (i = 0; i < 5; i++) print i \":\" a[i]; printf \"%.3f %s\\n\", s / 3, substr(\"hello\", 2, 3)}'",
    "awk_text": "printf 'one:1\\ntwo:22\\n' | awk -F: '{gsub(/o/, \"0\"); print toupper($1), length($2), $2 * 2} END {print NR, split(\"a,b,c\", p, \",\"), p[3]}'",
    "sed": "seq 1 10 | sed -n '3,5p;/8/{s/8/eight/;p};$='; echo hello world | sed 's/\\(.*\\) \\(.*\\)/\\2 \\1/;y/abc/xyz/'; printf 'a\\nb\\n' >f; sed -i 's/a/A/;1a added' f; cat f",
    "grep": "printf 'apple\\nBanana\\ncherry pie\\n' >f; grep -n an f; grep -ic AN f; grep -v e f; grep -E '^(a|c).*e$' f; grep -o 'p[a-z]' f; grep -q none f; echo $?; mkdir d; cp f d; grep -rl pie . | sort",
    "sort_uniq": "printf '10\\n9\\n2 b\\n2 a\\n10\\n' | sort -n; printf 'x 3\\ny 1\\nz 2\\n' | sort -k2 -r; printf 'a\\na\\nb\\n' | uniq -c; printf 'b\\na\\nb\\n' | sort -u",
    "find": "mkdir -p a/b/c; echo hi >a/f.c; echo hello >a/b/g.c; touch a/b/c/h.o; ln -s f.c a/l; find a | sort; find a -name '*.c' -size -2 -exec wc -c {} + | sort; find a -type l; find . -name h.o -delete; find a -type f | sort | xargs cat",
    "tar": "mkdir -p d/e; seq 1 500 >d/n; echo x >d/e/x; ln -s n d/s; chmod 640 d/n; tar cf t.tar d/n d/e d/s; tar tf t.tar; mkdir o; tar xf t.tar -C o; diff -r d o/d && echo same; stat -c %a o/d/n; readlink o/d/s; tar czf t.tgz d/e; tar tzf t.tgz | wc -l",
    "gzip": "seq 1 3000 >n; cp n m; gzip n; ls; gunzip -t n.gz; zcat n.gz | md5sum; gunzip n.gz; cmp n m && echo same; bzip2 -k m; bzcat m.bz2 | tail -1; printf garbage | gunzip; echo $?",
    "checksums": "seq 1 2000 >n; md5sum n; sha1sum n; sha256sum n; sha512sum n; crc32 n; md5sum n >s; md5sum -c s; echo damaged >>n; md5sum -c s; echo $?",
    "dd": "dd if=/dev/zero of=z bs=1k count=20 2>/dev/null; wc -c z; echo patch | dd of=z bs=1 seek=100 conv=notrunc 2>/dev/null; dd if=z bs=1 skip=100 count=5 2>/dev/null; echo; wc -c z; dd if=z of=y bs=4k 2>&1 | head -2",
    "copy_move": "mkdir s; echo 1 >s/a; chmod 751 s/a; touch -d '2020-02-03 04:05:06' s/a; ln -s a s/l; cp -a s t; stat -c '%a %Y %F' t/a; readlink t/l; mv t/a t/b; ls t; mv t u; ls; cp s/a s/l u/; rm -r u; ls; cp nothere x; echo $?",
    "links": "echo x >a; ln a b; stat -c %h a; ln -s a l; cat l; readlink -f l | sed 's|.*/||'; rm a; cat b; cat l; echo $?; ln -s loop loop; cat loop; echo $?",
    "ls": "mkdir d; echo hello >f; chmod 4755 f; touch -d '2021-05-06 07:08:09' f d; ls -ln --full-time | awk '{print $1, $2, $5, $6, $9}' | grep f; ls -a; ls -p; ls -1R; ls nothere; echo $?",
    "text_tools": "seq 1 9 | paste - - -; echo a:b:c | cut -d: -f1,3; echo Hello | tr A-Za-z N-ZA-Mn-za-m; seq 1 100 | head -3; seq 1 100 | tail -n +98; echo abc | rev; seq 3 | tac; echo 'a\tb' | expand; echo one two three | fold -w 5; seq 3 | nl",
    "wc_cmp_diff": "seq 1 10 >a; seq 2 11 >b; diff a b; echo $?; diff -u a a; wc a b; cmp a b; echo $?; head -c 5 a; od -c a | head -2; tail -c 3 a",
    "dumps": "printf 'AB\\0\\377xyz0123456789' >f; od -An -tx1 f; hexdump -C f; hexdump f; xxd f; strings f; base64 f; base64 f | base64 -d | cmp - f && echo same; uuencode f <f",
    "calculators": "expr 6 \\* 7; expr abc : 'a\\(.*\\)'; expr length hello; echo '2^20; 7/2' | bc; echo '6 7 * p' | dc; factor 1001; seq -s, 5 -1 1; seq 0.5 0.5 2",
    "dates": "date -u -d @86400 '+%Y-%m-%d %H:%M:%S %a %j'; date -u -d '2024-02-29 12:00' +%s; cal 2 2024; touch -d '2001-02-03 04:05:06' f; date -u -r f; stat -c %y f",
    "names": "basename /a/b.c .c; dirname /a/b/c; mkdir -p x/y; cd x/y; realpath ../.. | wc -l; pwd | sed 's|.*work|work|'; mktemp -d ./tXXXXXX | wc -c; test -d ../y && echo dir; [ ../y -ef . ] && echo same",
    "time_limits": "timeout 0.3 sleep 20; echo $?; timeout -s KILL 0.3 sleep 20; echo $?; timeout 20 true; echo $?; usleep 1000; time true 2>&1 | grep -c real",
    "xargs": "seq 1 10 | xargs -n 3 echo; printf 'a b\\0c' | xargs -0 -n 1 echo; seq 3 | xargs -I X echo nX; seq 1 4 | xargs -P 2 -n 1 true; echo $?; seq 1 3 | xargs false; echo $?",
    "archives": "mkdir d; echo 1 >d/a; echo 2 >d/b; find d | sort | cpio -o -H newc 2>/dev/null >c; mkdir o; cd o; cpio -id <../c 2>/dev/null; cat d/a d/b",
    "patches": "seq 1 5 >a; sed 's/3/three/' a >b; diff -u a b >p; patch a <p >/dev/null; cmp a b && echo same; printf '1d\\nw\\nq\\n' | ed a; cat a",
    "tee_yes": "seq 2 | tee f g; cat f g; yes | head -3; yes no | head -1; true | tee /nonexistent/x; echo $?",
    "sizes": "truncate -s 100000 f; wc -c f; truncate -s 10 f; wc -c f; dd if=/dev/zero of=h bs=1 count=1 seek=50000 2>/dev/null; wc -c h; md5sum h; >f; [ -s f ] || echo empty; ls",
    "chmod_chown": "touch f; chmod u=rwx,g=rx,o= f; stat -c %a f; chmod -x f; stat -c %A f; chown 0:0 f; chmod 7777 nothere; echo $?; [ -x f ]; echo $?",
    "which_type": "type echo; command -v cd; which nothere; echo $?; alias x='echo aliased'; eval x; (nothere) 2>/dev/null; echo $?; . ./none 2>/dev/null; echo never",
    "errors": "cat /; rmdir /proc; mkdir a a; rm nothere; rm -f nothere; mv a a; rmdir a; cd nothere; echo $?",
    "processes": "sh -c 'echo $PPID' | grep -c .; pidof nothing; echo $?; sleep 50 & kill -0 $! && echo there; kill $!; wait $!; kill -0 $! 2>/dev/null || echo gone; kill -l 15; (setsid true); echo $?",
    "fifo_less_streams": "(sleep 0.2; echo late) | { read -t 5 x; echo $x; }; (sleep 3) | { read -t 0.2 x; echo $?; }; exec 4<&0; echo a | cat - /dev/null; cat /dev/null | wc -c",
}

# Here there is nothing to compare with, but the output must have this in it.
THERE = {
    "top": ("top -b -n 1", "PID  PPID USER"),
    "ps": ("ps", "busybox"),
    "df": ("df /", "Mounted on"),
    "du": ("mkdir d; seq 1 2000 >d/n; du -s d", "d"),
    "free": ("free", "Mem:"),
    "uptime": ("uptime", "load average:"),
    "mount": ("mount", "none on /proc type proc"),
    "id": ("id", "uid=0"),
    "uname": ("uname -a", "Moss moss"),
    "nproc": ("nproc", "1"),
    "stat_of_system": ("stat -f /", "Block size"),
    "watch": ("timeout 3 watch -n 1 -t 'echo seen'", "seen"),
    "proc_status": ("cat /proc/self/status", "SigCgt:"),
    "itself": ("busybox ash -c 'readlink /proc/self/exe'", "/busybox"),
}

# Runs each script of /cases, and tells the host its name, its status and what it printed.
DRIVER = """
    export PATH=/bb HOME=/ TERM=linux TZ=UTC0
    for case in /cases.*; do
        rm -rf /work; mkdir /work; cd /work
        ash -c "$(cat $case)" </dev/null >/output 2>&1
        echo "$NONCE $? ${case#/cases.} $(base64 -w 0 /output)" >/dev/results
    done
    echo "$NONCE end" >/dev/results
"""


class Busybox(moss.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = busybox.Here()
        with tempfile.TemporaryDirectory() as directory:
            files = [("driver", os.path.join(directory, "driver"))]
            with open(files[0][1], "w") as file:
                file.write(DRIVER)
            for name, script in [*SAME.items(), *((name, script) for name, (script, _) in THERE.items())]:
                files.append(("cases." + name, os.path.join(directory, name)))
                with open(files[-1][1], "w") as file:
                    file.write(script)
            initrd = os.path.join(directory, "initrd.cpio")
            busybox.make_initrd(initrd, files)
            cls.result = cls.machine.run(b"/bb/busybox ash /driver\n", initrd=initrd, append="quiet", timeout=110)
        cls.outcomes = {}
        for status, text in cls.result.records:
            name, _, output = text.partition(" ")
            if status != "end":
                cls.outcomes[name] = int(status), base64.b64decode(output)

    @classmethod
    def tearDownClass(cls):
        cls.here.close()

    def outcome(self, name):
        self.assertIn(name, self.outcomes, "Moss did not come to this script; its last words: %r" % self.result.stdout[-1000:])
        return self.outcomes[name]

    def check_same(self, name):
        self.maxDiff = None
        here_status, here = self.here.run(SAME[name])
        there_status, there = self.outcome(name)
        self.assertEqual(there.decode(errors="replace"), here.decode(errors="replace"))
        self.assertEqual(there_status, here_status)

    def check_there(self, name):
        status, output = self.outcome(name)
        self.assertIn(THERE[name][1], output.decode(errors="replace"))
        if name != "watch":
            self.assertEqual(status, 0)

    def test_machine_ends_well(self):
        self.assertEqual(self.result.status, 0, self.result.stderr.decode(errors="replace"))


def add_tests():
    for name in SAME:
        setattr(Busybox, "test_" + name, lambda self, name=name: self.check_same(name))
    for name in THERE:
        setattr(Busybox, "test_moss_" + name, lambda self, name=name: self.check_there(name))


add_tests()

if __name__ == "__main__":
    unittest.main()
