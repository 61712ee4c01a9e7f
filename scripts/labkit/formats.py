"""Marks as Gradescope's results.json, as JUnit XML, as TAP and as text."""

import json
import re
import xml.etree.ElementTree as ElementTree

from labkit import grade


def gradescope(marks, seconds):
    """Gradescope's autograder results: score, output, execution_time, visibility, tests with score, max_score, status, output."""
    points, most = grade.score(marks)
    tests = [{"name": f"lab {mark.lab.number}: {grade.sentence(mark.graded.test)}", "number": str(i),
              "score": mark.graded.points if mark.passed else 0, "max_score": mark.graded.points,
              "status": "passed" if mark.passed else "failed", "output": "" if mark.passed else grade.advice(mark),
              "visibility": "after_published" if mark.hidden else "visible"} for i, mark in enumerate(marks, 1)]
    return json.dumps({"score": points, "output": f"{points} of {most} points", "execution_time": round(seconds),
                       "visibility": "visible", "stdout_visibility": "hidden", "tests": tests}, indent=1)


def printable(text):
    """Without the characters that XML cannot hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def junit(marks, seconds):
    suites = ElementTree.Element("testsuites", time=f"{seconds:.1f}")
    for lab in dict.fromkeys(mark.lab.name for mark in marks):
        own = [mark for mark in marks if mark.lab.name == lab]
        suite = ElementTree.SubElement(suites, "testsuite", name=lab, tests=str(len(own)), errors="0", skipped="0",
                                       failures=str(sum(not mark.passed for mark in own)))
        for mark in own:
            program, _, name = mark.graded.test.partition(".")
            case = ElementTree.SubElement(suite, "testcase", classname=f"{lab}.{program}", name=name)
            if not mark.passed:
                failure = ElementTree.SubElement(case, "failure", message=f"0 of {mark.graded.points} points")
                failure.text = printable(grade.advice(mark))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def tap(marks, _seconds):
    lines = ["TAP version 13", f"1..{len(marks)}"]
    for i, mark in enumerate(marks, 1):
        lines.append(f"{'ok' if mark.passed else 'not ok'} {i} - {mark.lab.name} {mark.graded.test} ({mark.graded.points} points)")
        if not mark.passed:
            lines += [f"# {line}" for line in grade.advice(mark).split("\n")]
    return "\n".join(lines)


def text(marks, _seconds):
    lines = []
    for mark in marks:
        points = mark.graded.points
        lines.append(f"{points if mark.passed else 0:3} of {points:<3} lab {mark.lab.number}: {grade.sentence(mark.graded.test)}")
        if not mark.passed:
            lines += ["           " + line for line in grade.advice(mark).split("\n")]
    points, most = grade.score(marks)
    return "\n".join([*lines, f"{points} of {most} points"])


FORMATS = {"gradescope": gradescope, "junit": junit, "tap": tap}
