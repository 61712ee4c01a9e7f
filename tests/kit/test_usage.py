"""Every command in scripts/ says how it is used: on stdout if it is asked, on stderr if it cannot use its words."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = [path for path in sorted([*(ROOT / "scripts").iterdir(), *(ROOT / "scripts/gdb").iterdir()])
            if path.is_file() and os.access(path, os.X_OK)]
NEED_NO_WORDS = {"ksyms", "lab", "lab-matrix", "setup"}
LIMIT = 60  # seconds: only ends what hangs


def results(*words, commands=COMMANDS):
    """Run each command with these words, where nothing is. Returns (its name, what subprocess.run returns) of each."""
    with tempfile.TemporaryDirectory() as place:
        return [(path.name, subprocess.run([path, *words], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                           timeout=LIMIT, check=False)) for path in commands]


class Usage(unittest.TestCase):
    def check_errors(self, all_done, words=""):
        for name, done in all_done:
            with self.subTest(name):
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertRegex(done.stderr, "usage: |--help|lab help")
                self.assertNotIn("Traceback", done.stderr)
                self.assertIn(words, done.stderr)

    def test_help(self):
        self.assertGreater(len(COMMANDS), 12)
        for name, done in results("--help"):
            with self.subTest(name):
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"usage: .*%s|\n    scripts/lab list " % name)

    def test_an_option_that_is_none(self):
        self.check_errors(results("--nonsense"))

    def test_no_word(self):
        self.check_errors(results(commands=[path for path in COMMANDS if path.name not in NEED_NO_WORDS]))

    def test_a_build_directory_that_is_none(self):
        named = [path for path in COMMANDS if path.name in ("bench", "bench-gdb", "bench-virtio", "qemu")]
        self.check_errors(results("nowhere", commands=named), "there is no nowhere/")


if __name__ == "__main__":
    unittest.main()
