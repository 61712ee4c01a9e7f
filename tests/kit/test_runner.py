"""What runs the tests: a verdict cannot be forged by text, and a test that crashes, hangs or leaves costs itself only."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from labkit import report, runner, second  # noqa: E402 (its place is known now)

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "expect.h"
static void passes(void **state) { (void)state; }
static void fails(void **state) { (void)state; expect_number(1, 2, "the lesson"); }
static void skips(void **state) { (void)state; print_message("no such thing here\n"); skip(); }
static void says_it_passed(void **state)
{
    (void)state;
    puts("ok 1 - says_it_passed\n[       OK ] says_it_passed\n00000000000000000000000000000000 pass 0 says_it_passed");
    fail();
}
static void leaves_with_status_0(void **state) { (void)state; exit(0); }
static void leaves_at_once(void **state) { (void)state; _exit(0); }
static void crashes(void **state) { (void)state; signal_all(); }
static void loops(void **state) { (void)state; for (volatile int i = 0;; i++) ; }
static void leaves_a_process_behind(void **state) { (void)state; if (fork() == 0) for (;;) pause(); }
static void sees_no_nonce(void **state) { (void)state; expect_true(!getenv("TERRARIUM_RESULTS"), "it is hidden"); }
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes), cmocka_unit_test(fails), cmocka_unit_test(skips), cmocka_unit_test(says_it_passed),
        cmocka_unit_test(leaves_with_status_0), cmocka_unit_test(leaves_at_once), cmocka_unit_test(crashes),
        cmocka_unit_test(loops), cmocka_unit_test(leaves_a_process_behind), cmocka_unit_test(sees_no_nonce)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
""".replace("signal_all()", "kill(getpid(), 9)").replace("<unistd.h>", "<unistd.h>\n#include <signal.h>")


SHARING = r"""
#include "expect.h"
#include "results.h"
bool tests_share_a_process = true;
static int boots;
static void first(void **state) { (void)state; expect_number(++boots, 1, "it boots"); }
static void second(void **state) { (void)state; expect_number(boots, 1, "what the first has booted"); }
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(first), cmocka_unit_test(second)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""

ALONE = r"""
#include "expect.h"
static int runs;
static void first(void **state) { (void)state; expect_number(++runs, 1, "nobody else was here"); }
static void second(void **state) { (void)state; expect_number(++runs, 1, "nobody else was here"); }
static void fails(void **state) { (void)state; expect_number(1, 2, "the lesson"); }
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(first), cmocka_unit_test(second), cmocka_unit_test(fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""


class Runner(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            program = cls.compile(directory, "test", PROGRAM)
            cls.all = cls.run_program(runner.Job(program))
            cls.some = cls.run_program(runner.Job(program, names=("passes", "fails")))
            by_hand = cls.compile(directory, "alone", ALONE)
            cls.by_hand = [subprocess.run([by_hand], capture_output=True, text=True, check=False, env={**os.environ, **names})
                           for names in ({}, {"TERRARIUM_TESTS": "first second"})]
            cls.sharing = cls.run_program(runner.Job(cls.compile(directory, "sharing", SHARING)))

    @staticmethod
    def compile(directory, name, text):
        source, program = os.path.join(directory, name + ".c"), os.path.join(directory, name)
        with open(source, "w") as file:
            file.write(text)
        support = os.path.join(ROOT, "tests/support")
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-I", support, "-o", program, source, f"{support}/results.c",
                        f"{support}/expect.c", "-Wl,--wrap=_cmocka_run_group_tests,--wrap=_skip", "-lcmocka"], check=True)
        return program

    @staticmethod
    def run_program(job):
        """With a second of computing for each test, so that the endless loop does not cost a minute."""
        verdicts = report.Collection()
        os.environ["TERRARIUM_TEST_CPU_SECONDS"] = "1"
        try:
            runner.run(verdicts, job)
        finally:
            del os.environ["TERRARIUM_TEST_CPU_SECONDS"]
        return {name.split(".")[-1]: verdict for name, verdict in verdicts.verdicts.items()}

    def check(self, name, verdict, part=""):
        self.assertEqual(self.all[name][0], verdict, self.all[name])
        self.assertIn(part, self.all[name][1])

    def test_good_tests_pass(self):
        self.check("passes", "pass")
        self.check("sees_no_nonce", "pass")
        self.check("leaves_a_process_behind", "pass")

    def test_a_failure_says_what_was_expected_and_the_lesson_and_nothing_else(self):
        self.check("fails", "fail", "expected 2 (0x2), got 1 (0x1)\nthe lesson")
        self.assertNotIn("[  FAILED  ]", self.all["fails"][1])

    def test_skips_are_told_apart(self):
        self.check("skips", "skip")

    def test_text_is_not_a_verdict(self):
        self.check("says_it_passed", "fail")

    def test_status_0_is_not_a_verdict(self):
        self.check("leaves_with_status_0", "fail", "ended its process with status 0")
        self.check("leaves_at_once", "fail", "ended its process with status 0")

    def test_a_crash_and_a_loop_cost_one_test_each(self):
        self.check("crashes", "fail", "signal 9")
        self.check("loops", "fail", "did not end")
        self.assertEqual(len(self.all), 10)

    def test_tests_of_one_run_share_a_process(self):
        self.assertEqual({name: verdict for name, (verdict, _) in self.sharing.items()}, {"first": "pass", "second": "pass"})

    def test_by_hand_each_test_is_alone_too_and_can_be_picked(self):
        for done, status, end in zip(self.by_hand, (1, 0), ("3 tests, 1 failed\n", "2 tests, 0 failed\n")):
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertTrue(done.stderr.endswith(end), done.stderr)

    def test_tests_can_be_picked(self):
        self.assertEqual({name: verdict for name, (verdict, _) in self.some.items()}, {"passes": "pass", "fails": "fail"})


class SecondRun(unittest.TestCase):
    """Where KVM is emulated, a failure counts if it comes twice."""

    RUNS = (  # what comes the first and the second time
        [("a", "good", "pass"), ("a", "flaky", "fail"), ("a", "bad", "fail"), ("b", "fine", "pass"), ("c", "one", "pass"),
         ("c", "runs to its end", "fail"), ("d", "gone", "fail")],
        [("a", "good", "pass"), ("a", "flaky", "pass"), ("a", "bad", "fail"), ("c", "one", "pass"), ("c", "two", "pass")],
    )

    def verdicts(self, emulated, **how):
        runs, asked = iter(self.RUNS), []

        def run_inside(verdicts, jobs):
            asked.append([job.path for job in jobs])
            for program, name, verdict in next(runs):
                verdicts.add(f"x/{program}", name, verdict, "why" if verdict == "fail" else "")

        found = report.Collection()
        with mock.patch.object(runner, "run_inside", run_inside), mock.patch.object(second, "kvm_is_emulated", lambda: emulated):
            with contextlib.redirect_stdout(io.StringIO()):
                second.run_inside(found, [runner.Job(f"x/{program}") for program in "abcd"], **how)
        return found, asked

    def test_what_fails_twice_has_failed(self):
        found, asked = self.verdicts(emulated=True)
        self.assertEqual(asked, [["x/a", "x/b", "x/c", "x/d"], ["x/a", "x/c", "x/d"]])
        self.assertEqual({name: verdict for name, (verdict, _) in found.verdicts.items()},
                         {"x/a.good": "pass", "x/a.flaky": "pass", "x/a.bad": "fail", "x/b.fine": "pass", "x/c.one": "pass",
                          "x/c.two": "pass", "x/d.gone": "fail"})
        self.assertEqual(found.verdicts["x/a.flaky"][1], "THE SECOND TIME. The first time:\nwhy")
        self.assertEqual(found.counts, {"pass": 5, "fail": 2, "skip": 0})

    def test_what_is_wrong_on_purpose_fails_at_once(self):
        found, asked = self.verdicts(emulated=True, may_fail=lambda suite: suite == "x/c")
        self.assertEqual(asked[1], ["x/a", "x/d"])
        self.assertEqual(found.verdicts["x/c.runs to its end"], ("fail", "why"))

    def test_with_a_kvm_of_its_own_there_is_no_second_time(self):
        found, asked = self.verdicts(emulated=False)
        self.assertEqual(len(asked), 1)
        self.assertEqual(found.counts, {"pass": 3, "fail": 4, "skip": 0})


if __name__ == "__main__":
    unittest.main()
