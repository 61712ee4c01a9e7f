"""Moss's shell, run on the host, must print and return what dash does for every snippet of a corpus."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHELL = ROOT / "build/user/sh"
DASH = shutil.which("dash")

# Each is run with -c in an empty directory; standard output and exit status are compared.
SNIPPETS = r"""
echo hello world
echo 'single  quotes' "double  quotes" plain\ space
echo "a'b" 'c"d' "e\"f" "g\\h" 'i\j' k\"l "m\q"
echo a"b"'c'd
echo "" '' | wc -c
echo one; echo two
false; echo $?
true && echo and; false && echo never; false || echo or; true || echo never
true && false || echo last; false || true && echo last
! true; echo $?; ! false; echo $?
! false | true; echo $?
(exit 3); echo $?
exit 7
exit 300
false; exit
echo $(exit 5); echo $?
x=$(exit 5); echo $?
x=1; echo $x ${x} "${x}y" '$x' \$x
x='a  b'; echo $x; echo "$x"
x='*'; echo "$x"; y=$x; echo "$y"
x=; echo "[$x]" [$x]; echo ${x:-default} ${x-unset} ${y-unset} ${y:-default}
echo ${z:=assigned} $z; echo ${z:+alternative} ${none+never}.
echo ${none?} ; echo not reached
x=hello; echo ${#x}; set -- a b c; echo ${#}; echo $#
x="a b"; for i in $x; do echo "<$i>"; done; for i in "$x"; do echo "<$i>"; done
IFS=:; x=a:b::c; for i in $x; do echo "<$i>"; done
IFS=,; set -- $(echo 1,2,3); echo $# $3; unset IFS; echo "$*"
set -- "a b" c; for i in "$@"; do echo "<$i>"; done; for i in $@; do echo "<$i>"; done; echo "$*"
set --; for i in "$@"; do echo never; done; echo "[$@]" $#
set -- 1 2 3; shift; echo $1 $#; shift 2; echo $#
set -- a b c d e f g h i j k; echo ${10} ${11} $10
echo "$(echo nested "$(echo "deep  quotes")")"
echo `echo old; echo style` `echo \`echo nested\``
echo $(echo a; echo b) "$(echo a; echo b)"
echo "$(printf 'trailing\n\n\n')."
echo $((1+2*3)) $(((1+2)*3)) $((7/2)) $((-7%3)) $((5>3)) $((5==4)) $((1&&0)) $((0||2))
x=5; echo $((x+1)) $(($x*2)); x=$((x+1)); echo $x; echo $((-x)) $((!x))
echo $((10 - 2 - 3)) $((2 * (3 + 4) - 1))
i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done
i=3; until [ $i -eq 0 ]; do i=$((i-1)); echo $i; done
for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2; do for j in a b; do break 2; done; done; echo $i$j
while true; do break; done; echo $?
for i in; do echo never; done; echo $?
if true; then echo yes; else echo no; fi
if false; then echo 1; elif true; then echo 2; else echo 3; fi
if false; then echo 1; elif false; then echo 2; else echo 3; fi
if false; then echo never; fi; echo $?
if ! false; then echo negated; fi
{ echo group; echo of two; } | wc -l
(cd /; pwd); x=1; (x=2; echo $x); echo $x
(echo a; (echo b; (echo c)))
echo a | cat | cat | cat
echo data > file; cat < file; cat file file >> file2; cat file2
echo err >&2 2>/dev/null; echo shown
{ echo out; echo err >&2; } 2>&1 | sort
{ echo out; echo err >&2; } > both 2>&1; sort both
ls /nonexistent 2>/dev/null || echo failed
cat < /nonexistent || echo failed
echo x > /nonexistent/y || echo failed
echo closed >&-; echo $?
exec 3>file; echo three >&3; exec 3>&-; cat file
exec > file; echo to the file; exec >&2; cat file
echo 2>file; cat file
echo a>f;cat<f
2>/dev/null echo redirect first
touch a1 a2 b1; echo a* [ab]1 ?1 "a*" 'a'* \a* none* [!a]*
touch .hidden seen; echo *
mkdir d; touch d/x d/y; echo d/* */x
x='a*'; touch aa ab; echo $x "$x"
touch 'with space'; for f in with*; do echo "<$f>"; done
nosuchcommand 2>/dev/null; echo $?
/nonexistent/x 2>/dev/null; echo $?
touch plain; ./plain 2>/dev/null; echo $?
mkdir dir; ./dir 2>/dev/null; echo $?
printf 'echo script $1 $#\nexit 4\n' > s; chmod +x s; ./s one two; echo $?
printf '#!/bin/cat\nline\n' > s; chmod +x s; ./s
cd /; pwd; cd -; cd /nonexistent 2>/dev/null || echo failed
HOME=/tmp; cd; pwd; echo ~ ~/x "~" a~
x=1 sh -c 'echo $x'; echo "[$x]"
export y=2; sh -c 'echo $y'; unset y; sh -c 'echo "[$y]"'
x=3; sh -c 'echo "[$x]"'; export x; sh -c 'echo $x'
sleep 0 & wait; echo $?
(exit 6) & wait $!; echo $?
sh -c 'kill -9 $$' 2>/dev/null; echo $?
sh -c 'kill -TERM $$' 2>/dev/null; echo $?
read x < /dev/null; echo $?
echo 'one two three' | { read a b; echo "$a-$b"; }
printf 'a\\\nb\nc\\d\n' | { read x; read -r y; echo "$x $y"; }
printf '  spaces  \n' | { read x; echo "<$x>"; }
printf 'a:b:c\n' | { IFS=: read x y z; echo $x $y $z; }
printf '1\n2\n3\n' | while read n; do echo "n=$n"; done
eval 'echo evaluated'; x='echo indirect'; eval $x; eval; echo $?
printf 'y=sourced\necho in $y\n' > lib; . ./lib; echo $y
test -f /etc/passwd && echo file; [ -d / ] && echo directory; [ -e /none ] || echo none
[ a = a ] && [ a != b ] && [ -n x ] && [ -z "" ] && echo strings
[ 3 -gt 2 ] && [ 2 -le 2 ] && [ 1 -ne 2 ] && echo numbers
[ ! -e /none ] && [ a = a -a b = b ] && [ a = b -o b = b ] && echo joined
[ ]; echo $?; [ x ]; echo $?; [ ! x ]; echo $?; [ -n ]; echo $?; [ a = ]; echo $?
[ x -eq 1 ] 2>/dev/null; echo $?
set -e; true; false; echo never
set -e; if false; then :; fi; false || true; ! true; echo reached
set -e; (false; echo never); echo never
set -e; false && true; echo reached
set -e; x=$(false); echo never
: ignored arguments; echo $?
echo a # comment
echo a#b '#c' # d
# only a comment
echo continued \
  line
echo "two
lines" 'and
two'
if true
then
  echo multi
  # comment inside
  echo line
fi
for i in a b
do
  echo $i
done
echo a |
  cat
true &&
  echo b
{
  echo c
}
( echo d
)
x=a; x=${x}b; x="$x"c; echo $x
echo $0 | wc -w
umask 027; umask; echo > made; ls -l made | cut -c1-10
echo "$(cat <none 2>&1 | wc -l)"
false | true; echo $?; true | false; echo $?
echo start; exec echo replaced; echo never
x=5; x=6 true; echo $x
echo ${x:-$(echo computed)} ${x:-"quo  ted"}
echo "${x:-a  b}" ${x:-a  b}
a=1 b=2 c=3; echo $a$b$c
echo $((1
+2))
echo "a\
b" c\
d
while :; do echo once; exit 9; done
for i in 1 2 3; do echo $i; done | while read x; do echo "got $x"; done
(sleep 0; echo bg) & wait; echo fg
echo $$ | grep -c '^[0-9]*$'
sh -c 'echo $0 $1' name arg
echo \* \? "\$" '\'
echo "`echo "x"`"
yes | head -n 2
cat /dev/zero | head -c 3 | wc -c
echo "${none:-}" "${none-}" | wc -c
if (exit 2); then echo y; else echo $?; fi
"""

# Errors in the syntax: both must refuse them, the messages are each shell's own.
WRONG = r"""
echo 'open
echo "open
echo $(open
echo `open
echo ${open
if true; then echo x
if true; fi
while true; do
for in a; do echo; done
fi
done
echo a | | b
; echo
&& echo
( echo
echo )
{ echo
echo >
echo a &&
! 
if; then :; fi
echo ${x!y}
"""


def split(text):
    """Snippets are single lines, except that a line which needs the next ones is joined with them until dash takes it."""
    pending = []
    for line in text.strip("\n").split("\n"):
        pending.append(line)
        snippet = "\n".join(pending)
        if subprocess.run([DASH, "-n", "-c", snippet], stderr=subprocess.DEVNULL, check=False).returncode == 0 and (
            not line.endswith("\\")
        ):
            yield snippet
            pending = []


def run(shell, snippet, stdin=None):
    """Standard output and exit status of the snippet; `sh` inside it is the same shell."""
    with tempfile.TemporaryDirectory() as directory:
        home = pathlib.Path(directory, "home")
        tools = pathlib.Path(directory, "tools")
        home.mkdir()
        tools.mkdir()
        (tools / "sh").symlink_to(shell)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C", "HOME": "/"}
        command = [tools / "sh"] + ([] if stdin else ["-c", snippet])
        done = subprocess.run(
            command, cwd=home, env=environment, input=stdin, capture_output=True, timeout=60, check=False
        )
        return done.stdout.replace(directory.encode(), b"DIR"), done.returncode


@unittest.skipUnless(DASH, "dash is not installed")
@unittest.skipUnless(SHELL.exists(), "build/user/sh is not built; make builds it")
class AgainstDash(unittest.TestCase):
    """Each snippet is a subtest."""

    def test_snippets(self):
        for snippet in split(SNIPPETS):
            with self.subTest(snippet=snippet):
                self.assertEqual(run(SHELL, snippet), run(DASH, snippet))

    def test_snippets_from_standard_input(self):
        for snippet in split(SNIPPETS):
            with self.subTest(snippet=snippet):
                script = (snippet + "\n").encode()
                self.assertEqual(run(SHELL, None, script), run(DASH, None, script))

    def test_wrong_syntax(self):
        for snippet in WRONG.strip("\n").split("\n"):
            with self.subTest(snippet=snippet):
                self.assertEqual(run(SHELL, snippet)[1], 2, "a syntax error is status 2")
                self.assertEqual(run(SHELL, None, snippet.encode())[1], 2, "on standard input, too")

    def test_commands_read_the_rest_of_the_script(self):
        script = b"cat\nfor the cat\n"
        self.assertEqual(run(SHELL, None, script), (b"for the cat\n", 0))
        script = b"read x\nfor read\necho got $x\n"
        self.assertEqual(run(SHELL, None, script), (b"got for read\n", 0))

    def test_no_limit_cuts_anything_off(self):
        word = "x" * 1_000_000
        script = f"x={word}\necho ${{#x}}\n".encode()
        self.assertEqual(run(SHELL, None, script)[0].split(), [b"1000000"])

    def test_hostile_scripts_end_in_an_error(self):
        for opening in ("(", "{ ", "if ", "while ", "$(", '"$(', "`", "${x:-", "! ", "$((", "echo $(("):
            with self.subTest(opening=opening):
                self.assertEqual(run(SHELL, None, (opening * 99_999 + "\n").encode())[1], 2)


if __name__ == "__main__":
    unittest.main()
