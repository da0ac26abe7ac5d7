"""What a folder that was given as an input holds beside its clips (frozen values)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - results are read back from JSON, which needs types at run time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class LeftOutKind(StrEnum):
    """Kind of what is left out of a folder."""

    PHOTO = "photo"
    AUDIO = "audio"
    SUBTITLES = "subtitles"
    PREVIEW = "preview"
    """A small copy of a clip that a camera writes beside it."""
    DOWNLOAD = "download"
    """A download or a copy that is not finished."""
    REEL = "reel"
    """A reel that mpt made of clips of the folder."""
    IMAGE = "image"
    """A contact sheet or a poster that mpt made."""
    FOLDER = "folder"
    OTHER = "other"


_NOUNS: Mapping[LeftOutKind, tuple[str, str]] = {
    LeftOutKind.PHOTO: ("photo", "photos"),
    LeftOutKind.AUDIO: ("audio file", "audio files"),
    LeftOutKind.SUBTITLES: ("subtitle file", "subtitle files"),
    LeftOutKind.PREVIEW: ("preview of a clip", "previews of clips"),
    LeftOutKind.DOWNLOAD: ("unfinished download", "unfinished downloads"),
    LeftOutKind.REEL: ("reel made by mpt", "reels made by mpt"),
    LeftOutKind.IMAGE: ("image made by mpt", "images made by mpt"),
    LeftOutKind.FOLDER: ("subfolder", "subfolders"),
    LeftOutKind.OTHER: ("other file", "other files"),
}
_NAMED = (LeftOutKind.PREVIEW, LeftOutKind.DOWNLOAD, LeftOutKind.REEL, LeftOutKind.IMAGE)
"""Kinds of which the names are shown: they could have been clips."""
_MOST_SHOWN = 3
NAMES_KEPT = 20
"""Names of one kind that are kept; the count is that of all."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Entries of one kind that are left out of a folder.

    Attributes:
        folder: The folder, absolute.
        kind: Kind of the entries.
        count: Number of entries.
        names: Names of the first entries, in natural order.
    """

    folder: Path
    kind: LeftOutKind
    count: int
    names: tuple[str, ...]

    def text(self) -> str:
        """Return ``2 photos``, with names where the entries could have been clips."""
        noun = f"{self.count} {_NOUNS[self.kind][self.count != 1]}"
        if self.kind not in _NAMED:
            return noun
        shown = ", ".join(self.names[:_MOST_SHOWN])
        return f"{noun} ({shown}{', …' if self.count > _MOST_SHOWN else ''})"


def left_out(folder: Path, names: Iterable[tuple[str, LeftOutKind]]) -> tuple[LeftOut, ...]:
    """Return what is left out of a folder by kind, in the order of the kinds.

    Args:
        folder: The folder.
        names: Name and kind of each entry, in natural order.
    """
    entries = list(names)
    counts = Counter(kind for _, kind in entries)
    return tuple(
        LeftOut(folder, kind, counts[kind], tuple(name for name, of in entries if of is kind)[:NAMES_KEPT])
        for kind in LeftOutKind
        if counts[kind]
    )


def by_folder(entries: Iterable[LeftOut]) -> list[tuple[Path, list[LeftOut]]]:
    """Return the entries of each folder that no warning is about, in the order of the folders."""
    folders: dict[Path, list[LeftOut]] = {}
    for entry in entries:
        if entry.kind is not LeftOutKind.DOWNLOAD:
            folders.setdefault(entry.folder, []).append(entry)
    return list(folders.items())


def left_out_text(entries: Iterable[LeftOut]) -> str:
    """Return one line about entries of one folder: ``left out: 2 photos, 3 audio files, 1 subfolder``."""
    return f"left out: {', '.join(entry.text() for entry in entries)}"
