"""A learner's work: the directory work/, with the files of labs 1..N, in which lab N's functions are theirs to write.

In a repository made by `scripts/lab export` there are no solutions, and the repository itself is the work.
"""

import collections
import json
import os
import pathlib
import shutil
import time

from labkit import kit, source, stage

TOPS = ("hypervisor", "guestos")

MAKEFILE = """# Builds and runs what is in this directory: `make run`, `make qemu`, `make clean`, or any target of the kit (`make help`).
# The build itself happens in {stage}; the kit's own sources are not touched.
all $(filter-out all,$(MAKECMDGOALS)):
\t@../scripts/lab refresh
\t@$(MAKE) --no-print-directory -C {stage} LAB={number} $@
.PHONY: all $(MAKECMDGOALS)
"""

README = """Your work on Terrarium, lab {number}: {title}

The handout is labs/{name}/README.md, beside this directory. The functions that are yours to write:

{functions}

Each says what it must do. In the kit's directory:

    scripts/lab test {number}       what works, and what does not yet
    scripts/lab watch {number}      the same, whenever you save a file
    scripts/lab hint {number}       when you are stuck
    make -C work run         run what you wrote

What start, reset and solve replace is kept in work/.kept/, a directory for each time.
"""

# What Work.start() tells: kept, a directory or None; mine, {lab: functions} that came along; filled, functions that were
# not written and are the reference's now.
Started = collections.namedtuple("Started", "kept mine filled")


class Work:
    """The work of the kit at `root`."""

    def __init__(self, root=kit.ROOT):
        self.root = pathlib.Path(root)
        self.is_export = not any(self.root.glob("labs/[0-9][0-9]-*/starter"))
        self.directory = self.root if self.is_export else self.root / "work"
        self.state_file = self.directory / ".lab.json"

    # ---- state: {"lab": N, "hints": {function: level}, "last_hint": function, "points": {lab: [points, most]}} ----

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
        """The lab that was started, 0 for none; in an export, the last."""
        return kit.labs(self.root)[-1].number if self.is_export else self.state().get("lab", 0)

    @property
    def current(self):
        """The lab that the learner is at, 0 for none; in an export, the first that is not complete."""
        if not self.is_export:
            return self.number
        return next((lab.number for lab in kit.labs(self.root) if self.stubs(lab)), self.number)

    def need_solutions(self, what):
        if self.is_export:
            raise kit.KitError(f"{what}: this repository has no solutions; {EXPORT_SAYS[what]}")

    # ---- files ----

    def sources(self):
        """{path: bytes} of all that the learner has."""
        tops = [top for top in TOPS if (self.directory / top).is_dir()]
        return {path: (self.directory / path).read_bytes() for path in kit.each_file(self.directory, tops)}

    def own_files(self):
        """Files that are not the kit's."""
        known = {*kit.each_file(self.root, kit.step_files(kit.labs(self.root)[-1].number, self.root)), *stage.TODO_HEADERS.values()}
        return {path: data for path, data in self.sources().items() if path not in known}

    def text(self, path):
        try:
            return (self.directory / path).read_text(errors="replace")
        except OSError:
            return ""

    def functions(self, lab):
        """{function: path} of what is the learner's to write in a lab, in the order of the handout."""
        if self.is_export:
            return lab.listed_functions()
        found = {name: path for path, text in lab.starters().items() for name in source.functions(text)}
        order = lab.reading_order()
        return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))

    def item(self, path, function):
        """The learner's function, as a source.Item, and its line; (None, 1) if it is not there."""
        line = 1
        for item in source.parse(self.text(path)):
            if item.kind == "function" and function in item.names:
                return item, line + item.text[: item.code_at].count("\n")
            line += item.text.count("\n")
        return None, 1

    def is_stub(self, path, function):
        item = self.item(path, function)[0]
        return item is not None and "lab_todo" in source.identifiers(item.code)

    def stubs(self, lab):
        return [name for name, path in self.functions(lab).items() if self.is_stub(path, name)]

    def place(self, path, function):
        """Where the function is, as "work/hypervisor/bus.c:37"."""
        return f"{self.name_of(path)}:{self.item(path, function)[1]}"

    def name_of(self, path):
        return os.path.relpath(self.directory / path, self.root)

    # ---- nothing that a learner wrote is lost ----

    def pristine(self, path):
        """What the kit itself may have put there, as a list of bytes."""
        versions = [(self.root / path).read_bytes()] if (self.root / path).is_file() else []
        for lab in kit.labs(self.root):
            if path in lab.starters() and versions:
                versions.append(source.splice(versions[0].decode(), lab.starters()[path], path).encode())
        return versions

    def keep(self, why, new):
        """Before files become what `new` ({path: bytes}; None: they go) says: copy those in which the learner wrote to
        .kept/TIME-WHY. Returns that directory, or None if nothing would have been lost."""
        old = self.sources()
        paths = [path for path in new if path in old and old[path] != new[path] and old[path] not in self.pristine(path)]
        paths = [path for path in paths if path not in stage.TODO_HEADERS.values()]
        if not paths:
            return None
        base = self.directory / ".kept" / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{why}"
        kept = next(one for i in range(1, 10000) if not (one := base.with_name(f"{base.name}{f'-{i}' if i > 1 else ''}")).exists())
        for path in paths:
            (kept / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.directory / path, kept / path)
        return kept

    def keeps(self):
        """The directories in .kept, the newest first."""
        directories = [path for path in (self.directory / ".kept").glob("*") if path.is_dir()]
        return sorted(directories, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def newest(self, path):
        """The learner's text of a file, or None: the one in work/, unless `start` put it there in the place of theirs."""
        here = self.directory / path
        kept = next((one for one in self.keeps() if (one / path).is_file()), None)
        if kept and "-before-start-" in kept.name and (not here.is_file() or here.read_bytes() in self.pristine(path)):
            here = kept / path
        return here.read_text(errors="replace") if here.is_file() else None

    # ---- changing files ----

    def write(self, new):
        for path, data in new.items():
            if data is None:
                (self.directory / path).unlink()
            else:
                kit.write_if_changed(self.directory / path, data)

    def bring_along(self, number, sources):
        """Put the learner's functions of labs before `number` into `sources`. Returns ({lab: functions}, functions that were not
        written)."""
        mine, filled = {}, []
        for lab in kit.labs_up_to(number - 1, self.root):
            for path, stubs in lab.starters().items():
                text = self.newest(path)
                if text is None:
                    continue
                source.check_braces(text, self.name_of(path))
                have = source.functions(text)
                names = source.functions(stubs)
                lacking = [name for name in names if name not in have or "lab_todo" in source.identifiers(have[name].code)]
                filled += lacking
                if len(lacking) == len(names):
                    continue
                text = source.put(text, sources[path].decode(), lacking, source.removed_names(stubs))
                if text.encode() != sources[path]:
                    mine.setdefault(lab.number, []).extend(name for name in names if name not in lacking)
                    sources[path] = text.encode()
                if "lab_todo.h" in text:
                    stage.add_todo_header(sources, path, self.root / "labs/support")
        sources.update(self.own_files())
        return mine, filled

    def start(self, number, mine=False):
        """Begin lab `number`. Returns what is to be told, as Started."""
        self.need_solutions("start")
        lab = kit.lab(number, self.root)
        if not lab.starters():
            raise kit.KitError(f"lab {number} has no starter yet")
        sources = stage.starter_sources(number, self.root)
        brought, filled = self.bring_along(number, sources) if mine else ({}, [])
        new = {**{path: None for path in self.sources() if path not in sources}, **sources}
        kept = self.keep(f"before-start-{number}", new)
        self.write(new)
        self.remove_empty_directories()
        functions = "\n".join(f"    {name:28} {path}" for name, path in self.functions(lab).items())
        relative = os.path.relpath(self.root / "build/work", self.directory)
        (self.directory / "Makefile").write_text(MAKEFILE.format(stage=relative, number=number))
        (self.directory / "README").write_text(README.format(number=number, title=lab.title, name=lab.name, functions=functions))
        points = {lab: points for lab, points in self.state().get("points", {}).items() if lab != str(number)}
        self.set_state(lab=number, points=points)
        return Started(kept, brought, filled)

    def remove_empty_directories(self):
        for top in TOPS:
            for path in sorted((self.directory / top).rglob("*"), reverse=True):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()

    def replace(self, lab, names, texts, why, helpers):
        """Put the functions `names` (none: all of the lab) as the files `texts` have them into the learner's files, with what
        these need of the items that `helpers` ({path: names}) names. Returns where what was there is kept."""
        new = {}
        wanted = {name: path for name, path in self.functions(lab).items() if not names or name in names}
        for path in sorted(set(wanted.values())):
            text = self.text(path)
            try:
                source.check_braces(text, self.name_of(path))
            except source.SourceError as problem:
                if names:
                    raise source.SourceError(f"{problem}; {why.split('-')[1]} {lab.number} without a function's name takes the whole "
                                             "file anew") from None
                text = texts[path]
            chosen = [name for name, where in wanted.items() if where == path]
            text = source.put(text or texts[path], texts[path], chosen, helpers.get(path, ()), everything=not names)
            if "lab_todo" in source.identifiers(text):
                text = source.add_include(text)
                stage.add_todo_header(new, path, self.root / "labs/support")
            new[path] = text.encode()
        kept = self.keep(why, new)
        self.write(new)
        return kept

    def stage(self, number):
        """The stage that builds the learner's files as of lab `number`, up to date with them; None in an export, which builds in
        place."""
        if self.is_export:
            return None
        place = stage.Stage(self.root / "build/work", number, root=self.root)
        place.seed()
        place.set_sources(self.sources())
        return place


EXPORT_SAYS = {
    "start": "its files are yours to change as they are, for all labs (scripts/lab test 1 begins)",
    "diff": "compare with what your instructor publishes",
    "reset": "git has the stubs: `git log`, `git checkout COMMIT FILE`",
    "solve": "scripts/lab hint tells more, in three levels",
}
