"""Render the audio of a clip to even PCM, where its channels or its rate are not the same all along.

ffmpeg restarts its filters at such a change, so that filters that count samples, pad or fill gaps restart
as well; and it has no filter for channels in an order of their own. Here each part gets its own mix, and
is put where its timestamps say.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any

import av
from av.filter import Graph

from mpt_cli.media.ffmpeg.audio_chain import rendered_format
from mpt_cli.media.ffmpeg.downmix import pan_expression, placed
from mpt_cli.media.inspect.audio.channel_names import channel_names
from mpt_cli.media.inspect.audio.decoding import AudioDecoding, AudioLoss
from mpt_cli.media.inspect.audio.spliced import SplicedDecoding
from mpt_cli.media.inspect.demux import open_container
from mpt_cli.model.audio_form import AudioForm, SampleFormat
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from av.audio.frame import AudioFrame

    from mpt_cli.model.splice import Splice

_LEAST_GAP = Fraction(1, 50)
"""Audio that comes later, or earlier, by less goes on without a gap, as in the filters of other clips."""


@dataclass(frozen=True, slots=True)
class WantedTrack:
    """A stream that is rendered.

    One of a single channel may be ``part`` of a layout, by the name of the channel. ``tremble`` is how much its
    packets may come late without a gap being there; ``anchors`` are where it follows its times, if not all along.
    """

    index: int
    part: str | None = None
    tremble: Fraction = Fraction(0)
    anchors: Sequence[Sequence[int]] = ()


def render(
    path: Path,
    track: WantedTrack,
    start: Fraction,
    samples: int,
    output: Path,
    form: AudioForm,
    *,
    clock_moves: Sequence[Fraction] = (),
    end: int | None = None,
    splice: Splice | None = None,
    alive: Callable[[], object] = lambda: None,
) -> AudioLoss:
    """Write at most ``samples`` samples from ``start`` on, a time of the file after the moves of its clock.

    They have rate and channels of the target format.
    Return how much of them does not decode. ``clock_moves`` are those of the file; only bytes before
    ``end`` are read. Audio with a ``splice`` is decoded together with that of the files
    around. ValueError or LookupError where the stream is no longer there.
    """
    with open_container(path, end=end) as container, output.open("wb") as file:
        span = start, start + Fraction(samples, form.sample_rate)
        decoding = AudioDecoding(container, track.index, span, clock_moves, track.anchors)
        if splice is not None:
            decoding, start = SplicedDecoding(path, container, track.index, splice), start - splice.zero
        placer = _Placer(file, start, samples, form, round((_LEAST_GAP + track.tremble) * form.sample_rate))
        mixer = _Mixer(decoding.labels, track.part, placer, in_step=splice is not None)
        for frame in decoding.frames(alive):
            mixer.take(frame)
        mixer.end()
        return decoding.loss


class _Mixer:
    """Mixes frames to the channels of the target format; of each kind of frame with filters of its own."""

    def __init__(self, labels: tuple[str, ...], part: str | None, placer: _Placer, *, in_step: bool = False) -> None:
        """Mix for this placer; ``in_step`` has frames resampled alike wherever in a recording they begin."""
        self._labels, self._part, self._placer, self._in_step = labels, part, placer, in_step
        self._kind: tuple[object, ...] | None = None
        self._graph: Graph | None = None

    def take(self, frame: AudioFrame) -> None:
        """Mix a frame, and have put in its place what is ready."""
        kind = frame.layout.name, frame.format.name, frame.sample_rate
        if kind != self._kind:
            self.end()
            self._kind, self._graph = kind, self._new_graph(frame)
        assert self._graph is not None
        self._graph.push(frame)
        self._put()

    def end(self) -> None:
        """Have put in its place what the filters still hold, and end them."""
        if self._graph is not None:
            self._graph.push(None)
            self._put()
        self._placer.begins_anew = True
        self._kind = self._graph = None

    def _new_graph(self, frame: AudioFrame) -> Graph:
        graph = Graph()
        channels, is_part = placed(channel_names(frame, self._labels)), False
        if self._part is not None and len(channels) == 1:
            channels, is_part = (self._part,), True
        form = self._placer.form
        mix = pan_expression(channels, form.layout, is_part=is_part)
        deep = "dbl" if rendered_format(form) is SampleFormat.F64 else "flt"
        rate = form.sample_rate
        chain = [
            graph.add(
                "abuffer",
                sample_rate=str(frame.sample_rate),
                sample_fmt=frame.format.name,
                channel_layout=frame.layout.name,
                time_base=f"1/{frame.sample_rate}",
            ),
            *([graph.add("atrim", f"start_sample={self._ahead(frame)}")] if self._in_step else []),
            graph.add("aformat", f"sample_fmts={deep}p"),  # sums of whole numbers wrap around
            graph.add("pan", mix),
            graph.add("aresample", str(rate)),
            graph.add("aformat", f"sample_fmts={deep}:channel_layouts={form.layout}:sample_rates={rate}"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*chain).configure()
        return graph

    def _ahead(self, frame: AudioFrame) -> int:
        """Return the samples up to the next one that falls on one of the target's rate."""
        unit = frame.sample_rate // gcd(frame.sample_rate, self._placer.form.sample_rate)
        return -(frame.pts or 0) % unit

    def _put(self) -> None:
        graph: Any = self._graph
        while True:
            try:
                mixed = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._placer.put(mixed)


@dataclass(slots=True)
class _Placer:
    """Writes frames where they belong: silence in gaps, nothing twice."""

    file: BinaryIO
    start: Fraction
    samples: int
    form: AudioForm
    least_gap: int
    written: int = 0
    begins_anew: bool = True
    """Whether the next frame is put at exactly its time; else a small difference does not count."""

    def put(self, frame: AudioFrame) -> None:
        """Write a frame at its time; one without a time follows the last."""
        late, size = 0, len(self.form.channels) * rendered_format(self.form).bits // 8
        if frame.pts is not None:
            time = frame.pts * Fraction(frame.time_base or 0)
            late = round_half_up((time - self.start) * self.form.sample_rate) - self.written
        if not self.begins_anew and abs(late) <= self.least_gap:
            late = 0
        room = self.samples - self.written
        if late + frame.samples <= 0 or not room:
            return
        if late > 0:
            silence = min(late, room)
            self.file.write(bytes(silence * size))
            self.written += silence
            room -= silence
        first = max(-late, 0)
        end = min(frame.samples, first + room)
        self.file.write(memoryview(frame.planes[0])[first * size : end * size])
        self.written += end - first
        self.begins_anew = False
