"""README.md and `make help`: every path, target, option and program that they name is there."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
HELP = (ROOT / "scripts/help.txt").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z_.-]+):(?!=)", MAKEFILE, flags=re.MULTILINE))


def commands():
    """The lines of README.md that a reader can type (those in indented blocks), without comments."""
    text = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^ {4}(\S.*)$", text, flags=re.MULTILINE)
    return [part.strip() for line in lines for part in re.split(r"&&|\|", line.split("  #")[0])]


def make_words(text):
    """The words after each `make` in a text, as lists."""
    return [call.split() for call in re.findall(r"\bmake((?: +[\w.=/-]+)*)", text)]


class Readme(unittest.TestCase):
    def test_every_path_in_backticks_exists(self):
        below = {"hypervisor": "boot devices virtio inspect", "guestos": "boot kernel mm proc fs drivers user user/sh",
                 "labs": "", "tests": "kit fuzz bench unit support"}
        for top, directories in below.items():
            for directory in directories.split():
                self.assertIn(f"`{directory}/`", README)
                self.assertTrue((ROOT / top / directory).is_dir(), f"README.md names {top}/{directory}")
        for path in re.findall(r"`((?:hypervisor|guestos|labs|tests|scripts)/[\w./-]*)", README):
            self.assertTrue((ROOT / path).exists(), f"README.md names {path}")

    def test_every_program_in_a_command_exists(self):
        for command in commands():
            words = [word for word in command.split() if not re.match(r"[A-Z_]+=|\"|-", word)]
            program = words[0]
            with self.subTest(command=command):
                if program.startswith("build/"):
                    self.assertIn(f"$(B)/{program[len('build/'):]}", MAKEFILE)
                elif "/" in program:
                    self.assertTrue(os.access(ROOT / program, os.X_OK), program)
                else:
                    self.assertTrue(shutil.which(program), program)

    def test_every_target_exists(self):
        calls = make_words("\n".join(commands())) + make_words("\n".join(re.findall(r"^make.*?(?:  |$)", HELP, re.MULTILINE)))
        self.assertGreater(len(calls), 15)
        for words in calls:
            for word in words:
                name, is_variable, _ = word.partition("=")
                with self.subTest(word=word):
                    if is_variable:
                        self.assertRegex(MAKEFILE, rf"\b{name}\b")
                    elif not word.startswith("-"):
                        self.assertIn(word, TARGETS)

    def test_help_lists_every_target(self):
        inner = {"run-fuzzers"}  # a step of `make fuzz`
        listed = {word for words in make_words(HELP) for word in words} | {"all"}  # `make` alone
        self.assertEqual(TARGETS - inner - listed, set())

    def test_help_fits_on_a_screen(self):
        self.assertLessEqual(len(HELP.splitlines()), 24)
        self.assertLessEqual(max(len(line) for line in HELP.splitlines()), 120)

    def test_every_demo_and_option_exists(self):
        demos = (ROOT / "guestos/kernel/demo.c").read_text() + (ROOT / "guestos/kernel/demo_threads.c").read_text()
        for demo in re.findall(r"demo=([a-z-]+)", README + HELP):
            self.assertIn(f'"{demo}"', demos)
        explain = subprocess.run([ROOT / "scripts/with-kvm", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertIn("--explain", explain)

    def test_nothing_is_said_of_this_machine(self):
        for word in ("/home/", "/root/", "/work/"):
            self.assertNotIn(word, README + HELP)


if __name__ == "__main__":
    unittest.main()
