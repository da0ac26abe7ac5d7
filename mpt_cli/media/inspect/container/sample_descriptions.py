"""Pictures of an MP4 or MOV that belong to another codec than the first ones of their track.

A track may have several sample descriptions. libav reads those of one kind, with a change of the
configuration where each begins, and leaves out the samples of all others without a word.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from mpt_cli.media.formats.boxes import boxes_within
from mpt_cli.media.inspect.container.header_parts import HeaderParts, mp4_track
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.inspect.container.header_parts import Steps

_TABLES: Steps = ((b"mdia", 0), (b"minf", 0), (b"stbl", 0))
_ALL_KINDS_READ = (b"apcn", b"apch", b"dvpp", b"dvcp", b"AV1x")
"""Kinds of which libav reads the samples of others too (``mov_skip_multiple_stsd``)."""
_MOST_BYTES = 1 << 20
_RUN_BYTES = 12
"""First chunk, samples of each chunk, number of the description."""


def left_out(path: Path, container: str, track_id: int, rate: Fraction) -> tuple[Issue, ...]:
    """Return a warning where samples of a track are left out because their codec is another one."""
    if not container.startswith("mov"):
        return ()
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        kinds, samples = _described(HeaderParts(file), end, track_id)
    if len(set(kinds)) < 2 or kinds[0] in _ALL_KINDS_READ:
        return ()
    lost = Counter({kinds[n]: count for n, count in samples.items() if n < len(kinds) and kinds[n] != kinds[0]})
    if not lost.total():
        return ()
    names = ", ".join(sorted(kind.decode("latin-1") for kind in lost))
    message = (
        f"has pictures of another codec in its track ({names} behind {kinds[0].decode('latin-1')}): "
        f"{lost.total()} of them, {float(lost.total() / rate):.1f} s, are not read"
    )
    return (Issue(IssueCode.DATA_NOT_READ, message, path, "export it again with one codec"),)


def _described(header: HeaderParts, end: int, track_id: int) -> tuple[list[bytes], Counter[int]]:
    """Return the kind of each sample description of a track, and how many samples each has."""
    track = mp4_track(header, end, track_id)
    tables: dict[object, tuple[int, int]] = {}
    for place in header.inside(boxes_within, *track, _TABLES) if track else ():
        tables |= {kind: (inner, after) for kind, inner, after in header.parts(boxes_within, *place)}
    if b"stsd" not in tables or b"stsc" not in tables:
        return [], Counter()
    begin, after = tables[b"stsd"]
    kinds = [kind for kind, _, _ in header.parts(boxes_within, begin + 8, after) if isinstance(kind, bytes)]
    if len(set(kinds)) < 2:
        return kinds, Counter()
    runs = _numbers(header.first_bytes(*tables[b"stsc"], most=_MOST_BYTES)[8:], _RUN_BYTES)
    chunks = header.first_bytes(*tables.get(b"stco", tables.get(b"co64", (0, 0))), most=8)
    return kinds, _counted(runs, int.from_bytes(chunks[4:8]))


def _numbers(table: bytes, step: int) -> list[tuple[int, ...]]:
    """Return the rows of a table of 32-bit numbers."""
    whole = len(table) // step * step
    return [
        tuple(int.from_bytes(table[at + part : at + part + 4]) for part in range(0, step, 4))
        for at in range(0, whole, step)
    ]


def _counted(runs: list[tuple[int, ...]], chunks: int) -> Counter[int]:
    """Return how many samples the runs of chunks have of each description, counted from 0."""
    samples: Counter[int] = Counter()
    for (first, each, number), (following, *_) in pairwise([*runs, (chunks + 1,)]):
        samples[number - 1] += max(0, following - first) * each
    return samples
