"""C files as lists of top-level items, so that a function can be taken out and another of the same name put in.

The files are laid out by clang-format, or by a learner: a definition ends with `}` or `;` outside of all brackets.
"""

import difflib
import re

TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | \#(?:\\\n|/\*.*?\*/|[^\n])* | [{}();\[\]] | \w+ | \s+ | .""",
    re.VERBOSE | re.DOTALL)
REST_OF_LINE = re.compile(r"[ \t]*(?:/\*.*?\*/|//[^\n]*)?[ \t]*\n*", re.DOTALL)
REMOVED = re.compile(r"^/\* removed: (.*?) \*/$\n?", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*")
NOT_NAMES = {"__attribute__", "_Static_assert", "static_assert", "__asm__", "asm", "if", "for", "while", "switch", "return", "sizeof"}
TAGGED = ("struct", "union", "enum")
TODO_INCLUDE = '#include "lab_todo.h"'


class SourceError(Exception):
    """What is wrong with a starter, a mutant or a learner's file, in words for its author."""


class Item:
    """A piece of a file: its text (the comments before it and the blank lines behind it included), kind, and names.

    kind: "function"; "other" (a declaration, a table, a type); "preprocessor"; "comment" (one that belongs to nothing);
    "unfinished" (the file ends within it). code_at: where in the text the comments before it end.
    """

    def __init__(self, text, kind, names, code_at):
        self.text, self.kind, self.names, self.code_at = text, kind, frozenset(names), code_at

    @property
    def code(self):
        return self.text[self.code_at :]

    def instead_of(self, old):
        """Its text, followed by as many blank lines as `old`."""
        return self.text.strip("\n") + re.search(r"\n*$", old.text).group()


def words(code):
    """The tokens of C code that matter: no space, no comment."""
    return [token for token in TOKEN.findall(code) if not token.isspace() and not token.startswith(("/*", "//"))]


def identifiers(code):
    """The names that code uses, outside of comments and strings."""
    return {token for token in words(code) if NAME.match(token)}


# ---- parsing ----


def _function_name(head):
    """The name of the function whose text up to its `{` this is, or None if it is no function."""
    depth, name, last = 0, None, None
    for token in words(head):
        if token == "=" and depth == 0:
            return None
        if token == "(" and depth == 0 and not name and last not in NOT_NAMES:
            name = last
        depth += (token == "(") - (token == ")")
        last = token if NAME.match(token) else None
    return name


def _declared(code):
    """What a declaration at the top level declares: variables, functions, the tag of a type that it defines, the constants of
    an enum; for a macro's record, such as SYSCALL(SYS_read, sys_read), the words in the brackets."""
    tokens = words(code)
    if len(tokens) > 1 and tokens[1] == "(":
        return {token for token in tokens[2 : tokens.index(")")] if NAME.match(token)} - NOT_NAMES - set(TAGGED)
    names, depth, in_value = set(), 0, False
    for i, token in enumerate(tokens):
        before, after = tokens[i - 1] if i else "", tokens[i + 1] if i + 1 < len(tokens) else ""
        depth -= token in "})]"
        if depth == 0 and token in "=,":
            in_value = token == "="
        elif not NAME.match(token) or token in NOT_NAMES or in_value:
            pass
        elif depth == 1 and "enum" in tokens[:3] and before in "{,":
            names.add(token)
        elif depth == 1 and tokens[i - 2 : i] == ["(", "*"] and not names:  # a pointer to a function
            names.add(token)
        elif depth == 0 and tokens[i + 1 : i + 3] != ["(", "*"] and after in ("{;" if before in TAGGED else "[;(,="):
            names.add(token)
        depth += token in "{(["
    return names - set(TAGGED)


def _item(text, start, end, kind, names, code_at):
    end = REST_OF_LINE.match(text, end).end()
    return Item(text[start:end], kind, names, code_at - start)


def _next_item(text, start):
    """The item that begins at text[start]."""
    code_at, head_end, depth = None, None, 0
    for match in TOKEN.finditer(text, start):
        token, at = match.group(), match.start()
        if token.isspace():
            if code_at is None and at > start and token.count("\n") > 1:
                return _item(text, start, at, "comment", (), at)
        elif token.startswith(("/*", "//")):
            pass
        elif code_at is None and token[0] == "#":
            return _item(text, start, match.end(), "preprocessor", re.findall(r"^#\s*define\s+(\w+)", token), at)
        else:
            code_at = at if code_at is None else code_at
            depth += (token in "{([") - (token in "})]")
            if token == "{" and depth == 1 and head_end is None:
                head_end = at
            name = _function_name(text[code_at:head_end]) if depth == 0 and token == "}" else None
            if name:
                return _item(text, start, match.end(), "function", [name], code_at)
            if depth == 0 and token == ";":
                return _item(text, start, match.end(), "other", _declared(text[code_at : match.end()]), code_at)
    return Item(text[start:], "comment" if code_at is None else "unfinished", (), (code_at or start) - start)


def parse(text):
    """The items of a file. Their texts, one after the other, are the file."""
    items, at = [], 0
    while at < len(text):
        items.append(_next_item(text, at))
        at += len(items[-1].text)
    return items


def functions(text):
    """{name: item} of the functions that a file defines."""
    return {name: item for item in parse(text) if item.kind == "function" for name in item.names}


def check_braces(text, path):
    """Complain about a file that ends in the middle of something: nothing can be put into it safely."""
    last = parse(text)[-1:]
    if last and last[0].kind == "unfinished":
        line = text[: len(text) - len(last[0].code)].count("\n") + 1
        raise SourceError(f"{path}: what begins in line {line} has no end: a brace, a bracket or a `;` is missing")


# ---- the author's side: starters and mutants ----


def removed_names(stub):
    """What `/* removed: NAME NAME */` in a starter file says: only the solution needs it."""
    return {name for names in REMOVED.findall(stub) for name in NAME.findall(names)}


def splice(reference, stub, path="the file"):
    """The text `reference` with the functions of `stub` in the place of its own (comment and all), and without the
    items that a line `/* removed: NAME NAME */` in `stub` names."""
    new, removed = functions(REMOVED.sub("", stub)), removed_names(stub)
    items = parse(reference)
    known = {name for item in items for name in item.names}
    for name in sorted({*new} - {*functions(reference)} | removed - known):
        near = difflib.get_close_matches(name, known, 1)
        raise SourceError(f"{path} has no {name}{f'; {near[0]}?' if near else ''} It has: {', '.join(sorted(functions(reference)))}")
    output = []
    for item in items:
        replacement = [new[name] for name in item.names if item.kind == "function" and name in new]
        if replacement:
            output.append(replacement[0].instead_of(item))
        elif not item.names & removed:
            output.append(item.text)
    text = _join(output)
    return add_include(text) if "lab_todo" in identifiers(stub) else text


def add_include(text):
    """With #include "lab_todo.h" after the other includes, or after the comment that the file begins with."""
    items = parse(text)
    if any(item.code.rstrip() == TODO_INCLUDE for item in items):
        return text
    places = [i for i, item in enumerate(items) if item.code.startswith("#include")] or [0]
    texts = [item.text for item in items]
    at = places[-1]
    if items[at].code.startswith("#include") or items[at].kind == "comment":
        texts[at] = texts[at].rstrip() + f"\n{TODO_INCLUDE}" + (re.search(r"\n*$", texts[at]).group() or "\n")
    else:
        texts.insert(0, f"{TODO_INCLUDE}\n\n")
    return "".join(texts)


# ---- the learner's side ----


def needs(text, names, known=frozenset()):
    """The indices, in parse(text), of what the functions `names` use, directly and through each other; without themselves, and
    without what is `known` by name."""
    items, found = parse(text), set()
    todo = [item for item in items if item.kind == "function" and item.names & set(names)]
    own = set(todo)
    while todo:
        used = identifiers(todo.pop().code)
        for i, item in enumerate(items):
            if i not in found and item not in own and item.names & used and not item.names & known:
                found.add(i)
                todo.append(item)
    return sorted(found)


def put(text, new, names, helpers=(), everything=False):
    """`text` with the functions `names` as the file `new` has them, and with those items of `new` named in `helpers` that they
    need (or all of these). What `text` has is replaced in its place; what it lacks comes where `new` has it."""
    theirs, mine = parse(new), parse(text)
    known = set().union(*(item.names for item in mine))
    wanted = {i for i, item in enumerate(theirs) if item.kind == "function" and item.names & set(names)}
    wanted |= {i for i in (range(len(theirs)) if everything else needs(new, names)) if theirs[i].names & set(helpers)}
    for i in sorted(wanted):
        at = _find(mine, theirs[i])
        if at is not None:
            mine[at] = Item(theirs[i].instead_of(mine[at]), theirs[i].kind, theirs[i].names, theirs[i].code_at)
        else:
            users = {name for name in names if i in needs(new, [name], known)}
            mine.insert(_place(mine, theirs, i, users), theirs[i])
    return _join(item.text for item in mine)


def _find(items, wanted):
    """The index of the item of the same kind and names (without names: the same text), or None."""
    for i, item in enumerate(items):
        if item.kind == wanted.kind and item.names == wanted.names and (item.names or item.code.strip() == wanted.code.strip()):
            return i
    return None


def _place(mine, theirs, i, users):
    """Where in `mine` theirs[i] belongs: behind what is before it in `theirs`, but before the functions `users`, which need it."""
    before = [_find(mine, item) for item in theirs[:i]]
    includes = [at for at, item in enumerate(mine) if item.code.startswith("#include")]
    behind = max([at + 1 for at in [*before, *includes] if at is not None], default=0)
    return min([behind, *(at for at, item in enumerate(mine) if item.kind == "function" and item.names & users)])


def _join(texts):
    return "".join(texts).rstrip("\n") + "\n"
