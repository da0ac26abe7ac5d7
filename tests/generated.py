"""Files of the repository that are generated from the program; ``python -m tests.generated`` writes them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.cli.commands.completions import Shell, script
from mpt_cli.cli.shell.man_page import man_page
from mpt_cli.display.schemas import schemas
from mpt_cli.model.errors import exit_code_of
from mpt_cli.model.issue_meanings import FILE_MEANINGS, REQUEST_MEANINGS, RUN_MEANINGS, Level
from mpt_cli.settings.reference import starter_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mpt_cli.model.errors import IssueCode
    from mpt_cli.model.issue_meanings import Meaning

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {Shell.BASH: "mpt.bash", Shell.ZSH: "_mpt", Shell.FISH: "mpt.fish", Shell.POWERSHELL: "mpt.ps1"}
CONTRACT = "mpt_cli/share/contract.md"
_TABLES = re.compile(r"(?<=<!-- generated: issue codes -->\n).*?(?=<!-- end -->)", re.DOTALL)
_PARTS = (
    ("About files", FILE_MEANINGS),
    ("About the request", REQUEST_MEANINGS),
    ("About the run", RUN_MEANINGS),
)


@cache
def generated() -> dict[str, str]:
    """Return the text of each generated file by its path."""
    scripts = {f"completions/{name}": script(shell) for shell, name in SCRIPTS.items()}
    return {
        **scripts,
        "mpt_cli/share/man/mpt.1": man_page(),
        "examples/mpt.toml": starter_file(),
        **{f"mpt_cli/share/schemas/{name}": text for name, text in schemas().items()},
        CONTRACT: contract((ROOT / CONTRACT).read_text(encoding="utf-8")),
    }


def contract(text: str) -> str:
    """Return the contract with its tables of issue codes written from the code; the rest stays."""
    tables = "\n".join(line for title, meanings in _PARTS for line in _table(title, meanings))
    found, count = _TABLES.subn(lambda _: f"\n{tables}\n", text)
    assert count == 1, f"{CONTRACT} has {count} places for the issue codes"
    return found


def _table(title: str, meanings: Mapping[IssueCode, Meaning]) -> Iterator[str]:
    yield from (f"### {title}", "", "| code | reported as | exit code | meaning |", "|---|---|---:|---|")
    for code, meaning in sorted(meanings.items()):
        exit_code = "-" if meaning.level is Level.WARNING else str(int(exit_code_of(code)))
        yield f"| `{code}` | {meaning.level} | {exit_code} | {meaning.text} |"
    yield ""


if __name__ == "__main__":
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
