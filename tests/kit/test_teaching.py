"""labs/README.md, the page for who teaches: what it names is there, its plans and tables name every lab, its scripts run."""

import json
import pathlib
import re
import subprocess
import tempfile
import types
import unittest

from tests.kit.small_kit import COUNTER_C, ROOT, SmallKit
from tests.support import handout

from labkit import grade, kit

PAGE = (ROOT / "labs/README.md").read_text()
LABS = [lab for lab in kit.labs() if lab.starters()]  # those that can be given: a new one begins without


def section(title):
    return re.search(rf"^##+ {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def block(mark):
    """The block of code that has these words."""
    return next(match[2] for match in handout.FENCE.finditer(PAGE) if mark in match[2])


class Page(unittest.TestCase):
    def test_what_it_names_is_there(self):
        page = handout.Handout(types.SimpleNamespace(directory=ROOT / "labs", number=0))
        self.assertEqual(page.check_code() + page.check_commands(), [])
        wrong = [problem for problem in page.check_links() if not self.is_to_come(problem)]
        self.assertEqual(wrong, [])
        titles = re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
        headings = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        self.assertLessEqual(set(re.findall(r"\]\(#([^)]+)\)", PAGE)), headings)

    def is_to_come(self, problem):
        """Prose of a lab that has none at all; test_handouts names these labs."""
        name = re.search(r"links to (\d\d-[\w-]+)/(?:README|answers)\.md", problem)
        return name and not (ROOT / "labs" / name[1] / "README.md").exists()

    def test_every_lab_is_in_the_tables(self):
        numbers = [lab.number for lab in LABS]
        rows = re.findall(r"^\| (\d+) ", section("The labs"), re.MULTILINE)
        self.assertEqual([int(number) for number in rows], numbers)
        bullets = re.findall(r"^- \*\*Lab (\d+)\.\*\*", section("The labs"), re.MULTILINE)
        self.assertEqual([int(number) for number in bullets], numbers)
        for lab in LABS:
            self.assertIn(f"({lab.name}/answers.md)", section("The labs"))

    def test_the_plans_use_labs_in_order_and_the_longer_ones_use_all(self):
        rows = re.findall(r"^\| \d.*$", section("Plans"), re.MULTILINE)
        plans = list(zip(*([cell.strip() for cell in row.split("|")[2:5]] for row in rows)))
        for weeks, plan in zip((6, 10, 12), plans):
            self.assertEqual([bool(cell) for cell in plan[:weeks]], [True] * weeks)
            named = [int(number) for cell in plan[:weeks] for number in re.findall(r"(?:^|, )(\d+) ", cell)]
            self.assertEqual(named, sorted(named))
            self.assertLessEqual(set(named), {lab.number for lab in LABS})
            if weeks > 6:
                self.assertEqual(set(named), {lab.number for lab in LABS})

    def test_the_numbers_are_the_graders(self):
        self.assertIn(f"may compute for {grade.LIMITS['TERRARIUM_TEST_CPU_SECONDS']} s", PAGE)

    def test_the_example_of_points_is_read(self):
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "points.mk").write_text(block("POINTS_03 +="))
            self.assertEqual([(one.test, one.points) for one in grade.hidden_tests(kit.lab(3), directory)],
                             [("unit_hidden.a_paste_of_a_megabyte", 10)])

    def test_the_autograder_writes_results(self):
        with tempfile.TemporaryDirectory() as directory:
            base = pathlib.Path(directory)
            SmallKit(base / "source/terrarium")
            (base / "results").mkdir()
            (base / "submission/hypervisor").mkdir(parents=True)
            (base / "submission/hypervisor/counter.c").write_text(COUNTER_C)
            script = block("--submission /autograder/submission").replace("/autograder", directory)
            script = re.sub(r"\bgrade 3\b", "grade 1", script)
            done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, env=kit.clean_environment())
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(json.loads((base / "results/results.json").read_text())["score"], 100)


if __name__ == "__main__":
    unittest.main()
