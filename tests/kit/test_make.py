"""The targets of the Makefile that a user types first."""

import json
import os
import re
import subprocess
import unittest
from tests.support import moss

SCREEN = 30  # lines


def make(*words, **options):
    return subprocess.run(["make", "-s", *words], cwd=moss.ROOT, capture_output=True, text=True, timeout=300 * moss.SCALE,
                          check=False, **options)


class Targets(unittest.TestCase):
    def test_run_in_a_pipe(self):
        done = make("run", input="echo hi\n")
        self.assertEqual((done.returncode, done.stdout), (0, "hi\n"), done.stderr)

    def test_run_of_the_first_lab(self):
        done = make("LAB=1", "run", stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?i)hello")

    def test_a_panic_in_an_early_lab_is_told_by_the_status(self):
        for lab in 4, 5:
            done = make(f"LAB={lab}", "run", "APPEND=demo=null", stdin=subprocess.DEVNULL)
            self.assertIn("Moss panics: ", done.stdout)
            self.assertRegex(done.stderr, r"\[Makefile:\d+: run\] Error 255")

    def test_the_fuzzers_build_and_run(self):
        """Each finds harm only in many more inputs than there is time for here."""
        done = make("-j2", "fuzz", "RUNS=100")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        fuzzers = [name for name in os.listdir(os.path.join(moss.ROOT, "tests/fuzz")) if name.endswith(".c")]
        self.assertEqual(sorted(re.findall(r"(\w+): 100 inputs, none did harm", done.stdout)), sorted(name[:-2] for name in fuzzers))

    def test_threads_end_where_nobody_can_type(self):
        """Without user programs, the machine is off at once, or when its last thread has ended."""
        for append in "", "demo=threads":
            done = make("LAB=5", "run", f"APPEND={append}", stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("demo: done", done.stdout)

    def test_help_fits_a_screen_and_names_every_target(self):
        text = make("help").stdout
        self.assertLessEqual(len(text.splitlines()), SCREEN)
        with open(os.path.join(moss.ROOT, "Makefile")) as file:
            targets = re.search(r"^\.PHONY: (.*)$", file.read(), re.MULTILINE).group(1).split()
        missing = [name for name in targets if name != "all" and not re.search(r"\bmake %s\b" % re.escape(name), text)]
        self.assertEqual(missing, [], "make help must name them")

    def test_a_lab_that_does_not_exist(self):
        done = make("LAB=99")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("there is no lab 99", done.stderr)

    def test_two_labs_at_once(self):
        done = make("LAB=1 2", "help")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("there is no lab 1 2", done.stderr)

    def test_compile_commands(self):
        path = os.path.join(moss.ROOT, "compile_commands.json")
        existed = os.path.exists(path)
        done = make("compile_commands.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path) as file:
            entries = json.load(file)
        if not existed:
            os.unlink(path)
        self.assertGreater(len(entries), 50)
        for entry in entries:
            self.assertTrue(os.path.exists(os.path.join(entry["directory"], entry["file"])), entry["file"])


if __name__ == "__main__":
    unittest.main()
