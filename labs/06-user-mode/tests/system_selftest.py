"""Moss's selftest: one boot, and each of its tests counts as a test here."""

import os
import subprocess
import unittest
from tests.support import moss


class Selftest(moss.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.result = cls.machine.run(b"selftest\n", timeout=300)
        cls.verdicts = {}
        for verdict, text in cls.result.records:
            name, _, message = text.partition(": ")
            cls.verdicts[name] = (verdict, message)

    def test_ends_with_its_sums(self):
        last = self.result.records[-1][0] if self.result.records else "nothing"
        self.assertEqual(last, "end", "selftest's last record must be its sums; Moss's last words: %r"
                         % self.result.stdout[-2000:])

    def test_status_is_0(self):
        self.assertEqual(self.result.status, 0, self.result.stderr.decode(errors="replace"))

    def check(self, name):
        verdict, message = self.verdicts.get(name, ("nothing", "no record of this test"))
        if verdict == "skip":
            self.skipTest(message)
        self.assertEqual(verdict, "ok", message)


def add_tests():
    """One method for each test that the program lists: it is a static Linux program and runs on the host too."""
    program = os.path.join(moss.BUILD, "user/selftest")
    names = subprocess.run([program, "-l"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        setattr(Selftest, "test_moss_" + name, lambda self, name=name: self.check(name))


add_tests()

if __name__ == "__main__":
    unittest.main()
