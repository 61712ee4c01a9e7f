"""A stage: a directory of its own in which `make LAB=N` builds and tests a step from sources that are not the kit's.

The build files and the tests are the kit's; hypervisor/ and guestos/ come from the caller: a learner's work, a submission,
the reference with a mistake put in. Files are written only when they change, so that make rebuilds only what must be.
"""

import os
import pathlib
import shutil

from labkit import kit, source

BUILD_FILES = [*kit.ALWAYS, "scripts", "tests/__init__.py", "tests/support", "tests/unit"]
TODO_HEADERS = {"hypervisor/": "hypervisor/lab_todo.h", "guestos/user/": "guestos/user/include/lab_todo.h",
                "guestos/": "guestos/include/lab_todo.h"}


def reference_sources(number, root=kit.ROOT):
    """{path: bytes} of step `number`; in an export that is the learner's, with what stubs need."""
    root = pathlib.Path(root)
    headers = [header for header in TODO_HEADERS.values() if (root / header).is_file()]
    return {path: (root / path).read_bytes()
            for path in kit.each_file(root, [*kit.step_files(number, root), *headers]) if "__pycache__" not in path}


def put_stubs(sources, lab):
    """Put lab's stubs in the place of its functions, and the header that they need beside them."""
    for path, stub in lab.starters().items():
        if path not in sources:
            raise kit.KitError(f"{lab.name}/starter/{path}: step {lab.number} has no such file")
        sources[path] = source.splice(sources[path].decode(), stub, path).encode()
        add_todo_header(sources, path, lab.directory.parent / "support")
    return sources


def add_todo_header(sources, path, support):
    for prefix, header in TODO_HEADERS.items():
        if path.startswith(prefix):
            sources[header] = (support / header).read_bytes()
            return


def starter_sources(number, root=kit.ROOT):
    """Step `number` as its learner finds it."""
    return put_stubs(reference_sources(number, root), kit.lab(number, root))


class Stage:
    """The stage in `directory` for step `number`; links=False copies the build files, so that nothing reaches back."""

    def __init__(self, directory, number, links=True, root=kit.ROOT):
        self.directory, self.number, self.root = pathlib.Path(directory), number, pathlib.Path(root)
        self.is_seeded = False
        self.build = f"build/lab{number}"
        self.directory.mkdir(parents=True, exist_ok=True)
        names = [os.path.relpath(one.directory, self.root) for one in kit.labs_up_to(number, self.root)]
        for path in [*BUILD_FILES, *(f"{name}/{part}" for name in names for part in ("lab.mk", "tests", "demo.sh"))]:
            self._provide(path, links)
        (self.directory / "build").mkdir(exist_ok=True)
        self._link(self.root / "build/with-kvm", self.directory / "build/with-kvm")

    @staticmethod
    def _link(target, link):
        if link.is_symlink() and os.readlink(link) != str(target):  # the kit was moved
            link.unlink()
        if not link.is_symlink() and target.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)

    def _provide(self, path, links):
        if links:
            self._link(self.root / path, self.directory / path)
        elif (self.root / path).exists():
            kit.copy(self.root, path, self.directory)

    def set_sources(self, sources):
        """Make hypervisor/ and guestos/ what `sources` ({path: bytes}) says: nothing more, nothing less."""
        for path, data in sources.items():
            target, reference = self.directory / path, self.root / path
            if kit.write_if_changed(target, data) and self.is_seeded and reference.is_file() and reference.read_bytes() == data:
                shutil.copystat(reference, target)  # as old as the kit's: objects from seed() are up to date
        self.is_seeded = False
        for top in ("hypervisor", "guestos"):
            for file in sorted((self.directory / top).rglob("*")):
                if file.is_file() and str(file.relative_to(self.directory)) not in sources:
                    file.unlink()

    def seed(self):
        """Before there are sources: take over what the kit has built of this step. Only what differs is then built."""
        built, here = self.root / self.build, self.directory / self.build
        if built.is_dir() and not here.exists() and not (self.directory / "hypervisor").exists():
            shutil.copytree(built, here, symlinks=True, ignore=shutil.ignore_patterns("disk.img", "root", "tests", "fuzz"))
            self.is_seeded = True

    def add_tests(self, lab_name, directory):
        """Add an instructor's tests, and what they include, to a lab of this stage, which must be one of copies."""
        for path in sorted(pathlib.Path(directory).iterdir()):
            target = self.directory / "labs" / lab_name / "tests" / path.name
            if target.exists():
                raise kit.KitError(f"{path}: lab {lab_name} has a test of this name; give yours another")
            if path.is_file():
                shutil.copy(path, target)

    def program(self, test_source):
        """The program that make builds from a unit_*.c or kvm_*.c of a lab, as a path below the stage."""
        lab_name = test_source.parent.parent.name
        return f"{self.build}/tests/{lab_name}/{test_source.stem}"

    def make(self, *words, **options):
        return kit.make(self.directory, f"LAB={self.number}", *words, **options)
