"""Runs test programs, here or where KVM works: many in one boot of scripts/with-kvm. A frozen machine is started anew."""

import collections
import contextlib
import importlib.util
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path[:0] = [ROOT, os.path.join(ROOT, "scripts")]

from labkit import channel, limits  # noqa: E402 (its place is known now)
from labkit.report import Report  # noqa: E402 (its place is known now)

SCALE = int(os.environ.get("TIMEOUT_SCALE", "1"))
PROGRAM_CEILING = 300  # seconds for one test program; a guard against hanging, not a measure
HEARTBEAT = 5  # seconds between signs of life of the machine with KVM
SILENCE_CEILING = 120  # seconds without one: it is frozen
BOOTS_MAX = 4  # an emulated machine may freeze; then the tests go on in a new one
FREEZES_MAX = 2  # of one job: then it has failed
LOOK_EVERY, LOOKS_MAX = 0.05, 72000  # seconds, for an order that is not there yet: an hour, and nobody will send one
GONE = "machines with KVM"  # what is said then
STDERR = 2
RESULTS_MAX, WORDS_MAX = 64 << 20, 3000  # bytes of verdicts of a program, and of its last words if it has none

# What cmocka says around the words of a test that help nobody who sees the verdict; among it, where tests/support/ complains.
NOISE = re.compile(r"^(\[[=-]{10}\].*|\[ +(RUN|OK|PASSED|FAILED) +\].*| *\d+ FAILED TEST\(S\)|"
                   r"( *\[ +(ERROR|LINE) +\] ---)+ \S*tests/(support|unit)/\w+\.c:\d+: error: Failure!|"
                   r"\[ +ERROR +\] \w+|)(\n|\Z)", re.MULTILINE)
KILLED = re.compile(r"\bsignal 9\b|(?<!\w)-9\b|SIGKILL")
MARK = re.compile(r"^( *\[ +(?:ERROR|LINE|SKIPPED) +\] ---)+ |^ERROR: ", re.MULTILINE)


class Job(collections.namedtuple("Job", "path root build names label environment", defaults=("", "build", (), "", ()))):
    """One run of a test program.

    path: a cmocka program or a file of Python tests; root: the directory it runs in; build: below root, where the guests
    lie (TERRARIUM_BUILD); names: the tests to run, none for all; label: is put before the names of the suites; environment: pairs
    of a name and a value, for a cmocka program.
    """

    __slots__ = ()

    def suite(self):
        directory, name = os.path.split(self.path)
        if os.path.basename(directory) == "tests":
            directory = os.path.dirname(directory)
        return f"{self.label}{os.path.basename(directory)}/{name.removesuffix('.py')}"


def parse_results(data, nonce):
    """The verdicts (name, verdict, message) in what tests/support/results.c wrote."""
    verdicts, mark, at = [], f"{nonce} ".encode(), 0
    while data.startswith(mark, at) and (end := data.find(b"\n", at)) >= 0:
        _, verdict, length, name = data[at:end].decode().split(" ", 3)
        at = end + 1 + int(length)
        verdicts.append((name, verdict, data[end + 1 : at].decode(errors="replace")))
    return verdicts


def tidy(text):
    return MARK.sub("", NOISE.sub("", text)).strip()


def kill_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def last_bytes(file, most):
    """The end of what a descriptor's file has, at most so many bytes. Closes it."""
    with open(file, "rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - most))
        return stream.read(most)


def run_program(report, job):
    """Run a cmocka program, in a process group of its own. Its verdicts come by a file without a name, with a nonce."""
    nonce, file = secrets.token_hex(16), os.memfd_create("results")
    environment = {**os.environ, **dict(job.environment), "TERRARIUM_RESULTS": f"{file} {nonce}", "TERRARIUM_BUILD": job.build}
    if job.names:
        environment["TERRARIUM_TESTS"] = " ".join(job.names)
    output = os.memfd_create("output")
    process = subprocess.Popen([job.path], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                               cwd=job.root or ROOT, env=environment, pass_fds=[file], start_new_session=True)
    try:
        end = f"status {process.wait(PROGRAM_CEILING * SCALE)}"
    except subprocess.TimeoutExpired:
        end = "not ended in time"
    kill_group(process)
    process.wait()
    verdicts, last_words = parse_results(last_bytes(file, RESULTS_MAX), nonce), last_bytes(output, WORDS_MAX)
    for name, verdict, message in verdicts:
        report.add(job.suite(), name, verdict, tidy(message) if verdict == "fail" else "")
    if not verdicts or (end != "status 0" and not any(verdict == "fail" for _, verdict, _ in verdicts)):
        report.add(job.suite(), "runs to its end", "fail", f"{end}\n{last_words.decode(errors='replace')}")


class UnittestResult(unittest.TestResult):
    """Hands the verdicts of Python tests to a Report; a test with subtests counts once."""

    def __init__(self, report, suite):
        super().__init__()
        self.report, self.suite, self.messages = report, suite, []

    def startTest(self, test):
        super().startTest(test)
        self.messages, self.reason = [], None

    def stopTest(self, test):
        super().stopTest(test)
        name = test.id().split(".", 1)[1]
        if self.messages:
            self.report.add(self.suite, name, "fail", "\n".join(self.messages))
        elif self.reason is not None:
            self.report.add(self.suite, name, "skip", self.reason)
        else:
            self.report.add(self.suite, name, "pass")

    def addSkip(self, test, reason):
        self.reason = reason

    def _add_problem(self, test, problem):
        message = self._exc_info_to_string(problem, test)
        if hasattr(test, "_testMethodName"):
            self.messages.append(message)
        else:  # setUpClass and the like: no test is running
            self.report.add(self.suite, str(test), "fail", message)

    def addFailure(self, test, problem):
        self._add_problem(test, problem)

    def addError(self, test, problem):
        self._add_problem(test, problem)

    def addSubTest(self, test, subtest, problem):
        if problem:
            self.messages.append(f"{subtest}: {self._exc_info_to_string(problem, test)}")


def run_python(report, job):
    """Run the unittest cases in a file."""
    os.environ["TERRARIUM_BUILD"] = os.path.join(job.root, job.build) if job.root else job.build
    for name in [name for name in sys.modules if name == "tests" or name.startswith("tests.support")]:
        del sys.modules[name]  # they remember where the guests lie
    if sys.path[0] != (job.root or ROOT):
        sys.path.insert(0, job.root or ROOT)
    module_name = re.sub(r"\W", "_", job.suite())
    try:
        spec = importlib.util.spec_from_file_location(module_name, job.path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
        loader = unittest.defaultTestLoader
        tests = loader.loadTestsFromNames(job.names, module) if job.names else loader.loadTestsFromModule(module)
    except Exception as problem:  # a test file that cannot be loaded is a failed test
        report.add(job.suite(), "can be loaded", "fail", repr(problem))
        return
    tests.run(UnittestResult(report, job.suite()))


def run(report, job):
    (run_python if job.path.endswith(".py") else run_program)(report, job)


def lines_while_alive(process, file):
    """Yield the lines that the machine with KVM writes, until it ends or gives no sign of life any more."""
    partial, since, alive = "", time.monotonic(), True
    while alive:
        alive = process.poll() is None and time.monotonic() - since < SILENCE_CEILING
        chunk = file.read()
        if chunk:
            since = time.monotonic()
        *lines, partial = (partial + chunk).split("\n")
        yield from filter(None, lines)
        time.sleep(0.1)


def write_order(path, **order):
    """All of it is there at once."""
    with open(path + ".part", "w") as file:
        json.dump(order, file)
    os.rename(path + ".part", path)


def nothing():
    pass


def run_boot(report, jobs, kvm=True, confined=None, meanwhile=nothing):
    """Run these in one boot, and tell the verdicts of each job that ends. Returns those that did not end, and the status.

    kvm=False: in one process here. confined: as what nobody trusts, within limits, and able to read this directory only.
    meanwhile: what to do while the machine boots; only then the jobs run.
    """
    key = secrets.token_hex(16)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    build = os.path.join(ROOT, "build")
    scratch_place = limits.scratch(build) if confined else contextlib.nullcontext()
    with tempfile.TemporaryDirectory(prefix="jobs-", dir=build) as directory, scratch_place as scratch:
        order, results = os.path.join(directory, "order.json"), os.path.join(directory, "results.json")
        with open(results, "w+") as file:
            where = [os.path.join(ROOT, "scripts/with-kvm")] if kvm else []
            process = subprocess.Popen([*where, sys.executable, "-S", __file__, order], cwd=ROOT, stdin=subprocess.DEVNULL,
                                       stdout=STDERR if confined else None, start_new_session=True)
            try:
                ended = 0
                meanwhile()
                write_order(order, key=key, results=results, jobs=jobs, confined=confined and str(confined), scratch=scratch)
                verdicts, reader = [], channel.Reader(key)
                for entry in (entry for line in lines_while_alive(process, file) for entry in reader.entries(line)):
                    if entry:
                        verdicts.append(entry)
                        continue
                    ended += 1
                    for verdict in verdicts:
                        report.add(*verdict)
                    verdicts = []
            finally:
                kill_group(process)
                process.wait()
    return jobs[ended:], process.returncode


def run_inside(report, jobs, meanwhile=nothing, **how):
    """Run these where KVM works, in one boot unless the machine freezes; meanwhile and how: as for run_boot()."""
    freezes = collections.Counter()
    for _ in range(BOOTS_MAX):
        if not jobs:
            return
        jobs, status = run_boot(report, jobs, meanwhile=meanwhile, **how)
        meanwhile = nothing
        if jobs:
            freezes[jobs[0]] += 1
            if freezes[jobs[0]] == FREEZES_MAX:
                report.add(jobs[0].suite(), "runs to its end", "fail",
                           f"it froze or ended {FREEZES_MAX} {GONE} (status {status})")
                jobs = jobs[1:]
        if jobs:
            print(f"     the machine with KVM is gone (status {status}); {len(jobs)} test programs go on in a new one",
                  flush=True)
    if jobs:
        report.add("with-kvm", "runs all tests to the end", "fail", f"{len(jobs)} test programs did not run")


class Told(Report):
    """Sends verdicts to whoever ordered the jobs. guard: the Guard that watches them, if one does."""

    def __init__(self, writer):
        super().__init__()
        self.writer, self.guard = writer, None

    def add(self, suite, name, verdict, message=""):
        if verdict == "fail" and self.guard and self.guard.reason and KILLED.search(message):
            message = f"{self.guard.reason}\n{message}"
        self.writer.write([suite, name, verdict, message])


def beat(file):
    while True:
        time.sleep(HEARTBEAT)
        file.write("\n")
        file.flush()


def confine(readable, scratch):
    """Leave what nobody trusts one directory to read, and one to write, which is returned: `scratch`, or the memory of an emulated
    machine, which ends with it."""
    if os.environ.get("TERRARIUM_KVM") == "emulated":
        scratch = tempfile.mkdtemp(dir=os.environ["TERRARIUM_RUN"])
    tempfile.tempdir = None  # to be found anew
    os.environ.update(TERRARIUM_RUN=scratch, TMPDIR=scratch)
    limits.confine(ROOT, [readable], [scratch])
    return scratch


def inside(path):
    """Run the jobs of an order, when it comes. Its key is nobody else's business."""
    for _ in range(LOOKS_MAX):
        if os.path.exists(path):
            break
        time.sleep(LOOK_EVERY)
    with open(path) as file:
        order = json.load(file)
    os.remove(path)
    writer, heart = channel.Writer(order["results"], order["key"]), open(order["results"], "a")
    report = Told(writer)
    scratch = confine(order["confined"], order["scratch"]) if order["confined"] else None
    threading.Thread(target=beat, args=(heart,), daemon=True).start()
    for fields in order["jobs"]:
        job = Job(*fields)
        job = job._replace(names=tuple(job.names))
        if order["confined"]:
            with limits.Guard([scratch]) as report.guard:
                run(report, job)
        else:
            run(report, job)
        writer.write(None)


if __name__ == "__main__":
    inside(sys.argv[1])
