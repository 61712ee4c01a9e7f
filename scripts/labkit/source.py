"""C files as lists of top-level items, so that a function can be taken out and another of the same name put in.

The files are laid out by clang-format: a definition begins in the first column and ends with `}`, `};` or `;` at depth 0.
"""

import re

TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | \#(?:\\\n|/\*.*?\*/|[^\n])* | [{}();\[\]] | \w+ | \s+ | .""",
    re.VERBOSE | re.DOTALL)
NOT_NAMES = {"__attribute__", "_Static_assert", "static_assert", "__asm__", "asm", "if", "for", "while", "switch", "return", "sizeof"}
REMOVED = re.compile(r"^/\* removed: (.*?) \*/$", re.MULTILINE | re.DOTALL)
TODO_INCLUDE = '#include "lab_todo.h"\n'


class SourceError(Exception):
    """What is wrong with a starter or a mutant, in words for its author."""


class Item:
    """A piece of a file: text (with the comments before it, and everything up to the next item), kind, names, where.

    kind: "function", "other" (a declaration, a table, a type), "preprocessor", "comment" (which belongs to nothing).
    """

    def __init__(self, text, kind, names, code_at):
        self.text, self.kind, self.names, self.code_at = text, kind, names, code_at

    @property
    def code(self):
        return self.text[self.code_at :]


def _function_name(head):
    """The name of the function whose text up to its `{` this is, or None."""
    depth, name, last = 0, None, None
    for match in TOKEN.finditer(head):
        token = match.group()
        if token == "(":
            if depth == 0 and name is None and last and last not in NOT_NAMES:
                name = last
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "=" and depth == 0:
            return None
        if not token.isspace():
            last = token if re.fullmatch(r"\w+", token) else None
    return name


def _other_names(code):
    """What a declaration at the top level declares: the words before `=`, `[`, `;` or `(`, and the tag of a type."""
    head = re.sub(r"/\*.*?\*/", "", code.split("=")[0], flags=re.DOTALL)
    flat, depth = "", 0
    for character in head:
        depth += character in "{(" and 1 or 0
        if depth == 0:
            flat += character
        elif flat[-1:] != "(":
            flat += "("
        depth -= character in "})" and 1 or 0
    names = re.findall(r"(\w+)\s*(?=[\[;(,]|$)", flat.strip())
    tag = re.match(r"\s*(?:typedef\s+)?(?:struct|union|enum)\s+(\w+)", head)
    inside = re.search(r"enum[^{]*\{(.*)\}", head, re.DOTALL)
    constants = re.findall(r"^\s*(\w+)", inside.group(1), re.MULTILINE) if inside else []
    return {*names, *constants, *([tag.group(1)] if tag else [])}


def parse(text):
    """The items of a file. Their texts, one after the other, are the file."""
    items, start, code_at, depth, head_end, kind = [], 0, None, 0, None, None

    def finish(end, names):
        nonlocal start, code_at, head_end
        while end < len(text) and text[end] == "\n" and (end == start or text[end - 1] != "\n"):
            end += 1
        while end < len(text) and text[end] == "\n":
            end += 1
        items.append(Item(text[start:end], kind, names, (code_at if code_at is not None else start) - start))
        start, code_at, head_end = end, None, None

    for match in TOKEN.finditer(text):
        token, at = match.group(), match.start()
        if at < start:
            continue
        if token.isspace():
            if code_at is None and at > start and token.count("\n") > 1:  # a comment that belongs to nothing
                kind = "comment"
                finish(match.end(), set())
            continue
        if token.startswith(("/*", "//")):
            continue
        if code_at is None and token.startswith("#"):
            kind, code_at = "preprocessor", at
            define = re.match(r"#\s*define\s+(\w+)", token)
            finish(match.end(), {define.group(1)} if define else set())
            continue
        if code_at is None:
            code_at, kind = at, "other"
        if token in "{([":
            if token == "{" and depth == 0 and head_end is None:
                head_end = at
                if _function_name(text[code_at:at]):
                    kind = "function"
            depth += 1
        elif token in "})]":
            depth -= 1
        if depth == 0 and ((token == "}" and kind == "function") or token == ";"):
            code = text[code_at : match.end()]
            finish(match.end(), {_function_name(text[code_at:head_end])} if kind == "function" else _other_names(code))
    if start < len(text):
        kind = "comment" if code_at is None else kind
        finish(len(text), set())
    return items


def functions(text):
    """{name: item} of the functions that a file defines."""
    return {name: item for item in parse(text) if item.kind == "function" for name in item.names}


def removed_names(stub):
    return {name for names in REMOVED.findall(stub) for name in names.replace("\n", " ").split() if name != "*"}


def splice(reference, stub, path="the file"):
    """The text `reference` with the functions of `stub` in the place of its own (comment and all), and without the
    items that a line `/* removed: NAME NAME */` in `stub` names."""
    new, removed = functions(stub), removed_names(stub)
    items = parse(reference)
    known = {name for item in items for name in item.names}
    for name in sorted({*new, *removed} - known):
        raise SourceError(f"{path} has no {name}; it has {', '.join(sorted(known))}")
    output, seen_include = [], 0
    for item in items:
        replaced = [new[name] for name in item.names if name in new] if item.kind == "function" else []
        if replaced:
            output.append(_with_end_of(replaced[0].text, item.text))
        elif item.kind in ("function", "other", "preprocessor") and item.names and item.names <= removed:
            continue
        elif item.names & removed and item.kind != "function":
            continue
        else:
            output.append(item.text)
            if item.code.startswith("#include"):
                seen_include = len(output)
    if "lab_todo(" in stub:
        place = max(seen_include, 1)
        end = re.search(r"\n*$", output[place - 1]).group()
        output[place - 1] = output[place - 1].rstrip("\n") + "\n" + TODO_INCLUDE + end[1:]
    return "".join(output).rstrip("\n") + "\n"


def _with_end_of(new, old):
    """`new` with the blank lines that follow `old`."""
    return new.strip("\n") + re.search(r"\n*$", old).group()
