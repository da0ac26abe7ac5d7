"""Pages for contributors agree with the code: the table of rooms, and every link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture import MAY_IMPORT

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = ROOT / ".github/CONTRIBUTING.md"
PAGES = (CONTRIBUTING, ROOT / "tests/README.md", ROOT / "tests/benchmarks/README.md")


def test_table_of_rooms_is_that_of_the_architecture_test() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8").split("\n## The house\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", text, re.MULTILINE)
    assert {room: set(re.findall(r"`(\w+)`", rooms)) for room, rooms in rows} == dict(MAY_IMPORT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))}
    assert {target for target in targets if not (page.parent / target).is_file()} == set()


def test_named_modules_exist() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+/[\w.]*\w)`", text)) - {"cli/commands/NAME.py"}
    assert len(named) > 10
    assert {name for name in named if not ((ROOT / "mpt_cli" / name).exists() or (ROOT / name).exists())} == set()
