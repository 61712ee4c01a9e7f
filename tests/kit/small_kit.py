"""A kit with two labs of a few lines each, and the real Makefile, scripts and test support: for the tests of scripts/lab."""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from labkit import kit  # noqa: E402 (its place is known now)

COPIED = ["Makefile", ".clang-format", "LICENSE", "scripts", "tests/__init__.py", "tests/support", "tests/unit", "labs/support"]

MAIN_C = """/* The smallest of all programs. */
int main(void)
{
    return 0;
}
"""

COUNTER_H = """/* Counts. */
unsigned counter_add(unsigned a, unsigned b);
unsigned counter_double(unsigned a);
unsigned counter_last(const unsigned *list, unsigned count);
"""

COUNTER_C = """/* Counts: { is no brace here. */
#include "counter.h"

#define TWICE(x) ((x) * 2) /* what doubling
                            * is */

static unsigned calls; /* of helper() */

/* A table that stays. */
static const struct {
    const char *name;
    int value;
} kept[] = {{"}", '}'}, {"{", '{'}};

/* Only the solution needs this. */
static unsigned helper(unsigned a)
{
    calls++;
    return TWICE(a);
}

/* The sum. */
unsigned counter_add(unsigned a, unsigned b)
{
    return a + b;
}

/* The double,
 * by a helper. */
__attribute__((noinline)) unsigned counter_double(
    unsigned a)
{
#if 1
    return helper(a);
#else
    return 0;
}
#endif
}

/* Not for the learner to write. */
unsigned counter_last(const unsigned *list, unsigned count)
{
    return kept[0].value == '}' ? list[count - 1] : 0;
}
""".replace("    return 0;\n}\n#endif", "    return 0;\n#endif")

COUNTER_STUBS = """/* removed: helper TWICE calls */

/*
 * Return a + b. Handout, section 4.
 */
unsigned counter_add(unsigned a, unsigned b)
{
    (void)a, (void)b;
    return lab_todo(1, "counter_add", "handout section 4");
}

/*
 * Return 2 * a. Handout, section 4.
 */
unsigned counter_double(unsigned a)
{
    (void)a;
    return lab_todo(1, "counter_double", "handout section 4");
}
"""

SHOUT_C = """/* Shouts. */
char shout(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}
"""

SHOUT_STUBS = """/* Return c as a capital letter. */
char shout(char c)
{
    (void)c;
    return lab_todo(2, "shout", "handout section 2");
}
"""

UNIT_COUNTER = """/* Tests of the counter. */
/* sources: hypervisor/counter.c */
#include "expect.h"
#include "counter.h"

static void adding_gives_the_sum(void **state)
{
    (void)state;
    expect_number(counter_add(2, 3), 5, "The sum of 2 and 3 is 5.");
}

static void doubling_gives_the_double(void **state)
{
    (void)state;
    expect_number(counter_double(4), 8, "Twice 4 is 8.");
}

static void doubling_works_for_zero_and_one(void **state)
{
    (void)state;
    expect_number(counter_double(1), 2, "Twice 1 is 2.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_gives_the_sum),
        cmocka_unit_test(doubling_gives_the_double),
        cmocka_unit_test(doubling_works_for_zero_and_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""

UNIT_SHOUT = """/* Tests of shouting. */
/* sources: hypervisor/shout.c */
#include "expect.h"

char shout(char c);

static void letters_become_capitals(void **state)
{
    (void)state;
    expect_number(shout('a'), 'A', "The capital of a is A.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(letters_become_capitals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""

HINTS = """# Hints for lab 1

## counter_add

### 1
What is a sum?

### 2
C has an operator for it.

### 3
```c
a + b
```

## counter_double

### 1
Adding helps.

### 2
The number, added to itself.

### 3
a + a
"""

FILES = {
    "hypervisor/main.c": MAIN_C,
    "hypervisor/counter.h": COUNTER_H,
    "hypervisor/counter.c": COUNTER_C,
    "hypervisor/shout.c": SHOUT_C,
    "labs/01-count/lab.mk": "\n".join([
        "TITLE_01 = Counting", *(f"HYPERVISOR += hypervisor/{name}" for name in ("main.c", "counter.h", "counter.c")),
        "POINTS_01 += unit_counter.adding_gives_the_sum:30:counter_add",
        "POINTS_01 += unit_counter.doubling_gives_the_double:50:counter_double",
        "POINTS_01 += unit_counter.doubling_works_for_zero_and_one:20:counter_double", ""]),
    "labs/01-count/README.md": "# Lab 1\n",
    "labs/01-count/answers.md": "# The answers\n",
    "labs/01-count/hints.md": HINTS,
    "labs/01-count/starter/hypervisor/counter.c": COUNTER_STUBS,
    "labs/01-count/tests/unit_counter.c": UNIT_COUNTER,
    "labs/02-shout/lab.mk": "TITLE_02 = Shouting\nHYPERVISOR += hypervisor/shout.c\n"
                            "POINTS_02 += unit_shout.letters_become_capitals:100:shout\n",
    "labs/02-shout/README.md": "# Lab 2\n",
    "labs/02-shout/starter/hypervisor/shout.c": SHOUT_STUBS,
    "labs/02-shout/tests/unit_shout.c": UNIT_SHOUT,
}


class Kit:
    """A kit, or a learner's repository, in the directory `root`."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def read(self, path):
        return (self.root / path).read_text()

    def command(self, *words, **options):
        return [sys.executable, str(self.root / "scripts/lab"), *map(str, words)], {
            "cwd": self.root, "env": {**kit.clean_environment(), "COLUMNS": "80"}, "stdin": subprocess.DEVNULL, "text": True, **options}

    def lab(self, *words, **options):
        """Run scripts/lab; what it wrote, on both channels, and its status."""
        command, options = self.command(*words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        return subprocess.run(command, timeout=300, check=False, **options)

    def put_solution(self, path, function, body):
        """As a learner would: give a function of work/ a body."""
        text = self.read(path)
        new = re.sub(rf"(\b{function}\([^)]*\)\n)\{{\n.*?^\}}", lambda match: f"{match[1]}{{\n{body}\n}}", text,
                     flags=re.DOTALL | re.MULTILINE)
        assert new != text, f"{path} has no {function}"
        self.write(path, new)

    def copy(self, to):
        """Another of the same, with all that was built."""
        shutil.copytree(self.root, to, symlinks=True)
        return Kit(to)


class SmallKit(Kit):
    """The small kit, written into the directory `root`."""

    def __init__(self, root):
        super().__init__(root)
        for path in COPIED:
            kit.copy(ROOT, path, self.root)
        for path, text in FILES.items():
            self.write(path, text)
