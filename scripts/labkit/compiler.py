"""What a compiler said, in pieces: so that errors come first and alone, and nothing is told twice."""

import re

# A message begins with FILE:LINE:COLUMN: KIND, or is the linker's.
HEAD = re.compile(r"^\S+?:\d+(?::\d+)?: (?:fatal )?(error|warning|note):|"
                  r"^\S*ld: |.*(undefined reference to|multiple definition of)")
CONTEXT = re.compile(r"^\S+?: (In function|At top level|In member)|^In file included from|^\s+from \S+:\d+")


def messages(text):
    """[(kind, text)] of the compiler's and linker's messages, without make's, each once; kind: "error", "warning", "note" (which goes with what is before it)."""
    found, context, seen = [], [], set()
    for line in text.split("\n"):
        if line.startswith("make"):
            continue
        head = HEAD.match(line)
        if CONTEXT.match(line) and not head:
            context.append(line)
        elif head:
            found.append([head[1] or "error", [*context, line]])
            context = []
        elif found and line.strip():
            found[-1][1].append(line)
    pieces = [(kind, "\n".join(lines)) for kind, lines in found]
    return [piece for piece in pieces if not (piece in seen or seen.add(piece))]


def only(wanted, pieces):
    """The messages of that kind, with their notes."""
    chosen, last = [], ""
    for kind, text in pieces:
        last = kind if kind != "note" else last
        if last == wanted:
            chosen.append(text)
    return chosen
