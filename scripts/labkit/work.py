"""A learner's work: the directory work/, with the files of labs 1..N, in which lab N's functions are theirs to write.

In a repository made by `scripts/lab export` there are no solutions, and the repository itself is the work.
"""

import json
import os
import pathlib
import shutil
import time

from labkit import kit, source, stage

MAKEFILE = """# Builds and runs what is in this directory: `make run`, `make qemu`, `make clean`, or any target of the kit (`make help`).
# The build itself happens in {stage}; the kit's own sources are not touched.
all $(filter-out all,$(MAKECMDGOALS)):
\t@{lab} refresh
\t@$(MAKE) --no-print-directory -C {stage} LAB={number} $@
.PHONY: all $(MAKECMDGOALS)
"""

README = """Your work on Terrarium, lab {number}: {title}

The handout is {handout} (in the kit, beside this directory).
The functions that are yours say so: search for lab_todo. Then

    scripts/lab test {number}          in the kit's directory: what works, and what does not yet
    scripts/lab hint {number}          when you are stuck
    make run                  here: run what you wrote

What start, reset and solve replace is kept in .kept/, a directory for each time.
"""


class Work:
    """The work of the kit at `root`."""

    def __init__(self, root=kit.ROOT):
        self.root = pathlib.Path(root)
        self.is_export = not any(self.root.glob("labs/[0-9][0-9]-*/starter"))
        self.directory = self.root if self.is_export else self.root / "work"
        self.state_file = (self.root / "build" if self.is_export else self.directory) / ".lab.json"

    # ---- state: {"lab": N, "hints": {function: level}} ----

    def state(self):
        try:
            return json.loads(self.state_file.read_text())
        except (OSError, ValueError):
            return {}

    def set_state(self, **changes):
        self.state_file.parent.mkdir(exist_ok=True)
        self.state_file.write_text(json.dumps({**self.state(), **changes}, indent=1) + "\n")

    @property
    def number(self):
        """The lab that was started; in an export, the last."""
        if self.is_export:
            return kit.labs(self.root)[-1].number
        number = self.state().get("lab")
        if not number:
            raise kit.KitError("nothing is started; scripts/lab start 1 makes work/ for the first lab (scripts/lab list shows all)")
        return number

    def needs_solutions(self, what):
        if self.is_export:
            raise kit.KitError(f"{what} needs the solutions, which this repository does not have")

    # ---- files ----

    def sources(self):
        """{path: bytes} of all that the learner has."""
        tops = [top for top in ("hypervisor", "guestos") if (self.directory / top).is_dir()]
        return {path: (self.directory / path).read_bytes() for path in kit.each_file(self.directory, tops)}

    def functions(self, lab):
        """{function: path} of what is the learner's to write in a lab."""
        if not self.is_export:
            return {name: path for path, text in lab.starters().items() for name in source.functions(text)}
        wanted = {function for one in lab.graded() for function in one.functions}
        found = {}
        for path in kit.each_file(self.directory, kit.step_files(lab.number, self.root)):
            if path.endswith(".c"):
                names = source.functions((self.directory / path).read_text())
                found.update({name: path for name in names if name in wanted and name not in found})
        return found

    def item(self, path, function):
        """The learner's function, as a source.Item, and its line; (None, 1) if it is not there."""
        try:
            text = (self.directory / path).read_text()
        except OSError:
            return None, 1
        line = 1
        for item in source.parse(text):
            if item.kind == "function" and function in item.names:
                return item, line + item.text[: item.code_at].count("\n")
            line += item.text.count("\n")
        return None, 1

    def is_stub(self, path, function):
        item = self.item(path, function)[0]
        return item is not None and "lab_todo(" in item.code

    def stubs(self, lab):
        return [name for name, path in self.functions(lab).items() if self.is_stub(path, name)]

    def place(self, path, function):
        """Where the function is, as "work/hypervisor/bus.c:37"."""
        return f"{os.path.relpath(self.directory / path, self.root)}:{self.item(path, function)[1]}"

    # ---- changing it ----

    def keep(self, why, paths=None):
        """Copy the learner's files (or just these paths) to .kept/TIME-why. Returns that directory, or None for nothing."""
        sources = self.sources()
        paths = [path for path in (paths if paths is not None else sources) if path in sources]
        if not paths:
            return None
        base = self.directory / ".kept" / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{why}"
        kept = base
        for i in range(2, 1000):
            if not kept.exists():
                break
            kept = base.with_name(f"{base.name}-{i}")
        for path in paths:
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.directory / path, kept / path)
        return kept

    def start(self, number, mine=False):
        """Begin lab `number`. Returns where the work before is kept, or None."""
        self.needs_solutions("start")
        lab = kit.lab(number, self.root)
        sources = stage.starter_sources(number, self.root)
        if not lab.starters():
            raise kit.KitError(f"lab {number} has no starter yet")
        old = self.sources()
        kept = self.keep(f"before-start-{number}") if old else None
        if mine:
            for earlier in kit.labs(self.root)[: number - 1]:
                for path in earlier.starters():
                    if path in old:
                        sources[path] = old[path]
                        stage.add_todo_header(sources, path, self.root / "labs/support")
        for path in old:
            if path not in sources:
                (self.directory / path).unlink()
        for path, data in sources.items():
            kit.write_if_changed(self.directory / path, data)
        relative = os.path.relpath(self.root / "build/work", self.directory)
        (self.directory / "Makefile").write_text(MAKEFILE.format(stage=relative, number=number, lab="../scripts/lab"))
        (self.directory / "README").write_text(README.format(number=number, title=lab.title,
                                                             handout=f"labs/{lab.name}/README.md"))
        self.set_state(lab=number)
        return kept

    def replace(self, lab, functions, texts, why):
        """Put the functions of that name from {path: text} into the learner's files. Returns where the old ones are kept."""
        wanted = {name: path for name, path in self.functions(lab).items() if not functions or name in functions}
        kept = self.keep(why, sorted(set(wanted.values())))
        for path in sorted(set(wanted.values())):
            names = {name for name, where in wanted.items() if where == path}
            file = self.directory / path
            text = file.read_text() if file.exists() else texts[path]
            file.write_text(put(text, texts[path], names, source.removed_names(lab.starters().get(path, "")), path))
        return kept

    def stage(self):
        """The stage that builds the learner's files, up to date with them; an export builds in place."""
        number = self.number
        if self.is_export:
            return None
        place = stage.Stage(self.root / "build/work", number, root=self.root)
        place.set_sources(self.sources())
        return place


def put(text, new, names, helpers, path):
    """`text` with the functions `names` of `new`, and with those of the items `helpers` of `new` that it has not."""
    items = source.parse(new)
    functions = "".join(item.text for item in items if item.kind == "function" and item.names & names)
    known = {name for item in source.parse(text) for name in item.names}
    missing = "".join(item.text for item in items if item.names & helpers and not item.names & known)
    spliced = source.splice(text, functions, path)
    if not missing:
        return spliced
    pieces = source.parse(spliced)
    first = next(i for i, item in enumerate(pieces) if item.names & names)
    return "".join([*(item.text for item in pieces[:first]), missing, *(item.text for item in pieces[first:])])
