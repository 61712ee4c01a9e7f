"""What a lab's prose says, and what is wrong with it: README.md (the handout), hints.md, answers.md, demo.sh, the pictures.

Every check gives a list of complaints, each with the way out; an empty one is good.
"""

import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from labkit import hints, kit, source  # noqa: E402 (its place is known now)

SECTIONS = ["You will see", "The idea", "What the books say", "What you write", "Looking inside", "Questions", "Going further"]
WORDS = range(1200, 2501)
DEMO_STEPS = range(5, 9)
KVM_HEADERS = ["/usr/include/linux/kvm.h", "/usr/include/x86_64-linux-gnu/asm/kvm.h", "/usr/include/x86_64-linux-gnu/asm/kvm_para.h"]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SHELL_WORDS = {"cd", "export", "exit", "unset", "ulimit", "umask", "time", "sudo", "if", "for", "while", "do", "done", "then", "fi"}
ELSEWHERE = ("build/", "work/", "/dev/", "/tmp/")  # paths that are not there until somebody makes them
SVG = "{http://www.w3.org/2000/svg}"
SMALLEST_LETTERS = 11


# ---- what the kit has ----


@functools.lru_cache
def kit_words():
    """Every word in the repository's files but its prose, and in the headers of KVM."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / path for path in done.stdout.split("\0") if path and not path.endswith((".md", ".svg", "demo.sh"))]
    texts = [path.read_text(errors="replace") for path in [*paths, *map(pathlib.Path, KVM_HEADERS)] if path.is_file()]
    return frozenset(re.findall(r"[A-Za-z_]\w*", " ".join(texts)))


@functools.lru_cache
def kit_functions():
    """What the repository's C and assembler define, declare or call."""
    done = subprocess.run(["git", "ls-files", "-z", "*.c", "*.h", "*.S"], cwd=ROOT, capture_output=True, text=True, check=True)
    text = "\n".join((ROOT / path).read_text() for path in done.stdout.split("\0") if path)
    return frozenset(re.findall(r"\b([A-Za-z_]\w*)\(", text)) | frozenset(re.findall(r"^(\w+):", text, re.MULTILINE))


@functools.lru_cache
def kvm_constants():
    return frozenset(re.findall(r"\bKVM_\w+", "".join(pathlib.Path(path).read_text() for path in KVM_HEADERS)))


@functools.lru_cache
def kit_options():
    """The names of the options of terrarium and of the scripts, without dashes."""
    c = subprocess.run(["git", "grep", "-hoE", r'\.name = "[a-z-]+"', "--", "hypervisor"], cwd=ROOT, capture_output=True, text=True)
    scripts = subprocess.run(["git", "grep", "-hoE", "--", "--[a-z][a-z-]+", "scripts"], cwd=ROOT, capture_output=True, text=True)
    return frozenset(re.findall(r'"([a-z-]+)"', c.stdout)) | frozenset(line[2:] for line in scripts.stdout.split())


@functools.lru_cache
def make_targets():
    return frozenset(re.findall(r"^([a-z_.-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


@functools.lru_cache
def lab_commands():
    return frozenset(re.findall(r"^    scripts/lab (\w+)", (ROOT / "scripts/lab").read_text(), re.MULTILINE))


# ---- commands ----


class Command:
    """A `$ ` line of a console block, where it stands, and the lines that must follow."""

    def __init__(self, line_number, text):
        self.line_number, self.text, self.expected = line_number, text, []

    def complaint(self, status, output):
        """What is wrong with what it did, or None."""
        if status != 0:
            return f"line {self.line_number}: `{self.text}` ended with status {status}:\n{output}"
        difference = first_difference(self.expected, lines_of(output))
        return difference and f"line {self.line_number}: `{self.text}`: {difference}\nIt wrote:\n{output}"


def lines_of(text):
    return [line.rstrip() for line in text.replace("\r", "").rstrip("\n").split("\n")] if text.strip() else []


def matches(expected, line):
    """Whether a line is as expected, where `...` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, expected.rstrip().split("..."))), line) is not None


def first_difference(expected, lines):
    """Where the lines differ from what is expected, in words, or None; a line `...` stands for any number of lines."""
    parts, at = [[]], 0
    for line in expected:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if i == 0:
            starts = [0]
        else:
            starts = [max(at, len(lines) - len(part))] if last else range(at, len(lines) + 1)
        for start in starts:
            if len(lines) - start >= len(part) and all(map(matches, part, lines[start:])):
                at = start + len(part)
                break
        else:
            right = 0 if i else next((n for n, line in enumerate(part) if at + n >= len(lines) or not matches(line, lines[at + n])), 0)
            return f"the handout has {part[right]!r} after {at + right} lines that are right"
    return None if len(parts) > 1 or at == len(lines) else f"the handout lacks {lines[at]!r} after {at} lines"


def split_commands(line):
    """The commands of a shell line as lists of words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands = [[]]
    for word in lexer:
        if word and set(word) <= set("();|&"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [words for words in commands if words]


def command_complaint(words):
    """Why a command cannot be run, or None: its first word must be a program, its second a command or target that exists."""
    words = [word for i, word in enumerate(words) if not all(re.match(r"\w+=", before) for before in words[: i + 1])]
    while words and (words[0] in ("then", "do", "time", "sudo", "exec") or words[0].endswith("scripts/with-kvm")):
        words = words[1:]
    if not words or words[0] in SHELL_WORDS or words[0].startswith("-"):  # with-kvm has options of its own
        return None
    program = words[0].removeprefix("./")
    if "/" in program and not program.startswith("/"):
        if not program.startswith(ELSEWHERE) and not os.access(ROOT / program, os.X_OK):
            return f"{program} is no program of the kit"
    elif not shutil.which(program) and program not in lab_commands():
        return f"there is no program {program}"
    if program == "scripts/lab" and words[1:] and words[1] not in lab_commands():
        return f"scripts/lab has no command {words[1]}"
    if program == "make":
        options = {word for before, word in zip(words, words[1:]) if before in ("-C", "-f", "-o", "-W")}
        for word in words[1:]:
            if not word.startswith(("-", "build/")) and "=" not in word and word not in options | make_targets():
                return f"make has no target {word}"
    return None


# ---- a lab's prose ----


class Handout:
    """The prose of one lab (a kit.Lab), or another page in a directory."""

    def __init__(self, lab, page="README.md"):
        self.lab, self.directory, self.files = lab, lab.directory, (page, "hints.md", "answers.md")
        self.text = self.read(page)
        self.outside = set(" ".join(re.findall(r"<!--\s*outside:(.*?)-->", self.text, re.DOTALL)).split())

    def read(self, name):
        path = self.directory / name
        return path.read_text() if path.is_file() else ""

    def blocks(self, info):
        """(number of its first line, text) of the fenced blocks with this info string."""
        return [(self.text[: match.start(2)].count("\n") + 1, match[2]) for match in FENCE.finditer(self.text) if match[1].strip() == info]

    def commands(self):
        """The Commands of all console blocks."""
        found = []
        for first, text in self.blocks("console"):
            goes_on = False
            for number, line in enumerate(text.split("\n")[:-1], first):
                if goes_on:
                    found[-1].text += "\n" + line
                elif line.startswith("$ "):
                    found.append(Command(number, line[2:]))
                elif found:
                    found[-1].expected.append(line)
                goes_on = line.endswith("\\") and (goes_on or line.startswith("$ "))
        return found

    def console_complaints(self, results):
        """What is wrong with what the commands did; results: an iterator of (status, output), one for each."""
        return [text for text in (command.complaint(*next(results)) for command in self.commands()) if text]

    def section(self, number):
        """The text of `## number ...`, without its heading."""
        match = re.search(rf"^## {number} [^\n]*\n(.*?)(?=^## |\Z)", FENCE.sub("", self.text), re.MULTILINE | re.DOTALL)
        return match[1] if match else ""

    def stubs(self):
        """{function: its stub's text} of the lab's starter."""
        return {name: item.text for text in self.lab.starters().values() for name, item in source.functions(text).items()}

    def steps_needed(self):
        """The steps that must be built for the console blocks and the demonstration: numbers, 0 for the whole kit."""
        text = self.text + self.read("demo.sh")
        return {int(step or 0) for step in re.findall(r"\bbuild/(?:lab(\d+)/|(?:terrarium|moss))", text)} | {self.lab.number}

    # ---- checks ----

    def check_sections(self):
        problems = [] if re.match(rf"# Lab {self.lab.number}: \S", self.text) else [f"the first line must be `# Lab {self.lab.number}: ...`"]
        headings = re.findall(r"^## (.*)$", FENCE.sub("", self.text), re.MULTILINE)
        wanted = [f"{number} {title}" for number, title in enumerate(SECTIONS, 1)]
        if headings != wanted:
            problems.append(f"the sections must be {wanted}, and are {headings}")
        for first, text in self.blocks("console"):
            if not text.startswith("$ "):
                problems.append(f"line {first}: a console block must begin with `$ COMMAND`")
        return problems

    def check_length(self):
        count = len(re.findall(r"\S*\w\S*", COMMENT.sub("", FENCE.sub("", self.text))))
        return [] if count in WORDS else [f"{count} words outside of blocks; it should be {WORDS[0]} to {WORDS[-1]}"]

    def check_functions(self):
        """Section 4 has a heading `### 4.k name()` for each function of starter/, and each stub names its own."""
        headings = {name: number for number, names in re.findall(r"^### (4\.\d+) (.*)$", self.section(4), re.MULTILINE)
                    for name in re.findall(r"(\w+)\(\)", names)}
        problems = [f"section 4 has no `### 4.k {name}()`" for name in self.stubs() if name not in headings]
        problems += [f"section 4 explains {name}(), which is not in starter/" for name in headings if name not in self.stubs()]
        for name, text in self.stubs().items():
            for lab, called, where in re.findall(r'lab_todo\(\s*(\d+),\s*"(\w+)",\s*"([^"]*)"', text):
                wanted = f"handout section {headings.get(name, '4.k')}"
                if (int(lab), called, where) != (self.lab.number, name, wanted):
                    problems.append(f'the stub of {name} says lab_todo({lab}, "{called}", "{where}"); the handout wants "{wanted}"')
        return problems

    def check_hints(self):
        if not (self.directory / "hints.md").is_file():
            return ["there is no hints.md"]
        texts = hints.read(self.lab)
        problems = [f"hints.md has no `## {name}`" for name in self.stubs() if name not in texts]
        problems += [f"hints.md helps with {name}, which is not in starter/" for name in texts if name not in self.stubs()]
        problems += [f"hints.md: {name} must have {hints.LEVELS} levels (### 1, ### 2, ### 3) with text, and has {sum(map(bool, levels))}"
                     for name, levels in texts.items() if len(levels) != hints.LEVELS or not all(levels)]
        return problems

    def check_questions(self):
        """Five questions in section 6; answers.md has `## 1` to `## 5`, common mistakes and what to discuss."""
        questions = re.findall(r"^(\d)\. \S", self.section(6), re.MULTILINE)
        problems = [] if questions == list("12345") else [f"section 6 must have the questions 1. to 5., and has {questions}"]
        answers = FENCE.sub("", self.read("answers.md"))
        parts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", answers, re.MULTILINE | re.DOTALL))
        for wanted in [*"12345", "Common mistakes", "To discuss"]:
            if not any(re.match(rf"{wanted}\b", title) and text.strip() for title, text in parts.items()):
                problems.append(f"answers.md has no text under `## {wanted}`")
        return problems

    def check_commands(self):
        """What the blocks `sh` have the learner type, and the first words of the console blocks, exist."""
        problems = []
        lines = [(first + i, line) for first, text in self.blocks("sh") for i, line in enumerate(text.split("\n"))]
        for number, line in [*lines, *((command.line_number, command.text) for command in self.commands())]:
            try:
                complaints = [command_complaint(words) for words in split_commands(line)]
            except ValueError as problem:  # a quote without an end
                complaints = [str(problem)]
            problems += [f"line {number}: {complaint}" for complaint in complaints if complaint]
        return problems

    def check_code(self):
        """The inline code of all prose names what is there."""
        problems = []
        for file in self.files:
            spans = re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", COMMENT.sub("", FENCE.sub("", self.read(file))))
            for span in dict.fromkeys(" ".join(span.split()) for span in spans):
                complaint = self.code_complaint(span)
                if complaint:
                    problems.append(f"{file}: `{span}`: {complaint}; if it is not the kit's, add it to <!-- outside: ... --> in {self.files[0]}")
        return problems

    def code_complaint(self, span):
        if span in self.outside:
            return None
        call = re.fullmatch(r"(\w+)\(.*\)", span)
        if call and call[1] not in kit_functions() | self.outside:
            return "there is no such function or macro"
        if call and call[1] in self.outside:
            return None
        if re.match(r"(make|scripts/\S+|\./scripts/\S+) ", span):
            return next(filter(None, map(command_complaint, split_commands(span))), None)
        if "/" in span and " " not in span and not span.startswith(ELSEWHERE):
            return None if list(ROOT.glob(span.strip("/"))) and span[0] != "/" else "there is no such file"
        if re.fullmatch(r"--[a-z-]+( [A-Z]+)?", span):
            return None if span.split()[0][2:] in kit_options() else "there is no such option"
        for name in re.findall(r"\bKVM_\w+", span):
            if name not in kvm_constants() and name not in self.outside:
                return f"linux/kvm.h has no {name}"
        if " " not in span or re.fullmatch(r"(struct|enum|union) \w+", span):
            for name in re.findall(r"[A-Za-z]\w*_\w+", span):
                if name not in kit_words() and name not in self.outside:
                    return f"there is no {name}"
        return None

    def check_links(self):
        problems = []
        for name in self.files:
            for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)[^)]*\)", FENCE.sub("", self.read(name))):
                if not target.startswith("http") and not (self.directory / target).exists():
                    problems.append(f"{name} links to {target}, which is not there")
        return problems

    def check_pictures(self):
        used = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", FENCE.sub("", self.text))
        problems = [] if any(name.endswith(".svg") for _, name in used) else ["the handout shows no SVG"]
        problems += [f"{name}: say in the square brackets what the picture shows" for alt, name in used if len(alt) < 15]
        problems += [f"{path.name} is shown nowhere" for path in self.directory.glob("*.svg") if path.name not in [name for _, name in used]]
        for _, name in used:
            path = self.directory / name
            problems += picture_complaints(path) if path.is_file() else [f"there is no {name}"]
        return problems

    def check_demo(self):
        path, text = self.directory / "demo.sh", self.read("demo.sh")
        problems = [] if os.access(path, os.X_OK) else ["demo.sh must be there and executable"]
        if not re.search(r"^\. scripts/demo-steps$", text, re.MULTILINE):
            problems.append("demo.sh must have the line `. scripts/demo-steps`")
        steps = len(re.findall(r"^show(?:_failing)? ", text, re.MULTILINE))
        if steps not in DEMO_STEPS:
            problems.append(f"demo.sh shows {steps} commands; it should be {DEMO_STEPS[0]} to {DEMO_STEPS[-1]}")
        if len(re.findall(r"^say ", text, re.MULTILINE)) < steps:
            problems.append("demo.sh must say something before each command")
        return problems


def picture_complaints(path):
    """What is wrong with an SVG: it must stand alone, scale, have its own background and be legible."""
    try:
        top = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as problem:
        return [f"{path.name} is no well-formed XML: {problem}"]
    problems, text = [], path.read_text()
    if top.tag != f"{SVG}svg" or "viewBox" not in top.attrib:
        return [f"{path.name} must be an <svg> in SVG's name space, with a viewBox"]
    if "sans-serif" not in text:
        problems.append(f"{path.name}: the font must be sans-serif")
    width, height = (float(number) for number in top.attrib["viewBox"].split()[2:])
    backgrounds = [rect for rect in top.iter(f"{SVG}rect")
                   if rect.get("width") in ("100%", f"{width:g}") and rect.get("height") in ("100%", f"{height:g}")]
    if not backgrounds:
        problems.append(f"{path.name} needs a background of its own (a rect as large as the viewBox): pages are light or dark")
    small = [size for size in re.findall(r"font-size[:=]\s*\"?([\d.]+)", text) + re.findall(r"font:[^;\"]*?([\d.]+)px", text)
             if float(size) < SMALLEST_LETTERS]
    if small:
        problems.append(f"{path.name}: letters of size {small[0]} are too small; at least {SMALLEST_LETTERS}")
    if re.search(r"(?:href|src)\s*=\s*[\"'](?!#)", text):
        problems.append(f"{path.name} must not refer to other files")
    for element in top.iter(f"{SVG}text"):
        x, y = element.get("x"), element.get("y")
        if x and y and not element.get("transform") and not (0 <= float(x) <= width and 0 <= float(y) <= height):
            problems.append(f"{path.name}: the text {''.join(element.itertext())!r} is outside of the picture")
    return problems
