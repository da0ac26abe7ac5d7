"""Advice for a path that does not exist: a file of the same folder that was meant."""

from __future__ import annotations

import os
import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import escape
from mpt_cli.model.similarity import alike

if TYPE_CHECKING:
    from pathlib import Path

_ESCAPED = "\b\t\n\f\r"
"""What TOML and JSON read from a backslash and a letter, as in ``"clips\\new.mp4"``."""
_MOST_NAMES = 2_000
"""Most names of a folder that are compared: a list of paths may be wrong a thousand times."""


def spelling_hint(path: Path) -> str:
    """Return the advice for a path that does not exist."""
    name = str(path)
    if any(letter in name for letter in _ESCAPED):
        return "in a job file write / between folders: a backslash with a letter is an escape there"
    if "\\" in name:
        return "write / between folders"
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_NAMES)]
    except FileNotFoundError:
        return f"there is no folder {escape(str(_first_missing(path)))}"
    except OSError:
        return "check the spelling of the path"
    return _meant(path.name, names) or "check the spelling of the path"


def _first_missing(path: Path) -> Path:
    """Return the first folder above a path that does not exist."""
    return next(folder for folder in reversed(path.absolute().parents) if not folder.exists())


def _meant(name: str, names: list[str]) -> str | None:
    """Return the advice that names the file that was meant, or None.

    Numbers must agree: of numbered clips each is one slip from the next, and is another clip.
    """
    look = _look(name)
    if same := next((other for other in names if _look(other) == look), None):
        how = "in another form of Unicode" if _composed(same) == _composed(name) else "with other characters"
        return f"a file whose name looks the same is there, {how}: {escape(same)}"
    near = alike(name, [other for other in names if _numbers(other) == _numbers(name)])
    return f"did you mean {escape(near[0])}?" if near else None


def _look(name: str) -> str:
    """Return a name without what is hardly seen: capital letters, kinds of spaces, widths and invisible characters."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(letter for letter in plain if unicodedata.category(letter) != "Cf").split())


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name.rpartition(".")[0] or name)
