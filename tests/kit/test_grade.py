"""scripts/lab grade: its marks, the shapes in which it gives them, hidden tests, and what it takes from a submission."""

import json
import os
import re
import unittest
import xml.etree.ElementTree as ElementTree

from tests.kit.grading import COUNTER, SHOUT, Grading, hostile
from tests.kit.small_kit import COUNTER_C, ROOT, SHOUT_C

from labkit import kit, submission

HIDDEN_TEST = """/* Hidden. */
/* sources: hypervisor/counter.c */
#include "expect.h"
#include "counter.h"

static void large_numbers_wrap(void **state)
{
    (void)state;
    expect_number(counter_add(-1u, 3), 2, "Sums are taken modulo 2 to the power of 32.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_numbers_wrap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""

HIDDEN_POINTS = "POINTS_01 += unit_hidden.large_numbers_wrap:25:counter_add\n"


class Marks(Grading):
    def test_an_empty_submission_gets_nothing(self):
        result = self.graded(self.submit({}))
        self.assertEqual(result["score"], 0)
        self.assertIn("has none of its files (hypervisor/counter.c)", result["output"])
        self.assertIn("counter_add is yours to write", result["tests"][0]["output"])

    def test_a_submission_one_level_too_high_is_told(self):
        directory = self.submit({f"main/{COUNTER}": COUNTER_C})
        self.assertIn(f"{directory}/main has some: grade that", self.graded(directory)["output"])

    def test_a_kernel_without_landlock_is_told(self):
        copy = self.kit.copy(self.base / "old")
        no_call = copy.read("scripts/labkit/sandbox.py").replace("LANDLOCK_RESTRICT_SELF = 444,", "LANDLOCK_RESTRICT_SELF = 9999,")
        copy.write("scripts/labkit/sandbox.py", no_call)
        text = copy.lab("grade", 1, "--submission", copy.root).stdout
        self.assertIn("this kernel has no Landlock: what is graded could read the solutions", text)
        self.assertIn("\n100 of 100 points", text)

    def test_the_reference_gets_all(self):
        result = self.graded(self.submit({COUNTER: COUNTER_C, SHOUT: SHOUT_C}), labs=())
        self.assertEqual((result["score"], result["output"], result["said"]), (200, "200 of 200 points", ""))

    def test_what_works_counts(self):
        result = self.graded(self.submit(hostile()))
        self.assertEqual([test["score"] for test in result["tests"]], [30, 0, 0])
        self.assertIn("expected 8 (0x8), got 0 (0x0)\nTwice 4 is 8.\nLook at: counter_double", result["tests"][1]["output"])

    def test_a_lab_that_does_not_compile_costs_itself_and_says_why_once(self):
        result = self.graded(self.submit({COUNTER: COUNTER_C, SHOUT: SHOUT_C.replace("c - 'a'", "d - 'a'")}), labs=())
        self.assertEqual(result["score"], 100)
        self.assertIn("lab 2 does not compile:\n", result["output"])
        self.assertEqual(len(re.findall(r"hypervisor/shout\.c:4:\d+: error:", result["output"])), 1)
        self.assertEqual(result["tests"][-1]["output"], "not built: something that it needs does not compile")

    def test_work_is_graded_unless_another_is_named(self):
        copy = self.kit.copy(self.base / "started")
        status = copy.lab("grade", 1)
        self.assertEqual(status.returncode, 2)
        self.assertIn("nothing is started here; --submission DIR", status.stdout)
        copy.lab("start", 1)
        copy.put_solution(f"work/{COUNTER}", "counter_add", "    return a + b;")
        text = copy.lab("grade", 1).stdout
        self.assertRegex(text, r"(?m)^ 30 of 30  lab 1: adding gives the sum$")
        self.assertTrue(text.endswith("lab 1: 30 of 100 points\n\n30 of 100 points\n"), text)

    def test_three_repeats_give_the_same(self):
        directory = self.submit(hostile())
        results = [self.graded(directory) for _ in range(3)]
        for result in results:
            del result["execution_time"]
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])

    def test_wrong_use_explains_itself(self):
        nothing = self.submit({})
        for words, part in {
            (1, "--submission", "nowhere"): "nowhere: no such directory; --submission names what a learner hands in",
            (7, "--submission", nothing): "there is no lab 7; there are 1, 2",
            (1, "--submission", self.submit({"x": ""}) / "x"): "not a directory; unpack it first",
            (1, "--submission", nothing, "--json", "html"): "choose from",
            ("one",): "invalid int value: 'one'",
            (1, "--submission", nothing, "--tests", nothing): "points.mk: not found; it says what the tests count: POINTS_01 += ",
        }.items():
            self.assertIn(part, self.said(*words, status=2)[1])


class Hidden(Grading):
    def test_hidden_tests_count_and_are_marked(self):
        tests = self.submit({"unit_hidden.c": HIDDEN_TEST, "points.mk": HIDDEN_POINTS})
        for add, score in ("a + b", 125), ("(unsigned)(((unsigned long)a + b) % 0xffffffff)", 100):
            result = self.graded(self.submit({COUNTER: COUNTER_C.replace("a + b", add)}), "--tests", tests)
            self.assertEqual(result["score"], score)
            self.assertEqual([test["visibility"] for test in result["tests"]], ["visible"] * 3 + ["after_published"])
        self.assertFalse((self.kit.root / "labs/01-count/tests/unit_hidden.c").exists())

    def test_the_source_of_hidden_tests_cannot_be_read(self):
        tests = self.submit({"unit_hidden.c": HIDDEN_TEST, "points.mk": HIDDEN_POINTS})
        found = '    if (access("labs/01-count/tests/unit_hidden.c", F_OK) == 0)\n        return 2 * a;'
        self.assertEqual(self.graded(self.submit(hostile(found)), "--tests", tests)["score"], 55)
        included = hostile(before='#include "../labs/01-count/tests/unit_hidden.c"')
        self.assertIn("only headers of the kit", self.graded(self.submit(included), "--tests", tests)["output"])

    def test_directories_that_cannot_be_meant_are_refused(self):
        nothing = self.submit({})
        for points, part in {
            "POINTS_02 += unit_hidden.large_numbers_wrap:5:shout\n": "has no line POINTS_01 += ",
            "POINTS_01 += unit_hidden.large_numbers_wrap\n": "unit_hidden.large_numbers_wrap is not PROGRAM.TEST:POINTS:FUNCTION",
            "POINTS_01 += unit_other.a:5:counter_add\n": "there is no test program unit_other",
        }.items():
            tests = self.submit({"unit_hidden.c": HIDDEN_TEST, "points.mk": points})
            self.assertIn(part, self.said(1, "--submission", nothing, "--tests", tests, status=2)[1])
        tests = self.submit({"unit_counter.c": HIDDEN_TEST, "points.mk": HIDDEN_POINTS.replace("unit_hidden", "unit_counter")})
        said = self.said(1, "--submission", nothing, "--tests", tests, status=2)[1]
        self.assertIn("unit_counter.c: lab 01-count has a test of this name", said)


class Shapes(Grading):
    """What is written is what the readers of these formats say that they read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.base / "some"
        (cls.directory / "hypervisor").mkdir(parents=True)
        (cls.directory / COUNTER).write_text(hostile('    printf("\\033[1m<&>\\001\\n");')[COUNTER])
        (cls.directory / SHOUT).write_text("no C at all\n")

    def output(self, form):
        return self.said(1, 2, "--submission", self.directory, "--json", form)[0]

    def test_gradescope(self):
        """https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format"""
        result = json.loads(self.output("gradescope"))
        visibilities = {"hidden", "after_due_date", "after_published", "visible"}
        kinds = {"score": (int, float), "execution_time": (int, float), "output": str, "output_format": str, "visibility": str,
                 "stdout_visibility": str, "tests": list}
        of_a_test = {"score": (int, float), "max_score": (int, float), "status": str, "name": str, "number": str, "output": str,
                     "visibility": str}
        for known, one in [(kinds, result), *((of_a_test, test) for test in result["tests"])]:
            for key, value in one.items():
                self.assertIsInstance(value, known[key], key)
            self.assertIn(one["visibility"], visibilities)
        self.assertIn(result["stdout_visibility"], visibilities)
        self.assertEqual({test["status"] for test in result["tests"]}, {"passed", "failed"})
        self.assertEqual(result["score"], sum(test["score"] for test in result["tests"]))
        self.assertEqual((result["score"], sum(test["max_score"] for test in result["tests"])), (30, 200))
        self.assertIn("lab 2 does not compile", result["output"])

    def test_junit(self):
        """The schema that Jenkins publishes (junit-10.xsd): elements, their order, attributes, which are required."""
        known = {"testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, set(), ["testsuite"]),
                 "testsuite": ({"name", "tests", "failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id",
                                "package"}, {"name", "tests"}, ["properties", "testcase", "system-out", "system-err"]),
                 "testcase": ({"name", "assertions", "time", "classname", "status"}, {"name", "classname"},
                              ["skipped", "error", "failure", "system-out", "system-err"]),
                 "failure": ({"type", "message"}, set(), []), "system-out": (set(), set(), [])}
        top = ElementTree.fromstring(self.output("junit"))
        self.assertEqual(top.tag, "testsuites")
        for element in top.iter():
            attributes, required, children = known[element.tag]
            self.assertLessEqual(set(element.keys()), attributes)
            self.assertGreaterEqual(set(element.keys()), required)
            places = [children.index(child.tag) for child in element]
            self.assertEqual(places, sorted(places))
        suites = top.findall("testsuite")
        self.assertEqual([(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites],
                         [("01-count", "3", "2"), ("02-shout", "1", "1")])
        for suite in suites:
            self.assertEqual(len(suite.findall("testcase")), int(suite.get("tests")))
            self.assertEqual(len(suite.findall("testcase/failure")), int(suite.get("failures")))
        self.assertIn("?[1m<&>?", suites[0].find("testcase/failure").text)
        self.assertIn("does not compile", suites[1].find("system-out").text)
        nothing = ElementTree.fromstring(self.said(1, "--submission", self.submit({"x": ""}), "--json", "junit")[0])
        self.assertIn("has none of its files", nothing.find("testsuite/system-out").text)

    def test_tap(self):
        """https://testanything.org/tap-version-13-specification.html"""
        lines = self.output("tap").rstrip("\n").split("\n")
        self.assertEqual(lines[:2], ["TAP version 13", "1..4"])
        points = [re.fullmatch(r"(ok|not ok) (\d+) - ([^#]*)", line) for line in lines[2:] if not line.startswith("#")]
        self.assertEqual([match[1] for match in points], ["ok", "not ok", "not ok", "not ok"])
        self.assertEqual([match[2] for match in points], list("1234"))


SYSTEM_TEST = '''"""The real command."""
import subprocess
import unittest
from tests.support import moss


class Command(unittest.TestCase):
    def test_ends_well(self):
        print('{"score": 100}')
        self.assertIn("grade-", moss.__file__, "the support is the stage's: the kit's cannot be read")
        self.assertEqual(subprocess.run([moss.BUILD + "/terrarium"], check=False).returncode, 0)
'''


class WithMachine(Grading):
    """Tests that need KVM, with a stand-in for scripts/with-kvm: here no guest runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kit.write("labs/02-shout/tests/system_command.py", SYSTEM_TEST)
        recipe = "labs/02-shout/lab.mk"
        cls.kit.write(recipe, cls.kit.read(recipe) + "POINTS_02 += system_command.Command.test_ends_well:10:shout\n")

    def grade_with(self, with_kvm):
        self.kit.write("scripts/with-kvm", f"#!/bin/sh\n{with_kvm}\n")
        (self.kit.root / "scripts/with-kvm").chmod(0o755)
        return self.graded(self.submit({SHOUT: SHOUT_C}), labs=(2,))

    def test_system_tests_count_and_what_they_print_does_not_get_into_the_results(self):
        self.assertEqual(self.grade_with('exec "$@"')["score"], 110)

    def test_a_machine_that_does_not_start_is_told(self):
        result = self.grade_with("exit 125")
        self.assertEqual(result["score"], 100)
        self.assertIn("lab 2: a machine with KVM ended or did not start (scripts/with-kvm --explain tells more)", result["output"])
        self.assertIn("status 125", result["tests"][-1]["output"])


class Taking(Grading):
    """Nothing but the named files is taken, and no file is more than text."""

    def refused(self, directory, part):
        result = self.graded(directory)
        self.assertEqual(result["score"], 0)
        self.assertIn(f"lab 1 is not graded: {part}", result["output"])

    def test_tests_build_files_and_other_sources_change_nothing(self):
        lies = {"Makefile": "all:\n\t@true\n", "labs/01-count/lab.mk": "POINTS_01 += unit_counter.adding_gives_the_sum:100:x\n",
                "labs/01-count/tests/unit_counter.c": "int main(void) { return 0; }\n",
                "scripts/labkit/grade.py": "raise SystemExit\n",
                "tests/support/expect.h": "#define expect_number(...)\n", "hypervisor/counter.h": "#define counter_double(a) 8\n",
                "hypervisor/main.c": "int main(void) { return 1; }\n", "hypervisor/expect.h": "#define expect_number(...)\n"}
        self.assertEqual(self.score(lies), 0)
        self.assertEqual(self.score({**lies, **hostile()}), 30)
        self.assertEqual(self.score({**lies, COUNTER: COUNTER_C}), 100)

    def test_links_are_not_followed(self):
        directory = self.submit({"hypervisor/x": ""})
        (directory / COUNTER).symlink_to(self.kit.root / COUNTER)
        self.refused(directory, f"{COUNTER}: symbolic links are not taken")
        directory = self.submit({})
        (directory / "hypervisor").symlink_to(self.kit.root / "hypervisor")
        self.refused(directory, f"{COUNTER}: symbolic links are not taken")

    def test_only_files_of_text_and_of_a_sane_size_are_taken(self):
        directory = self.submit({"hypervisor/x": ""})
        os.mkfifo(directory / COUNTER)
        self.refused(directory, f"{COUNTER}: not a regular file")
        self.refused(self.submit({COUNTER: "/" * (submission.FILE_MAX + 1)}), f"{COUNTER}: 1048577 bytes; a file may have 1048576")
        directory = self.submit({COUNTER: ""})
        (directory / COUNTER).write_bytes(b"\xff\xfe\x00")
        self.refused(directory, f"{COUNTER}: not a text file")

    def test_files_elsewhere_are_not_included(self):
        outside = self.kit.root / COUNTER
        for line in (f'#include "{outside}"', f"#  include <{outside}>", f'#/* */include "{outside}"', f'#incl\\\nude "{outside}"',
                     f'#incl\\ \nude "{outside}"', f'%:include "{outside}"', f'#define X "{outside}"\n#include X',
                     '#include "../../hypervisor/counter.c"', "#include __FILE__", f'#include_next "{outside}"',
                     f'#import "{outside}"'):
            with self.subTest(line):
                with self.assertRaisesRegex(kit.KitError, "only headers of the kit and the system are taken"):
                    submission.check_includes(COUNTER, f"int a;\n{line}\n")

    def test_what_a_learner_includes_is_taken(self):
        for line in ('#include "counter.h"', "#include <linux/kvm.h>", '#include "../feature.h"', '/* #include "/x" */',
                     '"#include \\"/x\\""'):
            submission.check_includes("hypervisor/virtio/queue.c", f"{line}\n")

    def test_what_no_lab_needs_is_found_in_code_only(self):
        for text, words in {
            "/* fork */ int a; // asm": [], 'char *s = "handout section 4; fork()";': [], "int section_of(int a);": [],
            "__asm__ volatile(\"nop\");": ["asm"], "#define F fork\n": ["fork"],
            "__attribute__((__constructor__)) void f(void);": ["constructor"],
            'open("/proc/self/mem", 0);': ["/proc"], "_exit(0);": ["exit"],
        }.items():
            self.assertEqual(submission.rare_words(text, ""), words, text)
        self.assertEqual(submission.rare_words("fork();", "fork(1);"), [])

    def test_stubs_deserve_no_look(self):
        for lab in kit.labs():
            for path, stubs in lab.starters().items():
                self.assertEqual(submission.rare_words(stubs, (ROOT / path).read_text()), [], path)

    def test_what_no_lab_needs_is_told_to_the_instructor_only(self):
        result = self.graded(self.submit(hostile("    if (fork())\n        kill(0, 0);")))
        self.assertIn("hypervisor/counter.c has what no lab needs, and deserves a look: fork, kill\n", result["said"])
        self.assertNotIn("deserves a look", json.dumps({**result, "said": ""}))


if __name__ == "__main__":
    unittest.main()
