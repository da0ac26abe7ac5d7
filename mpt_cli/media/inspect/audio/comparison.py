"""Compare the audio that was made of a clip with an independent decode of its source, at a few places."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from av.audio.resampler import AudioResampler

from mpt_cli.media.audio_agreement import Agreement, agreement, piece_samples, reach_samples
from mpt_cli.media.ffmpeg.downmix import layout_mix, needs_limiter, placed
from mpt_cli.media.inspect.audio.channel_names import channel_names, planes_of
from mpt_cli.media.inspect.audio.decoding import AudioDecoding
from mpt_cli.media.inspect.audio.spliced import SplicedDecoding
from mpt_cli.media.inspect.demux import open_container
from mpt_cli.media.open_options import OPEN_OPTIONS
from mpt_cli.model.audio_form import LAYOUTS, SampleFormat
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.container import InputContainer

    from mpt_cli.media.ffmpeg.downmix import Mix
    from mpt_cli.model.splice import Splice

_UNDECODED = OPEN_OPTIONS | {"codec_whitelist": "none"}
"""Opens without decoding a frame, see ``proof.py``: for containers whose header says all (AAC in MPEG-TS does not
decode after it); others open as fast as they do with."""
_SPAN_SECONDS = 2
"""Where a place is looked for: at the start, in the middle, at the end."""
_CANDIDATES, _OTHERS, _GLANCE_SECONDS = 8, 3, Fraction(5, 1000)
_LEAD_SECONDS = Fraction(3, 10)
"""So much in front of a place is decoded, which decoders need that begin in the midst (of MP3 the most)."""
_BORDER_SECONDS = Fraction(1, 5)
"""So near to the border of a file the files around are decoded too; else it is compared by itself."""
_REACHABLE_SECONDS = 6
"""How much of a file is read that cannot be sought."""
_GAP, _UNEVEN = Fraction(1, 50), Fraction(3, 2000)
"""Seconds by which times disagree with the samples between them where there is a gap, and where they tremble."""
_LEAST_TOLERANCE, _TOLERANCE = 0.005, 0.045
"""Seconds by which audio may be off its time, where times are even and where they are not."""
_DRIFT = 0.001
"""Of recorders whose clock is not that of their sound; by so much the tolerance grows from where decoding begins."""
_KINDS = {
    SampleFormat.S16: ("h", 2.0**15),
    SampleFormat.S24: ("i", 2.0**31),
    SampleFormat.S32: ("i", 2.0**31),
    SampleFormat.F32: ("f", 1.0),
    SampleFormat.F64: ("d", 1.0),
}
"""Type and full scale of samples; those of 24 bits are read as the upper part of 32."""


def border_samples(rate: int) -> int:
    """Return the samples of a piece at a border: where a decoder lacks a packet, this much fades in."""
    return rate // 50


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """The index of an audio stream, and what its channels are where they are part of a layout with other tracks'.

    ``anchors`` are where it follows its times, if not all along.
    """

    index: int
    part: tuple[str, ...] = ()
    anchors: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AudioMatch:
    """At how many places audio was found to be that of its source, and what is wrong, or None."""

    places: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class MadeAudio:
    """PCM that was made of tracks: from which time of the file on, and how ffmpeg came there.

    ``begun`` is where its decoding began. ``seekable`` says whether a seek lands where it should,
    ``clock_moves`` are those of the file; only bytes before ``end`` are read. With a ``splice`` the files around
    were decoded with it.
    """

    path: Path
    tracks: tuple[HeardTrack, ...]
    origin: Fraction
    samples: int
    begun: Fraction
    seekable: bool
    clock_moves: tuple[Fraction, ...] = ()
    end: int | None = None
    rate: int = 48_000
    layout: str = "stereo"
    format: SampleFormat = SampleFormat.S16
    splice: Splice | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return LAYOUTS[self.layout]

    @property
    def borders(self) -> tuple[int, ...]:
        """First samples of short pieces: the first packets behind a border to another file of the recording."""
        if self.splice is None:
            return ()
        splice, last = self.splice, self.samples - border_samples(self.rate)
        offsets = [(splice.first, splice.before), (splice.first + splice.samples, splice.after)]
        places = [
            int((splice.zero + Fraction(offset, splice.rate) - self.origin) * self.rate)
            for offset, side in offsets
            if side is not None
        ]
        return tuple(min(last, max(1, place)) for place in places) if last > 1 else ()

    def read(self, first: int, samples: int) -> array[Any]:
        """Return samples of all channels, each of a channel in turn."""
        size = len(self.channels) * self.format.bits // 8
        with self.path.open("rb") as file:
            file.seek(first * size)
            raw = file.read(samples * size)
        if self.format is SampleFormat.S24:
            deep = bytearray(len(raw) // 3 * 4)
            for byte in range(3):
                deep[byte + 1 :: 4] = raw[byte::3]
            raw = bytes(deep)
        return array(_KINDS[self.format][0], raw)


def compare(source: Path, made: MadeAudio, *, alive: Callable[[], object] = lambda: None) -> AudioMatch:
    """Compare PCM with its source; a problem is one that is found at two places near to each other.

    ValueError or LookupError where the stream is no longer there.
    """
    spans = _places(made)
    looks = _Looks(source, made, alive)
    found = looks.at([places[0] for places in spans])
    for places, first in zip(spans, found, strict=True):
        if first.problem is not None and _is_confirmed(looks, places):
            return AudioMatch(0, f"{first.problem} at {places[0] / made.rate:.1f} s")
    return AudioMatch(sum(each.problem is None and (each.compared or each.silent) for each in found))


def _is_confirmed(looks: _Looks, places: list[int]) -> bool:
    """Return whether a problem at the first place of a span is one at others too, where they show anything."""
    others = [place for place in places[1:] if abs(place - places[0]) >= looks.piece]
    found = looks.at(others[:_OTHERS])
    return any(each.problem is not None for each in found) or not any(each.compared for each in found)


def _places(made: MadeAudio) -> list[list[int]]:
    """Return for each span the first samples of pieces in it, the loudest first."""
    length = made.samples
    if not made.seekable:
        length = min(length, int((_REACHABLE_SECONDS - (made.origin - made.begun)) * made.rate))
    span, piece = min(length // 3, made.rate * _SPAN_SECONDS), piece_samples(made.rate)
    if span < piece:  # what is so short is mostly the edge of a codec's window
        return []
    found = []
    for start in (0, (length - span) // 2, length - span):
        last = max(start, start + span - piece)
        places = sorted({start + (last - start) * number // (_CANDIDATES - 1) for number in range(_CANDIDATES)})
        found.append(sorted(places, key=lambda place: -_peak(made, place)))
    return found + [[place] for place in made.borders]


def _peak(made: MadeAudio, place: int) -> float:
    """Return the loudest of a few samples in the midst of a piece."""
    samples = made.read(place + piece_samples(made.rate) // 2, int(_GLANCE_SECONDS * made.rate))
    return max(max(samples), -min(samples)) if samples else 0


class _Looks:
    """Decodes the source at some places and compares."""

    def __init__(self, source: Path, made: MadeAudio, alive: Callable[[], object]) -> None:
        self._source, self._made, self._alive = source, made, alive
        self.piece, self._reach = piece_samples(made.rate), reach_samples(made.rate)

    def at(self, places: Sequence[int]) -> list[Agreement]:
        """Return what is found at each of these places of what was made."""
        if not places:
            return []
        tracks = [self._windows(track, places) for track in self._made.tracks]
        return [self._compared(place, heard) for place, heard in zip(places, zip(*tracks, strict=True), strict=True)]

    def _windows(self, track: HeardTrack, places: Sequence[int]) -> list[_Window]:
        """Return what a track plays at each place."""
        if (splice := self._made.splice) is not None:
            return [self._spliced(place, track, splice) for place in places]
        options = _UNDECODED if self._made.seekable else OPEN_OPTIONS
        with open_container(self._source, options, end=self._made.end) as container:
            decoding = AudioDecoding(container, track.index, None, self._made.clock_moves, track.anchors)
            stream = container.streams
            windows = [self._window(place, track, decoding, stream[track.index].time_base) for place in places]
            frames: list[AudioFrame] = []
            if not self._made.seekable:
                frames = list(_until(max(window.end for window in windows), decoding.frames(self._alive)))
            for window in windows:
                window.fill(
                    self._sought(decoding, stream[track.index], window.start) if self._made.seekable else frames
                )
        return windows

    def _spliced(self, place: int, track: HeardTrack, splice: Splice) -> _Window:
        """Return what a track plays with those of the files around; its times are those of the whole recording."""
        with open_container(self._source, end=self._made.end) as container:
            decoding = SplicedDecoding(self._source, container, track.index, splice)
            stream: Any = container.streams[track.index]
            window = self._window(place, track, decoding, stream.time_base)
            moved = splice.moved - splice.zero
            window.start -= splice.zero
            if window.start < Fraction(splice.first, splice.rate) + _BORDER_SECONDS:
                window.fill(decoding.frames(self._alive))
            elif window.end > Fraction(splice.first + splice.samples, splice.rate) - _BORDER_SECONDS:
                window.fill(decoding.last_frames(self._alive))
            else:
                window.fill(_moved(self._alone(container, track, window.start - moved), moved))
        return window

    def _alone(self, container: InputContainer, track: HeardTrack, start: Fraction) -> Iterator[AudioFrame]:
        """Yield what a track plays from a time on without the files around, by the timestamps of its own file."""
        decoding = AudioDecoding(container, track.index, None, ())
        if self._made.seekable:
            return self._sought(decoding, container.streams[track.index], start)
        return decoding.frames(self._alive)

    def _window(self, place: int, track: HeardTrack, decoding: AudioDecoding, tick: Fraction | None) -> _Window:
        size = self._size(place) + 2 * self._reach
        start, tick = self._time(place - self._reach), Fraction(tick or 0)
        return _Window(start, size, decoding.labels, track, tick, self._made)

    def _sought(self, decoding: AudioDecoding, stream: Any, start: Fraction) -> Iterator[AudioFrame]:
        time = max(Fraction(0), start - _LEAD_SECONDS)
        stream.container.seek(round(time / stream.time_base), stream=stream)
        return decoding.frames(self._alive)

    def _time(self, place: int) -> Fraction:
        return self._made.origin + Fraction(place, self._made.rate)

    def _size(self, place: int) -> int:
        piece = border_samples(self._made.rate) if place in self._made.borders else self.piece
        return min(piece, self._made.samples - place)

    def _compared(self, place: int, heard: Sequence[_Window]) -> Agreement:
        made, names = self._made, self._made.channels
        sides = [_sum([window.sides[side] for window in heard]) for side in range(len(names))]
        if not made.format.is_float:
            sides = list(map(_cut, sides))
        if not any(window.is_known for window in heard):
            return Agreement(compared=False)
        seconds = float(self._time(place) - self._made.begun)
        tolerance = max(window.tolerance(seconds) for window in heard)
        limited = len(heard) > 1 or heard[0].limited
        samples = made.read(place, self._size(place))
        pieces = [samples[number :: len(names)] for number in range(len(names))]
        full_scale = _KINDS[made.format][1]
        return agreement(
            sides, pieces, tolerance, limited=limited, rate=made.rate, channels=names, full_scale=full_scale
        )


def _moved(frames: Iterator[AudioFrame], seconds: Fraction) -> Iterator[AudioFrame]:
    """Yield frames with later times."""
    for frame in frames:
        frame.pts = (frame.pts or 0) + round(seconds * frame.sample_rate)
        yield frame


def _until(end: Fraction, frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    """Yield frames, whose times are in samples, up to the first one behind an end."""
    for frame in frames:
        yield frame
        if Fraction(frame.pts or 0, frame.sample_rate) > end:
            return


class _Window:
    """Audio of a span of time, put together from decoded frames; what lies in no frame is silent."""

    def __init__(
        self,
        start: Fraction,
        samples: int,
        labels: tuple[str, ...],
        track: HeardTrack,
        tick: Fraction,
        made: MadeAudio,
    ) -> None:
        self.start, self._samples, self._labels, self._track, self._tick = start, samples, labels, track, tick
        self._made_rate, self._layout = made.rate, made.layout
        self.sides = tuple(array("f", bytes(4 * samples)) for _ in made.channels)
        self.limited, self._covered, self._reached = False, 0, 0
        self._resampler: AudioResampler | None = None
        self._kind: tuple[object, ...] | None = None
        self._gains: Mix = ()
        self._rate = made.rate
        self._place = 0  # of the next sample
        self._due = self._run = self._wander = 0  # in samples of the frames: when the next one should begin

    @property
    def end(self) -> Fraction:
        """When it ends."""
        return self.start + Fraction(self._samples, self._made_rate)

    @property
    def is_known(self) -> bool:
        """Whether most of it was decoded; what was not is silent, but that proves nothing."""
        return 2 * self._covered >= self._samples

    def fill(self, frames: Iterable[AudioFrame]) -> None:
        """Put in what the frames play, whose times are in samples."""
        for frame in frames:
            self._take(frame)
            if self._place >= self._samples:
                break
        self._flush()

    def tolerance(self, seconds: float) -> float:
        """Return by how many seconds audio may be off here; ``seconds`` count from where its decoding began.

        Samples follow each other, while times may follow a clock of their own: that is seen by this window
        to the precision of the clock.
        """
        rate = self._rate
        if self._wander > _UNEVEN * rate:
            return _TOLERANCE
        drift = min(_DRIFT, (self._wander + float(self._tick * rate)) / self._run) if self._run else _DRIFT
        return min(_TOLERANCE, _LEAST_TOLERANCE + drift * max(0.0, seconds))

    def _take(self, frame: AudioFrame) -> None:
        time, kind = frame.pts or 0, (frame.layout.name, frame.format.name, frame.sample_rate)
        if kind != self._kind or abs(time - self._due) > _GAP * frame.sample_rate:
            self._begin(frame, kind, time)
        self._wander = max(self._wander, abs(time - self._due))
        self._due, self._run = self._due + frame.samples, self._run + frame.samples
        assert self._resampler is not None
        self._put(self._resampler.resample(frame))

    def _begin(self, frame: AudioFrame, kind: tuple[object, ...], time: int) -> None:
        self._flush()
        self._kind, self._rate, self._due, self._run = kind, frame.sample_rate, time, 0
        self._resampler = AudioResampler(format="fltp", layout=frame.layout, rate=self._made_rate)
        names = placed(channel_names(frame, self._labels))
        part = self._track.part
        self._gains = layout_mix(part or names, self._layout, is_part=bool(part))
        self.limited = self.limited or any(map(needs_limiter, self._gains))
        self._place = round_half_up((Fraction(time, frame.sample_rate) - self.start) * self._made_rate)

    def _flush(self) -> None:
        if self._resampler is not None:
            self._put(self._resampler.resample(None))
        self._resampler = None

    def _put(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            first, end = max(0, -self._place), min(frame.samples, self._samples - self._place)
            if first < end:
                self._covered += max(0, self._place + end - max(self._place + first, self._reached))
                self._reached = max(self._reached, self._place + end)
                planes = [array("f", bytes(memoryview(plane)[4 * first : 4 * end])) for plane in planes_of(frame)]
                for side, gains in zip(self.sides, self._gains, strict=True):
                    side[self._place + first : self._place + end] = _mixed(planes, gains)
            self._place += frame.samples


def _mixed(planes: Sequence[array[float]], gains: Sequence[float]) -> array[float]:
    """Return a side of the mix."""
    used = [(plane, gain) for plane, gain in zip(planes, gains, strict=True) if gain]
    if len(used) == 1 and used[0][1] == 1:
        return used[0][0]
    if not used:
        return array("f", bytes(4 * len(planes[0])))
    return array("f", map(sum, zip(*([gain * value for value in plane] for plane, gain in used), strict=True)))


def _sum(sides: Sequence[array[float]]) -> array[float]:
    return sides[0] if len(sides) == 1 else array("f", map(sum, zip(*sides, strict=True)))


def _cut(side: array[float]) -> array[float]:
    """Return a side cut to full scale, as it is stored."""
    if min(side) >= -1 and max(side) <= 1:
        return side
    return array("f", [max(-1.0, min(1.0, value)) for value in side])
