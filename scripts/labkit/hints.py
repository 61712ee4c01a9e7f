"""hints.md: for each function three levels, from a nudge to nearly code."""

import re

from labkit import kit

LEVELS = 3


def read(lab):
    """{function: [level 1, level 2, level 3]} of a lab's hints.md."""
    path = lab.directory / "hints.md"
    if not path.is_file():
        raise kit.KitError(f"lab {lab.number} has no hints")
    hints = {}
    for part in re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        levels = re.split(r"^### \d+\n", rest, flags=re.MULTILINE)[1:]
        hints[name.strip().strip("`")] = [level.strip() for level in levels]
    return hints
