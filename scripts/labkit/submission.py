"""What is taken from a submission: the files that a lab's learner writes, as text, and nothing else."""

import os
import pathlib
import re
import stat

from labkit import kit, source
from labkit.work import TOPS, Work

FILE_MAX = 1 << 20  # bytes; the largest file of the kit has a twentieth

# A learner needs none of these in any lab; a submission that has one is worth a look (they are told, and not refused).
RARE = {"asm", "constructor", "destructor", "section", "alias", "ifunc", "weak", "syscall", "fork", "vfork", "clone", "execl", "execv",
        "execve", "execvp", "system", "popen", "ptrace", "dlopen", "dlsym", "kill", "getenv", "exit", "Exit", "longjmp", "/proc"}
INCLUDE = re.compile(r"#\s*(?:include|include_next|import|embed)\b\s*(.*)", re.DOTALL)


def paths(lab, root=kit.ROOT):
    """The files that a submission for this lab consists of."""
    return sorted(set(Work(root).functions(lab).values()))


def take(directory, path):
    """The bytes of a file of a submission, or None. Raises KitError for what a submission may not hold."""
    whole = pathlib.Path(directory) / path
    for part in [whole, *whole.parents][: len(pathlib.Path(path).parts)]:
        if part.is_symlink():
            raise kit.KitError(f"{path}: symbolic links are not taken; hand in the file itself")
    if not whole.exists():
        return None
    status = whole.stat()
    if not stat.S_ISREG(status.st_mode):
        raise kit.KitError(f"{path}: not a regular file")
    if status.st_size > FILE_MAX:
        raise kit.KitError(f"{path}: {status.st_size} bytes; a file may have {FILE_MAX}")
    data = whole.read_bytes()
    try:
        check_includes(path, data.decode())
    except UnicodeDecodeError:
        raise kit.KitError(f"{path}: not a text file") from None
    return data


def check_includes(path, text):
    """Refuse what asks for files elsewhere. This is for a clear message; that they cannot be read is the sandbox's task."""
    text = re.sub(r"\\[ \t]*\n", "", text).replace("%:", "#")
    for token in source.TOKEN.findall(text):
        directive = INCLUDE.match(re.sub(r"/\*.*?\*/|//.*", " ", token, flags=re.DOTALL)) if token.startswith("#") else None
        if directive:
            name = re.match(r'["<]([^">]*)[">]', directive[1])
            if not name or os.path.normpath(os.path.join(os.path.dirname(path), name[1])).split("/")[0] not in TOPS:
                raise kit.KitError(f"{path}: #include {directive[1].strip()}: only headers of the kit and the system are taken")
    if re.search(r"\.\s*incbin\b", text):
        raise kit.KitError(f"{path}: .incbin is not taken")


def rare_words(text, reference):
    """What in a file no lab needs, as far as the file that it replaces has it not either."""
    return sorted(words_of(text) & RARE - words_of(reference))


def words_of(text):
    """The names in code and in preprocessor lines, without underscores around them; of strings, whether they name /proc."""
    found = set()
    for token in source.words(text):
        if token.startswith('"'):
            found |= {"/proc"} & set(re.findall("/proc", token))
        else:
            found |= {name.strip("_") for name in source.NAME.findall(token)}
    return found


def found_below(lab, directory, root=kit.ROOT):
    """A directory in the submission's that looks like what should have been named, or None: archives often hold one."""
    directories = sorted(path for path in pathlib.Path(directory).iterdir() if path.is_dir())
    return next((one for one in directories if any((one / path).is_file() for path in paths(lab, root))), None)


def take_all(lab, directory, root=kit.ROOT):
    """{path: bytes} of what the submission in `directory` has of a lab."""
    found = {path: take(directory, path) for path in paths(lab, root)}
    return {path: data for path, data in found.items() if data is not None}
