"""Loudness after ITU-R BS.1770: what is wanted, what was measured, and the gains that follow (pure).

Levels are decibels: LUFS for loudness, dBTP for true peaks, dB for gains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from math import log10
from operator import itemgetter
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SILENCE_LUFS = -70.0
"""Absolute gate of BS.1770: what is below counts as silence."""
_RELATIVE_GATE, _OFFSET = 10.0, 0.691
READINGS_PER_SECOND, BLOCK_READINGS = 10, 4
"""A reading is taken each tenth of a second, over the block of the last 0.4 s."""
MOST_EVENED_DB = 12.0
MOST_DIFFERENCE_LU = 6.0
"""Clips that differ by more are heard as differing."""
TOLERANCE_LU = 0.5


@dataclass(frozen=True, slots=True)
class WantedLevels:
    """Levels that are asked for.

    Attributes:
        lufs: Loudness of the reel; None to keep it.
        true_peak: Highest true peak of a reel whose levels are changed.
        even_out: True to bring all clips to one loudness.
        volumes: Gain of single clips, by index.
        measures: True to measure the clips even where nothing is changed.
    """

    lufs: float | None = None
    true_peak: float = -1.0
    even_out: bool = False
    volumes: Mapping[int, float] = field(default_factory=dict)
    measures: bool = False

    @property
    def changes(self) -> bool:
        """True if any level may change."""
        return self.lufs is not None or self.even_out or bool(self.volumes)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Measured loudness and true peak; None for silence, or for what is shorter than a block of 0.4 s."""

    lufs: float | None
    true_peak: float | None


@dataclass(frozen=True, slots=True)
class ClipLoudness:
    """Loudness of a clip as it came, and the gain that it got before that of the reel.

    Attributes:
        lufs: Loudness; None for silence, or for a clip shorter than 0.4 s.
        gain_db: Gain of ``even_out`` and ``volume`` together.
    """

    lufs: float | None
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class ReelLoudness:
    """Loudness of a reel whose levels were changed.

    Attributes:
        target_lufs: Loudness that was asked for, or None.
        true_peak_limit: Highest true peak.
        before: Measured before the gain of the reel, and after those of the clips.
        after: Measured in the finished reel.
        gain_db: The one gain of the reel.
        limiter_db: By how much the limiter lowered the highest peak; 0 where none was needed.
    """

    target_lufs: float | None
    true_peak_limit: float
    before: Loudness
    after: Loudness
    gain_db: float
    limiter_db: float


def gated_loudness(readings: Iterable[float]) -> float | None:
    """Return the integrated loudness of momentary readings, those of whole blocks; None where all is silence."""
    powers = [10 ** ((reading + _OFFSET) / 10) for reading in readings if reading >= SILENCE_LUFS]
    if not powers:
        return None
    gate = sum(powers) / len(powers) / 10 ** (_RELATIVE_GATE / 10)
    heard = [power for power in powers if power >= gate]
    return 10 * log10(sum(heard) / len(heard)) - _OFFSET


def even_gains(clips: Mapping[int, tuple[float | None, float]]) -> dict[int, float]:
    """Return the gain of each clip that brings it to the loudness of most of them; silence is left alone.

    Args:
        clips: Loudness and seconds of each clip, by index.

    Returns:
        Gains by index, of at most 12 dB either way, towards the median by seconds: half of the reel is below it.
    """
    known = sorted((lufs, seconds) for lufs, seconds in clips.values() if lufs is not None)
    if not known:
        return dict.fromkeys(clips, 0.0)
    sums = list(accumulate(seconds for _, seconds in known))
    median = next(lufs for (lufs, _), total in zip(known, sums, strict=True) if 2 * total >= sums[-1])
    return {index: 0.0 if lufs is None else _clamped(median - lufs) for index, (lufs, _) in clips.items()}


def _clamped(gain: float) -> float:
    return round(min(max(gain, -MOST_EVENED_DB), MOST_EVENED_DB), 2)


def difference_text(clips: Sequence[tuple[str, float]]) -> str | None:
    """Return the message about names and loudness of clips that differ by more than is heard as one; None if not."""
    if not clips:
        return None
    quiet, loud = min(clips, key=itemgetter(1)), max(clips, key=itemgetter(1))
    if loud[1] - quiet[1] <= MOST_DIFFERENCE_LU:
        return None
    figures = ", ".join(f"{escape(name)} has {lufs:.1f} LUFS" for name, lufs in (quiet, loud))
    return f"clips differ by {loud[1] - quiet[1]:.1f} LU in loudness: {figures}"


def loudness_text(reel: ReelLoudness) -> str:
    """Return one line, such as ``-14.0 LUFS, -1.2 dBTP (before -26.4 LUFS, -14.2 dBTP; gain +12.4 dB)``."""
    limiter = f", limiter {reel.limiter_db:g} dB" if reel.limiter_db else ""
    return f"{levels_text(reel.after)} (before {levels_text(reel.before)}; gain {reel.gain_db:+.1f} dB{limiter})"


def clip_loudness_text(clip: ClipLoudness) -> str:
    """Return one line, such as ``-24.3 LUFS, gain +2.5 dB``; empty where nothing is known of a clip."""
    lufs = () if clip.lufs is None else (f"{clip.lufs:.1f} LUFS",)
    return ", ".join((*lufs, *((f"gain {clip.gain_db:+.1f} dB",) if clip.gain_db else ())))


def levels_text(measured: Loudness) -> str:
    """Return the levels in words; what is too quiet for a loudness may have a peak."""
    lufs = "below -70 LUFS" if measured.lufs is None else f"{measured.lufs:.1f} LUFS"
    return lufs if measured.true_peak is None else f"{lufs}, {measured.true_peak:.1f} dBTP"
