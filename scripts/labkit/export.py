"""The command `scripts/lab export`: a repository for learners, with no solution anywhere in its files or its history."""

import os
import pathlib
import subprocess

from labkit import kit, stage
from labkit.work import Work

# Of the kit itself; everything that could hold a solution (starters, mutants, answers, the kit's own tests) is not named here.
KIT_FILES = [".clang-format", "LICENSE", "Makefile", "tests/__init__.py", "tests/support", "tests/unit", "labs/support",
             "labs/debugging.md", "labs/debugging.svg"]
LEFT_OUT = {"scripts/lab-matrix", "scripts/labkit/matrix.py", "tests/support/handout.py", "tests/support/batch.py"}
LAB_FILES = ["lab.mk", "README.md", "hints.md", "demo.sh", "tests"]
IGNORE = "build/\n.lab.json\n__pycache__/\ncompile_commands.json\n"

README = """# Terrarium: labs {first} to {last}

A tiny hypervisor and a small operating system, to be completed function by function. Begin with the handout of the first
lab, [{handout}]({handout}).

    ./scripts/setup                  install what is needed
    scripts/lab list                 the labs
    scripts/lab test 1               what works in lab 1, and what is yours to write
    scripts/lab hint 1               a hint
    scripts/lab grade 1              your points
    make LAB=1 run                   run it

Each function that is yours says so: search for `lab_todo`. What you hand in are the files that hold them.
"""


def sources(last, root):
    """Step `last` with the stubs of all its labs."""
    result = stage.reference_sources(last, root)
    for lab in kit.labs_up_to(last, root):
        stage.put_stubs(result, lab)
    return result


def git(directory, *words):
    settings = ["user.name=Terrarium", "user.email=terrarium@localhost", "init.defaultBranch=main", "commit.gpgsign=false"]
    options = [word for setting in settings for word in ("-c", setting)]
    done = subprocess.run(["git", *options, *words], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise kit.KitError(f"git {words[0]} in {directory}: {done.stderr.strip()}")


def export(to, last, root=kit.ROOT):
    """Write the repository for labs 1..last into the directory `to`, which must not exist or be empty."""
    to, root = pathlib.Path(to), pathlib.Path(root)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise kit.KitError(f"{to}: exists and is not empty; export makes a new directory")
    to.mkdir(parents=True, exist_ok=True)
    labs = kit.labs_up_to(last, root)
    for path in [*kit_files(root), *(path for lab in labs for path in lab_files(lab, root))]:
        kit.copy(root, path, to)
    for path, data in sources(last, root).items():
        kit.write_if_changed(to / path, data)
    for lab in labs:
        listed = "".join(f"{name} {path}\n" for name, path in Work(root).functions(lab).items())
        (to / "labs" / lab.name / "functions").write_text(listed)
    (to / ".gitignore").write_text(IGNORE)
    (to / "README.md").write_text(README.format(first=1, last=last, handout=f"labs/{labs[0].name}/README.md"))
    git(to, "init", "-q")
    git(to, "add", "-A")
    git(to, "commit", "-q", "-m", f"Terrarium, labs 1 to {last}")


def existing(root, paths):
    """The files that paths (files and directories, if they are there) are made of."""
    files = kit.each_file(root, [path for path in paths if (root / path).exists()])
    return [path for path in files if path not in LEFT_OUT and "__pycache__" not in path]


def kit_files(root):
    return existing(root, [*KIT_FILES, "scripts"])


def lab_files(lab, root):
    pictures = [path.name for path in sorted(lab.directory.glob("*.svg"))]
    return existing(root, [os.path.relpath(lab.directory / name, root) for name in [*LAB_FILES, *pictures]])


def main(_command, words):
    if not words or len(words) > 2 or words[0].startswith("-") or not all(word.isdigit() for word in words[1:]):
        raise kit.KitError("export DIR [N]: DIR is a new directory, N the last lab (all, if it is not said)")
    labs = kit.labs()
    if not any(lab.starters() for lab in labs):
        raise kit.KitError("this repository has no starters: it was exported itself")
    last = kit.lab(int(words[1])).number if words[1:] else labs[-1].number
    export(words[0], last)
    print(f"{words[0]}: a repository with labs 1 to {last}, without their solutions")
    return 0
