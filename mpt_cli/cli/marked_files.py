"""How these files are written: in one step, and only over what mpt wrote there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.storage.atomic_write import sweep_unfinished, write_in_one_step

if TYPE_CHECKING:
    from pathlib import Path

_MARK_BYTES = 400
"""Within so many bytes a file says what it is."""


def is_replaceable(path: Path, mark: str) -> bool:
    """Whether a file may be written here: there is none, an empty one, or one with this mark at its beginning.

    Nothing else is: a slip of the pen must not cost a clip. OSError where that cannot be seen.
    """
    if not path.exists():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(_MARK_BYTES)
    return not beginning or mark.encode() in beginning


def write_whole(path: Path, text: str) -> None:
    """Put text under a name in one step, so that a reader finds the old file or the new one; OSError.

    A link stays, what it leads to is replaced. Whoever may read the files of this user may read it.
    """
    target = path.resolve()
    sweep_unfinished(target.parent)
    write_in_one_step(target, text.encode(errors="backslashreplace"), lasting=True)
