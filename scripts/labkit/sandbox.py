"""A sandbox that anybody may enter, root or not: which files a process and its children reach (Landlock), no powers of root.

Linux has Landlock since 5.13 (landlock(7)); where it is missing, enter() says so, and only the limits of limits.py hold.
"""

import ctypes
import os
import pathlib
import sys

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446  # numbers of system calls, on all machines
ABI_WANTED, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION_3 = 0x20080522

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
READ = EXECUTE | READ_FILE | READ_DIR
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
FILES_SINCE = {1: (1 << 13) - 1, 2: 1 << 13, 3: TRUNCATE}  # version of Landlock: what it can forbid of files
TCP, FOREIGN_SIGNALS = 0b11, 0b11  # bind and connect (version 4); signals to others, abstract sockets (version 6)

# What programs need to run at all. Not all of /etc and /dev: as root, these would be passwords and disks.
PROGRAMS = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix", "/opt", "/proc", "/sys",
            *(f"/etc/{name}" for name in ("ld.so.cache", "alternatives", "passwd", "group", "nsswitch.conf", "localtime"))]
DEVICES = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "kvm", "tty", "ptmx", "pts")]


class Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("directory", ctypes.c_int32)]


libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def version():
    """The version of Landlock that the kernel has; 0: none."""
    try:
        return call(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ABI_WANTED))
    except OSError:
        return 0


def without(path, hidden):
    """`path` as a list of paths that together are all of it but `hidden`: what has /opt may not have /opt/terrarium."""
    path, hidden = pathlib.Path(path).resolve(), pathlib.Path(hidden).resolve()
    if path == hidden or hidden in path.parents:
        return []
    if path not in hidden.parents:
        return [path]
    return [part for entry in sorted(path.iterdir()) if not entry.is_symlink() for part in without(entry, hidden)]


def allow(ruleset, path, rights):
    """Returns a descriptor that must stay open: some file systems forget which files were meant when nobody has them."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    rule = Rule(rights if os.path.isdir(path) else rights & OF_A_FILE, descriptor)
    call(LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    return descriptor


def drop_capabilities():
    """Root keeps its files, and loses what root may besides: to raise limits, to look into others, to mount."""
    header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    libc.capset(header, none)


def enter(hidden, readable, writable):
    """Confine this thread and its children: they read the system's programs and `readable`, write `writable`, and find nothing
    else; above all nothing of `hidden`. Returns whether the kernel can do that."""
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    drop_capabilities()
    known = version()
    if not known:
        return False
    files = sum(rights for since, rights in FILES_SINCE.items() if since <= known)
    what = Ruleset(files, TCP if known >= 4 else 0, FOREIGN_SIGNALS if known >= 6 else 0)
    ruleset = call(LANDLOCK_CREATE_RULESET, ctypes.byref(what), ctypes.c_size_t(ctypes.sizeof(what)), ctypes.c_uint32(0))
    python = [sys.prefix, sys.base_prefix]
    for path in [part for path in [*PROGRAMS, *python] for part in without(path, hidden)]:
        allow(ruleset, path, READ & files)
    for path in readable:
        allow(ruleset, path, READ & files)
    for path in [*DEVICES, *writable]:
        allow(ruleset, path, files)
    call(LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return True
