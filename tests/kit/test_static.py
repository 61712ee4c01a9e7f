"""What can be checked without running: layout, shell scripts, comments, sizes."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 450  # of a source file; more is two ideas
EXAMPLES_OF_MARKS = "tests/kit/test_static.py"  # names what it forbids


def tracked(*patterns):
    """The repository's files, relative to its root."""
    done = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in done.stdout.split("\0") if path and (ROOT / path).is_file()]


def text_of(path):
    return (ROOT / path).read_text(errors="replace")


def interpreter(path):
    first = text_of(path).split("\n", 1)[0]
    return first if first.startswith("#!") else ""


class Static(unittest.TestCase):
    def run_tool(self, *command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-4000:])

    def test_c_files_are_laid_out_by_clang_format(self):
        self.run_tool("clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h"))

    def test_no_macro_is_defined_for_nothing(self):
        user = set(tracked("guestos/user/*.c"))
        for compiler, sources in ((["gcc", "-D_GNU_SOURCE", "-Ihypervisor"], tracked("hypervisor/*.c")),
                                  (["gcc", "-ffreestanding", "-Iguestos/include"], sorted(set(tracked("guestos/*.c")) - user)),
                                  (["musl-gcc", "-Iguestos/user/include"], sorted(user))):
            self.run_tool(*compiler, "-std=gnu11", "-fsyntax-only", "-Wunused-macros", "-Werror", *sources)

    def test_shell_scripts_pass_shellcheck(self):
        scripts = [path for path in tracked() if re.search(r"\b(ba|da)?sh$", interpreter(path)) or path.endswith(".sh")]
        self.run_tool("shellcheck", "-x", *scripts)

    def test_python_files_compile(self):
        for path in tracked():
            if path.endswith(".py") or "python" in interpreter(path):
                compile(text_of(path), path, "exec")

    def test_every_source_begins_with_what_it_is_for(self):
        wrong = [path for path in tracked("*.c", "*.h", "*.S") if not text_of(path).startswith(("/*", "//"))]
        self.assertEqual(wrong, [], "the first line must be a comment")
        wrong = [path for path in tracked("*.py") if text_of(path).strip() and not text_of(path).startswith(('"""', "#!"))]
        self.assertEqual(wrong, [], "the first line must be a docstring")

    def test_nothing_is_left_for_later(self):
        marks = re.compile(r"\b(TODO|FIXME|XXX)\b")
        wrong = [path for path in tracked() if path != EXAMPLES_OF_MARKS and marks.search(text_of(path))]
        self.assertEqual(wrong, [])

    def test_no_source_is_long(self):
        sources = tracked("hypervisor/*.c", "hypervisor/*.h", "guestos/*.c", "guestos/*.h", "guestos/*.S")
        wrong = {path: lines for path in sources if (lines := text_of(path).count("\n")) > LINES_MAX}
        self.assertEqual(wrong, {})

    def test_every_source_belongs_to_a_lab(self):
        """A file that no lab.mk names is in no step."""
        recipes = "".join(text_of(path) for path in tracked("labs/*/lab.mk"))
        sources = tracked("hypervisor/*.c", "hypervisor/*.h", "guestos/*.c", "guestos/*.h", "guestos/*.S")
        wrong = [path for path in sources if path not in recipes and not path.startswith(("guestos/user/", "guestos/flat/"))]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
