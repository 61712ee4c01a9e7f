"""The commands `diff`, `reset` and `solve`: the learner's functions beside the reference's, or replaced."""

import difflib
import itertools
import shutil

from labkit import source, stage
from labkit.learner import find_function, find_started, told_kept
from labkit.work import Work


def columns(left, right):
    """Two lists of lines side by side, as `diff -y` has them."""
    width = max(map(len, left), default=0)
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for one, two in itertools.zip_longest(left[a:b], right[c:d], fillvalue=""):
            yield f"{one:{width}} {' ' if tag == 'equal' else '|'} {two}".rstrip()


def show(left, right):
    """Side by side if the terminal is wide enough."""
    widest = max(map(len, left), default=0) + 3 + max(map(len, right), default=0)
    if left == right:
        print("the same")
    elif widest <= shutil.get_terminal_size((80, 24)).columns:
        print("\n".join(columns(left, right)))
    else:
        print("\n".join(difflib.unified_diff(left, right, "yours", "the reference", n=1000, lineterm="")))


def lines(text):
    return [line.expandtabs() for line in text.strip("\n").split("\n")] if text else []


def diff(work, words):
    """The reference beside the learner's functions, with what only the reference needs besides."""
    work.need_solutions("diff")
    lab, names = find_started(work, words, "diff")
    functions = work.functions(lab)
    for name in [find_function(work, lab, name) for name in names] or functions:
        path = functions[name]
        mine, reference = work.item(path, name)[0], (work.root / path).read_text()
        print(f"---- {name}: yours ({work.place(path, name)}), the reference's ({path})")
        show(lines(mine.text if mine else ""), lines(source.functions(reference)[name].text))
        items, helpers = source.parse(reference), source.removed_names(lab.starters()[path])
        used = [items[i].text.strip() for i in source.needs(reference, [name]) if items[i].names & helpers]
        if used:
            print("\nThe reference uses besides:\n\n" + "\n\n".join(used))
        print()
    return 0


def change(work, words, what, says, texts_of, helpers_of):
    work.need_solutions(what)
    lab, names = find_started(work, words, what)
    names = [find_function(work, lab, name) for name in names]
    kept = work.replace(lab, names, texts_of(lab), f"before-{what}-{lab.number}", helpers_of(lab))
    told_kept(work, kept)
    print(f"{says}: {', '.join(names or work.functions(lab))}")
    return 0


def reset(work, words):
    def stubs(lab):
        sources = stage.starter_sources(lab.number, work.root)
        return {path: sources[path].decode() for path in lab.starters()}

    return change(work, words, "reset", "stubs again", stubs, lambda lab: {})


def solve(work, words):
    def solutions(lab):
        return {path: (work.root / path).read_text() for path in lab.starters()}

    def helpers(lab):
        return {path: source.removed_names(stubs) for path, stubs in lab.starters().items()}

    return change(work, words, "solve", "the reference's now", solutions, helpers)


COMMANDS = {"diff": diff, "reset": reset, "solve": solve}


def main(command, words):
    return COMMANDS[command](Work(), words)
