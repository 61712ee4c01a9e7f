"""hints.md, and the command `hint`: for each function three levels, from a nudge to nearly code, one at a time."""

import re

from labkit import kit
from labkit.learner import find_function, find_started
from labkit.work import Work

LEVELS = 3


def read(lab):
    """{function: [level 1, level 2, level 3]} of a lab's hints.md."""
    path = lab.directory / "hints.md"
    if not path.is_file():
        raise kit.KitError(f"lab {lab.number} has no hints")
    hints = {}
    for part in re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        levels = re.split(r"^### \d+[^\n]*\n", rest, flags=re.MULTILINE)[1:]
        hints[name.strip().strip("`()")] = [level.strip() for level in levels]
    return hints


def overview(lab, texts, taken):
    print(f"Hints for lab {lab.number}. Each function has {LEVELS}: a nudge, the plan, nearly the code.\n")
    for name, levels in texts.items():
        print(f"  {name:28} {taken.get(name, 0)} of {len(levels)} seen")
    print(f"\nThe next one: scripts/lab hint {lab.number} FUNCTION")
    return 0


def level_of(words, name, seen, count):
    """The level that is wanted: the next one, or, to read it again, one that was seen."""
    if words in ([], ["more"]):
        return min(seen + 1, count)
    if len(words) == 1 and words[0].isdigit() and 1 <= int(words[0]) <= min(seen + 1, count):
        return int(words[0])
    raise kit.KitError(f"hint {name} {' '.join(words)}: may be followed by `more`, or by 1 to {min(seen + 1, count)}")


def hint(work, words):
    lab, words = find_started(work, words, "hint")
    texts, taken = read(lab), work.state().get("hints", {})
    if words[:1] == ["more"] and work.state().get("last_hint") in texts:
        words = [work.state()["last_hint"], *words]
    if words in ([], ["more"]):
        return overview(lab, texts, taken)
    name = words[0]
    if name not in texts:
        find_function(work, lab, name)
        raise kit.KitError(f"lab {lab.number} has no hints for {name}")
    seen, count = taken.get(name, 0), len(texts[name])
    level = level_of(words[1:], name, seen, count)
    print(f"{name}, hint {level} of {count}:\n\n{texts[name][level - 1]}\n")
    if level < count:
        print(f"Not enough? scripts/lab hint {lab.number} {name} more")
    elif not work.is_export:
        print(f"That was the last. The solution beside yours: scripts/lab diff {lab.number} {name}")
    work.set_state(hints={**taken, name: max(level, seen)}, last_hint=name)
    return 0


COMMANDS = {"hint": hint}


def main(command, words):
    return COMMANDS[command](Work(), words)
