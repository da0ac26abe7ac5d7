"""What a worker says of audio, and renders of it, is what the same code does here."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.audio.decoding import audio_loss
from mpt_cli.media.inspect.audio.render import WantedTrack, render
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.sandbox import Workers
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.errors import ProbeError
from mpt_cli.runtime.cancel import CancelToken
from tests.audio_clips import clip, label_channels, tones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.heavy

START, SAMPLES = Fraction(1, 10), 30_000


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(most=1, timeout_seconds=20, memory_bytes=1 << 30) as workers:
        yield workers


def test_audio_is_rendered_and_counted_there_too(workers: Workers, tmp_path: Path) -> None:
    path = clip(tmp_path / "swapped.mov", tones((500, 700), 1, "stereo"), "-c:a", "pcm_s16le", seconds=1)
    label_channels(path, (2, 1))
    media, cancel = probe(path, scan=True), CancelToken()
    assert media.audio is not None
    assert media.audio.irregular
    there, here = tmp_path / "there.f32", tmp_path / "here.f32"
    lost = workers.render_audio(path, media, START, SAMPLES, there, AudioForm(), cancel=cancel)
    assert lost == render(path, WantedTrack(media.audio.index), START, SAMPLES, here, AudioForm())
    assert there.read_bytes() == here.read_bytes()
    assert len(here.read_bytes()) == SAMPLES * 8
    assert workers.audio_loss(path, media, cancel=cancel) == audio_loss(path, media.audio.index)


def test_a_stream_that_is_gone_costs_its_file_alone(workers: Workers, tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mov", tones((500, 700), 1, "stereo"), "-c:a", "pcm_s16le", seconds=1)
    media, cancel = probe(path, scan=True), CancelToken()
    assert media.audio is not None
    for index in (0, 9):  # the frames, and no stream
        other = replace(media, audio=replace(media.audio, index=index))
        with pytest.raises(ProbeError):
            workers.render_audio(path, other, START, SAMPLES, tmp_path / "out.f32", AudioForm(), cancel=cancel)
