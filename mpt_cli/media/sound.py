"""How any channel layout becomes stereo (pure).

ITU-R BS.775-3, table 2: the sides keep their level, centre and surrounds come in at -3 dB, the
low-frequency channel is left out. Nothing is normalised: ffmpeg's default downmix makes mono
3.1 dB and the centre of 5.1 10.7 dB quieter (measured), so that clips would not match.
"""

from __future__ import annotations

from math import sqrt

MINUS_3_DB = sqrt(0.5)

_LEFT = {"FL": 1.0, "DL": 1.0, "FLC": 1.0, "WL": 1.0, "BL": MINUS_3_DB, "SL": MINUS_3_DB, "TFL": MINUS_3_DB,
         "TBL": MINUS_3_DB, "TSL": MINUS_3_DB}  # fmt: skip
_RIGHT = {"FR": 1.0, "DR": 1.0, "FRC": 1.0, "WR": 1.0, "BR": MINUS_3_DB, "SR": MINUS_3_DB, "TFR": MINUS_3_DB,
          "TBR": MINUS_3_DB, "TSR": MINUS_3_DB}  # fmt: skip
_BOTH = {"FC": MINUS_3_DB, "BC": 0.5, "TC": 0.5, "TFC": 0.5, "TBC": 0.5}


def stereo_mix(channels: tuple[str, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Gains of each channel, in order, for the left and for the right side.

    One channel goes to both sides at unity. Of channels without a known place (a recorder with
    eight microphones), the first two are the sides.
    """
    if len(channels) == 1:
        return (1.0,), (1.0,)
    if not any(name in _LEFT or name in _RIGHT or name in _BOTH for name in channels):
        rest = (0.0,) * (len(channels) - 2)
        return (1.0, 0.0, *rest), (0.0, 1.0, *rest)
    left = tuple(_LEFT.get(name, _BOTH.get(name, 0.0)) for name in channels)
    right = tuple(_RIGHT.get(name, _BOTH.get(name, 0.0)) for name in channels)
    return left, right


def needs_limiter(gains: tuple[float, ...]) -> bool:
    """Whether a side can pass full scale when all its channels do."""
    return sum(gains) > 1.0


def pan_expression(channels: tuple[str, ...]) -> str:
    """The mix as an argument of ffmpeg's ``pan``, by channel number: names differ between layouts."""
    sides = stereo_mix(channels)
    return "stereo|" + "|".join(
        f"c{side}=" + ("+".join(f"{gain:.6g}*c{i}" for i, gain in enumerate(gains) if gain) or "0*c0")
        for side, gains in enumerate(sides)
    )
