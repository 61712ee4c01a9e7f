"""Marks for a submission: only the files that a lab names are taken from it, everything else is the grader's own.

It is built in a stage of its own and tried there, within the limits of limits.py and the sandbox of sandbox.py.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from labkit import compiler, kit, limits, report, runner, sandbox, stage, submission

# A wrong solution may loop for ever; a right one needs no hundredth of this (times TIMEOUT_SCALE).
LIMITS = {"TERRARIUM_TEST_CPU_SECONDS": "20", "TERRARIUM_GUEST_SECONDS": "5"}
ERRORS_MAX = 4000  # characters of what a compiler says
COMPILERS_MAX = 8  # at once: each is several processes, and limits.py counts them
NOT_BUILT, NOT_GRADED = "not built: something that it needs does not compile", "not graded"

# One graded test: its lab, the Graded record, passed?, what to tell, hidden from the learner?
Mark = collections.namedtuple("Mark", "lab graded passed output hidden")

# remarks: what is to be told besides, as texts.
Result = collections.namedtuple("Result", "marks remarks seconds")


def hidden_tests(lab, directory):
    """The graded tests of an instructor's directory: its points.mk has POINTS_NN lines as a lab.mk has."""
    points = pathlib.Path(directory) / "points.mk"
    return kit.parse_points(kit.read_variables(points).get(f"POINTS_{lab.number:02}", []), points)


def check_hidden(labs, directory):
    """Complain about a directory of hidden tests that cannot be meant."""
    points = pathlib.Path(directory) / "points.mk"
    example = "unit_mine.test_name:5:function"
    if not points.is_file():
        raise kit.KitError(f"{points}: not found; it says what the tests count: POINTS_{labs[0].number:02} += {example}")
    if not any(hidden_tests(lab, directory) for lab in labs):
        wanted = " or ".join(f"POINTS_{lab.number:02}" for lab in labs)
        raise kit.KitError(f"{points}: has no line {wanted} += {example}")


# ---- one lab ----


class LabGrader:
    """The grading of one lab: `marks` and `remarks` when grade() has run."""

    def __init__(self, lab, tests=None, root=kit.ROOT):
        self.lab, self.root, self.tests = lab, pathlib.Path(root), tests
        self.hidden = hidden_tests(lab, tests) if tests else []
        self.graded = [*lab.graded(), *self.hidden]
        self.programs = sorted({one.test.split(".")[0] for one in self.graded})
        self.marks, self.remarks = [], []

    def grade(self, directory):
        """Grade what `directory` holds of this lab."""
        try:
            taken = submission.take_all(self.lab, directory, self.root)
        except kit.KitError as problem:
            self.remarks.append(f"lab {self.lab.number} is not graded: {problem}")
            self.marks = [self.failed(one, NOT_GRADED) for one in self.graded]
            return
        self.check_taken(taken, directory)
        (self.root / "build").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="grade-", dir=self.root / "build") as place:
            self.marks = self.grade_in(stage.Stage(place, self.lab.number, links=False, root=self.root), taken)

    def check_taken(self, taken, directory):
        """Remark on what looks like a mistake of who called; tell the instructor what deserves a look."""
        if not taken:
            wanted, below = submission.paths(self.lab, self.root), submission.found_below(self.lab, directory, self.root)
            self.remarks.append(f"lab {self.lab.number}: {directory} has none of its files ({', '.join(wanted)})"
                                + (f"; {below} has some: grade that" if below else ""))
        for path, data in taken.items():
            rare = submission.rare_words(data.decode(), (self.root / path).read_text())
            if rare:
                print(f"lab {self.lab.number}: {path} has what no lab needs, and deserves a look: {', '.join(rare)}",
                      file=sys.stderr)

    def grade_in(self, place, taken):
        place.set_sources({**stage.starter_sources(self.lab.number, self.root), **taken})
        if self.hidden:
            place.add_tests(self.lab.name, self.tests)
        sources = kit.Lab(place.directory / "labs" / self.lab.name).test_sources()
        missing = [name for name in self.programs if name not in sources]
        if missing:
            raise kit.KitError(f"{self.lab.name}: there is no test program {', '.join(missing)}")
        built = self.build(place, sources)
        for path in place.directory.glob("labs/*/tests/*.c"):  # what runs next has no business with them
            path.unlink()
        verdicts = self.run_tests(place, built)
        if any(runner.GONE in message for _, message in verdicts.values()):
            self.remarks.append(f"lab {self.lab.number}: a machine with KVM ended or did not start "
                                "(scripts/with-kvm --explain tells more)")
        return [self.judge(one, verdicts, built) for one in self.graded]

    def build(self, place, sources):
        """{test program: its path} of those that can be run."""
        c = {name: place.program(sources[name]) for name in self.programs if sources[name].suffix == ".c"}
        goals = build_confined(place, "all"), build_confined(place, *c.values()) if c else None
        errors = list(dict.fromkeys(error for goal in goals if goal and goal.returncode for error in words_of(goal, place)))
        if errors:
            self.remarks.append(f"lab {self.lab.number} does not compile:\n" + "\n".join(errors)[:ERRORS_MAX])
        built = {name: place.directory / path for name, path in c.items() if (place.directory / path).exists()}
        if goals[0].returncode == 0:
            built.update({name: sources[name] for name in self.programs if name not in c})
        return built

    def run_tests(self, place, built):
        """{program.test: (verdict, message)}"""
        verdicts, here, inside = report.Collection(), [], []
        for name, path in sorted(built.items()):
            names = tuple(one.test.partition(".")[2] for one in self.graded if one.test.startswith(name + "."))
            job = runner.Job(str(path), str(place.directory), place.build, names)
            (here if name.startswith("unit_") else inside).append(job)
        for jobs, kvm in ((here, False), (inside, True)):
            if jobs:
                runner.run_inside(verdicts, jobs, kvm=kvm, confined=place.directory)
        return {name.split("/", 1)[-1]: verdict for name, verdict in verdicts.verdicts.items()}

    def judge(self, one, verdicts, built):
        if one.test.split(".")[0] not in built:
            return self.failed(one, NOT_BUILT)
        return judge(self.lab, one, verdicts, one in self.hidden)

    def failed(self, one, why):
        return Mark(self.lab, one, False, why, one in self.hidden)


def build_confined(place, *goals):
    """make, in a stage, as what nobody trusts: a compiler reads whatever the source tells it to."""
    temporary = place.directory / "tmp"
    temporary.mkdir(exist_ok=True)
    how = {"hidden": str(place.root), "readable": [], "writable": [str(place.directory)]}
    compilers = min(COMPILERS_MAX, os.cpu_count() or 1)
    command = [sys.executable, limits.__file__, json.dumps(how), "make", "-s", "-k", f"-j{compilers}", f"LAB={place.number}", *goals]
    environment = {**kit.clean_environment(), "TMPDIR": str(temporary), "CCACHE_DISABLE": "1"}
    return subprocess.run(command, cwd=place.directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          check=False, env=environment)


def words_of(done, place):
    """What the compiler said of errors; if it said none, all that was said."""
    said = done.stderr.replace(f"{place.directory}/", "")
    return compiler.only("error", compiler.messages(said)) or [said.strip() or f"make ended with status {done.returncode}"]


def judge(lab, one, verdicts, hidden):
    """The mark that follows from {program.test: (verdict, message)}."""
    verdict, message = verdicts.get(one.test, ("none", ""))
    if verdict == "none":
        program = one.test.split(".")[0]
        message = verdicts.get(f"{program}.runs to its end", ("", "the test program did not come to this test"))[1]
    if verdict == "skip":
        message = message or "skipped: this machine has not what the test needs"
    return Mark(lab, one, verdict == "pass", message, hidden)


# ---- all that is asked for ----


def grade(numbers, directory, tests=None, root=kit.ROOT):
    """Grade these labs of the submission in `directory`, with the hidden tests of the directory `tests`."""
    start = time.monotonic()
    for key, value in LIMITS.items():
        os.environ.setdefault(key, value)
    if not pathlib.Path(directory).is_dir():
        wrong = "not a directory; unpack it first" if pathlib.Path(directory).exists() else "no such directory"
        raise kit.KitError(f"{directory}: {wrong}; --submission names what a learner hands in (their work/, or their repository)")
    labs = [kit.lab(number, root) for number in numbers]
    for lab in labs:
        if not lab.graded():
            raise kit.KitError(f"lab {lab.number} has no graded tests")
    if tests:
        check_hidden(labs, tests)
    if not sandbox.version():
        print("this kernel has no Landlock: what is graded could read the solutions (labs/README.md tells more)", file=sys.stderr)
    graders = [LabGrader(lab, tests, root) for lab in labs]
    with contextlib.redirect_stdout(sys.stderr):
        for one in graders:
            one.grade(directory)
    return Result([mark for one in graders for mark in one.marks], [text for one in graders for text in one.remarks],
                  time.monotonic() - start)


def score(marks):
    return sum(mark.graded.points for mark in marks if mark.passed), sum(mark.graded.points for mark in marks)


def sentence(test):
    """The name of a test in words."""
    return re.sub(r"^test_", "", test.split(".")[-1]).replace("_", " ")


def advice(mark):
    if mark.output in (NOT_BUILT, NOT_GRADED):
        return mark.output
    return f"{mark.output.rstrip()}\nLook at: {', '.join(mark.graded.functions)}".lstrip()
