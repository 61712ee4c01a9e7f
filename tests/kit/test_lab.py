"""scripts/lab, the learner's loop: every command, on a small kit of its own; and the splicing of C files below it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from tests.kit.small_kit import COPIED, COUNTER_C, COUNTER_STUBS, ROOT, Kit, SmallKit

from labkit import compiler, grade, kit, source, trying
from labkit.work import Work

C_FILES = [*ROOT.glob("hypervisor/**/*.c"), *ROOT.glob("guestos/**/*.c"), *ROOT.glob("labs/*/tests/*.c"), *ROOT.glob("*/*/*.h")]
COUNTER = "work/hypervisor/counter.c"


class Source(unittest.TestCase):
    def test_the_items_of_every_file_of_the_kit_are_that_file(self):
        for path in C_FILES:
            with self.subTest(path):
                items = source.parse(path.read_text())
                self.assertEqual("".join(item.text for item in items), path.read_text())
                self.assertNotIn("unfinished", [item.kind for item in items])

    def test_every_function_of_the_kit_is_found(self):
        """Only functions have their `{` alone in the first column, says .clang-format."""
        for path in C_FILES:
            with self.subTest(path):
                text = path.read_text()
                found = [item for item in source.parse(text) if item.kind == "function"]
                self.assertEqual(len(found), len(re.findall(r"^\{$", text, re.MULTILINE)))

    def test_a_function_put_in_its_own_place_changes_nothing(self):
        for path in ROOT.glob("hypervisor/*.c"):
            text = path.read_text()
            for name, item in source.functions(text).items():
                self.assertEqual(source.splice(text, item.text, path), text, name)
                self.assertEqual(source.put(text, text, [name]), text, name)

    def test_names(self):
        for code, names in {
            "static const struct bus_ops ops = {.write = put, .sizes = 1};": "ops",
            "struct foo {\n    int a, b[2];\n};": "foo",
            "typedef struct {\n    int a;\n} thing;": "thing",
            "enum kind {\n    A = sizeof(int), /* x, y */\n    B,\n};": "kind A B",
            "static int a, b[3], *c = &a;": "a b c",
            "struct range *find(struct range *from, int (*match)(void *));": "find",
            "static void (*handlers[4])(int) = {0};": "handlers",
            "typedef int (*call)(int a);": "call",
            "SYSCALL(SYS_read, sys_read);": "SYS_read sys_read",
            "FEATURE(exits) = {\n    .name = \"exits\",\n};": "exits",
            "static char *text = \"int x;\";": "text",
            "#define TWICE(x) \\\n    ((x) * 2)\n": "TWICE",
        }.items():
            items = source.parse(code)
            self.assertEqual((len(items), set(items[0].names)), (1, set(names.split())), code)

    def test_a_comment_behind_an_item_belongs_to_it(self):
        items = source.parse("int a; /* of a */\n/* of b */\nint b;\n\n/* of nothing */\n\nint c;\n")
        self.assertEqual([item.text for item in items],
                         ["int a; /* of a */\n", "/* of b */\nint b;\n\n", "/* of nothing */\n\n", "int c;\n"])

    def test_stubs_replace_functions_and_what_only_these_need_goes(self):
        text = source.splice(COUNTER_C, COUNTER_STUBS)
        self.assertEqual(set(source.functions(text)), {"counter_add", "counter_double", "counter_last"})
        for word in "helper", "TWICE", "calls", "The sum", "noinline", "what doubling", "removed":
            self.assertNotIn(word, text)
        for word in "A table that stays", "Not for the learner", "Return a + b. Handout":
            self.assertIn(word, text)
        self.assertTrue(text.startswith('/* Counts: { is no brace here. */\n#include "counter.h"\n#include "lab_todo.h"\n\n/* A table'))

    def test_the_header_comes_where_headers_come(self):
        self.assertEqual(source.add_include("/* X. */\n#include <a.h>\n#include \"b.h\"\n\nint a;\n"),
                         "/* X. */\n#include <a.h>\n#include \"b.h\"\n#include \"lab_todo.h\"\n\nint a;\n")
        self.assertEqual(source.add_include("/* X. */\n\nint a;\n"), "/* X. */\n#include \"lab_todo.h\"\n\nint a;\n")
        self.assertEqual(source.add_include("/* a */\nint a;\n"), "#include \"lab_todo.h\"\n\n/* a */\nint a;\n")
        once = source.add_include("int a;\n")
        self.assertEqual(source.add_include(once), once)

    def test_names_that_the_reference_does_not_have_are_refused(self):
        with self.assertRaisesRegex(source.SourceError, "counter.c has no counter_ad; counter_add[?]"):
            source.splice(COUNTER_C, COUNTER_STUBS.replace("counter_add(u", "counter_ad(u"), "counter.c")
        with self.assertRaisesRegex(source.SourceError, "has no helpers; helper[?]"):
            source.splice(COUNTER_C, COUNTER_STUBS.replace("removed: helper", "removed: helpers"), "counter.c")

    def test_a_solution_comes_back_with_its_helpers_in_their_order(self):
        stubs = source.splice(COUNTER_C, COUNTER_STUBS)
        helpers = source.removed_names(COUNTER_STUBS)
        one = source.put(stubs, COUNTER_C, ["counter_add"], helpers)
        self.assertNotIn("helper", one)
        two = source.put(one, COUNTER_C, ["counter_double"], helpers)
        self.assertEqual(two.replace('#include "lab_todo.h"\n', ""), COUNTER_C)

    def test_all_solutions_of_every_lab_make_the_reference_again(self):
        """What only the reference needs stands before its users, and behind what it needs itself."""
        for lab in kit.labs():
            for path, stubs in lab.starters().items():
                reference = (ROOT / path).read_text()
                names = list(source.functions(stubs))
                for order in [names], [[name] for name in names], [[name] for name in reversed(names)]:
                    with self.subTest(path=path, order=order):
                        text = source.splice(reference, stubs, path)
                        for some in order:
                            text = source.put(text, reference, some, source.removed_names(stubs))
                        self.assertEqual(text.replace('#include "lab_todo.h"\n', ""), reference)

    def test_a_function_that_is_gone_comes_back_to_its_place(self):
        item = source.functions(COUNTER_C)["counter_double"]
        self.assertEqual(source.put(COUNTER_C.replace(item.text, ""), COUNTER_C, ["counter_double"]), COUNTER_C)

    def test_a_file_that_ends_within_something_is_told(self):
        with self.assertRaisesRegex(source.SourceError, "bus.c: what begins in line 3 has no end"):
            source.check_braces("/* x */\nint a;\nint f(void)\n{\n    if (1) {\n}\n", "bus.c")
        source.check_braces("/* x */\nint a;\n/* end */\n", "bus.c")


class Messages(unittest.TestCase):
    def test_what_a_stub_says_is_not_told_twice(self):
        for line in "lab 4: frame_put is yours to write (section 4.2)", "Moss panicked: lab 4: frame_put is yours to write (section 4.2)":
            self.assertEqual(trying.plain(f"{line}\nexpected 1, got 2\n\nthe lesson\n"), "expected 1, got 2\nthe lesson")
            self.assertEqual(trying.SAYS_IT.findall(line), [("4", "frame_put", "section 4.2")])

    def test_of_the_address_sanitizer_the_mistake_and_the_way_to_it_are_told(self):
        mistake = ("==7==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x7f", "READ of size 1 at 0x7f thread T0",
                   "    #0 0x55 in counter_add hypervisor/counter.c:16", "    #1 0x55 in adding labs/01-count/tests/unit_counter.c:8",
                   "SUMMARY: AddressSanitizer: stack-buffer-overflow hypervisor/counter.c:16 in counter_add")
        noise = ("=" * 65, "    #2 0x7f  (/lib/x86_64-linux-gnu/libcmocka.so.0+0x58f7)", "    #3 0x55 in run_range tests/support/results.c:157",
                 "    #4 0x7f in __libc_start_main_impl ../csu/libc-start.c:360", "    #5 0x55 in _start (build/unit_counter+0x2)",
                 "HINT: this may be a false positive if your program uses swapcontext", "      (longjmp is supported)",
                 "Shadow bytes around the buggy address:", "  0x10: 00 f3", "Shadow byte legend:", "==7==ABORTING")
        text = "\n".join([noise[0], *mistake[:4], *noise[1:7], mistake[4], *noise[7:]])
        self.assertEqual(trying.plain(f"{text}\n"), "\n".join(mistake))

    def test_of_a_python_test_only_the_reason_is_told(self):
        text = ('Traceback (most recent call last):\n  File "x.py", line 3, in test\n    self.assertIn(a, b)\n'
                "AssertionError: 'a' not found in 'Moss panics: lab 4: frame_put is yours to write (section 4.2)'\n")
        self.assertEqual(trying.plain(text), "'a' not found in 'Moss panics: lab 4: frame_put is yours to write (section 4.2)'")


class Mutants(unittest.TestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "wrong.c"
            path.write_text(text)
            return kit.Mutant(path)

    def test_the_head_may_be_broken_into_lines_anywhere(self):
        for text in ("/* In: a/b.c. Caught by: unit_a.b, unit_a.c. Mistake: adds 1.5. */\n",
                     "/*\n * In: a/b.c. Caught by: unit_a.b,\n * unit_a.c. Mistake: adds\n * 1.5.\n */\n"):
            mutant = self.read(text + "/* f\n * g */\nint f(void);\n")
            self.assertEqual((mutant.name, mutant.file, mutant.tests, mutant.mistake, mutant.text),
                             ("wrong", "a/b.c", ["unit_a.b", "unit_a.c"], "adds 1.5", "/* f\n * g */\nint f(void);\n"))

    def test_a_head_that_is_none_is_refused(self):
        with self.assertRaisesRegex(kit.KitError, "must begin with"):
            self.read("/* Wrong. */\nint f(void);\n")


class Compiler(unittest.TestCase):
    def test_errors_come_alone_and_once(self):
        text = ("a.c: In function 'f':\na.c:1:2: warning: unused\n  1 | x\na.c:3:4: error: undeclared\na.c:3:4: note: once\n"
                "make: *** [Makefile:1: a.o] Error 1\na.c: In function 'f':\na.c:3:4: error: undeclared\n"
                "/usr/bin/ld: b.o: in function `g':\nb.c:7: undefined reference to `h'\n")
        pieces = compiler.messages(text)
        self.assertEqual(compiler.only("warning", pieces), ["a.c: In function 'f':\na.c:1:2: warning: unused\n  1 | x"])
        errors = "\n".join(compiler.only("error", pieces))
        self.assertIn("a.c:3:4: note: once", errors)
        self.assertIn("undefined reference to `h'", errors)
        self.assertNotIn("warning", errors)
        self.assertNotIn("make", errors)


class Loop(unittest.TestCase):
    """One learner, from the first command on."""

    @classmethod
    def setUpClass(cls):
        """What all learners have to build is built once."""
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.made = SmallKit(directory.name)
        for words in ("start", 2), ("test", 2), ("test", 1):
            cls.made.lab(*words)
        shutil.rmtree(cls.made.root / "work")

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.kit = self.made.copy(pathlib.Path(directory.name) / "kit")

    def lab(self, *words, status=0, parts=(), without=()):
        done = self.kit.lab(*words)
        self.assertEqual(done.returncode, status, done.stdout)
        for part in parts:
            self.assertIn(part, done.stdout)
        for part in without:
            self.assertNotIn(part, done.stdout)
        return done.stdout

    def write(self, function, body, path=COUNTER):
        self.kit.put_solution(path, function, body)

    def kept(self):
        return sorted((self.kit.root / "work/.kept").glob("*"))

    # ---- beginning ----

    def test_what_a_learner_sees_first_is_small(self):
        self.lab("start", 1, parts=["work/ is lab 1: Counting", "work/hypervisor/counter.c:14", "labs/01-count/README.md"])
        files = sorted(str(path.relative_to(self.kit.root / "work")) for path in (self.kit.root / "work").rglob("[!.]*") if path.is_file())
        self.assertEqual(files, ["Makefile", "README", "hypervisor/counter.c", "hypervisor/counter.h", "hypervisor/lab_todo.h",
                                 "hypervisor/main.c"])
        self.assertIn("lab_todo(1,", self.kit.read(COUNTER))

    def test_wrong_use_explains_itself(self):
        self.lab("test", status=2, parts=["nothing is started; scripts/lab start 1"])
        self.lab("test", 1, status=2, parts=["nothing is started; scripts/lab start 1"])
        self.lab("start", status=2, parts=["start which lab? scripts/lab start 1"])
        self.lab("start", "two", status=2, parts=["two is no number"])
        self.lab("start", 7, status=2, parts=["there is no lab 7; there are 1, 2"])
        self.lab("start", 1, "--mien", status=2, parts=["only --mine may follow"])
        self.lab("tset", status=2, parts=["there is no command tset; test?"])
        self.lab("start", 1)
        self.lab("test", 2, status=2, parts=["work/ holds lab 1; scripts/lab start 2 --mine"])
        self.lab("solve", 1, "counter_ad", status=2, parts=["no function counter_ad", "counter_add?", "counter_add, counter_double"])
        self.lab("test", 1, "counting", status=2, parts=["no graded test or function counting", "  adding_gives_the_sum"])
        self.lab("hint", 1, "counter_add", "all", status=2, parts=["may be followed by `more`"])

    def test_help_is_one_screen_and_names_every_command(self):
        text = self.lab("--help")
        self.assertLessEqual(len(text.splitlines()), 30)
        for command in "list start test watch hint diff reset solve status grade export".split():
            self.assertIn(f"scripts/lab {command}", text)
        self.assertEqual(self.lab(), text)

    # ---- trying ----

    def test_a_failure_says_what_was_tried_expected_seen_and_where_to_look(self):
        self.lab("start", 1)
        self.lab("test", 1, status=1, parts=["0 of 100 points", "still to write: counter_add, counter_double",
                                             "look at counter_add, work/hypervisor/counter.c:14: still to write (handout section 4)"])
        self.write("counter_add", "    return a + b;")
        self.write("counter_double", "    return a + 4;")
        text = self.lab("test", status=1, parts=["ok    30  adding gives the sum", "80 of 100 points", "hint 1 counter_double"],
                        without=["still to write", "Failure!", "expect.c"])
        self.assertIn("FAIL  20  doubling works for zero and one\n"
                      "          expected 2 (0x2), got 5 (0x5)\n"
                      "          Twice 1 is 2.\n"
                      "          look at counter_double, work/hypervisor/counter.c:22\n", text)
        self.lab("test", 1, "doubling_gives_the_double", parts=["50 of 50 points"])
        self.lab("test", 1, "counter_double", status=1, parts=["50 of 70 points"])
        self.write("counter_double", "    return a + a;")
        self.lab("test", parts=["100 of 100 points", "All done"])
        self.lab("status", parts=["lab 1: 2 of 2 functions written; the last test gave 100 of 100 points"])
        self.lab("list", parts=["*  1  Counting  (100 of 100 points)"])

    def test_errors_of_the_compiler_come_alone_with_the_learners_paths(self):
        self.lab("start", 1)
        self.write("counter_add", "    int unused;\n    return c;")
        text = self.lab("test", status=1, parts=["It does not compile", "work/hypervisor/counter.c:17:12: error: "],
                        without=["FAIL", "points", "warning", "make", " hypervisor/"])
        self.assertEqual(text.count("error: "), 1)

    def test_a_warning_is_shown_and_does_not_stop(self):
        self.lab("start", 1)
        self.write("counter_add", "    int unused;\n    return a + b;")
        self.lab("test", 1, "counter_add", parts=["work/hypervisor/counter.c:16:9: warning: unused variable", "30 of 30 points"])

    def test_a_function_that_is_missing_is_named(self):
        self.lab("start", 1)
        self.kit.write(COUNTER, self.kit.read(COUNTER).replace("counter_add(unsigned", "counter_plus(unsigned"))
        self.lab("test", status=1, parts=["counter_add is not in work/hypervisor/counter.c any more; scripts/lab reset 1 counter_add"])
        self.lab("status", parts=["counter_add                  missing"])
        self.lab("reset", 1, "counter_add", parts=["stubs again: counter_add"])
        self.lab("test", status=1, parts=["0 of 100 points"])

    def test_a_crash_and_a_loop_cost_their_own_tests_only(self):
        self.lab("start", 1)
        self.write("counter_add", "    return *(volatile unsigned *)(unsigned long)(a - a) + b;")
        self.write("counter_double", "    return 2 * a;")
        text = self.lab("test", status=1, parts=["ok    50  doubling gives the double", "70 of 100 points"])
        self.assertRegex(text, "null pointer|SEGV|Segmentation fault")

    def test_a_sanitizer_names_the_function_and_the_same_is_not_told_twice(self):
        self.lab("start", 1)
        self.write("counter_add", "    int sum = 2147483647 + (int)a;\n    return (unsigned)sum + b;")
        self.write("counter_double", "    return counter_add(a, a);")
        text = self.lab("test", status=1, parts=["work/hypervisor/counter.c:16:9: runtime error: signed integer overflow"],
                        without=["look at counter_double"])
        self.assertEqual(text.count("look at counter_add, work/hypervisor/counter.c:14\n"), 3)
        self.kit.write("labs/01-count/tests/unit_counter.c", self.kit.read("labs/01-count/tests/unit_counter.c").replace(
            '(counter_double(1), 2, "Twice 1', '(counter_double(4), 8, "Twice 4'))
        text = self.lab("test", status=1)
        self.assertIn("FAIL  20  doubling works for zero and one\n          the same as above\n", text)

    def test_functions_are_in_the_order_of_the_hints(self):
        hints = self.kit.read("labs/01-count/hints.md")
        first, second = re.split(r"(?m)^(?=## counter_double)", hints)
        head, _, first = first.partition("## counter_add")
        self.kit.write("labs/01-count/hints.md", f"{head}{second}\n## counter_add{first}")
        self.lab("start", 1)
        self.lab("test", 1, status=1, parts=["still to write: counter_double, counter_add\n"])

    def test_files_that_are_not_graded_are_named(self):
        self.lab("start", 1)
        self.kit.write("work/hypervisor/mine.h", "/* Mine. */\n")
        self.lab("test", status=1, parts=["not graded, since they are no files of the kit: work/hypervisor/mine.h"])

    def test_watch_tries_again_after_each_save(self):
        self.lab("start", 1)
        command, options = self.kit.command("watch", 1, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background has it ignored
        with subprocess.Popen(command, **options) as process:
            read = self.read_until(process, "waiting for you")
            self.assertIn("0 of 100 points", read)
            self.write("counter_add", "    return a + b;")
            self.assertIn("30 of 100 points", self.read_until(process, "waiting for you"))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(), 0)

    def read_until(self, process, part):
        text = ""
        for line in process.stdout:
            text += line
            if part in line:
                return text
        self.fail(f"watch ended:\n{text}")

    def test_the_makefile_in_work_builds_the_learners_own(self):
        self.lab("start", 1)
        done = subprocess.run(["make", "-s", "-C", "work"], cwd=self.kit.root, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        program = self.kit.root / "build/work/build/lab1/terrarium"
        self.assertEqual(subprocess.run([program], check=False).returncode, 0)
        self.kit.put_solution("work/hypervisor/main.c", "main", "    return 3;")
        subprocess.run(["make", "-s", "-C", "work", "all"], cwd=self.kit.root, check=True)
        self.assertEqual(subprocess.run([program], check=False).returncode, 3)
        self.assertFalse((self.kit.root / "build/lab1").exists())

    # ---- hints and solutions ----

    def test_hints_come_one_at_a_time(self):
        self.lab("start", 1)
        self.lab("hint", 1, parts=["counter_add                  0 of 3 seen"], without=["What is a sum?"])
        self.lab("hint", 1, "counter_add", parts=["hint 1 of 3", "What is a sum?"], without=["operator"])
        self.lab("hint", 1, "counter_add", "3", status=2, parts=["1 to 2"])
        self.lab("hint", 1, "more", parts=["hint 2 of 3", "operator"])
        self.lab("hint", "counter_add", "more", parts=["hint 3 of 3", "a + b", "scripts/lab diff 1 counter_add"])
        self.lab("hint", 1, "counter_add", "1", parts=["What is a sum?"])
        self.lab("hint", parts=["counter_add                  3 of 3 seen", "counter_double               0 of 3 seen"])

    def test_the_reference_is_shown_only_when_asked_for(self):
        said = self.lab("start", 1) + self.lab("test", status=1) + self.lab("hint", 1) + self.lab("status") + self.lab("reset")
        self.assertNotIn("helper", said)
        self.lab("diff", 1, "counter_double", without=["The sum"],
                 parts=["+    return helper(a);", "-    return lab_todo(", "The reference uses besides", "#define TWICE"])
        command, options = self.kit.command("diff", "counter_add", stdout=subprocess.PIPE)
        options["env"]["COLUMNS"] = "200"
        wide = subprocess.run(command, check=True, **options).stdout
        self.assertRegex(wide, r"\(void\)a, \(void\)b; +\| +return a \+ b;")
        self.lab("solve", 1, "counter_add")
        self.lab("diff", 1, "counter_add", parts=["the same"])

    def test_solve_and_reset_touch_one_function_and_keep_what_was_there(self):
        self.lab("start", 1)
        self.write("counter_add", "    return b + a;")
        mine = self.kit.read(COUNTER)
        self.lab("solve", 1, "counter_double", parts=["work/.kept/", "the reference's now: counter_double"])
        self.assertIn("return b + a;", self.kit.read(COUNTER))
        self.assertEqual((self.kept()[0] / "hypervisor/counter.c").read_text(), mine)
        self.lab("test", 1, parts=["100 of 100 points"])
        self.lab("reset", 1, "counter_double", parts=["stubs again: counter_double"])
        self.lab("test", 1, status=1, parts=["30 of 100 points"])
        self.lab("solve", 1)
        self.assertIn("The sum", self.kit.read(COUNTER))
        self.lab("test", parts=["100 of 100 points"])

    def test_solve_builds_without_a_warning_whatever_the_order(self):
        for order in ("counter_add", "counter_double"), ("counter_double", "counter_add"):
            self.lab("start", 1)
            for name in order:
                self.lab("solve", 1, name)
            self.lab("test", 1, parts=["100 of 100 points"], without=["warning"])

    def test_reset_of_all_mends_a_file_that_is_torn(self):
        self.lab("start", 1)
        torn = self.kit.read(COUNTER).rstrip().rstrip("}")
        self.kit.write(COUNTER, torn)
        self.lab("reset", 1, "counter_add", status=2, parts=["what begins in line 30 has no end", "takes the whole file anew"])
        self.lab("reset", 1)
        self.lab("test", status=1, parts=["0 of 100 points"])
        self.assertEqual((self.kept()[0] / "hypervisor/counter.c").read_text(), torn)

    # ---- the next lab ----

    def test_the_next_lab_with_ones_own_work(self):
        self.lab("start", 1)
        self.write("counter_add", "    return b + a;")
        self.kit.write("work/hypervisor/mine.h", "/* Mine. */\n")
        text = self.lab("start", 2, "--mine", parts=["Yours from lab 1: counter_add\n",
                                                     "Not written, and now the reference's: counter_double"])
        self.assertIn("shout", text)
        self.assertIn("return b + a;", self.kit.read(COUNTER))
        self.assertIn("helper", self.kit.read(COUNTER))
        self.assertTrue((self.kit.root / "work/hypervisor/mine.h").exists())
        self.lab("test", 1, parts=["100 of 100 points"])
        self.lab("test", status=1, parts=["lab 2: Shouting", "0 of 100 points"], without=["warning"])
        self.lab("solve", 2)
        self.lab("test", 2, parts=["100 of 100 points"])
        self.lab("status", parts=["lab 1: 2 of 2 functions written", "lab 2: 1 of 1 functions written"])

    def test_the_next_lab_with_the_references_work(self):
        self.lab("start", 1)
        self.write("counter_add", "    return b + a;")
        self.lab("start", 2, parts=["What you wrote before is kept in work/.kept/"])
        self.assertNotIn("return b + a;", self.kit.read(COUNTER))
        self.assertIn("return b + a;", (self.kept()[0] / "hypervisor/counter.c").read_text())
        self.lab("test", 1, parts=["100 of 100 points"])

    def test_who_forgot_mine_gets_it_back(self):
        self.lab("start", 1)
        self.write("counter_add", "    return b + a;")
        self.lab("start", 2)
        self.lab("start", 2, "--mine", parts=["Yours from lab 1: counter_add"])
        self.assertIn("return b + a;", self.kit.read(COUNTER))

    def test_who_goes_back_and_forth_loses_nothing(self):
        self.lab("start", 2)
        self.write("shout", "    return c - 32;", "work/hypervisor/shout.c")
        self.lab("start", 1, parts=["What you wrote before is kept"])
        self.assertFalse((self.kit.root / "work/hypervisor/shout.c").exists())
        self.assertIn("return c - 32;", (self.kept()[0] / "hypervisor/shout.c").read_text())
        self.lab("test", 1, status=1, parts=["0 of 100 points"])

    def test_untouched_files_are_not_kept(self):
        self.lab("start", 1)
        self.lab("start", 2, without=["kept"])
        self.lab("start", 1, without=["kept"])
        self.assertEqual(self.kept(), [])

    def test_only_what_changed_is_built_again(self):
        self.lab("start", 2)
        self.lab("test", 2, status=1)
        objects = {name: self.kit.root / f"build/work/build/lab2/hypervisor/{name}.o" for name in ("counter", "shout")}
        before = {name: path.stat().st_mtime_ns for name, path in objects.items()}
        self.write("shout", "    return c - 32;", "work/hypervisor/shout.c")
        self.lab("test", 2)
        self.assertEqual({name: path.stat().st_mtime_ns == before[name] for name, path in objects.items()},
                         {"counter": True, "shout": False})


class FirstLab(unittest.TestCase):
    """The real first lab, from the stubs to the solution; half of its tests need KVM."""

    def test_stubs_get_nothing_and_the_reference_all(self):
        with tempfile.TemporaryDirectory() as directory:
            lab = kit.lab(1)
            for path in [*COPIED, *kit.step_files(1), os.path.relpath(lab.directory, ROOT)]:
                kit.copy(ROOT, path, directory)
            (pathlib.Path(directory) / "build").mkdir()
            (pathlib.Path(directory) / "build/with-kvm").symlink_to(ROOT / "build/with-kvm")
            copy = Kit(directory)
            self.assertEqual(copy.lab("start", 1).returncode, 0)
            stubs = copy.lab("test", 1, "unit_")
            self.assertEqual(stubs.returncode, 1, stubs.stdout)
            self.assertRegex(stubs.stdout, r"\n0 of \d+ points\nstill to write: ")
            for name in source.functions("".join(lab.starters().values())):
                self.assertEqual(copy.lab("solve", 1, name).returncode, 0)
            solved = copy.lab("test", 1)
            self.assertEqual(solved.returncode, 0, solved.stdout)
            self.assertIn("100 of 100 points\nAll done", solved.stdout)
            self.assertNotIn("warning", solved.stdout)
            run = subprocess.run(["make", "-s", "-C", "work", "run"], cwd=directory, capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertRegex(run.stdout, "(?i)hello")


class Exported(unittest.TestCase):
    """In a learner's repository there are no solutions, and its root is the work."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        small = SmallKit(pathlib.Path(directory.name) / "kit")
        small.lab("export", pathlib.Path(directory.name) / "course")
        cls.kit = Kit(pathlib.Path(directory.name) / "course")

    def lab(self, *words):
        done = self.kit.lab(*words)
        return done.returncode, done.stdout

    def test_the_loop_works_on_the_root(self):
        status, text = self.lab("test", 1)
        self.assertEqual(status, 1, text)
        self.assertIn("look at counter_add, hypervisor/counter.c:14: still to write (handout section 4)", text)
        self.assertEqual(self.lab("list")[0], 0)
        self.assertIn("What is a sum?", self.lab("hint", 1, "counter_add")[1])
        self.kit.put_solution("hypervisor/counter.c", "counter_add", "    return a + b;")
        self.kit.put_solution("hypervisor/counter.c", "counter_double", "    return a + a;")
        self.assertEqual(self.lab("test", 1)[0], 0)
        status, text = self.lab("status")
        self.assertIn("lab 1: 2 of 2 functions written; the last test gave 100 of 100 points\nlab 2: 0 of 1", text)
        self.assertIn("lab 2: Shouting", self.lab("test")[1])
        done = subprocess.run(["git", "status", "--short"], cwd=self.kit.root, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, " M hypervisor/counter.c\n")

    def test_a_stub_of_an_earlier_lab_is_named_with_its_lab(self):
        work = Work(self.kit.root)
        second = kit.lab(2, self.kit.root)
        says = "lab 2: shout is yours to write (handout section 2)\nlab 1: counter_add is yours to write (handout section 4)\n"
        tried = trying.Try(work, second, second.graded(), [])
        mark = grade.Mark(second, second.graded()[0], False, says, False)
        self.assertEqual(list(tried.suspects(mark)), [(1, "counter_add"), (2, "shout")])
        self.assertRegex(tried.look_at(1, "counter_add", tried.suspects(mark)[1, "counter_add"]),
                         r"look at counter_add, \S*hypervisor/counter.c:\d+: still to write \(lab 1, handout section 4\)")

    def test_what_needs_solutions_says_so(self):
        for command in "start", "diff", "reset", "solve":
            status, text = self.lab(command, 1)
            self.assertEqual(status, 2)
            self.assertIn(f"{command}: this repository has no solutions; ", text)


if __name__ == "__main__":
    unittest.main()
