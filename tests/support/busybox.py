"""Debian's busybox, a static Linux program, for Moss: a file system with it, and comparing what it does there and here."""

import os
import shutil
import subprocess
import tempfile

from tests.support import moss

BUSYBOX = shutil.which("busybox")
LINKS = "bb"  # the directory with a link for each of its commands


def applets():
    return subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()


def make_links(directory):
    """Make a directory with busybox and a link for each of its commands."""
    os.makedirs(directory, exist_ok=True)
    shutil.copy(BUSYBOX, os.path.join(directory, "busybox"))
    for name in applets():
        if name != "busybox":
            os.symlink("busybox", os.path.join(directory, name))


def make_initrd(path, files=()):
    """Moss's own initrd with busybox in /bb, and other files: (name there, path here)."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(os.path.join(moss.BUILD, "root"), root, dirs_exist_ok=True)
        make_links(os.path.join(root, LINKS))
        for name, source in files:
            shutil.copy(source, os.path.join(root, name))
        names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        with open(path, "wb") as archive:
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, input=names, stdout=archive, check=True)


class Here:
    """Runs scripts (text) by busybox ash on this Linux, each in an empty directory."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.links = os.path.join(self.directory.name, LINKS)
        make_links(self.links)

    def close(self):
        self.directory.cleanup()

    def run(self, script):
        """Returns the status and the output, both streams together."""
        with tempfile.TemporaryDirectory() as directory:
            work = os.path.join(directory, "work")
            os.mkdir(work)
            environment = {"PATH": self.links, "HOME": "/", "TERM": "linux", "TZ": "UTC0"}
            done = subprocess.run(["ash", "-c", script], executable=os.path.join(self.links, "ash"), cwd=work, env=environment, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=60 * moss.SCALE)
            return done.returncode, done.stdout
