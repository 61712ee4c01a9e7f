"""A lab of one's own is new files only: the example in own_lab/ is added to a kit, and everything takes it as it is.

The kit is lab 1, without its tests that need KVM, and the example as lab 40: numbers may have gaps.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.kit.small_kit import COPIED, ROOT, Kit

from labkit import kit

EXAMPLE = pathlib.Path(__file__).parent / "own_lab"
TAPE = "work/hypervisor/devices/tape.c"
FUNCTIONS = ["tape_write", "tape_read", "tape_seek", "tape_left"]


def without_kvm(root):
    """Leave lab 1 of the kit at `root` its unit tests."""
    lab = kit.lab(1, root)
    for path in [*lab.directory.glob("tests/kvm_*"), *lab.directory.glob("tests/system_*")]:
        path.unlink()
    recipe = lab.directory / "lab.mk"
    recipe.write_text(re.sub(r"^POINTS_01 .*(kvm|system)_.*\n", "", recipe.read_text(), flags=re.MULTILINE))


class OwnLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.kit = Kit(pathlib.Path(directory.name) / "kit")
        for path in [*COPIED, *kit.step_files(1), os.path.relpath(kit.lab(1).directory, ROOT)]:
            kit.copy(ROOT, path, cls.kit.root)
        without_kvm(cls.kit.root)
        cls.before = cls.files()
        shutil.copytree(EXAMPLE, cls.kit.root, dirs_exist_ok=True)

    @classmethod
    def files(cls):
        return {path: path.read_bytes() for path in cls.kit.root.rglob("*")
                if path.is_file() and not {"build", "work", "__pycache__"} & set(path.relative_to(cls.kit.root).parts)}

    def lab(self, *words, status=0, parts=()):
        done = self.kit.lab(*words)
        self.assertEqual(done.returncode, status, done.stdout)
        for part in parts:
            self.assertIn(part, done.stdout)

    def tearDown(self):
        now = self.files()
        self.assertEqual({path: now.get(path) for path in self.before}, self.before, "no file of the kit may have changed")

    def test_the_build_takes_it(self):
        done = kit.make(self.kit.root, "LAB=40", "CI=1", "all")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for step, found in (40, True), (1, False):
            kit.make(self.kit.root, f"LAB={step}", "all")
            program = self.kit.root / f"build/lab{step}/terrarium"
            text = subprocess.run([program, "help"], capture_output=True, text=True, check=True).stdout
            self.assertEqual("a tape of 16 bytes at port 0x5A" in text, found, text)
        done = kit.make(self.kit.root, "LAB=7", "all")
        self.assertIn("there is no lab 7; LAB may be 1 40", done.stderr)
        self.assertIn("40-tape  A tape", kit.make(self.kit.root, "list").stdout)

    def test_the_learners_loop_takes_it(self):
        self.lab("list", parts=["  1  The first exit", " 40  A tape: a device of one's own"])
        self.lab("start", 40, parts=["work/ is lab 40", *FUNCTIONS])
        self.lab("test", status=1, parts=["0 of 100 points", f"look at tape_read, {TAPE}", f"still to write: {', '.join(FUNCTIONS)}"])
        self.lab("hint", 40, "tape_left", parts=["Which cells were not read yet?"])
        self.kit.put_solution(TAPE, "tape_left", "    return tape->end - tape->head;")
        self.lab("test", 40, "left_is_what_can_still_be_read", parts=["10 of 10 points"])
        self.lab("test", 1, parts=["All done"])
        self.lab("grade", 40, parts=["\n10 of 100 points"])
        self.lab("diff", 40, "tape_left", parts=["---- tape_left: yours ("])
        self.lab("solve", 40)
        self.lab("grade", 40, parts=["\n100 of 100 points"])
        self.lab("reset", 40)
        self.lab("status", parts=["lab 40: 0 of 4 functions written"])

    def test_a_course_takes_it(self):
        with tempfile.TemporaryDirectory() as directory:
            self.lab("export", f"{directory}/course", parts=["labs 1 to 40"])
            course = Kit(f"{directory}/course")
            self.assertIn("\n0 of 100 points", course.lab("grade", 40).stdout)
            course.write("hypervisor/devices/tape.c", self.kit.read("hypervisor/devices/tape.c"))
            self.assertIn("\n100 of 100 points", course.lab("grade", 40).stdout)

    def test_the_matrix_proves_it(self):
        command = [sys.executable, self.kit.root / "scripts/lab-matrix", "40"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=kit.clean_environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^40-tape +4 +8 +6 +8 of 8 +(\d+) of \1 +8 of 8 +6 of 6$")


if __name__ == "__main__":
    unittest.main()
