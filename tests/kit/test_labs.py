"""Every lab checked against itself (scripts/lab-matrix): its starter, its reference, its mutants, its points."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))

from labkit import kit, matrix  # noqa: E402 (its place is known now)

LABS = [lab.number for lab in kit.labs() if lab.starters()]


class Labs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        matrices, _ = matrix.run(LABS)
        cls.matrices = {one.number: one for one in matrices}

    def check(self, number):
        self.assertEqual(self.matrices[number].problems, [], "\n" + "\n".join(self.matrices[number].problems))


for number in LABS:
    setattr(Labs, f"test_lab_{number}", lambda self, lab=number: self.check(lab))

if __name__ == "__main__":
    unittest.main()
