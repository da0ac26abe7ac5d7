"""Mix of any channel layout to that of a reel (pure).

ITU-R BS.775-3, table 2: the sides keep their level, centre and surrounds come in at -3 dB, the
low-frequency channel is left out. Nothing is normalised: ffmpeg's default downmix makes mono
3.1 dB and the centre of 5.1 10.7 dB quieter (measured), so that clips would not match.

A reel of more channels takes those that it has as they are; others come in where they are next.
"""

from __future__ import annotations

from math import sqrt

from mpt_cli.model.audio_form import LAYOUTS, layout_of

MINUS_3_DB = sqrt(0.5)

_LEFT = {"FL": 1.0, "DL": 1.0, "BIL": 1.0, "FLC": 1.0, "WL": 1.0, "BL": MINUS_3_DB, "SL": MINUS_3_DB, "SDL": MINUS_3_DB,
         "SSL": MINUS_3_DB, "TFL": MINUS_3_DB, "TBL": MINUS_3_DB, "TSL": MINUS_3_DB, "TTL": MINUS_3_DB,
         "BFL": MINUS_3_DB}  # fmt: skip
_RIGHT = {name.removesuffix("L") + "R": gain for name, gain in _LEFT.items() if name != "FLC"} | {"FRC": 1.0}
_BOTH = {"FC": MINUS_3_DB, "BC": 0.5, "TC": 0.5, "TFC": 0.5, "TBC": 0.5, "BFC": 0.5}
_LOW = ("LFE", "LFE2")
_STEREO = (("DL", "DR"), ("BIL", "BIR"))
"""Pairs that are a stereo version of the channels beside them."""
_AMBISONIC = "AMBI"
_USUAL = {
    2: ("FL", "FR"),
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "FC", "BC"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""Channel names that players assume for unnamed channels; but three are never 2.1, which would lose the third."""

_NEXT = {
    "SL": {"BL": 1.0},
    "SR": {"BR": 1.0},
    "BL": {"SL": 1.0, "BC": MINUS_3_DB},
    "BR": {"SR": 1.0, "BC": MINUS_3_DB},
    "BC": {"BL": MINUS_3_DB, "BR": MINUS_3_DB},
}
"""Channels of surround that take one that a layout does not have, with their gains."""

Mix = tuple[tuple[float, ...], ...]
"""Gains of the channels of a source, in order, for each channel of a reel."""


def placed(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channel names to play by, where a file does not name all of them.

    Of two channels of which one is named, the other is the other side. Where some are named, those that
    are not are unused. More than eight without a name (a recorder with many microphones) stay as they are.
    """
    if not any(map(_is_known, names)):
        return _USUAL.get(len(names), names)
    if len(names) != len(_USUAL[2]) or all(map(_is_known, names)):
        return names
    left_is_second = names[0] == "FR" or names[1] == "FL"
    return ("FR", "FL") if left_is_second else ("FL", "FR")


def stereo_mix(channels: tuple[str, ...]) -> Mix:
    """Return the gains of each channel, in order, for the left and for the right side.

    One channel goes to both sides at unity. Of channels without a known position, the first two are the
    sides. Where a stereo version stands beside other channels it is used alone.
    """
    alone = _only_channel(channels)
    if alone is not None:
        gains = tuple(float(i == alone) for i in range(len(channels)))
        return gains, gains
    if not any(map(_is_known, channels)):
        channels = ("FL", "FR", *channels[2:])
    for pair in _STEREO:
        if set(pair) <= set(channels):
            channels = tuple(name if name in pair else "" for name in channels)
    left = tuple(_gain(name, _LEFT, 0.5) for name in channels)
    right = tuple(_gain(name, _RIGHT, -0.5) for name in channels)
    return left, right


def _gain(name: str, side: dict[str, float], sideways: float) -> float:
    """Return the gain of a channel on one side; ambisonic channels become two cardioids (RFC 8486, 5.1)."""
    if name.startswith(_AMBISONIC):
        return {"AMBI0": 0.5, "AMBI1": sideways}.get(name, 0.0)
    return side.get(name, _BOTH.get(name, 0.0))


def _only_channel(channels: tuple[str, ...]) -> int | None:
    """Return the index of the one channel that is heard: the only one, the only named one, a centre with its LFE."""
    if len(channels) == 1:
        return 0
    heard = [i for i, name in enumerate(channels) if _is_known(name) and name not in _LOW]
    if len(heard) != 1 or (channels[heard[0]] not in _BOTH and any(name in _LOW for name in channels)):
        return None
    return heard[0]


def _is_known(name: str) -> bool:
    return name in _LEFT or name in _RIGHT or name in _BOTH or name in _LOW or name.startswith(_AMBISONIC)


def layout_mix(channels: tuple[str, ...], layout: str = "stereo", *, is_part: bool = False) -> Mix:
    """Return the gains of each channel, in order, for each channel of a layout.

    Args:
        channels: Names of the channels of the source.
        layout: Name of the layout of the reel.
        is_part: True if other channels of the source are in other tracks.
    """
    if len(LAYOUTS[layout]) > 2:
        return _surround_mix(channels, LAYOUTS[layout], is_part=is_part)
    sides = partial_mix(channels) if is_part else stereo_mix(channels)
    if layout == "stereo":
        return sides
    return (tuple((left + right) / 2 for left, right in zip(*sides, strict=True)),)


def _surround_mix(channels: tuple[str, ...], target: tuple[str, ...], *, is_part: bool) -> Mix:
    """Return the gains for a layout of more than two channels; one channel alone is the centre."""
    alone = None if is_part else _only_channel(channels)
    if alone is not None:
        places = {"FC": 1.0} if "FC" in target else {"FL": 1.0, "FR": 1.0}
        gains = [places if number == alone else {} for number in range(len(channels))]
    elif is_part or layout_of(channels) is not None:
        gains = [_places(name, channels, target) for name in channels]
    else:
        left, right = stereo_mix(channels)
        gains = [{"FL": gain, "FR": other} for gain, other in zip(left, right, strict=True)]
    return tuple(tuple(places.get(name, 0.0) for places in gains) for name in target)


def _places(name: str, channels: tuple[str, ...], target: tuple[str, ...]) -> dict[str, float]:
    """Return where a channel is heard in a layout, with its gains."""
    if name in target:
        return {name: 1.0}
    for other, gain in _NEXT.get(name, {}).items():
        if other in target:
            both = {each: level for each, level in _NEXT[name].items() if each in target and level == gain}
            return {each: MINUS_3_DB if each in channels else level for each, level in both.items()}
    return {"FL": _gain(name, _LEFT, 0.5), "FR": _gain(name, _RIGHT, -0.5)}


def partial_mix(channels: tuple[str, ...]) -> Mix:
    """Return the gains for channels of a layout whose other channels are in other tracks."""
    left, right = stereo_mix((*channels, "FL", "FR"))
    return left[: len(channels)], right[: len(channels)]


def needs_limiter(gains: tuple[float, ...]) -> bool:
    """Return True if a side can pass full scale when all its channels do."""
    return sum(map(abs, gains)) > 1.0


def pan_expression(channels: tuple[str, ...], layout: str = "stereo", *, is_part: bool = False) -> str:
    """Return the mix as an argument of ffmpeg's ``pan``, by channel number: names differ between layouts."""
    sides = layout_mix(channels, layout, is_part=is_part)
    return f"{layout}|" + "|".join(
        f"c{side}=" + ("".join(f"{gain:+.6g}*c{i}" for i, gain in enumerate(gains) if gain).lstrip("+") or "0*c0")
        for side, gains in enumerate(sides)
    )
