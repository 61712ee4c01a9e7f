"""A second run for tests that failed where KVM is emulated.

The emulated machine errs, rarely, when its host is busy: it freezes, or a guest dies as the same guest has never died in plain QEMU.
So a failure there counts if it comes twice. What passed only the second time says so, with what was wrong the first time; with a
KVM of the machine's own there is no second run.
"""

import os
import subprocess

from labkit import report, runner


class First(report.Report):
    """Hands on what passes, and keeps what fails: {(suite, name): message}."""

    def __init__(self, to, may_fail):
        super().__init__()
        self.to, self.may_fail, self.told, self.failures = to, may_fail, set(), {}

    def add(self, suite, name, verdict, message=""):
        if verdict == "fail" and not self.may_fail(suite):
            self.failures[suite, name] = message
        else:
            self.told.add((suite, name))
            self.to.add(suite, name, verdict, message)


class Second(report.Report):
    """Hands on the verdicts of a second run, each with what was wrong the first time."""

    def __init__(self, to, first):
        super().__init__()
        self.to, self.first, self.passed, self.suites = to, first, [], set()

    def add(self, suite, name, verdict, message=""):
        self.suites.add(suite)
        before = self.first.failures.pop((suite, name), None)
        if before is not None and verdict != "fail":
            self.passed.append(f"{suite}: {name}")
            message = f"THE SECOND TIME. The first time:\n{before}"
        if verdict == "fail" or (suite, name) not in self.first.told:
            self.to.add(suite, name, verdict, message)


def kvm_is_emulated():
    command = [os.path.join(runner.ROOT, "scripts/with-kvm"), "sh", "-c", "echo $TERRARIUM_KVM"]
    done = subprocess.run(command, cwd=runner.ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() == "emulated"


def run_inside(verdicts, jobs, may_fail=lambda suite: False):
    """As runner.run_inside(); where KVM is emulated, a program with a failure runs once more, in a new machine.

    may_fail: says of a suite whether its failures are expected, and count at once.
    """
    first = First(verdicts, may_fail)
    runner.run_inside(first, jobs)
    again = {suite for suite, _ in first.failures}
    if again and kvm_is_emulated():
        second = Second(verdicts, first)
        runner.run_inside(second, [job for job in jobs if job.suite() in again])
        for suite, name in list(first.failures):
            if suite in second.suites and " " in name:  # "runs to its end", say: nothing of a test's own, and now it is well
                del first.failures[suite, name]
        if second.passed:
            print("\n     ".join(["     passed only THE SECOND TIME; look at them if that comes again:", *second.passed]), flush=True)
    for (suite, name), message in first.failures.items():
        verdicts.add(suite, name, "fail", message)
