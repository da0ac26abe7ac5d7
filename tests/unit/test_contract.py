"""The contract names every issue code, event, exit code and schema, and its links lead somewhere."""

from __future__ import annotations

import ast
import dataclasses
import re
from typing import TYPE_CHECKING, get_args

import pytest

from mpt_cli.model.errors import ExitCode, IssueCode, exit_code_of
from mpt_cli.model.issue_meanings import MEANINGS, Level
from mpt_cli.runtime import events
from tests.generated import CONTRACT, ROOT, contract

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / CONTRACT).read_text(encoding="utf-8")
SCHEMAS = ROOT / "mpt_cli/share/schemas"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([a-z ]+) \| (\d+|-) \| ", re.MULTILINE)


def section(title: str) -> str:
    """Return the part of the contract below a heading of the second level."""
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_issue_code_has_one_meaning() -> None:
    assert set(MEANINGS) == set(IssueCode)
    texts = [meaning.text for meaning in MEANINGS.values()]
    assert len(set(texts)) == len(texts)
    assert [text for text in texts if not text.endswith(".") or "|" in text or "\n" in text] == []


def test_contract_lists_every_issue_code_with_its_exit_code() -> None:
    rows = {code: (level, exit_code) for code, level, exit_code in ROW.findall(section("Issue codes"))}
    assert set(rows) == {code.value for code in IssueCode}
    for code in IssueCode:
        level, exit_code = rows[code.value]
        expected = "-" if level == Level.WARNING.value else str(exit_code_of(code).value)
        assert (code, exit_code) == (code, expected)


def test_generation_replaces_only_the_tables() -> None:
    assert contract(ROW.sub("", TEXT)) == contract(TEXT) == TEXT


@pytest.mark.parametrize("event", get_args(events.Event), ids=lambda event: event.type)
def test_contract_names_every_field_of_an_event(event: type[events.Notice]) -> None:
    (row,) = re.findall(rf"^\| `{event.type}` \| (.*?) \|", section("Events"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == [field.name for field in dataclasses.fields(event)]


def test_contract_names_the_codes_of_informative_notices() -> None:
    found = {code for path in (ROOT / "mpt_cli").rglob("*.py") for code in informative_codes(path)}
    assert found
    assert {code for code in found if f"`{code}`" not in section("Events")} == set()


def informative_codes(path: Path) -> list[str]:
    """Return the codes of the notices of level ``info`` that a module writes."""
    source = path.read_text(encoding="utf-8")
    if "Notice(" not in source:
        return []  # parsing the whole package takes a second
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    values = [
        [argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant)]
        for call in calls
        if ast.unparse(call.func).endswith("Notice")
    ]
    return [str(code) for level, code in (pair for pair in values if len(pair) == 2) if level == "info"]


def test_contract_explains_every_exit_code() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \|", section("Exit codes"), re.MULTILINE)
    assert sorted(int(code) for row in rows for code in row.split(",")) == sorted(code.value for code in ExitCode)


def test_contract_links_every_schema_and_nothing_that_is_missing() -> None:
    targets = set(re.findall(r"\]\(([^)#]+)\)", TEXT))
    assert {target for target in targets if not (ROOT / CONTRACT).parent.joinpath(target).exists()} == set()
    assert {f"schemas/{path.name}" for path in SCHEMAS.iterdir()} <= targets


def test_links_within_the_contract_lead_to_a_heading() -> None:
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
