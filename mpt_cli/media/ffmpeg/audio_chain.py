"""Audio filters from one track of a clip to the audio of a segment (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpt_cli.media.clock_jumps import expression, one_row_expression
from mpt_cli.media.ffmpeg import downmix
from mpt_cli.model.audio_form import SampleFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.media_info import AudioStreamInfo

_GAP = 0.02
"""Seconds."""
LIMITER = "alimiter=limit=0.98:level=disabled:latency=1"


def raw_options(audio: AudioForm, samples: SampleFormat | None = None) -> dict[str, Any]:
    """Return ffmpeg's options of raw PCM: by the number of channels, or by their layout where there are more than two.

    ``samples`` stands in place of the format of its samples.
    """
    named = {"channel_layout": audio.layout} if len(audio.channels) > 2 else {"ac": len(audio.channels)}
    return {"f": str(samples or audio.samples), "ar": audio.sample_rate, **named}


def rendered_format(audio: AudioForm) -> SampleFormat:
    """Return the format of the files that :mod:`mpt_cli.media.inspect.audio.render` writes.

    Floating point, because the sum of several tracks may pass full scale; of 32 bits, where that holds all samples.
    """
    return SampleFormat.F64 if audio.samples in (SampleFormat.S32, SampleFormat.F64) else SampleFormat.F32


def rendered_options(audio: AudioForm) -> dict[str, Any]:
    """Return the input options of a rendered track."""
    return raw_options(audio, rendered_format(audio))


def track_mix(track: AudioStreamInfo, audio: AudioForm) -> downmix.Mix:
    """Return the gains of each channel of a track for each channel of the target format."""
    return downmix.layout_mix(track.channels, audio.layout, is_part=track.is_part)


def limiter(tracks: Sequence[AudioStreamInfo], audio: AudioForm) -> list[str]:
    """Return the limiter for a mix of tracks that can pass full scale together, else nothing."""
    mixes = [track_mix(track, audio) for track in tracks]
    together = [tuple(gain for mix in mixes for gain in mix[side]) for side in range(len(audio.channels))]
    return [LIMITER] if any(map(downmix.needs_limiter, together)) else []


def track_filters(
    track: AudioStreamInfo, origin: Fraction, samples: int, audio: AudioForm, *, clock_moves: tuple[Fraction, ...]
) -> list[str]:
    """Return the filters that create exactly ``samples`` samples from ``origin``, a time of the file, on.

    There is silence where there is no audio.
    """
    limited = any(map(downmix.needs_limiter, track_mix(track, audio)))
    if track.irregular:  # it was rendered: mixed, and put where it belongs
        is_even = audio.is_lossless or track.spliced  # of others the parts may have mixes of their own
        return [*([LIMITER] if limited or not is_even else []), *_exactly(samples)]
    return [
        *([f"asetpts='{_continuous_times(clock_moves)}'"] if clock_moves else []),
        f"asetpts=PTS-({expression(origin)})/TB",
        *(["aformat=sample_fmts=fltp"] if limited else []),  # sums of whole numbers wrap around before the limiter
        f"pan={downmix.pan_expression(track.channels, audio.layout, is_part=track.is_part)}",
        f"aresample={audio.sample_rate}:async=1:first_pts=0:{_in_step(track.tremble)}",
        *([LIMITER] if limited else []),
        *_exactly(samples),
    ]


def _in_step(tremble: Fraction | None) -> str:
    """Return the options of ``aresample`` that keep samples in step with their timestamps.

    Silence is put in where they are late by 20 ms. A recorder's clock that drifts or trembles is not late but
    wrong: the trembling is ignored, and the drift is followed by a rate that differs by up to 0.5 %, which
    nobody hears (8 cents).
    """
    if tremble is None:
        return f"min_hard_comp={_GAP:g}"
    soft, hard = max(0.001, float(tremble) / 2), _GAP + float(tremble)
    return f"flags=res:min_comp={soft:.6f}:min_hard_comp={hard:.6f}:comp_duration=1:max_soft_comp=0.005"


def rendered_path(audio_path: Path, index: int) -> Path:
    """Return the path of the rendered audio of a stream whose segment gets its PCM at this path."""
    return audio_path.with_suffix(f".{index}.f32")


def _exactly(samples: int) -> list[str]:
    return ["apad", f"atrim=end_sample={samples}"]


def _continuous_times(clock_moves: tuple[Fraction, ...]) -> str:
    return one_row_expression(clock_moves, map(expression, clock_moves), unit="TB")
