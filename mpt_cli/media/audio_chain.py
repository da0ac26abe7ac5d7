"""Build the filter chain that turns one audio track of a clip into what a segment holds of it (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media import sound
from mpt_cli.media.pictures import expression, one_clock
from mpt_cli.media.timing import SAMPLE_RATE

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.mediainfo import AudioStreamInfo

RENDERED = {"f": "f32le", "ar": SAMPLE_RATE, "ac": 2}
"""How ffmpeg reads what :mod:`mpt_cli.media.inspect.audio_render` wrote."""
_LIMITER = ["alimiter=limit=0.98:level=disabled:latency=1"]


def track_filters(
    track: AudioStreamInfo, origin: Fraction, samples: int, *, clock_moves: tuple[Fraction, ...]
) -> list[str]:
    """Return the filters that make exactly so many stereo samples from ``origin``, a time of the file, on.

    There is silence where there is no audio.
    """
    if track.irregular:
        return [*_LIMITER, *_exactly(samples)]  # it was rendered: mixed, and put where it belongs
    limited = any(map(sound.needs_limiter, sound.stereo_mix(track.channels)))
    return [
        *([f"asetpts='{one_clock(clock_moves)}'"] if clock_moves else []),
        f"asetpts=PTS-({expression(origin)})/TB",
        *(["aformat=sample_fmts=fltp"] if limited else []),  # sums of whole numbers wrap around before the limiter
        f"pan={sound.pan_expression(track.channels)}",
        f"aresample={SAMPLE_RATE}:async=1:first_pts=0:min_hard_comp=0.02",
        *(_LIMITER if limited else []),
        *_exactly(samples),
    ]


def rendered_path(audio_path: Path) -> Path:
    """Return where the rendered audio of a track lies whose segment gets its PCM at this path."""
    return audio_path.with_suffix(".f32")


def _exactly(samples: int) -> list[str]:
    return ["apad", f"atrim=end_sample={samples}"]
