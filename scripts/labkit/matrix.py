"""The kit checked against itself: starters fail their own lab's tests and no other, the reference passes, mutants are caught."""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil

from labkit import kit, report, runner, second, source, stage

# A wrong solution may loop for ever: it gets less time than a right one could need.
IMPATIENT = (("TERRARIUM_TEST_CPU_SECONDS", "5"), ("TERRARIUM_GUEST_SECONDS", "1"))

ARTIFACTS = ["terrarium", "moss.elf", "initrd.cpio", "hello.bin"]

# One build of a lab: its label, whether it must fail a test ({suite.test: True}), what is wrong with it already.
Variant = collections.namedtuple("Variant", "label expectations problems mutant")


def program_names(graded):
    return sorted({one.test.split(".")[0] for one in graded})


def is_wrong_on_purpose(suite):
    """Whether a suite is a mutant's, or a starter's own: all others must pass."""
    label = suite.split(":")[1]
    return label != "reference" and not label.startswith("starter-")


def make_jobs(lab, root, build, programs, tests, label):
    """The jobs (here, with KVM) for the tests ("program.test") of a lab; programs: {name: path}."""
    here, inside = [], []
    for name in sorted({test.split(".")[0] for test in tests}):
        names = tuple(test.partition(".")[2] for test in tests if test.startswith(name + "."))
        job = runner.Job(str(programs[name]), str(root), str(build), names, label)
        if is_wrong_on_purpose(job.suite()):
            job = job._replace(environment=IMPATIENT)
        (here if name.startswith("unit_") else inside).append(job)
    return here, inside


class LabMatrix:
    """All variants of one lab, built in stages of its own below build/matrix/."""

    def __init__(self, number, root=kit.ROOT):
        self.lab, self.root, self.number = kit.lab(number, root), pathlib.Path(root), number
        self.graded = self.lab.graded()
        self.sources = self.lab.test_sources()
        self.directory = self.root / "build/matrix" / self.lab.name
        self.here, self.inside = [], []
        self.expected = collections.defaultdict(dict)  # label: {suite.test: verdict}
        self.problems, self.mutants = [], []
        for path in self.lab.mutant_files():
            self.try_to(lambda path=path: self.mutants.append(kit.Mutant(path)))

    def try_to(self, step, where=""):
        """Do `step`; what is wrong with the lab's files is a problem of this lab, and the others go on."""
        try:
            step()
        except (kit.KitError, source.SourceError) as problem:
            self.problem(f"{where}{problem}")

    def problem(self, text):
        self.problems.append(f"{self.lab.name}: {text}")

    # ---- what the files say ----

    def check_files(self):
        if sum(one.points for one in self.graded) != 100:
            self.problem(f"the points are {sum(one.points for one in self.graded)} together, not 100")
        if len(self.graded) < 8:
            self.problem(f"{len(self.graded)} graded tests; at least 8 are wanted")
        own = {name for text in self.lab.starters().values() for name in source.functions(text)}
        if len(own) < 4:
            self.problem(f"{len(own)} functions for the learner; at least 4 are wanted")
        for path in self.lab.starters():
            if path not in kit.lab_files(self.number, self.root):
                self.problem(f"starter/{path}: not a file that this lab adds")
        for one in self.graded:
            program = one.test.split(".")[0]
            if program not in self.sources:
                self.problem(f"POINTS: there is no test program {program}")
            elif not re.search(rf"\b{one.test.split('.')[-1]}\b", self.sources[program].read_text()):
                self.problem(f"POINTS: {self.sources[program].name} has no test {one.test.split('.')[-1]}")
            for function in one.functions:
                if function not in own:
                    self.problem(f"POINTS: {one.test} names {function}, which is not in starter/")
        if len(self.mutants) < 6:
            self.problem(f"{len(self.mutants)} mutants; at least 6 are wanted")
        self.check_mutants()

    def check_mutants(self):
        graded = {one.test: one for one in self.graded}
        for mutant in self.mutants:
            names = source.functions(mutant.text)
            for test in mutant.tests:
                if test not in graded:
                    self.problem(f"mutants/{mutant.name}.c: {test} is not a graded test")
                elif not set(graded[test].functions) & set(names):
                    self.problem(f"mutants/{mutant.name}.c: the POINTS of {test} do not name {' or '.join(names)}")

    # ---- building ----

    def make(self, place, label, *words):
        """Build; returns whether it worked, without a warning."""
        done = place.make(*words)
        if done.returncode or done.stderr.strip():
            self.problem(f"{label}: does not build without a warning:\n{(done.stderr + done.stdout)[-3000:]}")
        return done.returncode == 0

    def targets(self, place, programs):
        return [place.program(self.sources[name]) for name in programs if self.sources[name].suffix == ".c"]

    def program_paths(self, place, programs):
        return {name: place.directory / place.program(self.sources[name]) if self.sources[name].suffix == ".c"
                else self.sources[name] for name in programs}

    def keep(self, place, label, programs):
        """Put what was built aside, since the next variant is built in the same place. Returns its directory, {name: path}."""
        kept = self.directory / "kept" / label / f"lab{self.number}"  # tests see by its name which step it is
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        paths = {}
        for name in ARTIFACTS:
            if (place.directory / place.build / name).exists():
                shutil.copy2(place.directory / place.build / name, kept / name)
        for name, path in self.program_paths(place, programs).items():
            paths[name] = path
            if path.suffix != ".py":
                (kept / "tests" / self.lab.name).mkdir(parents=True, exist_ok=True)
                paths[name] = shutil.copy2(path, kept / "tests" / self.lab.name / name)
        return kept, paths

    def add(self, place, label, tests, expected):
        """Queue `tests` of what is now built in place, as variant `label`, with the verdict that each must get."""
        programs = sorted({test.split(".")[0] for test in tests})
        kept, paths = self.keep(place, label, programs)
        here, inside = make_jobs(self.lab, place.directory, kept, paths, tests, f"{self.lab.name}:{label}:")
        self.here += here
        self.inside += inside
        self.expected[label].update({test: expected for test in tests})

    def build(self):
        tests = [one.test for one in self.graded if one.test.split(".")[0] in self.sources]
        programs = sorted({test.split(".")[0] for test in tests})
        place = stage.Stage(self.directory / "stage", self.number, root=self.root)
        place.seed()
        reference = stage.reference_sources(self.number, self.root)
        place.set_sources(reference)
        if self.make(place, "reference", "all", *self.targets(place, programs)):
            self.add(place, "reference", tests, "pass")
        for mutant in self.mutants:
            self.try_to(lambda mutant=mutant: self.build_mutant(place, reference, mutant), f"mutants/{mutant.name}.c: ")
        self.try_to(lambda: self.build_starter(place, tests, programs))

    def build_mutant(self, place, reference, mutant):
        if mutant.file not in reference:
            raise kit.KitError(f"step {self.number} has no {mutant.file}")
        tests = [test for test in mutant.tests if test.split(".")[0] in self.sources]
        text = source.splice(reference[mutant.file].decode(), mutant.text, mutant.file)
        place.set_sources({**reference, mutant.file: text.encode()})
        only_unit = all(test.startswith("unit_") for test in tests)  # then no guest runs, and the mutant's own object will do
        wanted = f"{place.build}/{os.path.splitext(mutant.file)[0]}.o" if only_unit else "all"
        if self.make(place, f"mutants/{mutant.name}.c", wanted, *self.targets(place, {test.split(".")[0] for test in tests})):
            self.add(place, mutant.name, tests, "fail")

    def build_starter(self, place, tests, programs):
        place.set_sources(stage.starter_sources(self.number, self.root))
        if not self.make(place, "starter", "all", *self.targets(place, programs)):
            return
        self.add(place, "starter", tests, "fail")
        for earlier in kit.labs_up_to(self.number - 1, self.root):
            old = [one.test for one in earlier.graded() if not one.test.startswith("system_")]
            sources = earlier.test_sources()
            wanted = {test.split(".")[0] for test in old if test.split(".")[0] in sources}
            if self.make(place, f"starter, tests of {earlier.name}", *[place.program(sources[name]) for name in sorted(wanted)]):
                self.add_earlier(place, earlier, old, {name: place.directory / place.program(sources[name]) for name in wanted})
        self.check_with_clang(place)

    def add_earlier(self, place, earlier, tests, programs):
        """Earlier tests see what the step has built; their guests are those of their own step, which no stub touches."""
        label = f"starter-{earlier.number}"
        here, inside = make_jobs(earlier, place.directory, self.root / f"build/lab{earlier.number}", programs, tests,
                                 f"{self.lab.name}:{label}:")
        self.here += here
        self.inside += inside
        self.expected[label].update({test: "pass" for test in tests})

    def check_with_clang(self, place):
        other = stage.Stage(self.directory / "clang", self.number, root=self.root)
        other.set_sources(stage.starter_sources(self.number, self.root))
        self.make(other, "starter with clang", "CC=clang", "all")

    # ---- judging ----

    def judge(self, verdicts):
        """Compare with what must come. verdicts: {label of the job + suite.test: (verdict, message)}."""
        mine, prefix = {}, f"{self.lab.name}:"
        for name, verdict in verdicts.items():
            if name.startswith(prefix):
                label, rest = name[len(prefix) :].split(":", 1)
                mine[label, rest.split("/", 1)[-1]] = verdict
        for label, tests in self.expected.items():
            for test, expected in tests.items():
                verdict, message = mine.get((label, test), ("none", self.why_none(mine, label)))
                if verdict != expected:
                    self.problem(f"{self.in_words(label)}: {test} should {expected}, and got: {verdict}\n{message[-1500:]}".rstrip())
        return {label: sum(mine.get((label, test), ("none",))[0] == expected for test, expected in tests.items())
                for label, tests in self.expected.items()}

    def in_words(self, label):
        mistakes = {mutant.name: mutant.mistake for mutant in self.mutants}
        return f"mutants/{label}.c ({mistakes[label]})" if label in mistakes else label

    @staticmethod
    def why_none(mine, label):
        return "\n".join(message for (one, name), (_, message) in mine.items() if one == label and "runs to its end" in name)


def run(numbers, root=kit.ROOT, workers=2):
    """Build and run the matrix of these labs. Returns ([LabMatrix], [{label: tests as expected}])."""
    for one in kit.labs_up_to(max(numbers), root):
        done = kit.make(root, f"LAB={one.number}", "-j2", "all")
        if done.returncode:
            raise kit.KitError(f"make LAB={one.number}:\n{done.stderr[-3000:]}")
    matrices = [LabMatrix(number, root) for number in numbers]
    verdicts = report.Collection()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda one: (one.try_to(one.check_files), one.try_to(one.build)), reversed(matrices)))  # the largest first
        list(pool.map(lambda job: runner.run(verdicts, job), [job for one in matrices for job in one.here]))
    second.run_inside(verdicts, [job for one in matrices for job in one.inside], may_fail=is_wrong_on_purpose)
    return matrices, [one.judge(verdicts.verdicts) for one in matrices]


def table(matrices, results):
    """The matrix in words: a line per lab."""
    lines = ["lab                   functions tests mutants   starter fails   earlier pass   reference passes   mutants caught"]
    for one, result in zip(matrices, results):
        functions = sum(len(source.functions(text)) for text in one.lab.starters().values())
        earlier = [label for label in one.expected if label.startswith("starter-")]
        mutants = [mutant.name for mutant in one.mutants]
        caught = sum(result.get(name) == len(one.expected.get(name, "")) for name in mutants if name in one.expected)
        count = len(one.graded)
        lines.append(f"{one.lab.name:21} {functions:9} {count:5} {len(mutants):7} {result.get('starter', 0):9} of {count:<3}"
                     f" {sum(result[label] for label in earlier):7} of {sum(len(one.expected[label]) for label in earlier):<4}"
                     f" {result.get('reference', 0):8} of {count:<9} {caught:5} of {len(mutants)}")
    return "\n".join(lines)
