"""Verdicts of tests: pass, fail or skip, with a message."""


class Report:
    """Counts and prints verdicts."""

    def __init__(self):
        self.counts = {"pass": 0, "fail": 0, "skip": 0}

    def add(self, suite, name, verdict, message=""):
        self.counts[verdict] += 1
        print({"pass": "ok  ", "fail": "FAIL", "skip": "skip"}[verdict], f"{suite}: {name}", flush=True)
        if message:
            print("\n".join("     " + line for line in message.rstrip().split("\n")), flush=True)

    def last_line(self):
        skipped = f", {self.counts['skip']} skipped" if self.counts["skip"] else ""
        return f"{self.counts['pass']} passed, {self.counts['fail']} failed{skipped}"


class Collection(Report):
    """Keeps verdicts and prints nothing: {"suite.name": (verdict, message)}."""

    def __init__(self):
        super().__init__()
        self.verdicts = {}

    def add(self, suite, name, verdict, message=""):
        self.counts[verdict] += 1
        self.verdicts[f"{suite}.{name}"] = verdict, message
