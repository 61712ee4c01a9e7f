"""Sessions of the real gdb with the commands of scripts/gdb, in batch mode."""

import os
import re
import subprocess
import unittest
from tests.support import moss

COMMANDS = os.path.join(moss.ROOT, "scripts/gdb/terrarium.py")
KERNEL = os.path.join(moss.BUILD, "moss.elf")
GDB = os.environ.get("GDB") or "gdb"  # as scripts/gdb/start has it
QUIET = {**os.environ, "DEBUGINFOD_URLS": ""}  # its environment: it asks no server, and nobody whether it may
LIMIT = 2 * moss.PATIENCE * moss.SCALE  # seconds: only ends what hangs


def session(where, commands, kernel=KERNEL):
    """Have gdb do all `commands`, each a string or (name, string). Returns what it said from each name to the next."""
    words = [GDB, "-nx", "-batch", "-ex", "set confirm off", "-ex", "set width 0",
             "-ex", "set remotetimeout %d" % (30 * moss.SCALE), "-ex", "source " + COMMANDS]
    words += ["-ex", "target remote " + where] if where else []
    for command in commands:
        name, command = command if isinstance(command, tuple) else (None, command)
        words += (["-ex", "echo @@%s@@\\n" % name] if name else []) + ["-ex", command]
    done = subprocess.run(words + ([kernel] if kernel else []), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=QUIET,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT, cwd=moss.ROOT, errors="replace", check=False)
    parts = re.split(r"^@@(\w+)@@$", done.stdout, flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


def start(who, options="", **environment):
    """Run scripts/gdb/start as `make gdb` does, with options for gdb. Returns what subprocess.run does; stdout has all output."""
    words = [os.path.join(moss.ROOT, "scripts/gdb/start"), who, KERNEL, *moss.terrarium_command()]
    return subprocess.run(words, cwd=moss.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=LIMIT, check=False, env={**QUIET, "GDB_OPTIONS": options, **environment})


class Session(unittest.TestCase):
    """Tests of what gdb said in the session that the class holds (hold(), once): self.said."""

    said = None

    @classmethod
    def setUpClass(cls):
        cls.hold()

    def numbers(self, name):
        """All hexadecimal numbers that gdb printed under this name."""
        return [int(word, 16) for word in re.findall(r"\b0x[0-9a-f]+\b", self.said[name])]

    def no_python_error(self):
        for name, text in self.said.items():
            self.assertNotRegex(text, "Traceback|Python Exception|Error occurred in Python", name)
