"""Parts of the contract for the man page: the page that programs read is the only source of these tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def contract_section(title: str) -> str:
    """Return the text below a heading of the contract."""
    text = files("mpt_cli").joinpath("share/contract.md").read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


@dataclass(frozen=True, slots=True)
class Table:
    """Table of two columns: the title of the first, and the rows."""

    title: str
    rows: tuple[tuple[str, str], ...]


def blocks(section: str) -> Iterator[str | Table]:
    """Yield the paragraphs, points, headings and tables of a section in their order."""
    for block in section.split("\n\n"):
        lines = block.split("\n")
        if block.startswith("|"):
            (title, _), _, *cells = map(_cells, lines)
            yield Table(title, tuple(cells))
        else:
            yield from (plain(line.removeprefix("- ").lstrip("#")) for line in lines)


def _cells(row: str) -> tuple[str, str]:
    first, _, second = row.strip("|").partition(" | ")
    return plain(first), plain(second)


def plain(markdown: str) -> str:
    """Return a text without the marks of Markdown."""
    return _LINK.sub(r"\1", markdown).replace("`", "").replace("**", "").strip()
