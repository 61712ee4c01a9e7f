"""Marks as Gradescope's results.json, as JUnit XML, as TAP and as text."""

import json
import re
import xml.etree.ElementTree as ElementTree

from labkit import grade


def points_of(mark):
    return mark.graded.points if mark.passed else 0


def sum_of(marks):
    points, most = grade.score(marks)
    return f"{points} of {most} points"


def by_lab(marks):
    """[(lab, its marks)]"""
    labs = {mark.lab.number: mark.lab for mark in marks}
    return [(lab, [mark for mark in marks if mark.lab.number == number]) for number, lab in labs.items()]


def gradescope(result):
    """https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format"""
    tests = [{"name": f"lab {mark.lab.number}: {grade.sentence(mark.graded.test)}", "number": str(i),
              "score": points_of(mark), "max_score": mark.graded.points, "status": "passed" if mark.passed else "failed",
              "output": "" if mark.passed else grade.advice(mark),
              "visibility": "after_published" if mark.hidden else "visible"} for i, mark in enumerate(result.marks, 1)]
    return json.dumps({"score": grade.score(result.marks)[0], "output": "\n".join([*result.remarks, sum_of(result.marks)]),
                       "execution_time": round(result.seconds), "visibility": "visible", "stdout_visibility": "hidden",
                       "tests": tests}, indent=1)


def printable(text):
    """Without the characters that XML cannot hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def junit(result):
    """JUnit XML as Jenkins and GitLab read it."""
    suites = ElementTree.Element("testsuites", tests=str(len(result.marks)), time=f"{result.seconds:.1f}",
                                 failures=str(sum(not mark.passed for mark in result.marks)))
    for lab, marks in by_lab(result.marks):
        suite = ElementTree.SubElement(suites, "testsuite", name=lab.name, tests=str(len(marks)), errors="0", skipped="0",
                                       failures=str(sum(not mark.passed for mark in marks)))
        for mark in marks:
            program, _, name = mark.graded.test.partition(".")
            case = ElementTree.SubElement(suite, "testcase", classname=f"{lab.name}.{program}", name=name)
            if not mark.passed:
                failure = ElementTree.SubElement(case, "failure", message=f"0 of {mark.graded.points} points")
                failure.text = printable(grade.advice(mark))
        remarks = [text for text in result.remarks if re.match(rf"lab {lab.number}\b", text)]
        ElementTree.SubElement(suite, "system-out").text = printable("\n".join([*remarks, sum_of(marks)]))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def commented(text):
    return [f"# {line}".rstrip() for line in text.split("\n")]


def tap(result):
    """TAP version 13. A `#` in a description would begin a directive: the names of tests have none."""
    lines = ["TAP version 13", f"1..{len(result.marks)}", *(line for text in result.remarks for line in commented(text))]
    for i, mark in enumerate(result.marks, 1):
        verdict = "ok" if mark.passed else "not ok"
        lines.append(f"{verdict} {i} - {mark.lab.name} {mark.graded.test} ({mark.graded.points} points)")
        lines += [] if mark.passed else commented(grade.advice(mark))
    return "\n".join([*lines, *commented(sum_of(result.marks))])


def text(result):
    lines = list(result.remarks)
    for lab, marks in by_lab(result.marks):
        for mark in marks:
            hidden = " (hidden)" if mark.hidden else ""
            lines.append(f"{points_of(mark):3} of {mark.graded.points:<3} lab {lab.number}: {grade.sentence(mark.graded.test)}{hidden}")
            lines += [] if mark.passed else [f"           {line}".rstrip() for line in grade.advice(mark).split("\n")]
        lines.append(f"lab {lab.number}: {sum_of(marks)}\n")
    return "\n".join([*lines, sum_of(result.marks)])


FORMATS = {"gradescope": gradescope, "junit": junit, "tap": tap}
