"""The words behind a command of scripts/: --help, and what is said when they make no sense."""

import os
import sys


def words(text, least, most=None):
    """The command's words. Ends it with `text`, its usage, if --help is asked for (status 0), if they are too few or too many, or
    if an option is none of its (2)."""
    given = sys.argv[1:]
    if given and given[0] in ("--help", "-h"):
        print(text.strip())
        sys.exit(0)
    if given and given[0].startswith("--"):
        sys.exit(wrong(text, "there is no option " + given[0]))
    if len(given) < least or most is not None and len(given) > most:
        sys.exit(wrong(text, "too few words" if len(given) < least else "too many words"))
    return given


def wrong(text, why):
    """Say why, and the usage. Returns the status."""
    print("%s: %s\n\n%s" % (os.path.basename(sys.argv[0]), why, text.strip()), file=sys.stderr)
    return 2


def build_directory(text, path):
    """Ends the command unless terrarium was built there."""
    if not os.access(os.path.join(path, "terrarium"), os.X_OK):
        sys.exit(wrong(text, "there is no %s/terrarium; type `make`" % path))
