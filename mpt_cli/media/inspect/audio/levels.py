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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer

    Samples = dict[int, list[array[Any]]]

SILENCE_DB = -120.0
_PLACES, _SECONDS, _SLACK = 12, 1, 2
"""So many places of a second each are decoded: 12 s of two tracks of AAC take 0.15 s."""
_MOST_PACKETS = 4000
"""Of a place: where no track comes up to its end, reading ends here."""
_KINDS = {"flt": ("f", 1.0), "dbl": ("d", 1.0), "s16": ("h", 2.0**15), "s32": ("i", 2.0**31)}
"""Type and full scale of samples; those of 8 bits are not measured, and count as heard."""
_SAME_DB = -50.0
"""Below a track by so much, the difference to another one is nothing."""


@dataclass(frozen=True, slots=True)
class Level:
    """Root mean square of the loudest second in dB below full scale, and the earlier track with the same samples."""

    db: float
    same_as: int | None = None


def levels(
    container: InputContainer,
    streams: Sequence[AudioStream],
    span: tuple[Fraction, Fraction],
    alive: Callable[[], object],
) -> dict[int, Level]:
    """Return the level of each track, by the index of its stream, that can be measured between two times."""
    begin, end = span
    places = max(1, min(_PLACES, int(end - begin)))
    loudest: dict[int, float] = {}
    differ: set[tuple[int, int]] = set()
    for place in range(places):
        heard = _listen(container, streams, begin + (end - begin) * place / places, alive)
        for index, parts in heard.items():
            loudest[index] = max(loudest.get(index, SILENCE_DB), max(map(_db, parts), default=SILENCE_DB))
        differ |= {pair for pair in _pairs(streams) if not _are_same(heard, *pair)}
    return {index: Level(db, _same(index, loudest, differ)) for index, db in loudest.items()}


def _same(index: int, measured: dict[int, float], differ: set[tuple[int, int]]) -> int | None:
    earlier = (other for other in measured if other < index and (other, index) not in differ)
    return next(earlier, None) if measured[index] > SILENCE_DB else None


def _pairs(streams: Sequence[AudioStream]) -> Iterator[tuple[int, int]]:
    indexes = sorted(stream.index for stream in streams)
    return ((first, second) for first in indexes for second in indexes if first < second)


def _listen(
    container: InputContainer, streams: Sequence[AudioStream], begin: Fraction, alive: Callable[[], object]
) -> Samples:
    """Return a second of each track from a time on, the samples of each channel or of all of them."""
    heard: Samples = {}
    try:
        container.seek(round(begin * av.time_base))
    except av.FFmpegError:
        return heard  # cannot be sought
    for number, packet in enumerate(packets(container, streams)):
        alive()
        time = None if packet.pts is None else packet.pts * Fraction(packet.time_base)
        if number > _MOST_PACKETS or (time is not None and time >= begin + _SLACK):
            break
        if time is not None and begin <= time < begin + _SECONDS:
            _add(heard.setdefault(packet.stream_index, []), packet)
    return heard


def _add(parts: list[array[Any]], packet: Any) -> None:
    """Decode a packet and add its samples; a damaged one, or one of a kind that is not measured, adds nothing."""
    try:
        frames = [frame for frame in packet.decode() if isinstance(frame, AudioFrame)]
    except (av.FFmpegError, ValueError):
        return
    for frame in frames:
        name = frame.format.name.removesuffix("p")
        if name not in _KINDS:
            continue
        code, scale = _KINDS[name]
        channels = 1 if frame.format.is_planar else packet.stream.codec_context.channels
        for number, plane in enumerate(planes_of(frame)):
            whole = array(code, bytes(plane)[: frame.samples * channels * frame.format.bytes])
            scaled = array("d", whole if scale == 1 else (value / scale for value in whole))
            if number < len(parts):
                parts[number].extend(scaled)
            else:
                parts.append(scaled)


def _db(samples: array[Any]) -> float:
    power = sum(map(mul, samples, samples)) / len(samples) if samples else 0.0
    return max(SILENCE_DB, 10 * log10(power)) if power > 0 else SILENCE_DB


def _are_same(heard: Samples, first: int, second: int) -> bool:
    """Whether two tracks hold the same samples here, as far as their codecs let them."""
    ones, others = heard.get(first, []), heard.get(second, [])
    if [len(one) for one in ones] != [len(other) for other in others]:
        return False
    return all(
        _db(array("d", map(sub, one, other))) <= max(_db(one) + _SAME_DB, SILENCE_DB)
        for one, other in zip(ones, others, strict=True)
    )
