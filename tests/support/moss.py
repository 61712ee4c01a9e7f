"""Running Moss for a test: in Terrarium (under with-kvm, where the caller already is) or in QEMU.

A test looks at what the machine produced: its exit status, its console bytes where those are the product, and records
on the results channel, which carry a nonce that only this run knows.
"""

import os
import secrets
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("TERRARIUM_BUILD", "build"))
SCALE = int(os.environ.get("TIMEOUT_SCALE", "1"))


class Result:
    """What a machine left behind: status, stdout and stderr as bytes, records as a list of (verdict, text)."""

    def __init__(self, status, stdout, stderr, records):
        self.status, self.stdout, self.stderr, self.records = status, stdout, stderr, records


def terrarium_command(*options, append="", memory="128M", kernel="moss.elf", initrd="initrd.cpio"):
    """The words that start Moss in Terrarium."""
    words = [os.path.join(BUILD, "terrarium"), "run", "--memory", memory,
             "--kernel", os.path.join(BUILD, kernel), *options]
    if initrd:
        words += ["--initrd", os.path.join(BUILD, initrd)]
    return words + (["--append", append] if append else [])


def read_records(path, nonce):
    """The records in a results file that begin with the nonce; anything else there is not ours."""
    if not os.path.exists(path):
        return []
    with open(path, errors="replace") as file:
        lines = [line.rstrip("\n").split(" ", 2) for line in file]
    return [(words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1 and words[0] == nonce]


def run(script=b"", *options, timeout=120, **how):
    """Boot Moss in Terrarium with `script` (bytes) as its piped input; $NONCE is set in it. Returns a Result."""
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as directory:
        results = os.path.join(directory, "results")
        command = terrarium_command("--results", results, *options, **how)
        done = subprocess.run(command, input=b"export NONCE=%s\n%s" % (nonce.encode(), script),
                              capture_output=True, timeout=timeout * SCALE, cwd=ROOT, check=False)
        return Result(done.returncode, done.stdout, done.stderr, read_records(results, nonce))


def run_in_qemu(script=b"", append="", timeout=120):
    """The same in plain QEMU."""
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as directory:
        results = os.path.join(directory, "results")
        options = f"-device isa-debugcon,iobase=0xe8,chardev=results -chardev file,id=results,path={results}"
        done = subprocess.run([os.path.join(ROOT, "scripts/qemu"), BUILD, append],
                              input=b"export NONCE=%s\n%s" % (nonce.encode(), script), capture_output=True,
                              timeout=timeout * SCALE, cwd=ROOT, check=False, env={**os.environ, "QEMU_OPTIONS": options})
        return Result(done.returncode, done.stdout, done.stderr, read_records(results, nonce))
