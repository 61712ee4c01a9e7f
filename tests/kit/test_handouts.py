"""Every lab's prose against the kit: what the handout shows is what the commands write, what it names is there, the hints
and answers are complete, the demonstration runs.

LAB_ONLY="3 4" python3 -m unittest tests.kit.test_handouts checks only these labs; 0 is labs/debugging.md, the page that all
share. What is checked: tests/support/handout.py.
"""

import os
import pathlib
import sys
import types
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2])]

from tests.support import batch, handout  # noqa: E402 (its place is known now)
from labkit import kit  # noqa: E402 (handout knows its place)

CHOSEN = [int(number) for number in os.environ.get("LAB_ONLY", "").split()]
LABS = [lab for lab in kit.labs() if not CHOSEN or lab.number in CHOSEN]
HANDOUTS = [handout.Handout(lab) for lab in LABS if (lab.directory / "README.md").is_file()]
GUIDE = handout.Handout(types.SimpleNamespace(directory=kit.ROOT / "labs", name="debugging.md", number=0), "debugging.md")
GUIDE_CHECKS = ["check_code", "check_commands", "check_length", "check_links", "check_pictures"]
GUIDES = [GUIDE] if not CHOSEN or 0 in CHOSEN else []
CHECKS = sorted(name for name in dir(handout.Handout) if name.startswith("check_"))


def demo(one):
    """The command that runs a lab's demonstration."""
    return f"DEMO_AUTO=1 BUILD=build/lab{one.lab.number} labs/{one.lab.name}/demo.sh"


class Handouts(unittest.TestCase):
    """Everything that needs no machine."""

    def check(self, one, name):
        problems = [f"{one.lab.name}: {problem}" for problem in getattr(one, name)()]
        if problems:
            self.fail("\n" + "\n".join(problems))

    def skip(self, lab):
        self.skipTest(f"labs/{lab.name} has no README.md yet")


class Run(unittest.TestCase):
    """What the console blocks and the demonstrations do, all in one boot."""

    @classmethod
    def setUpClass(cls):
        pages = [*HANDOUTS, *GUIDES]
        for step in sorted(set().union(*(one.steps_needed() for one in pages))):
            done = kit.make(kit.ROOT, *([f"LAB={step}"] if step else []))
            if done.returncode:
                raise AssertionError(f"step {step} cannot be built:\n{done.stderr[-3000:]}")
        commands = [command.text for one in pages for command in one.commands()] + [demo(one) for one in HANDOUTS]
        cls.results = iter(batch.run(commands)) if commands else iter(())
        cls.complaints = {one.lab.number: one.console_complaints(cls.results) for one in pages}
        cls.demos = {one.lab.number: next(cls.results) for one in HANDOUTS}

    def check_console(self, one):
        if self.complaints[one.lab.number]:
            self.fail("\n" + "\n".join(f"{one.lab.name}, {one.files[0]}, {text}" for text in self.complaints[one.lab.number]))

    def check_demo(self, one):
        status, output = self.demos[one.lab.number]
        self.assertEqual(status, 0, f"{one.lab.name}/demo.sh:\n{output}")


for each in LABS:
    if each not in [one.lab for one in HANDOUTS]:
        setattr(Handouts, f"test_lab_{each.number:02}_{each.name[3:]}", lambda self, lab=each: self.skip(lab))
for each in HANDOUTS:
    prefix = f"test_lab_{each.lab.number:02}_"
    for check in CHECKS:
        setattr(Handouts, prefix + check[len("check_"):], lambda self, one=each, name=check: self.check(one, name))
    setattr(Run, prefix + "console", lambda self, one=each: self.check_console(one))
    setattr(Run, prefix + "demonstration", lambda self, one=each: self.check_demo(one))
for each in GUIDES:
    for check in GUIDE_CHECKS:
        setattr(Handouts, "test_guide_" + check[len("check_"):], lambda self, one=each, name=check: self.check(one, name))
    setattr(Run, "test_guide_console", lambda self, one=each: self.check_console(one))


if __name__ == "__main__":
    unittest.main()
