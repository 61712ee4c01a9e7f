"""The commands of scripts/lab for learners. Each takes a Work and the words of the command line and returns the status."""

import difflib
import os
import re
import shutil
import subprocess
import time

from labkit import grade, hints, kit, report, runner, source, stage
from labkit.work import Work


def find_lab(work, words, what):
    """The lab that the first word names; the one that was started if there is none."""
    if words and words[0].isdigit():
        return kit.lab(int(words[0]), work.root), words[1:]
    if words and re.fullmatch(r"\d+-[\w-]+", words[0]):
        return kit.lab(int(words[0][:2]), work.root), words[1:]
    if what == "start":
        raise kit.KitError("start which lab? scripts/lab start 1 for the first; scripts/lab list shows all")
    return kit.lab(work.number, work.root), words


def find_function(work, lab, name):
    functions = work.functions(lab)
    if name not in functions:
        near = difflib.get_close_matches(name, functions, 1, 0.5)
        raise kit.KitError(f"lab {lab.number} has no function {name} for you to write"
                           f"{f'; {near[0]}?' if near else ''} It has: {', '.join(functions)}")
    return name


def need_started(work, lab):
    if lab.number > work.number:
        raise kit.KitError(f"lab {lab.number} is not started (work/ holds labs 1 to {work.number}); scripts/lab start {lab.number} --mine "
                           "goes on with what you wrote")


def list_labs(work, _words):
    started = 0 if work.is_export else work.state().get("lab", 0)
    for lab in kit.labs(work.root):
        mark = "*" if lab.number == started else " "
        print(f"{mark} {lab.number:2}  {lab.title}")
    print(f"\n{'* is started in work/. ' if started else ''}The handouts: labs/NN-name/README.md")
    return 0


def start(work, words):
    lab, words = find_lab(work, words, "start")
    if words not in ([], ["--mine"]):
        raise kit.KitError(f"start {lab.number} {' '.join(words)}: only --mine may follow (keep what you wrote in earlier labs)")
    kept = work.start(lab.number, bool(words))
    if kept:
        print(f"What was in work/ is kept in {os.path.relpath(kept, work.root)}")
    print(f"work/ holds lab {lab.number}: {lab.title}\n\nYours to write:")
    show_functions(work, lab)
    print(f"\nRead  labs/{lab.name}/README.md\nThen  scripts/lab test {lab.number}")
    return 0


def show_functions(work, lab):
    for name, path in work.functions(lab).items():
        print(f"  {name:28} {work.place(path, name)}{'   (still a stub)' if work.is_stub(path, name) else ''}")


def status(work, _words):
    if work.is_export:
        for lab in kit.labs(work.root):
            stubs = work.stubs(lab)
            print(f"lab {lab.number}: {len(work.functions(lab)) - len(stubs)} of {len(work.functions(lab))} functions written")
        return 0
    for lab in kit.labs(work.root)[: work.number]:
        functions, stubs = work.functions(lab), work.stubs(lab)
        print(f"lab {lab.number}: {len(functions) - len(stubs)} of {len(functions)} functions written{' (the current lab)' if lab.number == work.number else ''}")
    show_functions(work, kit.lab(work.number, work.root))
    kept = sorted((work.directory / ".kept").glob("*")) if (work.directory / ".kept").is_dir() else []
    if kept:
        print(f"{len(kept)} earlier states are kept in work/.kept/, the last: {kept[-1].name}")
    return 0


# ---- test ----


def build(work, place, lab, programs):
    """Build what the tests need. Returns {name: program}, or None after having shown the compiler's messages."""
    sources = lab.test_sources()
    directory, build_directory = (place.directory, place.build) if place else (work.root, f"build/lab{lab.number}")
    paths = {name: directory / build_directory / "tests" / lab.name / name if sources[name].suffix == ".c" else sources[name]
             for name in programs}
    targets = [f"{build_directory}/tests/{lab.name}/{name}" for name in programs if sources[name].suffix == ".c"]
    done = kit.make(directory, f"LAB={lab.number}", "-j2", "all", *targets)
    messages = done.stderr if work.is_export else re.sub(r"\b(hypervisor|guestos)/", r"work/\1/", done.stderr)
    if done.returncode:
        errors = [line for line in messages.split("\n") if not line.startswith("make")]
        print("\n".join(errors[:60]).rstrip())
        print("\nIt does not compile; the first message above is the one to look at.")
        return None
    if messages.strip():
        print(messages.rstrip() + "\n")
    return paths


def run(work, place, lab, paths, tests):
    """{program.test: (verdict, message)} of these graded tests."""
    verdicts, here, inside = report.Collection(), [], []
    directory, build_directory = (place.directory, place.build) if place else (work.root, f"build/lab{lab.number}")
    for name, path in sorted(paths.items()):
        names = tuple(test.partition(".")[2] for test in tests if test.startswith(name + "."))
        job = runner.Job(str(path), str(directory), build_directory, names)
        (here if name.startswith("unit_") else inside).append(job)
    runner.run_here(verdicts, here)
    runner.run_inside(verdicts, inside)
    return {name.split("/", 1)[-1]: verdict for name, verdict in verdicts.verdicts.items()}


def show(work, lab, mark, stubs):
    points = mark.graded.points
    print(f"{'ok  ' if mark.passed else 'FAIL'} {points:3}  {grade.sentence(mark.graded.test)}")
    if mark.passed:
        return
    functions = work.functions(lab)
    lines = mark.output.rstrip().split("\n")
    for name in mark.graded.functions:
        path = functions.get(name)
        lines.append(f"Look at {name}, {work.place(path, name) if path else 'which is missing'}{' (still a stub)' if name in stubs else ''}")
    print("\n".join("           " + line for line in lines if line.strip()))


def test(work, words):
    lab, names = find_lab(work, words, "test")
    need_started(work, lab)
    graded = lab.graded()
    if not graded:
        raise kit.KitError(f"lab {lab.number} has no graded tests yet")
    if names:
        chosen = [one for one in graded if any(name in one.test or name in one.functions for name in names)]
        if not chosen:
            raise kit.KitError(f"lab {lab.number} has no test {' '.join(names)}; it has: {', '.join(one.test.split('.')[-1] for one in graded)}")
        graded = chosen
    tests = [one.test for one in graded]
    place = None if work.is_export else stage.Stage(work.root / "build/work", lab.number, root=work.root)
    if place:
        place.set_sources(work.sources())
    paths = build(work, place, lab, sorted({name.split(".")[0] for name in tests}))
    if paths is None:
        return 1
    verdicts, stubs = run(work, place, lab, paths, tests), work.stubs(lab)
    marks = [grade.judge(lab, one, verdicts, False) for one in graded]
    print(f"lab {lab.number}: {lab.title}\n")
    for mark in marks:
        show(work, lab, mark, stubs)
    points, most = grade.score(marks)
    print(f"\n{points} of {most} points")
    if stubs:
        print(f"Still to write: {', '.join(stubs)}")
    elif points == most and not names:
        print(f"All done. The questions in labs/{lab.name}/README.md, section 6, are worth a thought now.")
    if points < most:
        first = next(name for mark in marks if not mark.passed for name in mark.graded.functions)
        print(f"Stuck? scripts/lab hint {lab.number} {first}")
    return 0 if points == most else 1


def watch(work, words):
    """Test again whenever a file of the learner is saved."""
    lab, _ = find_lab(work, words, "watch")
    need_started(work, lab)
    seen = None
    try:
        while True:
            tops = [work.directory / top for top in ("hypervisor", "guestos") if (work.directory / top).is_dir()]
            now = {path: path.stat().st_mtime_ns for top in tops for path in top.rglob("*") if path.is_file()}
            if now != seen:
                seen = now
                print("\n" + "-" * 78 + time.strftime("\n%H:%M:%S"))
                test(work, words)
                print("\nwaiting for the next save (^C ends)", flush=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        print()
        return 0


# ---- hints and solutions ----


def hint(work, words):
    lab, words = find_lab(work, words, "hint")
    texts, taken = hints.read(lab), work.state().get("hints", {})
    more = words[-1:] == ["more"]
    names = words[:-1] if more else words
    if not names and more:
        names = [work.state().get("last_hint", "")] if work.state().get("last_hint") in texts else []
    if not names:
        print(f"Hints for lab {lab.number}; each function has {hints.LEVELS}, from a nudge to nearly code:")
        for name in texts:
            print(f"  {name:28} {taken.get(name, 0)} of {len(texts[name])} seen")
        print(f"scripts/lab hint {lab.number} FUNCTION gives the next one")
        return 0
    name = names[0]
    if name not in texts:
        find_function(work, lab, name)
        raise kit.KitError(f"there is no hint for {name}")
    level = min(taken.get(name, 0) + 1, len(texts[name]))
    print(f"{name}, hint {level} of {len(texts[name])}:\n\n{texts[name][level - 1]}\n")
    if level < len(texts[name]):
        print(f"The next one: scripts/lab hint {lab.number} {name} more")
    elif not work.is_export:
        print(f"That was the last. The whole solution beside yours: scripts/lab diff {lab.number} {name}")
    work.set_state(hints={**taken, name: level}, last_hint=name)
    return 0


def columns(left, right, width):
    """Two texts side by side, as `diff -y` has them."""
    half = (width - 3) // 2
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for i in range(max(b - a, d - c)):
            one = left[a + i] if a + i < b else ""
            two = right[c + i] if c + i < d else ""
            yield f"{one[:half]:{half}} {' ' if tag == 'equal' else '|'} {two[:half]}".rstrip()


def diff(work, words):
    """The reference beside the learner's function."""
    work.needs_solutions("diff")
    lab, names = find_lab(work, words, "diff")
    need_started(work, lab)
    functions = work.functions(lab)
    for name in [find_function(work, lab, name) for name in names] or functions:
        path = functions[name]
        mine = work.item(path, name)[0]
        reference = source.functions((work.root / path).read_text())[name]
        left = [line.expandtabs() for line in (mine.text if mine else "").strip().split("\n")]
        right = [line.expandtabs() for line in reference.text.strip().split("\n")]
        width = shutil.get_terminal_size((100, 24)).columns
        print(f"== {name}: yours ({work.place(path, name)}) and the reference's")
        if width >= 160:
            print("\n".join(columns(left, right, width)))
        else:
            print("\n".join(difflib.unified_diff(left, right, "yours", "reference", n=100, lineterm="")) or "the same")
    return 0


def change(work, words, what, texts_of):
    work.needs_solutions(what)
    lab, names = find_lab(work, words, what)
    need_started(work, lab)
    names = [find_function(work, lab, name) for name in names]
    kept = work.replace(lab, names, texts_of(lab), f"before-{what}-{lab.number}")
    print(f"{', '.join(names or work.functions(lab))}: {'stubs again' if what == 'reset' else 'the reference, now in work/'}.")
    if kept:
        print(f"What was there is kept in {os.path.relpath(kept, work.root)}")
    return 0


def reset(work, words):
    return change(work, words, "reset", lambda lab: lab.starters())


def solve(work, words):
    return change(work, words, "solve", lambda lab: {path: (work.root / path).read_text() for path in lab.starters()})


def refresh(work, _words):
    """For work/Makefile: bring the stage up to date with the learner's files."""
    place = stage.Stage(work.root / "build/work", work.number, root=work.root)
    place.set_sources(work.sources())
    return 0


COMMANDS = {"list": list_labs, "start": start, "test": test, "watch": watch, "hint": hint, "diff": diff, "reset": reset,
            "solve": solve, "status": status, "refresh": refresh}


def main(command, words):
    return COMMANDS[command](Work(), words)
