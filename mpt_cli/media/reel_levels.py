"""Samples of a reel for measuring and levelling: with the gain of each clip, or each clip at a whole reading."""

from __future__ import annotations

from array import array
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, cast

import av
from av.filter import Graph

from mpt_cli.media.ffmpeg.audio_chain import rendered_format
from mpt_cli.model.audio_form import SampleFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from av.audio.frame import AudioFrame

    from mpt_cli.media.reel_audio import ReelAudio
    from mpt_cli.model.audio_form import AudioForm

_CODES = {SampleFormat.F32: "f", SampleFormat.F64: "d"}
"""Types of arrays."""
_PACKED = {
    SampleFormat.S16: "s16",
    SampleFormat.S24: "s32",
    SampleFormat.S32: "s32",
    SampleFormat.F32: "flt",
    SampleFormat.F64: "dbl",
}
"""Formats of frames whose bytes are raw PCM; 24 bits are widened to 32."""
READINGS_PER_STEP, _STEPS_PER_SECOND = 2, 5
"""A step is two readings: in a tenth of a second of 11,025 Hz is no whole number of samples."""


def is_finite(audio: ReelAudio, form: AudioForm) -> bool:
    """Return False if floating-point samples hold a value that is no number, or infinite; one spoils all behind it."""
    if not form.samples.is_float:
        return True
    chunks = _whole(audio.read(0, audio.samples), form)
    return all(isfinite(sum(array(_CODES[form.samples], chunk))) for chunk in chunks)


def step_samples(form: AudioForm) -> int:
    """Return the samples of two readings."""
    return form.sample_rate // _STEPS_PER_SECOND


def in_steps(audio: ReelAudio, form: AudioForm) -> Iterator[bytes]:
    """Yield the samples of each clip, with silence up to the next step and for one more.

    So its readings are those of the clip alone: what the filters of the meter still give of the clip before is over.
    """
    step = step_samples(form)
    for _clip, first, end in audio.spans():
        yield from audio.read(first, end)
        yield bytes((steps_of(end - first, form) * step - (end - first)) * form.frame_bytes)


def steps_of(samples: int, form: AudioForm) -> int:
    """Return the steps that a clip of this many samples takes."""
    return -(-samples // step_samples(form)) + 1


def with_gains(audio: ReelAudio, form: AudioForm, gains_db: Mapping[int, float]) -> Iterator[bytes]:
    """Yield the samples of a reel as floating point (:func:`rendered_format`), each clip with its gain.

    No sum of floats clips: the limiter of the reel sees every peak.
    """
    for clip, first, end in audio.spans():
        gain = _Gain(form, gains_db.get(clip.index, 0.0))
        for chunk in _whole(audio.read(first, end), form):
            yield from gain.of(chunk)


class _Gain:
    """One gain, by filters of this process: 1,800 times real time, where arithmetic in Python has 70 (measured)."""

    def __init__(self, form: AudioForm, gain_db: float) -> None:
        self._form, self._fed = form, _PACKED[form.samples]
        double = rendered_format(form) is SampleFormat.F64
        self._sample_bytes = len(form.channels) * (8 if double else 4)
        graph = Graph()
        source = graph.add_abuffer(format=self._fed, sample_rate=form.sample_rate, layout=form.layout)
        precision = "double" if double else "float"
        steps = [
            source,
            graph.add("aformat", f"sample_fmts={'dbl' if double else 'flt'}"),
            graph.add("volume", f"volume={gain_db:.2f}dB:precision={precision}"),
            graph.add("abuffersink"),
        ]
        for one, other in pairwise(steps):
            one.link_to(other)
        graph.configure()
        self._graph, self._source, self._sink = graph, source, steps[-1]

    def of(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the same samples with the gain."""
        count = len(chunk) * 8 // (len(self._form.channels) * _bits(self._form.samples))
        if not count:
            return
        frame = av.AudioFrame(self._fed, self._form.layout, count, align=1)
        frame.sample_rate = self._form.sample_rate
        frame.planes[0].update(chunk)
        self._source.push(frame)
        while True:
            try:
                made = cast("AudioFrame", self._sink.pull())
            except (av.BlockingIOError, av.EOFError):
                return
            yield bytes(made.planes[0])[: made.samples * self._sample_bytes]


def _bits(samples: SampleFormat) -> int:
    return 32 if samples is SampleFormat.S24 else samples.bits


def _whole(chunks: Iterable[bytes], form: AudioForm) -> Iterator[bytes]:
    """Yield chunks that hold whole samples of all channels, those of 24 bits in 32."""
    size, left = form.frame_bytes, b""
    for chunk in chunks:
        held = left + chunk if left else chunk
        whole = len(held) // size * size
        left = held[whole:]
        yield _widened(held[:whole]) if form.samples is SampleFormat.S24 else held[:whole]


def _widened(narrow: bytes) -> bytes:
    wide = bytearray(len(narrow) // 3 * 4)
    for byte in range(3):
        wide[byte + 1 :: 4] = narrow[byte::3]
    return bytes(wide)
