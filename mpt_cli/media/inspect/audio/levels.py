"""Measure how loud each of several audio tracks is, at some places of a file."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from math import log10
from operator import mul, sub
from typing import TYPE_CHECKING, Any

import av
from av.audio.frame import AudioFrame

from mpt_cli.media.inspect.audio.channel_names import planes_of
from mpt_cli.media.inspect.demux import packets
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer

    Samples = dict[int, list[array[Any]]]

SILENCE_DB = -120.0
_PLACES, _SECONDS, _SLACK = 48, Fraction(1, 4), 2
"""So many places of a quarter of a second each are decoded: 12 s of two tracks of AAC take 0.15 s, 48 seeks 0.05 s.

Tracks are not stored side by side: one is waited for until another is two seconds ahead of the place.
"""
_MOST_PACKETS = 4000
"""Of a place: where no track comes up to its end, reading ends here."""
_KINDS = {
    "flt": ("f", 1.0),
    "dbl": ("d", 1.0),
    "s16": ("h", 2.0**15),
    "s32": ("i", 2.0**31),
    "s64": ("q", 2.0**63),
    "u8": ("B", 2.0**7),
}
"""Type and full scale of samples."""
_MIDDLE = {"u8": 128}
"""What silence is, where it is not zero."""
_SAME_DB = -50.0
"""Below a track by so much, the difference to another one is nothing."""


@dataclass(frozen=True, slots=True)
class Level:
    """Root mean square of the loudest place in dB below full scale, and the earlier track with the same samples."""

    db: float
    same_as: int | None = None


def levels(
    container: InputContainer,
    streams: Sequence[AudioStream],
    span: tuple[Fraction, Fraction],
    alive: Callable[[], object],
    *,
    likely: Iterable[Fraction] = (),
) -> dict[int, Level]:
    """Return the level of each track, by the index of its stream, that can be measured between two times.

    Places are spread evenly, and are also where tracks are ``likely`` to be heard.
    A track of which at some place most does not decode has no level: what it plays there is not known.
    """
    loudest: dict[int, float] = {}
    differ: set[tuple[int, int]] = set()
    unknown: set[int] = set()
    for place in _places(*span, likely):
        heard, failed = _listen(container, streams, place, alive)
        unknown |= failed
        for index, parts in heard.items():
            loudest[index] = max(loudest.get(index, SILENCE_DB), max(map(_db, parts), default=SILENCE_DB))
        differ |= {pair for pair in _pairs(streams) if not _are_same(heard, *pair)}
    known = {index: db for index, db in loudest.items() if index not in unknown}
    return {index: Level(db, _same(index, known, differ)) for index, db in known.items()}


def _places(begin: Fraction, end: Fraction, likely: Iterable[Fraction]) -> list[Fraction]:
    """Return when to begin to listen, in order."""
    count = max(1, min(_PLACES, int((end - begin) / _SECONDS)))
    even = [begin + (end - begin) * number / count for number in range(count)]
    return sorted({*even, *(max(begin, time - _SECONDS / 2) for time in likely)})


def _same(index: int, measured: dict[int, float], differ: set[tuple[int, int]]) -> int | None:
    earlier = (other for other in measured if other < index and (other, index) not in differ)
    return next(earlier, None) if measured[index] > SILENCE_DB else None


def _pairs(streams: Sequence[AudioStream]) -> Iterator[tuple[int, int]]:
    indexes = sorted(stream.index for stream in streams)
    return ((first, second) for first in indexes for second in indexes if first < second)


def _listen(
    container: InputContainer, streams: Sequence[AudioStream], begin: Fraction, alive: Callable[[], object]
) -> tuple[Samples, set[int]]:
    """Return the samples of each track from a time on, of each channel or of all of them, and which do not decode."""
    heard: Samples = {}
    try:  # by a track of audio: video may be sought to its keyframes only, of which there may be one
        container.seek(round(begin / (streams[0].time_base or 1)), stream=streams[0])
    except av.FFmpegError:
        return heard, set()  # cannot be sought
    failures = dict.fromkeys((stream.index for stream in streams), 0)
    waiting = set(failures)
    for number, packet in enumerate(packets(container, streams)):
        alive()
        if packet.pts is None or not packet.size:
            continue
        time, index = packet.pts * Fraction(packet.time_base), packet.stream_index
        if time >= begin + _SECONDS:
            waiting.discard(index)
        if number > _MOST_PACKETS or not waiting or time >= begin + _SLACK:
            break
        if begin <= time < begin + _SECONDS:
            failures[index] += _failed(heard, packet)
    return heard, {index for index, balance in failures.items() if balance > 0}


def _failed(heard: Samples, packet: Any) -> int:
    """Decode a packet and add its samples to those of its track; return 1 for a damaged one, else -1."""
    try:
        frames = [frame for frame in packet.decode() if isinstance(frame, AudioFrame)]
    except (av.FFmpegError, ValueError) as error:
        refuse_shortage(error)
        return 1
    for frame in frames:
        name = frame.format.name.removesuffix("p")
        if name not in _KINDS:
            return 1
        (code, scale), middle = _KINDS[name], _MIDDLE.get(name, 0)
        parts = heard.setdefault(packet.stream_index, [])
        channels = 1 if frame.format.is_planar else packet.stream.codec_context.channels
        for number, plane in enumerate(planes_of(frame)):
            whole = array(code, bytes(plane)[: frame.samples * channels * frame.format.bytes])
            scaled = array("d", whole if scale == 1 else ((value - middle) / scale for value in whole))
            if number < len(parts):
                parts[number].extend(scaled)
            else:
                parts.append(scaled)
    return -1


def _db(samples: array[Any]) -> float:
    power = sum(map(mul, samples, samples)) / len(samples) if samples else 0.0
    return max(SILENCE_DB, 10 * log10(power)) if power > 0 else SILENCE_DB


def _are_same(heard: Samples, first: int, second: int) -> bool:
    """Return whether two tracks hold the same samples here, but for the loss of their codecs."""
    ones, others = heard.get(first, []), heard.get(second, [])
    if [len(one) for one in ones] != [len(other) for other in others]:
        return False
    return all(
        _db(array("d", map(sub, one, other))) <= max(_db(one) + _SAME_DB, SILENCE_DB)
        for one, other in zip(ones, others, strict=True)
    )
