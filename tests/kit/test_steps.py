"""Every step builds from the files of its labs alone, without a warning, and has the features of those labs only."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from labkit import kit  # noqa: E402 (its place is known now)

LABS = kit.labs()


class Steps(unittest.TestCase):
    def build(self, lab, *words):
        with tempfile.TemporaryDirectory() as directory:
            to = pathlib.Path(directory)
            kit.copy_step(lab, to)
            done = kit.make(to, "-j2", f"LAB={lab}", "CI=1", *words)
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            self.assertEqual(done.stderr, "", "a build must be silent")
            return subprocess.run([to / f"build/lab{lab}/terrarium", "help"], capture_output=True, text=True,
                                  check=True).stdout

    def check_step(self, lab):
        features = [int(number) for number in re.findall(r"^  lab (\d+) ", self.build(lab), re.MULTILINE)]
        self.assertIn(lab, features, "the step must add a feature")
        self.assertLessEqual(max(features), lab)

    def test_last_step_with_clang(self):
        self.build(LABS[-1].number, "CC=clang")


for number in [lab.number for lab in LABS]:
    setattr(Steps, f"test_step_{number}", lambda self, lab=number: self.check_step(lab))

if __name__ == "__main__":
    unittest.main()
