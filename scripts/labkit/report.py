"""Verdicts of tests: pass, fail or skip, with a message."""

import threading

MARKS = {"pass": "ok  ", "fail": "FAIL", "skip": "skip"}


class Report:
    """Counts and prints verdicts, from any thread."""

    def __init__(self):
        self.counts = {"pass": 0, "fail": 0, "skip": 0}
        self.lock = threading.Lock()

    def add(self, suite, name, verdict, message=""):
        lines = [f"{MARKS[verdict]} {suite}: {name}"]
        if message:
            lines += ["     " + line for line in message.rstrip().split("\n")]
        with self.lock:
            self.counts[verdict] += 1
            print("\n".join(lines), flush=True)

    def last_line(self):
        skipped = f", {self.counts['skip']} skipped" if self.counts["skip"] else ""
        return f"{self.counts['pass']} passed, {self.counts['fail']} failed{skipped}"


class Collection(Report):
    """Keeps verdicts and prints nothing: {"suite.name": (verdict, message)}."""

    def __init__(self):
        super().__init__()
        self.verdicts = {}

    def add(self, suite, name, verdict, message=""):
        with self.lock:
            self.counts[verdict] += 1
            self.verdicts[f"{suite}.{name}"] = verdict, message
