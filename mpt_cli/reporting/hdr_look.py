"""HDR stills as an ordinary display shows them: the conversion of SDR reels, as a table of colours."""

from __future__ import annotations

from functools import lru_cache
from math import exp
from typing import TYPE_CHECKING

from PIL import ImageFilter

from mpt_cli.model.choices import DynamicRange

if TYPE_CHECKING:
    from collections.abc import Callable

    Rgb = tuple[float, float, float]

_WHITE_NITS = 203.0
"""Diffuse white (ITU-R BT.2408), which stands for 1.0."""
_HLG_NITS, _HLG_GAMMA = 1000.0, 1.2
_PEAK, _KNEE = 10.0, 0.3
"""Of ``mobius``: the most light in diffuse whites, and the light up to which nothing changes."""
_DISPLAY_GAMMA = 2.4
"""ITU-R BT.1886."""
_STEPS = 33
_LUMA = (0.2627, 0.6780, 0.0593)
_TO_BT709 = ((1.66049, -0.58764, -0.07285), (-0.12455, 1.13290, -0.00835), (-0.01815, -0.10058, 1.11873))
"""From linear light of BT.2020's primaries."""


@lru_cache(maxsize=2)
def sdr_table(dynamic_range: DynamicRange) -> ImageFilter.Color3DLUT:
    """Return the filter of Pillow that shows an HDR signal of BT.2020 as BT.709."""
    light = _hlg_light if dynamic_range is DynamicRange.HLG else _pq_light

    def shown(red: float, green: float, blue: float) -> Rgb:
        return _coded(_bent(_in_bt709(light((red, green, blue)))))

    return ImageFilter.Color3DLUT.generate(_STEPS, shown)


def _each(of: Callable[[float], float], rgb: Rgb) -> Rgb:
    red, green, blue = rgb
    return of(red), of(green), of(blue)


def _hlg_light(signal: Rgb) -> Rgb:
    """Return the light of an HLG display of 1000 cd/m2, in diffuse whites (ITU-R BT.2100, table 5)."""
    scene = _each(lambda v: v * v / 3 if v <= 0.5 else (exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12, signal)
    luminance = sum(weight * value for weight, value in zip(_LUMA, scene, strict=True))
    gain = _HLG_NITS / _WHITE_NITS * (luminance ** (_HLG_GAMMA - 1) if luminance > 0 else 0.0)
    return _each(lambda value: gain * value, scene)


def _pq_light(signal: Rgb) -> Rgb:
    """Return the light of a PQ display, in diffuse whites (ITU-R BT.2100, table 4)."""

    def light(value: float) -> float:
        power = value ** (1 / 78.84375)
        return float(10_000 / _WHITE_NITS * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** 6.2774603)

    return _each(light, signal)


def _in_bt709(light: Rgb) -> Rgb:
    red, green, blue = (sum(share * value for share, value in zip(row, light, strict=True)) for row in _TO_BT709)
    return red, green, blue


def _bent(light: Rgb) -> Rgb:
    """Bend highlights as ``tonemap=mobius`` of ffmpeg does: all channels by what the brightest one needs."""
    most = max(*light, 1e-6)
    if most <= _KNEE:
        return light
    divisor = _KNEE**2 - 2 * _KNEE + _PEAK
    a = -(_KNEE**2) * (_PEAK - 1) / divisor
    b = (_KNEE**2 - 2 * _KNEE * _PEAK + _PEAK) / (_PEAK - 1)
    bent = (b * b + 2 * b * _KNEE + _KNEE**2) / (b - a) * (most + a) / (most + b)
    return _each(lambda value: value * bent / most, light)


def _coded(light: Rgb) -> Rgb:
    return _each(lambda value: min(max(value, 0.0), 1.0) ** (1 / _DISPLAY_GAMMA), light)
