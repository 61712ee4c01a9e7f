"""Limits for what a submission makes run: processes, memory, files, disk. What goes beyond is killed, and told.

`python3 limits.py ORDER COMMAND...` runs a command within them; ORDER is JSON: what sandbox.enter() takes, as a dictionary.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from labkit import sandbox  # noqa: E402 (its place is known now)

MEMORY_MAX = 3 << 30  # bytes of all its processes together; sanitizers make a test several times as large as itself
PROCESSES_MAX = 64
FILE_MAX = 2 << 40  # bytes of the largest file; most can be holes, and what it really holds is counted as memory or disk
BUILT_FILE_MAX = 128 << 20  # bytes of the largest file that a compiler may write
DISK_MAX = 4 << 30  # bytes by which a disk may get fuller meanwhile
MEMORY_DISK, MEMORY_DISK_MIN = "/dev/shm", 1 << 30  # where files are memory, and how many bytes it must have to be of use
SPARE = 1 << 29  # bytes of memory and of a disk that are left for the machine, whoever holds the rest
OPEN_FILES_MAX = 1024
PERIOD = 0.2  # seconds between two looks
SWEEPS = 20  # through its processes: each finds those that were born during the one before
BUILD_CPU_SECONDS = 120  # that each process of a command may compute (TERRARIUM_BUILD_CPU_SECONDS), times TIMEOUT_SCALE
COMMAND_CEILING = 1200  # seconds of a command, times TIMEOUT_SCALE: a guard against what waits for ever
STATUS_OF_LATE = 124  # as timeout(1) has it

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
PAGE = os.sysconf("SC_PAGE_SIZE")


def limit(what, most):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def confine(hidden, readable, writable):
    """Limit this process and its children, as sandbox.enter() too; its orphans stay its children; they cannot look into it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    for what, most in ((resource.RLIMIT_FSIZE, FILE_MAX), (resource.RLIMIT_NOFILE, OPEN_FILES_MAX), (resource.RLIMIT_CORE, 0)):
        limit(what, most)
    return sandbox.enter(hidden, readable, writable)


# ---- what runs now ----


def processes():
    """{pid: (pid of its parent, bytes of memory)} of all that come from this process, without itself."""
    everybody = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        everybody[int(entry)] = int(fields[1]), int(fields[21]) * PAGE
    found, new = set(), {os.getpid()}
    while new:
        new = {pid for pid, (parent, _) in everybody.items() if parent in new and pid not in found}
        found |= new
    return {pid: everybody[pid] for pid in found}


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def kill_all():
    """Until there is none: what a program leaves behind must not disturb the next."""
    while True:
        kill(processes())
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def machine_memory(what):
    """Bytes, of all the machine: "Shmem" is files of no disk, which belong to no process; "MemAvailable" is to be had."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(f"{what}:"))


def held_bytes(directories, pids):
    """Bytes of the files below these directories, and of the others that these processes and this one have open."""
    paths = [os.path.join(at, name) for directory in directories for at, _, names in os.walk(directory) for name in names]
    for pid in [os.getpid(), *pids]:
        with contextlib.suppress(OSError):
            paths += [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            state = os.stat(path)
            found[state.st_dev, state.st_ino] = state.st_blocks * 512
    return sum(found.values())


@contextlib.contextmanager
def scratch(otherwise):
    """A directory for temporary files: in memory, where they can fill no disk, if there is room; else below `otherwise`. It goes
    with all that is in it, however deep and forbidden that is."""
    memory = os.path.ismount(MEMORY_DISK) and os.access(MEMORY_DISK, os.W_OK) and free_bytes(MEMORY_DISK) >= MEMORY_DISK_MIN
    path = tempfile.mkdtemp(prefix="jobs-", dir=MEMORY_DISK if memory else otherwise)
    try:
        yield path
    finally:
        for command in ["chmod", "-R", "u+rwx"], ["rm", "-rf"]:
            subprocess.run([*command, path], stderr=subprocess.DEVNULL, check=False)


def free_bytes(path):
    found = os.statvfs(path)
    return found.f_bfree * found.f_frsize


class Guard(threading.Thread):
    """Kills what runs when it is too much. `reason` then says so.

    First the processes below those that this one started, so that a test that goes too far costs itself only; if that does
    not help, all.
    """

    def __init__(self, disks):
        super().__init__(daemon=True)
        self.reason, self.over = "", threading.Event()
        self.shared = machine_memory("Shmem")
        self.free = {path: free_bytes(path) for path in disks}

    def too_much(self, now):
        """What is too much, or ""."""
        memory = sum(memory for _, memory in now.values())
        if len(now) > PROCESSES_MAX:
            return f"it ran more than {PROCESSES_MAX} processes at once"
        too_much_memory = f"it used more than {MEMORY_MAX >> 20} MiB of memory"
        if memory > MEMORY_MAX:
            return too_much_memory
        # Of the rest only the machine's sums are quickly known, and others work there, too: who holds it is asked when it is much.
        more_shared = machine_memory("Shmem") - self.shared
        less_free = max(before - free_bytes(path) for path, before in self.free.items())
        if more_shared <= MEMORY_MAX and less_free <= DISK_MAX:
            return ""
        held = held_bytes(self.free, now)
        if more_shared > MEMORY_MAX and (held > MEMORY_MAX or machine_memory("MemAvailable") < SPARE):
            return too_much_memory
        if less_free > DISK_MAX and (held > DISK_MAX or min(map(free_bytes, self.free)) < SPARE):
            return f"it wrote more than {DISK_MAX >> 20} MiB to the disk"
        return ""

    def run(self):
        spare = True
        while not self.over.wait(PERIOD):
            reason = self.too_much(processes())
            if not reason:
                spare = True
                continue
            self.reason = reason
            for _ in range(SWEEPS):
                kill(pid for pid, (parent, _) in processes().items() if not spare or parent != os.getpid())
            spare = False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        kill_all()


def run_command(how, words):
    """Run a command within the limits, and tell why if they ended it. Returns its status."""
    scale = int(os.environ.get("TIMEOUT_SCALE", "1"))
    confine(**how)
    limit(resource.RLIMIT_FSIZE, BUILT_FILE_MAX)
    limit(resource.RLIMIT_CPU, int(os.environ.get("TERRARIUM_BUILD_CPU_SECONDS", BUILD_CPU_SECONDS)) * scale)
    with Guard(how["writable"]) as guard:
        try:
            status = subprocess.Popen(words).wait(COMMAND_CEILING * scale)
        except subprocess.TimeoutExpired:
            status, guard.reason = STATUS_OF_LATE, "it did not end in time"
    if guard.reason:
        print(f"ended: {guard.reason}", file=sys.stderr)
    return status or (1 if guard.reason else 0)


if __name__ == "__main__":
    sys.exit(run_command(json.loads(sys.argv[1]), sys.argv[2:]))
