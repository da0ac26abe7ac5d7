"""JUnit XML for CI servers: one test case per clip and per reel.

The format has no standard; the names here are those that Jenkins, GitLab and GitHub Actions all read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from mpt_cli.model.formatting import escape
from mpt_cli.model.results import ClipStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import ClipResult, CommandEnd, FileValidationResult, JobEnd

MARK = '<testsuites name="mpt '
"""Beginning that identifies a file of mpt."""
_WHOLE = {RunStatus.SUCCESS, RunStatus.PARTIAL}


@dataclass(frozen=True, slots=True)
class _Case:
    """Test case with its failures, its reason for not running, and its warnings."""

    name: str
    seconds: float | None = None
    failures: Sequence[Issue] = ()
    skipped: str = ""
    notes: Sequence[Issue] = ()


def junit(facts: CommandEnd) -> str:
    """Return the document: one suite for the validated files, or one per request."""
    suites = [_suite_of_request(end, facts) for end in facts.ends]
    if facts.verdicts:
        suites.append(_suite("clips", map(_case_of_file, facts.verdicts), facts))
    others = [_Case(_where(issue), failures=(issue,)) for issue in facts.other_errors()]
    if others:
        suites.append(_suite(f"mpt {facts.command}", others, facts))
    root = ElementTree.Element("testsuites", {"name": f"mpt {facts.command}", **_sums(suites)})
    root.set("time", _seconds(facts.duration_seconds))
    root.extend(suites)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case_of_file(file: FileValidationResult) -> _Case:
    return _Case(str(file.path), file.elapsed_seconds, file.errors, notes=file.warnings)


def _suite_of_request(end: JobEnd, facts: CommandEnd) -> ElementTree.Element:
    """Return the suite of a request: one case per clip, and one for the reel with the errors of no clip."""
    result = end.result
    own = {clip.error for clip in result.clips}
    skipped = "" if result.status is not RunStatus.SKIPPED else "not begun"
    failures = [issue for issue in result.errors if issue not in own]
    if result.status not in _WHOLE and not failures:
        failures = list(result.errors)
    seconds = result.metrics.total_duration_seconds if result.metrics else None
    reel = _Case("reel", seconds, () if result.status in _WHOLE else failures, skipped, result.warnings)
    why = "the reel is up to date" if result.unchanged else "not run"
    return _suite(end.name, [*(_clip(clip, why) for clip in result.clips), reel], facts)


def _clip(clip: ClipResult, why: str) -> _Case:
    name = f"{clip.index + 1}: {clip.path}"
    failures = () if clip.error is None else (clip.error,)
    return _Case(name, clip.elapsed_seconds, failures, why if clip.status is ClipStatus.NOT_RUN else "")


def _suite(name: str, cases: Iterable[_Case], facts: CommandEnd) -> ElementTree.Element:
    """Return a suite; cases of the same name are numbered, because servers would merge them."""
    names: Counter[str] = Counter()
    elements, total = [], 0.0
    for case in cases:
        names[case.name] += 1
        again = f" ({names[case.name]})" if names[case.name] > 1 else ""
        elements.append(_element(case, case.name + again, f"mpt.{facts.command}"))
        total += case.seconds or 0.0
    stamp = facts.started_at.strftime("%Y-%m-%dT%H:%M:%S")
    suite = ElementTree.Element("testsuite", {"name": escape(name), "timestamp": stamp, "time": _seconds(total)})
    suite.extend(elements)
    count = Counter(element.tag for case in elements for element in case if element.tag != "system-out")
    failed = sum(case.find("failure") is not None for case in elements)
    sums = {"tests": len(elements), "failures": failed, "errors": 0, "skipped": count["skipped"]}
    for key, value in sums.items():
        suite.set(key, str(value))
    return suite


def _element(case: _Case, name: str, classname: str) -> ElementTree.Element:
    element = ElementTree.Element("testcase", {"classname": classname, "name": escape(name)})
    element.set("time", _seconds(case.seconds or 0.0))
    if case.skipped:
        ElementTree.SubElement(element, "skipped", {"message": case.skipped})
    elif case.failures:  # servers read one failure per case: its text lists all
        first = case.failures[0]
        failure = ElementTree.SubElement(
            element, "failure", {"type": str(first.code), "message": escape(first.message)}
        )
        failure.text = "\n".join(map(_line, case.failures))
    if case.notes:
        ElementTree.SubElement(element, "system-out").text = "\n".join(f"warning: {_line(note)}" for note in case.notes)
    return element


def _line(issue: Issue) -> str:
    hint = f"; {escape(issue.hint)}" if issue.hint else ""
    return f"{issue.text()} ({issue.code}){hint}"


def _where(issue: Issue) -> str:
    return str(issue.path) if issue.path is not None else str(issue.code)


def _sums(suites: Iterable[ElementTree.Element]) -> dict[str, str]:
    found = list(suites)
    return {key: str(sum(int(suite.get(key, "0")) for suite in found)) for key in ("tests", "failures", "errors")}


def _seconds(value: float) -> str:
    return f"{value:.3f}"
