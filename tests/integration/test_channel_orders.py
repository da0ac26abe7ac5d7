"""Channels are heard where their labels say, in any order, and by the usual order where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audio_clips import clip, label_channels, level, played, tones

if TYPE_CHECKING:
    from pathlib import Path

HERTZ = (500, 900, 700, 1100, 1300, 1500, 1700, 1900)
FULL, CENTRE, BEHIND = -20.0, -23.01, -26.02
LABELS = {
    "unused": ((0, 0), {500: "L", 900: "R"}),
    "right and left": ((2, 1), {500: "R", 900: "L"}),
    "left and unused": ((1, 0), {500: "L", 900: "R"}),
    "unknown and left": ((0xFFFFFFFF, 1), {500: "R", 900: "L"}),
    "discrete": ((0x10000, 0x10001), {500: "L", 900: "R"}),
    "film order": ((1, 3, 2, 5, 6, 4), {500: "L", 900: "C", 700: "R", 1100: "l", 1300: "r", 1500: ""}),
    "six unused": ((0,) * 6, {500: "L", 900: "R", 700: "C", 1100: "", 1300: "l", 1500: "r"}),
    "centre first": ((3, 1, 2), {500: "C", 900: "L", 700: "R"}),
    "with a stereo version": ((1, 2, 3, 4, 5, 6, 38, 39), {500: "", 900: "", 1100: "", 1700: "L", 1900: "R"}),
}
"""Where each tone is heard: left, right, centre, behind left, behind right, nowhere."""


AMBISONIC = 18, b"\x02"
"""Where the mapping of channels stands in the head of Opus, and the one of RFC 8486."""


def heard(place: str) -> tuple[float | None, float | None]:
    """Levels on both sides; None for silence."""
    sides: dict[str, tuple[float | None, float | None]] = {
        "L": (FULL, None), "R": (None, FULL), "C": (CENTRE, CENTRE), "l": (CENTRE, None), "r": (None, CENTRE),
        "B": (BEHIND, BEHIND), "": (None, None),
    }  # fmt: skip
    return sides[place]


def assert_heard(path: Path, folder: Path, places: dict[int, str]) -> None:
    pcm, done = played(path, folder)
    assert not done.warnings
    for hertz, place in places.items():
        for found, wanted in zip(level(pcm, hertz, 0.1, 0.9), heard(place), strict=True):
            assert found == pytest.approx(wanted, abs=0.3) if wanted is not None else found < -50, hertz


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.core(1)
def test_labelled_channels_are_heard_in_their_places(tmp_path: Path, kind: str) -> None:
    labels, places = LABELS[kind]
    path, layout = tmp_path / "labelled.mov", {2: "stereo", 3: "3.0", 6: "5.1", 8: "7.1"}[len(labels)]
    clip(path, tones(HERTZ[: len(labels)], 1, layout), "-c:a", "pcm_s16le", seconds=1)
    label_channels(path, labels)
    assert_heard(path, tmp_path, places)


@pytest.mark.parametrize(
    ("count", "places"),
    [
        (3, "LRC"),
        (4, "LRCB"),
        (5, "LRClr"),
        (6, "LRC lr"),
        (8, "LRC lrlr"),
    ],
)
@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_u8"])
def test_channels_without_a_layout_have_the_usual_order(tmp_path: Path, count: int, places: str, codec: str) -> None:
    path = tmp_path / "unnamed.mkv"
    clip(path, tones(HERTZ[:count], 1, f"{count}c"), "-c:a", codec, "-channel_layout", f"{count}c", seconds=1)
    assert_heard(path, tmp_path, {hertz: place.strip() for hertz, place in zip(HERTZ, places, strict=False)})


@pytest.mark.parametrize(
    ("count", "places"),
    [(4, {500: (-26.02, -26.02), 900: (-26.02, -26.02)}), (6, {500: (-26.02, -26.02), 1300: (FULL, None)})],
    ids=["first order", "with a stereo track"],
)
def test_ambisonic_audio_is_heard_on_both_sides(
    tmp_path: Path, count: int, places: dict[int, tuple[float, float | None]]
) -> None:
    made, path = tmp_path / "made.mkv", tmp_path / "ambisonic.mkv"
    opus = ("-c:a", "libopus", "-mapping_family", "255", "-b:a", "384k")
    clip(made, tones(HERTZ[:count], 1, f"{count}.0"), *opus, seconds=1)
    data = bytearray(made.read_bytes())
    place = data.index(b"OpusHead") + AMBISONIC[0]
    data[place : place + 1] = AMBISONIC[1]
    path.write_bytes(data)
    pcm, _ = played(path, tmp_path)
    for hertz, wanted in places.items():
        for found, each in zip(level(pcm, hertz, 0.1, 0.9), wanted, strict=True):
            assert found == pytest.approx(each, abs=0.5) if each is not None else found < -50, hertz
