"""Marks for a submission: only the files that a lab names are taken from it, everything else is the grader's own."""

import collections
import os
import pathlib
import re
import shutil
import stat
import tempfile
import time

from labkit import kit, report, runner, source, stage

FILE_MAX = 1 << 20  # bytes; the largest file of the kit has a twentieth

# One graded test: its lab, the Graded record, passed?, what to tell, hidden from the learner?
Mark = collections.namedtuple("Mark", "lab graded passed output hidden")


def starter_paths(lab):
    """The files that a submission for this lab consists of."""
    return sorted(lab.starters())


def take(submission, path):
    """The bytes of a file of a submission, or None. Raises KitError for what a submission may not hold."""
    whole = pathlib.Path(submission) / path
    for part in [whole, *whole.parents][: len(pathlib.Path(path).parts)]:
        if part.is_symlink():
            raise kit.KitError(f"{path}: symbolic links are not taken; hand in the file itself")
    if not whole.exists():
        return None
    status = whole.stat()
    if not stat.S_ISREG(status.st_mode):
        raise kit.KitError(f"{path}: not a regular file")
    if status.st_size > FILE_MAX:
        raise kit.KitError(f"{path}: {status.st_size} bytes; a file may have {FILE_MAX}")
    data = whole.read_bytes()
    check_text(path, data)
    return data


def check_text(path, data):
    """Refuse what could bring in files from outside the stage: the compiler reads whatever it is told to."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise kit.KitError(f"{path}: not a text file") from None
    text = re.sub(r"\\\n", "", text)
    for word in re.findall(r"(?:#|%:|\?\?=)\s*(?:include|include_next|import|embed)\b\s*([^\n]*)", text):
        name = re.match(r'["<]([^">]*)[">]', word)
        if not name or name[1].startswith("/") or ".." in name[1].split("/"):
            raise kit.KitError(f"{path}: #include {word}: only headers of the kit and the system, by their plain names")
    if re.search(r"\.\s*(incbin|include)\b", text):
        raise kit.KitError(f"{path}: .incbin and .include are not taken")


def submission_sources(lab, submission, root):
    """Step lab.number: the reference, but this lab's files from the submission (its stubs, where it has none)."""
    sources = stage.starter_sources(lab.number, root)
    for path in starter_paths(lab):
        data = take(submission, path)
        if data is not None:
            sources[path] = data
    return sources


def own_sources(lab, root):
    """Step lab.number of a repository without solutions: all of it is the learner's."""
    return stage.reference_sources(lab.number, root)


def hidden_tests(lab, directory):
    """The graded tests of an instructor's directory: its points.mk has POINTS_NN lines as a lab.mk has."""
    if not directory:
        return []
    points = pathlib.Path(directory) / "points.mk"
    if not points.is_file():
        raise kit.KitError(f"{points}: not found; it says what the tests count: POINTS_{lab.number:02} += unit_mine.test_name:5:function")
    variables = kit.read_variables(points)
    return kit.parse_points(variables.get(f"POINTS_{lab.number:02}", []), points)


def all_failed(lab, graded, hidden, why):
    return [Mark(lab, one, False, why, one in hidden) for one in [*graded, *hidden]]


def grade_lab(lab, submission, tests=None, root=kit.ROOT):
    """The marks of one lab, in the order of its tests."""
    graded, hidden = lab.graded(), hidden_tests(lab, tests)
    with tempfile.TemporaryDirectory(prefix="grade-", dir=_work_directory(root)) as directory:
        place = stage.Stage(directory, lab.number, links=False, root=root)
        try:
            place.set_sources(submission_sources(lab, submission, root) if submission else own_sources(lab, root))
        except kit.KitError as problem:
            return all_failed(lab, graded, hidden, f"not graded: {problem}")
        if tests and hidden:
            place.add_tests(lab.name, tests)
        sources = kit.Lab(place.directory / "labs" / lab.name).test_sources()
        wanted = [one.test for one in [*graded, *hidden]]
        missing = sorted({test.split(".")[0] for test in wanted} - set(sources))
        if missing:
            raise kit.KitError(f"{lab.name}: there is no test program {', '.join(missing)}")
        programs = {name: place.directory / place.program(sources[name]) if sources[name].suffix == ".c" else sources[name]
                    for name in {test.split(".")[0] for test in wanted}}
        done = place.make("all", *[place.program(sources[name]) for name in sorted(programs) if sources[name].suffix == ".c"])
        if done.returncode:
            return all_failed(lab, graded, hidden, "it does not compile:\n" + done.stderr[:4000])
        verdicts = run_tests(place, programs, wanted)
    return [judge(lab, one, verdicts, one in hidden) for one in [*graded, *hidden]]


def _work_directory(root):
    directory = pathlib.Path(root) / "build"
    directory.mkdir(exist_ok=True)
    return directory


def run_tests(place, programs, tests):
    """{program.test: (verdict, message)}"""
    verdicts, here, inside = report.Collection(), [], []
    for name, path in sorted(programs.items()):
        names = tuple(test.partition(".")[2] for test in tests if test.startswith(name + "."))
        job = runner.Job(str(path), str(place.directory), place.build, names)
        (here if name.startswith("unit_") else inside).append(job)
    for jobs, kvm in ((here, False), (inside, True)):
        if jobs:
            runner.run_inside(verdicts, jobs, kvm=kvm, confined=True)
    return {name.split("/", 1)[-1]: verdict for name, verdict in verdicts.verdicts.items()}


def judge(lab, one, verdicts, hidden):
    verdict, message = verdicts.get(one.test, ("none", ""))
    if verdict == "none":
        program = one.test.split(".")[0]
        message = verdicts.get(f"{program}.runs to its end", ("", "the test program did not come to this test"))[1]
    if verdict == "skip":
        message = message or "skipped: this machine has not what the test needs"
    return Mark(lab, one, verdict == "pass", message, hidden)


def grade(numbers, submission=None, tests=None, root=kit.ROOT):
    """Grade these labs. Returns (marks, seconds)."""
    start = time.monotonic()
    if submission and not pathlib.Path(submission).is_dir():
        raise kit.KitError(f"{submission}: no such directory; --submission names what a learner hands in (their work/, or their repository)")
    marks = []
    for number in numbers:
        marks += grade_lab(kit.lab(number, root), submission, tests, root)
    return marks, time.monotonic() - start


def score(marks):
    return sum(mark.graded.points for mark in marks if mark.passed), sum(mark.graded.points for mark in marks)


def sentence(test):
    """The name of a test in words."""
    return test.split(".")[-1].removeprefix("test_").replace("_", " ")


def advice(mark):
    return f"{mark.output.rstrip()}\nLook at: {', '.join(mark.graded.functions)}".lstrip()
