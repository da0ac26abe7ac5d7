"""Files with a mark of mpt: written in one step, and only over earlier files of mpt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.storage.atomic_write import sweep_unfinished, write_in_one_step
from mpt_cli.storage.small_files import read_beginning

if TYPE_CHECKING:
    from pathlib import Path

_MARK_BYTES = 400
"""Bytes at the beginning of a file that contain its mark."""


def is_replaceable(path: Path, mark: str) -> bool:
    """Return True if the path is free, an empty file, or a file with this mark at its beginning.

    Any other file is kept: a typing mistake must not destroy a clip.

    Raises:
        OSError: The file cannot be read.
    """
    if not path.exists():
        return True
    if not path.is_file():
        return False
    beginning = read_beginning(path, _MARK_BYTES)
    return not beginning or mark.encode() in beginning


def write_whole(path: Path, text: str, mark: str) -> None:
    """Write a text file in one step, so that a reader finds the old file or the new one.

    Only what :func:`is_replaceable` is replaced. A link is kept and its target replaced. The file gets the
    usual permissions of the user.

    Raises:
        NameTakenError: Another file has the name.
        OSError: The file cannot be written.
    """
    target = path.resolve()
    sweep_unfinished(target.parent)
    data = text.encode(errors="backslashreplace")
    write_in_one_step(target, data, lasting=True, replaces=lambda there: is_replaceable(there, mark))
