"""The commands `test` and `watch`: what the learner has written, built and tried, and explained where it does not work."""

import os
import re
import time

from labkit import compiler, grade, kit, report, runner
from labkit.learner import find_started, nearest
from labkit.work import TOPS, Work

MESSAGE_LINES = 24  # of one test; all of them, if the learner asks for the test by name
ERROR_LINES = 60
LOOK_EVERY = 0.3  # seconds

# What a stub says of itself when it is called (labs/support/); a line of its own in Moss begins with "Moss panics: ".
SAYS_IT = re.compile(r"\blab (\d+): (\w+) is yours to write \((.*?)\)")
LINE_THAT_SAYS_IT = re.compile(rf"^[^'\"\n]{{0,40}}?{SAYS_IT.pattern}.*$", re.MULTILINE)

# Where a sanitizer stopped a program: the place of a wrong operation, or a function on the stack, the innermost first.
STOPPED_AT = re.compile(r"((?:hypervisor|guestos)/[\w./-]+\.c):(\d+):\d+: runtime error|^ *#\d+ 0x\w+ in (\w+) ", re.MULTILINE)

# Where in a test's own Python it failed: what is behind it tells the learner more.
TRACEBACK = re.compile(r"^Traceback .*\n(?:  .*\n)+(?:AssertionError: )?", re.MULTILINE)


# What the address sanitizer says besides the mistake and the functions of the learner and of the test that lead to it.
SHADOW = re.compile(r"^=+\n(?===\d+==ERROR)|^HINT: this may be a false positive.*\n.*\n|^Shadow bytes around (?:.*\n)*?(?===\d+==ABORTING)|"
                    r"^==\d+==ABORTING\n|^ *#\d+ 0x\w+ +(?:\(|in .* tests/support/|in .*/sysdeps/|in .* ?\(/|in \w+ \.\./).*\n|"
                    r"^ *#\d+ 0x\w+ in (?:main|_start) .*\n", re.MULTILINE)


def plain(message):
    """The message of a test as a learner needs it: without what the lines about where to look say again."""
    text = SHADOW.sub("", TRACEBACK.sub("", LINE_THAT_SAYS_IT.sub("", message)))
    return "\n".join(line for line in text.split("\n") if line.strip())


class Try:
    """One build and run of the graded tests `graded` of a lab."""

    def __init__(self, work, lab, graded, names):
        self.work, self.lab, self.graded, self.names = work, lab, graded, names
        place = work.stage(lab.number)
        self.directory = place.directory if place else work.root
        self.build_directory = f"build/lab{lab.number}"
        self.programs = sorted({one.test.split(".")[0] for one in graded})
        self.functions = work.functions(lab)
        self.shown = None  # the lines of the last test that failed

    def program(self, name):
        """Where the test program or the file of Python tests is."""
        path = self.lab.test_sources()[name]
        return path if path.suffix == ".py" else self.directory / self.build_directory / "tests" / self.lab.name / name

    def in_work(self, text):
        """`text` with the learner's files under their names in work/."""
        text = text.replace(f"{self.directory}/", "")
        if self.work.is_export:
            return text
        return re.sub(r"(?<![\w/.-])((?:hypervisor|guestos)/[\w./-]+\.[chS]\b)",
                      lambda match: f"work/{match[1]}" if (self.work.directory / match[1]).is_file() else match[1], text)

    def build(self):
        """Returns whether it worked; if not, the compiler has had its say."""
        targets = [os.path.relpath(self.program(name), self.directory) for name in self.programs if self.program(name).suffix != ".py"]
        done = kit.make(self.directory, f"LAB={self.lab.number}", "-j2", "all", *targets)
        pieces = compiler.messages(self.in_work(done.stderr))
        warnings, errors = compiler.only("warning", pieces), compiler.only("error", pieces)
        if done.returncode == 0:
            print("".join(f"{text}\n\n" for text in warnings), end="")
            return True
        lines = "\n".join(errors or [self.in_work(done.stderr + done.stdout).rstrip()]).split("\n")
        print("It does not compile; the first message is the one to look at.\n")
        print("\n".join([*lines[:ERROR_LINES], *(["..."] if len(lines) > ERROR_LINES else [])]))
        for name in sorted(set(re.findall(r"undefined reference to [`'](\w+)'", done.stderr)) & set(self.functions)):
            print(f"\n{name} is not in {self.work.name_of(self.functions[name])} any more; scripts/lab reset {self.lab.number} {name} "
                  "brings its stub back")
        return False

    def run(self):
        """The marks of the tests. Those with KVM come last: meanwhile its machine boots."""
        verdicts, here, inside = report.Collection(), [], []
        for program in self.programs:
            chosen = tuple(one.test.partition(".")[2] for one in self.graded if one.test.startswith(program + "."))
            job = runner.Job(str(self.program(program)), str(self.directory), self.build_directory, chosen)
            (here if program.startswith("unit_") else inside).append(job)

        def run_here():
            for job in here:
                runner.run(verdicts, job)

        if inside:
            runner.run_inside(verdicts, inside, meanwhile=run_here)
        else:
            run_here()
        by_test = {name.split("/", 1)[-1]: verdict for name, verdict in verdicts.verdicts.items()}
        return [grade.judge(self.lab, one, by_test, False) for one in self.graded]

    def stopped_in(self, output):
        """The learner's function in which a sanitizer stopped the test, or None."""
        for path, line, name in STOPPED_AT.findall(output):
            if name in self.functions:
                return name
            for one in (one for one, where in self.functions.items() if path and where == path):
                item, first = self.work.item(path, one)
                if item and 0 <= int(line) - first <= item.code.rstrip().count("\n"):
                    return one
        return None

    def suspects(self, mark):
        """{(lab, function): what to add} of the functions to look at: the one that did what no program may, else those that
        said themselves that they are not written (in a course's repository also those of earlier labs, and these come first),
        else those of the test."""
        stopped = self.stopped_in(mark.output)
        if stopped:
            return {(self.lab.number, stopped): ""}
        said = {}
        for number, name, where in SAYS_IT.findall(mark.output):
            if name in self.functions_of(int(number)):
                of_lab = f"lab {number}, " if int(number) != self.lab.number else ""
                said[int(number), name] = f": still to write ({of_lab}{where})"
        return dict(sorted(said.items(), key=lambda one: one[0][0])) or {(self.lab.number, name): "" for name in mark.graded.functions}

    def functions_of(self, number):
        if number == self.lab.number:
            return self.functions
        return next((self.work.functions(lab) for lab in kit.labs_up_to(self.lab.number, self.work.root) if lab.number == number), {})

    def look_at(self, number, name, addition):
        path = self.functions_of(number).get(name)
        if not path:
            return f"look at {name}, which is missing"
        if not addition and self.work.is_stub(path, name):
            addition = ": still to write"
        return f"look at {name}, {self.work.place(path, name)}{addition}"

    def show(self, mark):
        print(f"{'ok  ' if mark.passed else 'FAIL'} {mark.graded.points:3}  {grade.sentence(mark.graded.test)}")
        if mark.passed:
            return
        lines = self.in_work(plain(mark.output)).split("\n")
        left = len(lines) - MESSAGE_LINES
        if left > 0 and not self.names:
            half = MESSAGE_LINES // 2
            lines[half:-half] = [f"... {left} lines more: scripts/lab test {self.lab.number} {mark.graded.test.split('.')[-1]}"]
        lines += [self.look_at(*which, addition) for which, addition in self.suspects(mark).items()]
        if lines == self.shown:
            lines = ["the same as above"]
        else:
            self.shown = lines
        print("\n".join("          " + line for line in lines if line))

    def sum_up(self, marks):
        """The last lines; returns whether all is well."""
        points, most = grade.score(marks)
        stubs = self.work.stubs(self.lab)
        print(f"\n{points} of {most} points")
        if stubs:
            print(f"still to write: {', '.join(stubs)}")
        strangers = self.work.own_files()
        if strangers and not self.work.is_export:
            print(f"not graded, since they are no files of the kit: {', '.join(self.work.name_of(path) for path in sorted(strangers))}")
        if points == most:
            if not self.names:
                print(f"All done. The questions at the end of labs/{self.lab.name}/README.md are worth a thought now.")
            return True
        number, first = next(which for mark in marks if not mark.passed for which in self.suspects(mark))
        print(f"stuck? scripts/lab hint {number} {first}")
        return False


def choose(lab, names):
    """The graded tests that the words name: a test, a part of its name, or a function."""
    graded = lab.graded()
    if not graded:
        raise kit.KitError(f"test {lab.number}: lab {lab.number} has no graded tests")
    known = [one.test.split(".")[-1] for one in graded] + [name for one in graded for name in one.functions]
    for name in names:
        if not any(name in one.test or name in one.functions for one in graded):
            tests = "".join(f"\n  {one.test.split('.')[-1]}" for one in graded)
            raise kit.KitError(f"lab {lab.number} has no graded test or function {name}{nearest(name, known)} The tests:{tests}")
    return [one for one in graded if not names or any(name in one.test or name in one.functions for name in names)]


def test(work, words):
    lab, names = find_started(work, words, "test")
    one = Try(work, lab, choose(lab, names), names)
    for key, value in grade.LIMITS.items():
        os.environ.setdefault(key, value)
    if not one.build():
        return 1
    marks = one.run()
    print(f"lab {lab.number}: {lab.title}\n")
    for mark in marks:
        one.show(mark)
    if not names:
        points = {**work.state().get("points", {}), str(lab.number): grade.score(marks)}
        work.set_state(points=points)
    return 0 if one.sum_up(marks) else 1


def times(work):
    """{path: time of its last change} of the learner's files."""
    found = {}
    for top in TOPS:
        for path in (work.directory / top).rglob("*"):
            try:
                found[path] = path.stat().st_mtime_ns
            except OSError:  # an editor replaces a file by renaming another
                pass
    return found


def watch(work, words):
    """Test again whenever a file of the learner is saved."""
    lab, names = find_started(work, words, "watch")
    choose(lab, names)
    seen = None
    try:
        while True:
            now = times(work)
            if now == seen:
                time.sleep(LOOK_EVERY)
                continue
            seen = now
            print("\n" + "-" * 78 + time.strftime("\n%H:%M:%S"), flush=True)
            try:
                test(work, words)
            except (kit.KitError, OSError) as problem:
                print(f"lab: {problem}")
            print(f"\nwaiting for you to save a file in {work.directory.name}/ (Ctrl-C ends)", flush=True)
    except KeyboardInterrupt:
        print()
        return 0


COMMANDS = {"test": test, "watch": watch}


def main(command, words):
    return COMMANDS[command](Work(), words)
