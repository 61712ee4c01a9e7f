"""The checks of tests/support/handout.py: a good handout, made up here, passes all; each kind of mistake in it is found."""

import pathlib
import tempfile
import unittest

from tests.support import handout

from labkit import kit

# Names that no file of the kit has: not this one either, where they are in pieces.
NOWHERE = "nobody" "_knows_it"
OUTSIDE = "TAPE" "_END"

README = """# Lab 40: a tape

## 1 You will see

```console
$ build/lab1/terrarium help
usage: ...
...
```

## 2 The idea

![A tape with a head above it](tape.svg)

FILLER

## 3 What the books say

`KVM_RUN`, `struct kvm_run`, `OUTSIDE`.
<!-- outside: OUTSIDE whirl() -->

## 4 What you write

### 4.1 `tape_read()`

See `bus_claim()` in `hypervisor/bus.c`, and `whirl()` elsewhere.

### 4.2 `tape_write()` and `tape_seek()`

[The recipe](lab.mk) says what they count.

## 5 Looking inside

```sh
make LAB=1 run
scripts/lab test 1 && build/lab1/terrarium run --flat build/lab1/hello.bin
```

`terrarium run` knows `--stats`, and `scripts/with-kvm --explain` tells more.

## 6 Questions

1. What?
2. Where?
3. When?
4. Who?
5. Why?

## 7 Going further

**Small:** `make check`. **Large:** `scripts/lab list`.
""".replace("FILLER", "The head moves. " * 420).replace("OUTSIDE", OUTSIDE)

STUBS = "".join(f"""/* What it does. */
int {name}(void)
{{
    return lab_todo(40, "{name}", "handout section {section}");
}}

""" for name, section in {"tape_read": "4.1", "tape_write": "4.2", "tape_seek": "4.2"}.items())

HINTS = "".join(f"## {name}\n\n### 1\nThink.\n\n### 2\nA plan.\n\n### 3\nNearly code.\n\n"
                for name in ("tape_read", "tape_write", "tape_seek"))
ANSWERS = "".join(f"## {title}\n\nSo it is.\n\n" for title in (*"12345", "Common mistakes", "To discuss"))

PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100" font-family="sans-serif">
<rect width="200" height="100" fill="white"/>
<text x="10" y="50" font-size="12">a tape</text>
</svg>
"""

DEMO = "#!/bin/sh\n. scripts/demo-steps\n" + "say Look.\nshow true\n" * 5

FILES = {"lab.mk": "TITLE_40 = A tape\n", "README.md": README, "hints.md": HINTS, "answers.md": ANSWERS, "tape.svg": PICTURE,
         "demo.sh": DEMO, "starter/hypervisor/tape.c": STUBS}

# What is wrong (a file, and what in it becomes what; None: the file goes): in what a check says about it.
MISTAKES = {
    "sections": [
        ("README.md", "# Lab 40", "# Lab 4", "the first line must be `# Lab 40: ...`"),
        ("README.md", "## 2 The idea", "## 2 The thing", "the sections must be"),
        ("README.md", "## 6 Questions", "### 6 Questions", "the sections must be"),
        ("README.md", "```console\n$ ", "```console\n", "line 6: a console block must begin with `$ COMMAND`"),
    ],
    "length": [
        ("README.md", "The head moves. " * 100, "", "words outside of blocks; it should be 1200 to 2500"),
        ("README.md", "The idea", "The idea" + " and more" * 700, "words outside of blocks; it should be 1200 to 2500"),
    ],
    "functions": [
        ("README.md", "### 4.1 `tape_read()`", "### 4.1 `tape_reads()`", "section 4 has no `### 4.k tape_read()`"),
        ("README.md", "### 4.1 `tape_read()`", "### 4.1 `tape_read()` and `bus_find()`",
         "section 4 explains bus_find(), which is not in starter/"),
        ("starter/hypervisor/tape.c", '"tape_read", "handout section 4.1"', '"tape_read", "handout section 4.2"',
         'the handout wants "handout section 4.1"'),
        ("starter/hypervisor/tape.c", 'lab_todo(40, "tape_read"', 'lab_todo(41, "tape_read"', "says lab_todo(41,"),
        ("starter/hypervisor/tape.c", 'lab_todo(40, "tape_read"', 'lab_todo(40, "tape_write"', "the stub of tape_read says"),
    ],
    "hints": [
        ("hints.md", HINTS, None, "there is no hints.md"),
        ("hints.md", "## tape_seek", "## tape_seeks", "hints.md has no `## tape_seek`"),
        ("hints.md", "## tape_seek", "## tape_seeks", "helps with tape_seeks, which is not in starter/"),
        ("hints.md", "### 3\nNearly code.\n", "", "tape_read must have 3 levels"),
        ("hints.md", "Nearly code.\n", "", "tape_read must have 3 levels"),
    ],
    "questions": [
        ("README.md", "5. Why?\n", "", "section 6 must have the questions 1. to 5."),
        ("answers.md", "## 4\n", "## 6\n", "answers.md has no text under `## 4`"),
        ("answers.md", "## To discuss\n\nSo it is.", "## To discuss\n", "answers.md has no text under `## To discuss`"),
        ("answers.md", ANSWERS, None, "answers.md has no text under `## Common mistakes`"),
    ],
    "commands": [
        ("README.md", "make LAB=1 run\n", "make LAB=1 walk\n", "make has no target walk"),
        ("README.md", "scripts/lab test 1 &&", "scripts/lab tset 1 &&", "scripts/lab has no command tset"),
        ("README.md", "make LAB=1 run\n", "scripts/make-disk x\n", "scripts/make-disk is no program of the kit"),
        ("README.md", "make LAB=1 run\n", "no-such-program | cat\n", "there is no program no-such-program"),
        ("README.md", "make LAB=1 run\n", "echo 'a\n", "No closing quotation"),
        ("README.md", "$ build/lab1/terrarium help", "$ hypervisor/terrarium help",
         "line 6: hypervisor/terrarium is no program of the kit"),
    ],
    "code": [
        ("README.md", "`bus_claim()`", "`bus_claims()`", "`bus_claims()`: there is no such function or macro"),
        ("README.md", "`hypervisor/bus.c`", "`hypervisor/buses.c`", "there is no such file"),
        ("README.md", "`--stats`", "`--statistics-of-all`", "there is no such option"),
        ("README.md", "`KVM_RUN`", "`KVM_WALK`", "linux/kvm.h has no KVM_WALK"),
        ("README.md", "`struct kvm_run`", f"`struct {NOWHERE}`", f"there is no {NOWHERE}"),
        ("README.md", "`make check`", "`make chess`", "make has no target chess"),
        ("README.md", f"{OUTSIDE} whirl() -->", "whirl() -->", f"`{OUTSIDE}`: there is no {OUTSIDE}"),
        ("README.md", f"{OUTSIDE} whirl() -->", f"{OUTSIDE} -->", "`whirl()`: there is no such function"),
        ("hints.md", "Think.", f"Think of `{NOWHERE}`.", f"hints.md: `{NOWHERE}`"),
        ("answers.md", "So it is.", "See `guestos/no.c`.", "answers.md: `guestos/no.c`"),
    ],
    "links": [("README.md", "(lab.mk)", "(lab.mkd)", "README.md links to lab.mkd, which is not there"),
              ("answers.md", "So it is.", "[So](so.md)", "answers.md links to so.md")],
    "pictures": [
        ("README.md", "![A tape with a head above it](tape.svg)", "", "the handout shows no SVG"),
        ("README.md", "![A tape with a head above it](tape.svg)", "", "tape.svg is shown nowhere"),
        ("README.md", "![A tape with a head above it]", "![tape]", "say in the square brackets what the picture shows"),
        ("README.md", "(tape.svg)", "(tapes.svg)", "there is no tapes.svg"),
        ("tape.svg", "</svg>", "", "no well-formed XML"),
        ("tape.svg", 'viewBox="0 0 200 100"', "", "with a viewBox"),
        ("tape.svg", "sans-serif", "serif", "the font must be sans-serif"),
        ("tape.svg", '<rect width="200"', '<rect width="100"', "needs a background of its own"),
        ("tape.svg", 'font-size="12"', 'font-size="9"', "letters of size 9 are too small"),
        ("tape.svg", "<text", '<image href="http://x/y.png"/><text', "must not refer to other files"),
        ("tape.svg", 'x="10"', 'x="210"', "the text 'a tape' is outside of the picture"),
    ],
    "demo": [
        ("demo.sh", DEMO, None, "demo.sh must be there and executable"),
        ("demo.sh", ". scripts/demo-steps\n", "", "must have the line `. scripts/demo-steps`"),
        ("demo.sh", "say Look.\nshow true\n", "", "demo.sh shows 4 commands"),
        ("demo.sh", "say Look.\nshow true\n", "show true\n", "must say something before each command"),
    ],
}


class Checks(unittest.TestCase):
    def handout(self, files):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        lab = pathlib.Path(directory.name) / "40-tape"
        for path, text in files.items():
            (lab / path).parent.mkdir(parents=True, exist_ok=True)
            (lab / path).write_text(text)
            (lab / path).chmod(0o755 if path == "demo.sh" else 0o644)
        return handout.Handout(kit.Lab(lab))

    def test_there_is_a_mistake_for_every_check(self):
        checks = {name for name in dir(handout.Handout) if name.startswith("check_")}
        self.assertEqual({f"check_{name}" for name in MISTAKES}, checks)

    def test_a_good_handout_passes(self):
        good = self.handout(FILES)
        for name in MISTAKES:
            self.assertEqual(getattr(good, f"check_{name}")(), [], name)
        self.assertEqual(good.steps_needed(), {1, 40})

    def test_each_mistake_is_found(self):
        for name, mistakes in MISTAKES.items():
            for path, before, after, complaint in mistakes:
                with self.subTest(name, mistake=complaint):
                    self.assertIn(before, FILES[path])
                    files = {**FILES, path: FILES[path].replace(before, after or "", 1)}
                    if after is None:
                        del files[path]
                    problems = getattr(self.handout(files), f"check_{name}")()
                    self.assertIn(complaint, "\n".join(problems))

    def test_a_demonstration_must_be_executable(self):
        one = self.handout(FILES)
        (one.directory / "demo.sh").chmod(0o644)
        self.assertIn("demo.sh must be there and executable", one.check_demo())


class Console(unittest.TestCase):
    """What a command writes against what the handout shows."""

    def complaint(self, expected, output, status=0):
        command = handout.Command(7, "look")
        command.expected = expected.split("\n")
        return command.complaint(status, output)

    def test_what_is_as_shown_is_fine(self):
        for expected, output in {
            "a\nb": "a\nb\n", "a\n...": "a\nb\nc\n", "...\nc": "a\nb\nc\n", "a\n...\nc": "a\nb\nc\n", "it took ... s": "it took 1.5 s\n",
            "...": "anything\n", "a\n...\nb\n...\nd": "a\nx\nb\nc\nd\n", "a\n...\nb": "a\nb\n", "a": "a  \r\n",
        }.items():
            self.assertIsNone(self.complaint(expected, output), (expected, output))

    def test_what_is_not_is_told_with_its_line(self):
        for expected, output, part in (
            ("a\nb", "a\nc\n", "'b' after 1 lines that are right"), ("a", "a\nb\n", "lacks 'b'"), ("a\nb", "a\n", "'b' after 1 lines"),
            ("it took ... s", "it took 1.5 m\n", "'it took ... s'"), ("a\n...\nd", "a\nb\nc\n", "'d'"), ("...\nb\n...\na", "a\nb\n", "'a'"),
            ("a.c", "abc\n", "'a.c'"),
        ):
            complaint = self.complaint(expected, output)
            self.assertIn("line 7: `look`: ", complaint)
            self.assertIn(part, complaint)

    def test_a_command_that_fails_is_told_with_what_it_wrote(self):
        self.assertEqual(self.complaint("a", "no\n", 3), "line 7: `look` ended with status 3:\nno\n")

    def test_commands_and_results_go_together(self):
        text = README.replace("usage: ...\n...\n", "usage: ...\n...\n$ echo a \\\n  b\na b\n")
        lab = type("Lab", (), {"directory": pathlib.Path("/nowhere"), "number": 40})
        one = handout.Handout(lab)
        one.text = text
        self.assertEqual([command.text for command in one.commands()], ["build/lab1/terrarium help", "echo a \\\n  b"])
        self.assertEqual(one.console_complaints(iter([(0, "usage: x\n"), (0, "a b\n")])), [])
        self.assertEqual(len(one.console_complaints(iter([(1, "no\n"), (0, "a\n")]))), 2)


if __name__ == "__main__":
    unittest.main()
