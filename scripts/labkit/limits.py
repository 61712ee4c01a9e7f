"""Limits for what a submission runs: memory, processes, size of files. What goes beyond is killed, and told."""

import ctypes
import os
import resource
import signal
import threading
import time

MEMORY_MAX = 3 << 30  # bytes of all its processes together; sanitizers make a test several times as large as itself
PROCESSES_MAX = 64
FILE_MAX = 1 << 30  # bytes of the largest file that it may write
OPEN_FILES_MAX = 1024
PERIOD = 0.2  # seconds between two looks

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
PAGE = os.sysconf("SC_PAGE_SIZE")


def confine():
    """Limit this process and its children; its orphans stay its children; nobody who is not root may look into it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    for what, most in ((resource.RLIMIT_FSIZE, FILE_MAX), (resource.RLIMIT_NOFILE, OPEN_FILES_MAX), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def descendants():
    """{pid: bytes of memory} of all processes that come from this one."""
    parents, memory = {}, {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry)], memory[int(entry)] = int(fields[1]), int(fields[21]) * PAGE
    found, new = set(), {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new and pid not in found}
        found |= new
    return {pid: memory[pid] for pid in found}


def kill_descendants():
    """Until there is none: what a program leaves behind must not disturb the next."""
    while True:
        pids = descendants()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


class Guard(threading.Thread):
    """Kills all descendants when together they are too many or too large. `reason` then says so."""

    def __init__(self):
        super().__init__(daemon=True)
        self.reason, self.over = "", threading.Event()

    def run(self):
        while not self.over.wait(PERIOD):
            now = descendants()
            if len(now) > PROCESSES_MAX:
                self.reason = f"it ran more than {PROCESSES_MAX} processes at once"
            elif sum(now.values()) > MEMORY_MAX:
                self.reason = f"it used more than {MEMORY_MAX >> 20} MiB of memory"
            else:
                continue
            for pid in now:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        kill_descendants()
