"""The labs: what their lab.mk files say, and the files that make up a step."""

import collections
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALWAYS = ["Makefile", ".clang-format"]
FILE_VARIABLES = ("HYPERVISOR", "GUESTOS", "USER", "ETC")

# test: "kvm_exits.rep_outsb_writes_successive_bytes"; functions: the learner's functions to look at when it fails.
Graded = collections.namedtuple("Graded", "test points functions")


class KitError(Exception):
    """What is wrong with a lab's files or with the request, in words for whoever reads it."""


class Lab:
    """One directory labs/NN-name of the kit at `root`."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.name = self.directory.name
        self.number = int(self.name[:2])
        self.variables = read_variables(self.directory / "lab.mk")

    @property
    def title(self):
        return " ".join(self.variables.get(f"TITLE_{self.number:02}", []))

    def graded(self):
        """The graded tests, from easy to hard."""
        return parse_points(self.variables.get(f"POINTS_{self.number:02}", []), self.directory / "lab.mk")

    def starters(self):
        """{path in the kit: text of the starter file}."""
        return _texts(self.directory / "starter")

    def listed_functions(self):
        """{function: path} as `export` has written it down for a repository that has no starters; {} if it has not."""
        path = self.directory / "functions"
        return dict(line.split() for line in path.read_text().splitlines()) if path.is_file() else {}

    def reading_order(self):
        """{function: its place in hints.md}, which goes through the functions as the handout does."""
        path = self.directory / "hints.md"
        names = re.findall(r"^## `?(\w+)", path.read_text(), re.MULTILINE) if path.is_file() else []
        return {name: place for place, name in enumerate(names)}

    def mutant_files(self):
        return sorted((self.directory / "mutants").glob("*.c"))

    def mutants(self):
        return [Mutant(path) for path in self.mutant_files()]

    def test_sources(self):
        """{"unit_bus": path of its source}, of the lab's own tests."""
        return {path.stem: path for path in sorted((self.directory / "tests").glob("*_*.[cp]*"))
                if path.name.startswith(("unit_", "kvm_", "system_")) and path.suffix in (".c", ".py")}


class Mutant:
    """A typical mistake: whole functions that take the place of the reference's, and the tests that must notice."""

    HEAD = re.compile(r"/\* In: (\S+)\. Caught by: (.*?)\. Mistake: (.*?)\.?")

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        head, _, self.text = path.read_text().partition("*/\n")
        match = self.HEAD.fullmatch(" ".join(re.sub(r"\n \*", " ", head).split()))
        if not match:
            raise KitError(f"mutants/{path.name}: must begin with /* In: FILE. Caught by: TEST, TEST. Mistake: WORDS. */")
        self.file, self.mistake = match[1], match[3]
        self.tests = re.split(r",\s*", match[2])


def parse_points(words, where):
    graded = []
    for word in words:
        match = re.fullmatch(r"([\w.]+):(\d+):([\w,]+)", word)
        if not match:
            raise KitError(f"{where}: {word} is not PROGRAM.TEST:POINTS:FUNCTION,FUNCTION")
        graded.append(Graded(match[1], int(match[2]), match[3].split(",")))
    return graded


def read_variables(path):
    """{name: words} of the lines NAME = words and NAME += words of a lab.mk."""
    variables = collections.defaultdict(list)
    text = re.sub(r"\\\n", " ", path.read_text()) if path.exists() else ""
    for name, operator, value in re.findall(r"^(\w+) *(\+?:?=) *(.*?)(?: *#.*)?$", text, re.MULTILINE):
        variables[name] = (variables[name] if "+" in operator else []) + value.split()
    return variables


def _texts(directory):
    return {str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*.[ch]"))}


def labs(root=ROOT):
    return [Lab(path) for path in sorted(pathlib.Path(root).glob("labs/[0-9][0-9]-*"))]


def labs_up_to(number, root=ROOT):
    """The labs that step `number` is made of. Numbers may have gaps."""
    return [one for one in labs(root) if one.number <= number]


def lab(number, root=ROOT):
    for one in labs(root):
        if one.number == number:
            return one
    raise KitError(f"there is no lab {number}; there are {', '.join(str(one.number) for one in labs(root))}")


def clean_environment():
    """Without what an outer make says to its children, and without CI: no warning stops a learner's work."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key not in ("LAB", "MFLAGS", "CI")}


def step_files(number, root=ROOT):
    """The source files and directories of step `number`: what labs 1..number name, and what their programs share."""
    wanted = []
    for one in labs_up_to(number, root):
        for variable in FILE_VARIABLES:
            wanted += one.variables.get(variable, [])
    files = dict.fromkeys(word for word in wanted if (pathlib.Path(root) / word).exists())
    extra = ["guestos/flat"]
    if any(path.startswith("guestos/user/") for path in files):
        extra += ["guestos/user/lib", "guestos/user/include"]
    return [*files, *(path for path in extra if (pathlib.Path(root) / path).exists())]


def lab_files(number, root=ROOT):
    """The files that lab `number` adds to the step before it."""
    before = set(each_file(root, step_files(number - 1, root))) if number > 1 else set()
    return [path for path in each_file(root, step_files(number, root)) if path not in before]


def each_file(root, paths):
    """The files that paths (files and directories) are made of, as paths below root."""
    for path in paths:
        whole = pathlib.Path(root) / path
        if whole.is_dir():
            yield from sorted(str(file.relative_to(root)) for file in whole.rglob("*") if file.is_file())
        else:
            yield path


def write_if_changed(path, data):
    """Write the bytes `data`, unless they are there already: make goes by the times of files. Returns whether it wrote."""
    path = pathlib.Path(path)
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return True


def copy(root, path, to):
    """Copy a file or directory of the kit, with its mode."""
    for file in each_file(root, [path]):
        source, target = pathlib.Path(root) / file, pathlib.Path(to) / file
        if write_if_changed(target, source.read_bytes()):
            shutil.copymode(source, target)


def copy_step(number, to, root=ROOT):
    """Put the sources of step `number` into the directory `to`, with what builds them, and nothing else."""
    for path in [*ALWAYS, "scripts", *step_files(number, root)]:
        copy(root, path, to)
    for one in labs_up_to(number, root):
        copy(root, os.path.relpath(one.directory / "lab.mk", root), to)


def make(directory, *words, **options):
    """Run make there; its output, that of each command in one piece, and its status are in what is returned."""
    return subprocess.run(["make", "-s", "-Otarget", *words], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, env=clean_environment(), **options)
