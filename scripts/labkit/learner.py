"""The commands of scripts/lab that begin and survey a learner's work. Each takes a Work and words, and returns the status."""

import difflib
import os
import re

from labkit import kit
from labkit.work import Work


def find_lab(work, words, what):
    """The lab that the first word names (the one that was started, if there is none), and the other words."""
    if words and re.fullmatch(r"-?\d+", words[0]):
        return kit.lab(int(words[0]), work.root), words[1:]
    if words and re.fullmatch(r"\d\d-[\w-]+", words[0]):
        return kit.lab(int(words[0][:2]), work.root), words[1:]
    if what == "start":
        raise kit.KitError(f"{f'{words[0]} is no number; ' if words else ''}start which lab? scripts/lab start 1 for the first; "
                           "scripts/lab list shows all")
    if not work.number:
        raise kit.KitError(f"{what}: nothing is started; scripts/lab start 1 makes work/ for the first lab (scripts/lab list shows all)")
    return kit.lab(work.current, work.root), words


def find_started(work, words, what):
    """find_lab() of a lab whose files the learner has."""
    lab, words = find_lab(work, words, what)
    if not work.number:
        raise kit.KitError(f"{what} {lab.number}: nothing is started; scripts/lab start {lab.number} makes work/")
    if lab.number > work.number:
        raise kit.KitError(f"{what} {lab.number}: work/ holds lab {work.number}; scripts/lab start {lab.number} --mine goes on to lab "
                           f"{lab.number} with what you wrote")
    return lab, words


def nearest(name, names):
    """ "; NAME?" if there is a similar name, else "."."""
    near = difflib.get_close_matches(name, list(names), 1, 0.5) or [one for one in names if name and name in one][:1]
    return f"; {near[0]}?" if near else "."


def find_function(work, lab, name):
    functions = work.functions(lab)
    if name not in functions:
        raise kit.KitError(f"lab {lab.number} has no function {name} for you to write{nearest(name, functions)} "
                           f"It has: {', '.join(functions)}")
    return name


def list_labs(work, words):
    if words:
        raise kit.KitError(f"list {' '.join(words)}: list takes nothing more")
    started = 0 if work.is_export else work.number
    points = work.state().get("points", {})
    for lab in kit.labs(work.root):
        got, most = points.get(str(lab.number), (None, None))
        print(f"{'*' if lab.number == started else ' '} {lab.number:2}  {lab.title}{f'  ({got} of {most} points)' if most else ''}")
    if started:
        print("\n* is in work/. The handouts: labs/NN-name/README.md")
    else:
        print("\nThe handouts: labs/NN-name/README.md" + ("" if work.is_export else ". Begin with: scripts/lab start 1"))
    return 0


def told_kept(work, kept):
    """Where what was replaced is, and how it comes back."""
    if kept:
        name = os.path.relpath(kept, work.root)
        print(f"What you wrote before is kept in {name}\n  (back again with: cp -r {name}/. {work.directory.name}/)")


def start(work, words):
    work.need_solutions("start")
    lab, words = find_lab(work, words, "start")
    if words not in ([], ["--mine"]):
        raise kit.KitError(f"start {lab.number} {' '.join(words)}: only --mine may follow (it keeps what you wrote in earlier labs)")
    started = work.start(lab.number, mine=bool(words))
    told_kept(work, started.kept)
    for number, names in sorted(started.mine.items()):
        print(f"Yours from lab {number}: {', '.join(names)}")
    if started.filled:
        print(f"Not written, and now the reference's: {', '.join(started.filled)}")
    elif words and not started.mine and lab.number > 1:
        print("Nothing of yours from earlier labs was found; they are the reference's.")
    print(f"work/ is lab {lab.number}: {lab.title}\n\nYours to write:")
    for name, path in work.functions(lab).items():
        print(f"  {name:28} {work.place(path, name)}")
    print(f"\nRead   labs/{lab.name}/README.md\nWrite  what says lab_todo\nSee    scripts/lab test {lab.number}    (scripts/lab hint "
          f"{lab.number} when you are stuck)")
    return 0


def describe(work, path, name):
    if work.item(path, name)[0] is None:
        return "missing"
    return "a stub" if work.is_stub(path, name) else "written"


def status(work, words):
    lab, _ = find_lab(work, words, "status")
    points = work.state().get("points", {})
    for one in kit.labs_up_to(work.number, work.root):
        functions = work.functions(one)
        written = sum(describe(work, path, name) == "written" for name, path in functions.items())
        got, most = points.get(str(one.number), (None, None))
        print(f"lab {one.number}: {written} of {len(functions)} functions written"
              f"{f'; the last test gave {got} of {most} points' if most else ''}")
    print()
    for name, path in work.functions(lab).items():
        print(f"  {name:28} {describe(work, path, name):8} {work.place(path, name)}")
    keeps = work.keeps()
    if keeps:
        print(f"\nKept from before: {len(keeps)} in {work.name_of('.kept')}, the last is {keeps[0].name}")
    return 0


def refresh(work, _words):
    """For work/Makefile: bring the stage up to date with the learner's files."""
    find_started(work, [], "make")
    work.stage(work.number)
    return 0


COMMANDS = {"list": list_labs, "start": start, "status": status, "refresh": refresh}


def main(command, words):
    return COMMANDS[command](Work(), words)
