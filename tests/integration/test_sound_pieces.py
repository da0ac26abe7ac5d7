"""Sound that was encoded in pieces is that of one encoder: no seam is heard, nothing is late."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.concatenation.audio import audio_pieces
from mpt_cli.config.sections import FfmpegConfig, ProcessingConfig
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from tests import reader
from tests.fakes import stand_in
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.media import Tone

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.media import MediaFolder

SECONDS = 94
HERTZ = (331.0, 997.0)


def error_levels(path: Path) -> NDArray[np.float64]:
    """RMS of what is not the two tones, for each block of 1,024 samples, the first and last ones left out."""
    sound = reader.samples(path).astype(np.float64)
    times = np.arange(sound.shape[1]) / 48_000
    wrong = np.array([side - 0.25 * np.sin(2 * np.pi * hz * times) for side, hz in zip(sound, HERTZ, strict=True)])
    blocks = wrong[:, : wrong.shape[1] // 1024 * 1024].reshape(2, -1, 1024)
    levels: NDArray[np.float64] = np.sqrt((blocks**2).mean(axis=(0, 2)))
    return levels[2:-4]


@pytest.mark.slow
def test_no_seam_is_worse_than_the_codec_at_its_worst(media: MediaFolder, tmp_path: Path) -> None:
    tone = Tone(hertz=HERTZ, codec="pcm_s16le")
    clip = media.make(seconds=SECONDS, fps="24", size="64x36", source="color=gray", sound=tone, suffix=".mov")
    pieces = audio_pieces(SECONDS * 48_000)
    assert len(pieces) == 3
    levels = error_levels(finished_reel(tmp_path / "reel.mp4", [clip], config_of(size="64x36", fps="24")))
    seams = np.cumsum([piece.kept for piece in pieces])[:-1] - 2  # the first two blocks are left out
    near = np.unique(np.concatenate([np.arange(seam - 3, seam + 4) for seam in seams]))
    elsewhere = np.delete(levels, near)
    assert levels[near].max() <= max(1.5 * elsewhere.max(), 0.005)  # a click, or a packet too many, is 0.1 and more
    assert elsewhere.max() < 0.02


def test_a_piece_whose_samples_have_not_changed_is_not_encoded_again(media: MediaFolder, tmp_path: Path) -> None:
    """Each ffmpeg that encodes sound notes itself: two pieces at first, none of the same reel, one of another end."""
    log = tmp_path / "log"
    program = stand_in(tmp_path, f'case "$*" in *adts*) echo piece >> "{log}";; esac')
    config = config_of(size="64x36", fps="24").model_copy(update={"ffmpeg": FfmpegConfig(binary=program)})
    tone = Tone(hertz=HERTZ, codec="pcm_s16le")
    clip = media.make(seconds=48, fps="24", size="64x36", source="color=gray", sound=tone, suffix=".mov")
    reels = []
    for name, end in (("first", None), ("again", None), ("shorter", Fraction(47))):
        before = len(log.read_text().splitlines()) if log.exists() else 0
        reels.append(finished_reel(tmp_path / f"{name}.mp4", [VideoClip(clip, end=end)], config))
        assert len(log.read_text().splitlines()) - before == {"first": 2, "again": 0, "shorter": 1}[name]
    assert np.array_equal(reader.samples(reels[0]), reader.samples(reels[1]))


@pytest.mark.timeout(60)  # of the other piece, which ends never
def test_a_piece_that_fails_ends_the_others(media: MediaFolder, tmp_path: Path) -> None:
    lines = f'mkdir "{tmp_path}/first" 2>/dev/null && exit 1; exec sleep 600'
    program = stand_in(tmp_path, f'case "$*" in *adts*) {lines};; esac')
    usual = config_of(size="64x36", fps="24")
    config = usual.model_copy(
        update={
            "ffmpeg": FfmpegConfig(binary=program),
            "concat": usual.concat.model_copy(update={"fallback": False}),
            "processing": ProcessingConfig(stall_timeout=Fraction(600)),
        }
    )
    tone = Tone(hertz=HERTZ, codec="pcm_s16le")
    clip = media.make(seconds=48, fps="24", size="64x36", source="color=gray", sound=tone, suffix=".mov")
    result = make_reel(tmp_path / "reel.mp4", [clip], config)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.CONCAT_FAILED)
    assert "exit code 1" in result.errors[-1].message
