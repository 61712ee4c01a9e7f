"""For the tests of the grader: a small kit, submissions for it, and what `scripts/lab grade` says of them."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.kit.small_kit import SmallKit

COUNTER, SHOUT = "hypervisor/counter.c", "hypervisor/shout.c"

# What every hostile submission begins with; `double` is its function's body.
HOSTILE = r"""
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include "counter.h"
%(before)s
unsigned counter_add(unsigned a, unsigned b)
{
    return a + b;
}

unsigned counter_double(unsigned a)
{
%(double)s
    return 0 * a;
}

unsigned counter_last(const unsigned *list, unsigned count)
{
    return list[count - 1];
}
"""


def hostile(double="", before=""):
    """A submission with this in the place of doubling, and that before all functions."""
    return {COUNTER: HOSTILE % {"double": double, "before": before}}


class Grading(unittest.TestCase):
    """With a small kit, and what its grader says."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.base = pathlib.Path(directory.name)
        cls.kit = SmallKit(cls.base / "kit")

    def submit(self, files):
        """A directory of its own with these files."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.base))
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        return directory

    def said(self, *words, status=0, **environment):
        """What `scripts/lab grade` writes to its two channels."""
        command, options = self.kit.command("grade", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        options["env"].update(environment)
        done = subprocess.run(command, timeout=300, check=False, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def graded(self, directory, *words, labs=(1,), **environment):
        """Gradescope's results, as a dictionary; `said` is what the instructor reads besides."""
        text, said = self.said(*labs, "--submission", directory, "--json", "gradescope", *words, **environment)
        return {**json.loads(text), "said": said}

    def score(self, files, **environment):
        return self.graded(self.submit(files), **environment)["score"]

    def left_behind(self):
        """Processes whose program or directory is one of this kit's, after all is over."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for what in "exe", "cwd":
                try:
                    target = os.readlink(f"/proc/{pid}/{what}")
                except OSError:
                    continue
                if target.startswith(str(self.base)):
                    found.append((pid, target))
        return found
