"""Sound that was encoded in pieces is that of one encoder: no seam is heard, nothing is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpt_cli.concatenation.sound import sound_pieces
from tests import reader
from tests.integration.reels import config_of, finished_reel
from tests.media import Tone

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mpt_cli.config import Config
    from tests.media import MediaFolder

SECONDS = 63
HERTZ = (331.0, 997.0)


def with_jobs(jobs: int) -> Config:
    """A configuration for a tiny reel, made with this many clips or pieces at a time."""
    config = config_of(size="64x36", fps="24")
    return config.model_copy(update={"processing": config.processing.model_copy(update={"jobs": jobs})})


def error_levels(path: Path) -> NDArray[np.float64]:
    """RMS of what is not the two tones, for each block of 1,024 samples, the first and last ones left out."""
    sound = reader.samples(path).astype(np.float64)
    times = np.arange(sound.shape[1]) / 48_000
    wrong = np.array([side - 0.25 * np.sin(2 * np.pi * hz * times) for side, hz in zip(sound, HERTZ, strict=True)])
    blocks = wrong[:, : wrong.shape[1] // 1024 * 1024].reshape(2, -1, 1024)
    levels: NDArray[np.float64] = np.sqrt((blocks**2).mean(axis=(0, 2)))
    return levels[2:-4]


def test_no_seam_is_worse_than_the_codec_at_its_worst(media: MediaFolder, tmp_path: Path) -> None:
    tone = Tone(hertz=HERTZ, codec="pcm_s16le")
    clip = media.make(seconds=SECONDS, fps="24", size="64x36", source="color=gray", sound=tone, suffix=".mov")
    assert len(sound_pieces(SECONDS * 48_000, 3)) == 3
    pieces = error_levels(finished_reel(tmp_path / "pieces.mp4", [clip], with_jobs(3)))
    one = error_levels(finished_reel(tmp_path / "one.mp4", [clip], with_jobs(1)))
    assert len(pieces) == len(one)
    assert not np.array_equal(pieces, one), "the pieces were not encoded apart"
    assert pieces.max() <= max(1.5 * one.max(), 0.005)  # a click, or a packet too many, is 0.1 and more
