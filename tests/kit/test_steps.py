"""Every step builds from the files of its labs alone, without a warning, and has the features of those labs only."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LABS = sorted(ROOT.glob("labs/[0-9][0-9]-*"))
ALWAYS = ["Makefile", ".clang-format"]


def clean_environment():
    """Without what an outer make says to its children."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key != "LAB"}


def named_files(lab):
    """What labs 1..N name in HYPERVISOR, GUESTOS, USER and ETC, as make sees it."""
    question = "print:\n\t@echo $(HYPERVISOR) $(GUESTOS) $(USER) $(ETC)\n"
    done = subprocess.run(["make", "-s", f"LAB={lab}", "-f", "Makefile", "-f", "-", "print"], cwd=ROOT, input=question,
                          capture_output=True, text=True, check=True, env=clean_environment())
    return sorted(set(done.stdout.split()))


def copy(path, to):
    target = to / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if (ROOT / path).is_dir():
        shutil.copytree(ROOT / path, target, dirs_exist_ok=True)
    else:
        shutil.copy2(ROOT / path, target)


def copy_step(lab, to):
    """Put the sources of step `lab` into the directory `to`, and nothing else."""
    files = named_files(lab)
    for path in ALWAYS + ["scripts"] + files:
        copy(path, to)
    for directory in LABS[:lab]:
        copy(directory.relative_to(ROOT) / "lab.mk", to)
    copy("guestos/flat", to)
    if any(path.startswith("guestos/user/") for path in files):  # what all programs share
        for path in ["guestos/user/lib", "guestos/user/include"]:
            copy(path, to)


class Steps(unittest.TestCase):
    def build(self, lab, *words):
        with tempfile.TemporaryDirectory() as directory:
            to = pathlib.Path(directory)
            copy_step(lab, to)
            done = subprocess.run(["make", "-s", "-j2", f"LAB={lab}", "CI=1", *words], cwd=to, capture_output=True, text=True,
                                  check=False, env=clean_environment())
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
            self.assertEqual(done.stderr, "", "a build must be silent")
            return subprocess.run([to / f"build/lab{lab}/terrarium", "help"], capture_output=True, text=True,
                                  check=True).stdout

    def check_step(self, lab):
        features = [int(number) for number in re.findall(r"^  lab (\d+) ", self.build(lab), re.MULTILINE)]
        self.assertIn(lab, features, "the step must add a feature")
        self.assertLessEqual(max(features), lab)

    def test_last_step_with_clang(self):
        self.build(len(LABS), "CC=clang")


for number in range(1, len(LABS) + 1):
    setattr(Steps, f"test_step_{number}", lambda self, lab=number: self.check_step(lab))

if __name__ == "__main__":
    unittest.main()
