"""The command `scripts/lab grade`."""

import argparse

from labkit import formats, grade, kit
from labkit.work import Work


def main(_command, words):
    parser = argparse.ArgumentParser(prog="scripts/lab grade", description="Marks for a submission, from the graded tests of the labs. "
                                     "Only the files that a lab names are taken from it; tests and build files are the grader's own.")
    parser.add_argument("labs", nargs="*", type=int, metavar="N", help="which labs (all that have graded tests)")
    parser.add_argument("--submission", metavar="DIR", help="what was handed in: a work/ directory or a repository (work/)")
    parser.add_argument("--tests", metavar="DIR", help="hidden tests: unit_*.c, kvm_*.c, system_*.py and points.mk")
    parser.add_argument("--json", choices=sorted(formats.FORMATS), metavar="FORMAT", dest="format",
                        help="for a program: gradescope (results.json), junit (XML) or tap")
    options = parser.parse_args(words)
    work = Work()
    submission = options.submission or work.directory
    if not options.submission and not work.number:
        raise kit.KitError("grade: nothing is started here; --submission DIR says what to grade")
    numbers = options.labs or [one.number for one in kit.labs() if one.graded()]
    result = grade.grade(list(dict.fromkeys(numbers)), submission, options.tests)
    print(formats.FORMATS.get(options.format, formats.text)(result))
    return 0
