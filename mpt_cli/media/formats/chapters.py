"""Chapters of a reel of several clips, one each, titled by the clip's file name (pure).

They enter the join as ID3 in front of the reel's audio: for MoviePy's ffmpeg the audio is the only other
input, and no title needs an escape there. Read alike by ffmpeg 5.1, 7.0 and 9.0, also 10,000 of them
(measured). In MP4 and MOV ffmpeg writes them as a text track, which holds all, and as a list
of Nero's (``chpl``), which ends after 255; in Matroska as its own chapters.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import JOINERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip

_MOST_BYTES = 255
"""Longest title that ``chpl`` takes, which cuts between any two bytes."""
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of characters that steer a terminal or a line instead of showing something."""
_UNKNOWN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the reel, in exact seconds from its start."""

    title: str
    start: Fraction
    end: Fraction


def reel_chapters(clips: Sequence[ProcessedClip], frame_rate: Fraction) -> tuple[Chapter, ...]:
    """Return the chapters of clips, whose segments are in the order of the reel; none for a single clip.

    A single clip has no join to go to, and MoviePy 2.2.1 cannot open a file with one chapter (measured).
    """
    offsets = accumulate((clip.segment.frames for clip in clips), initial=0)
    begun = [(clip, offset) for clip, offset in zip(clips, offsets, strict=False) if not clip.segment.first_frame]
    if len(begun) < 2:
        return ()
    bounds = pairwise((*(offset for _, offset in begun), sum(clip.segment.frames for clip in clips)))
    return tuple(
        Chapter(title_of(clip.original_path) or f"clip {number}", begin / frame_rate, end / frame_rate)
        for number, ((clip, _), (begin, end)) in enumerate(zip(begun, bounds, strict=True), 1)
    )


def title_of(path: Path) -> str:
    """Return the name of a file without its extension, in one line of visible characters; possibly empty.

    Bytes that are not UTF-8, which Python holds as surrogates, become U+FFFD.
    """
    seen = "".join(map(_shown, path.stem))
    return " ".join(seen.split()).encode()[:_MOST_BYTES].decode(errors="ignore").rstrip()


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return " " if category in _UNSEEN and character not in JOINERS else character


def id3_tag(chapters: Sequence[Chapter]) -> bytes:
    """Return the chapters as an ID3v2.3 tag with CHAP frames ("ID3v2 Chapter Frame Addendum"); empty for none.

    Times are in milliseconds, so a start is at most half of one off.
    """
    frames = b"".join(_frame(b"CHAP", _chapter(number, each)) for number, each in enumerate(chapters))
    size = bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0))  # its top bits never look like audio
    return b"ID3\x03\x00\x00" + size + frames if chapters else b""


def _chapter(number: int, chapter: Chapter) -> bytes:
    title = _frame(b"TIT2", b"\x01" + chapter.title.encode("utf-16"))
    times = struct.pack(">4I", round(chapter.start * 1000), round(chapter.end * 1000), _UNKNOWN, _UNKNOWN)
    return f"{number}".encode() + b"\x00" + times + title


def _frame(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">IH", len(content), 0) + content
