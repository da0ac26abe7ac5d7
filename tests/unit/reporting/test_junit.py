"""JUnit XML: whole for every parser, with the sums and names that CI servers go by."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from mpt_cli.reporting.junit import MARK, junit
from tests.unit.reporting import told

if TYPE_CHECKING:
    from mpt_cli.model.results import CommandEnd


def parsed(facts: CommandEnd) -> ElementTree.Element:
    return ElementTree.fromstring(junit(facts).encode("utf-8"))


def cases(element: ElementTree.Element) -> list[tuple[str, str]]:
    """Name and fate of each test case."""
    return [
        (case.get("name", ""), next((part.tag for part in case if part.tag != "system-out"), "passed"))
        for case in element.iter("testcase")
    ]


@pytest.mark.parametrize("facts", [told.batch(), told.looked(), told.refused()], ids=lambda facts: facts.command)
def test_the_sums_are_those_of_the_cases(facts: CommandEnd) -> None:
    root = parsed(facts)
    assert (root.tag, root.get("name")) == ("testsuites", f"mpt {facts.command}")
    for element in (root, *root):
        fates = [fate for _, fate in cases(element)]
        assert element.get("tests") == str(len(fates))
        assert element.get("failures") == str(fates.count("failure"))
        assert element.get("errors") == "0"
    for suite in root:
        assert (suite.tag, suite.get("timestamp")) == ("testsuite", "2026-03-01T02:15:07")
        assert suite.get("skipped") == str([fate for _, fate in cases(suite)].count("skipped"))
        for case in suite:
            assert set(case.keys()) == {"classname", "name", "time"}
            assert case.get("classname") == f"mpt.{facts.command}"
            assert float(case.get("time", "")) >= 0
        names = [name for name, _ in cases(suite)]
        assert len(set(names)) == len(names), "servers take cases of one name for one"
    assert junit(facts).startswith('<?xml version="1.0" encoding="UTF-8"?>\n' + MARK)


def test_each_file_is_a_case_and_warnings_are_its_output() -> None:
    root = parsed(told.looked())
    first, second, again = root[0]
    assert (first.get("name"), first.get("time")) == ("/clips/wide.mp4", "0.500")
    assert first.findtext("system-out") == "warning: /clips/wide.mp4: is 9:1 (extreme_aspect_ratio)"
    failure = second.find("failure")
    assert failure is not None
    assert failure.get("type") == "not_media"
    assert len((failure.text or "").splitlines()) == 2, "servers read one failure of a case: it has all problems"
    assert again.get("name") == "/clips/wide.mp4 (2)"
    assert cases(root[1]) == [("/clips/*.mov", "failure")]


def test_each_job_is_a_suite_with_its_clips_and_its_reel() -> None:
    root = parsed(told.batch())
    monday, tuesday, wednesday, thursday = root
    assert cases(monday) == [
        ("1: /clips/0.mp4", "passed"),
        ("2: /clips/1.mp4", "passed"),
        ("3: /clips/2.mp4", "failure"),
        ("reel", "passed"),
    ]
    assert monday[3].findtext("system-out") == "warning: /clips/wide.mp4: is 9:1 (extreme_aspect_ratio)"
    assert [fate for _, fate in cases(tuesday)] == ["passed", "skipped", "failure"]
    failure = tuesday[2].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message", "")[:12]) == ("deadline_reached", "the deadline")
    assert cases(wednesday) == [("1: /clips/0.mp4", "skipped"), ("reel", "passed")]
    assert wednesday[0].find("skipped").get("message") == "the reel is up to date"  # type: ignore[union-attr]
    assert cases(thursday) == [("reel", "skipped")]


def test_a_hostile_name_is_written_out() -> None:
    name = parsed(told.looked())[0][1].get("name", "")
    assert name == r"/clips/\xff <&" '"' + r"'>]]>\x1b[31m\n\x00\ \u202e\ufffe.mp4"


def test_a_command_that_did_not_begin_is_a_failed_case() -> None:
    root = parsed(told.refused())
    assert cases(root) == [("usage", "failure")]
    assert root[0].get("name") == "mpt process"
