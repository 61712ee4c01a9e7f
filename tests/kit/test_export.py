"""scripts/lab export: what a course gives to its learners has no solution in its files or its history, and works by itself."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.kit.small_kit import ROOT, Kit, SmallKit

from labkit import kit, source
from labkit.work import Work

COUNTER, SHOUT = "hypervisor/counter.c", "hypervisor/shout.c"
MUTANT = "/* In: hypervisor/counter.c. Caught by: unit_counter.adding_gives_the_sum. Mistake: subtracts. */\n" \
         "unsigned counter_add(unsigned a, unsigned b)\n{\n    return a + (unsigned)-(int)b;\n}\n"
SHORTEST = 16  # letters of a line that says something of its own


def contents(repository):
    """{name: text} of all that is in a repository: its files, and every object of its history."""
    options = {"cwd": repository, "capture_output": True, "check": True}
    texts = {str(path.relative_to(repository)): path.read_text(errors="replace") for path in sorted(repository.rglob("*"))
             if path.is_file() and ".git" not in path.relative_to(repository).parts}
    listed = subprocess.run(["git", "cat-file", "--batch-all-objects", "--batch-check"], **options).stdout.decode()
    for name, kind, _ in (line.split() for line in listed.splitlines()):
        object_ = subprocess.run(["git", "cat-file", kind, name], **options).stdout
        texts[f"{kind} {name}"] = object_.decode(errors="replace")
    return texts


def lines(text):
    return {line.strip() for line in text.split("\n") if len(line.strip()) >= SHORTEST}


def solution_lines(root, last):
    """The lines that only solutions have: of what the starters replace or remove, in none of what a learner is given."""
    secret, public = set(), set()
    for lab in kit.labs(root)[:last]:
        for path, stubs in lab.starters().items():
            text = (root / path).read_text()
            replaced, removed = set(source.functions(stubs)), source.removed_names(stubs)
            for item in source.parse(text):
                goes = item.names & removed or (item.kind == "function" and item.names & replaced)
                (secret if goes else public).update(lines(item.text))
            public |= lines(stubs)
        secret |= {line for mutant in lab.mutant_files() for line in lines(mutant.read_text())}
    stubbed = {path for lab in kit.labs(root)[:last] for path in lab.starters()}
    for path in kit.each_file(root, [*kit.step_files(last, root), "tests/support", "tests/unit", "scripts", "Makefile"]):
        public |= set() if path in stubbed or "__pycache__" in path else lines((root / path).read_text())
    for lab in kit.labs(root)[:last]:
        for path in [*lab.directory.glob("tests/*"), lab.directory / "hints.md", lab.directory / "README.md"]:
            public |= lines(path.read_text()) if path.is_file() else set()
    return secret - public


class Exporting(unittest.TestCase):
    def make_directory(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return pathlib.Path(directory.name)

    def check_no_solutions(self, root, repository, last):
        """`repository` was exported from the kit at `root` up to lab `last`."""
        secrets = solution_lines(root, last)
        self.assertGreater(len(secrets), 3)
        for name, text in contents(repository).items():
            self.assertEqual(secrets & lines(text), set(), name)
        paths = [path.relative_to(repository) for path in repository.rglob("*")]
        files = {str(path) for path in paths if ".git" not in path.parts}
        for path in files:
            self.assertNotRegex(path, r"(^|/)(starter|mutants|answers\.md|matrix\.py|lab-matrix|tests/kit|work)(/|$)")
        for later in kit.labs(root)[last:]:
            self.assertNotIn(f"labs/{later.name}", files)
            self.assertEqual(files & set(kit.lab_files(later.number, root)), set())
        history = subprocess.run(["git", "rev-list", "--all", "--count"], cwd=repository, capture_output=True, check=True)
        self.assertEqual(history.stdout, b"1\n")

    def check_links(self, repository):
        """What the pages in it link to is in it, too."""
        pages = sorted(repository.rglob("*.md"))
        for page in pages:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                self.assertTrue(target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}")
        return pages


class Small(Exporting):
    def setUp(self):
        base = self.make_directory()
        self.kit, self.to = SmallKit(base / "kit"), base / "course"
        self.kit.write("labs/01-count/mutants/subtracts.c", MUTANT)
        self.kit.write("labs/01-count/demo.sh", "#!/bin/sh\necho It counts.\n")
        self.kit.write("labs/01-count/picture.svg", "<svg/>\n")

    def export(self, *words, status=0):
        done = self.kit.lab("export", *words)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_no_solution_is_in_it(self):
        self.export(self.to)
        self.check_no_solutions(self.kit.root, self.to, 2)
        text = (self.to / COUNTER).read_text()
        self.assertIn("lab_todo(1, \"counter_add\"", text)
        for word in "helper", "TWICE", "return a + b;":
            self.assertNotIn(word, text)

    def test_what_should_not_be_there_would_be_found(self):
        self.export(self.to)
        for path, text in {"notes": "static unsigned helper(unsigned a)\n", "labs/01-count/answers.md": "", "x": MUTANT}.items():
            (self.to / path).write_text(text)
            with self.assertRaises(AssertionError, msg=path):
                self.check_no_solutions(self.kit.root, self.to, 2)
            (self.to / path).unlink()
        (self.to / COUNTER).write_text(self.kit.read(COUNTER))
        subprocess.run(["git", "add", COUNTER], cwd=self.to, check=True)
        subprocess.run(["git", "checkout", "-q", "HEAD", "--", COUNTER], cwd=self.to, check=True)
        with self.assertRaises(AssertionError, msg="an object that no commit has any more"):
            self.check_no_solutions(self.kit.root, self.to, 2)

    def test_a_course_may_end_earlier(self):
        self.assertIn("a repository with labs 1 to 1, without their solutions", self.export(self.to, 1))
        self.check_no_solutions(self.kit.root, self.to, 1)
        self.assertFalse((self.to / SHOUT).exists())

    def test_what_learners_read_is_there_and_nothing_is_left_to_commit(self):
        self.export(self.to)
        for path in "README.md", "LICENSE", *(f"labs/01-count/{name}" for name in ("README.md", "hints.md", "picture.svg", "demo.sh")):
            self.assertTrue((self.to / path).is_file(), path)
        self.check_links(self.to)
        Kit(self.to).lab("grade", 1)
        done = subprocess.run(["git", "status", "--short"], cwd=self.to, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "")

    def test_it_builds_and_grades_itself(self):
        self.export(self.to)
        course = Kit(self.to)
        done = kit.make(self.to, "all")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = course.lab("grade").stdout
        self.assertTrue(text.endswith("lab 2: 0 of 100 points\n\n0 of 200 points\n"), text)
        course.write(COUNTER, self.kit.read(COUNTER))
        self.assertIn("\n100 of 200 points", course.lab("grade").stdout)
        course.write(SHOUT, self.kit.read(SHOUT))
        self.assertIn("\n200 of 200 points", course.lab("grade").stdout)

    def test_the_kit_grades_it_and_it_grades_others(self):
        self.export(self.to)
        course = Kit(self.to)
        course.put_solution(COUNTER, "counter_add", "    return a + b;")
        self.assertIn("\n30 of 200 points", self.kit.lab("grade", "--submission", self.to).stdout)
        self.assertIn("\n100 of 100 points", course.lab("grade", 1, "--submission", self.kit.root).stdout)

    def test_wrong_use_explains_itself(self):
        self.assertIn("export DIR [N]: DIR is a new directory", self.export(status=2))
        self.assertIn("export DIR [N]", self.export(self.to, "all", status=2))
        self.assertIn("there is no lab 7; there are 1, 2", self.export(self.to, 7, status=2))
        self.assertFalse(self.to.exists())
        self.to.mkdir()
        (self.to / "precious").write_text("mine\n")
        self.assertIn("exists and is not empty; export makes a new directory", self.export(self.to, status=2))
        (self.to / "precious").unlink()
        self.export(self.to)
        done = Kit(self.to).lab("export", self.to.parent / "again")
        self.assertEqual(done.returncode, 2)
        self.assertIn("this repository has no starters: it was exported itself", done.stdout)


class Real(Exporting):
    def test_no_solution_of_any_lab_is_in_it(self):
        to, last = self.make_directory(), len(kit.labs())
        done = Kit(ROOT).lab("export", to)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.check_no_solutions(ROOT, to, last)
        self.assertIn(to / "labs/debugging.md", self.check_links(to))
        work = Work(to)
        for lab, exported in zip(kit.labs(), kit.labs(to)):
            self.assertEqual(work.functions(exported), Work(ROOT).functions(lab))
            self.assertEqual(work.stubs(exported), list(work.functions(exported)), lab.name)

    def test_the_first_lab_works_by_itself(self):
        """Half of its tests need KVM."""
        base = self.make_directory()
        Kit(ROOT).lab("export", base / "course", 1)
        course = Kit(base / "course")
        (course.root / "build").mkdir()
        (course.root / "build/with-kvm").symlink_to(ROOT / "build/with-kvm")
        for path in kit.lab(1).starters():
            if path != "hypervisor/memory.c":
                course.write(path, (ROOT / path).read_text())
        text = course.lab("grade", 1).stdout
        self.assertRegex(text, r"(?m)^  0 of 10  lab 1: out to port e9 prints$")
        course.write("hypervisor/memory.c", (ROOT / "hypervisor/memory.c").read_text())
        self.assertIn("\n100 of 100 points", course.lab("grade", 1).stdout)


if __name__ == "__main__":
    unittest.main()
