"""Every code of a colour description: converted as the standards' formulas say, guessed aloud, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.media import color
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.builders import form_of
from tests.integration.segments import Bench
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

SIDE = 32
_ELEMENTS = {"matrix": b"\x55\xb1", "range": b"\x55\xb9", "transfer": b"\x55\xba", "primaries": b"\x55\xbb"}
"""Matroska's elements of a colour description, which hold one byte each."""
CODES = [*range(24), 77, 255]
BRICK, LEAF, SKY = np.array([200, 80, 60]) / 255, np.array([90, 180, 110]) / 255, np.array([70, 110, 220]) / 255


def clip_of(folder: Path, yuv: Vector, **codes: int) -> Path:
    """A clip of one colour: luma 0 to 1 and both chromas -0.5 to 0.5, in 10 bits, tagged by these codes."""
    plain, path = folder / "plain.mkv", folder / "clip.mkv"
    levels = [64 + 876 * yuv[0], 512 + 896 * yuv[1], 512 + 896 * yuv[2]]
    frame = np.repeat(np.rint(levels).astype("<u2"), SIDE * SIDE).tobytes()
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-s", f"{SIDE}x{SIDE}", "-r", "25", "-i", "-")
    tags = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    run_ffmpeg(*raw, "-vf", tags, "-c:v", "ffv1", plain, stdin=frame * 2)
    data = bytearray(plain.read_bytes())
    for name, code in codes.items():
        assert data.count(_ELEMENTS[name] + b"\x81") == 1
        data[data.index(_ELEMENTS[name] + b"\x81") + 3] = code
    path.write_bytes(data)
    return path


def shown(clip: Path, folder: Path) -> Vector:
    """The colour (0 to 1) of what is made of a clip."""
    made = Bench(folder).clip(clip, form_of(size=f"{SIDE}x{SIDE}", rate="25")).processed_path
    return np.array(reader.mean_color(made)) / 255


def by_weights(red: float, blue: float) -> Callable[[Vector], Vector]:
    """The matrix with these shares of red and blue in luma."""

    def coded(rgb: Vector) -> Vector:
        luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
        return np.array([luma, (rgb[2] - luma) / 2 / (1 - blue), (rgb[0] - luma) / 2 / (1 - red)])

    return coded


BT709, BT2020 = by_weights(0.2126, 0.0722), by_weights(0.2627, 0.0593)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("part", ["matrix", "transfer", "primaries"])
@pytest.mark.core(3)
def test_no_code_ends_in_the_words_of_ffmpeg(tmp_path: Path, part: str, code: int) -> None:
    clip = clip_of(tmp_path, BT709(np.array([0.5, 0.5, 0.5])), **{part: code})
    media = probe(clip, scan=True)
    if color.refusal(media.video.color, media.video.pixel_format, media.video.codec):
        assert (part, code) in {("matrix", 11), ("matrix", 15), ("matrix", 16), ("matrix", 17), ("primaries", 10)}
        return
    assert shown(clip, tmp_path).min() > 0.2
    known = {"matrix": color.MATRICES, "transfer": color.TRANSFERS, "primaries": color.PRIMARIES}[part]
    guessed = [issue.message for issue in media.warnings if issue.code is IssueCode.COLOR_GUESSED]
    aloud = (code not in known and code not in (0, 2, 3)) or (part, code) in {  # libavformat hides 0 and 3
        ("matrix", 0), ("matrix", 14)
    }  # fmt: skip
    assert bool(guessed) == aloud, guessed


def ycgco(rgb: Vector) -> Vector:
    """ITU-T H.273, equations 44 to 46."""
    return np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0, -0.5]]) @ rgb


@pytest.mark.parametrize("rgb", [BRICK, LEAF, SKY], ids=["brick", "leaf", "sky"])
@pytest.mark.parametrize(
    ("code", "coded"),
    [
        (1, BT709), (4, by_weights(0.30, 0.11)), (5, by_weights(0.299, 0.114)), (7, by_weights(0.212, 0.087)),
        (8, ycgco), (12, BT709),
    ],
)  # fmt: skip
@pytest.mark.core(2)
def test_each_matrix_gives_its_colours_back(
    tmp_path: Path, code: int, coded: Callable[[Vector], Vector], rgb: Vector
) -> None:
    found = shown(clip_of(tmp_path, coded(rgb), matrix=code), tmp_path)
    assert found * 255 == pytest.approx(rgb * 255, abs=4)


def of_primaries(*corners: tuple[float, float], white: tuple[float, float] = (0.3127, 0.3290)) -> Vector:
    """Linear light in the primaries of these chromaticities as that of BT.709 (SMPTE RP 177, Bradford)."""

    def xyz(place: tuple[float, float]) -> Vector:
        return np.array([place[0], place[1], 1 - sum(place)]) / place[1]

    def to_xyz(corners: tuple[tuple[float, float], ...], white: tuple[float, float]) -> Vector:
        columns = np.array([xyz(corner) for corner in corners]).T
        made: Vector = columns * np.linalg.solve(columns, xyz(white))
        return made

    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    day = (0.3127, 0.3290)
    adapted = np.linalg.inv(cones) @ np.diag(cones @ xyz(day) / (cones @ xyz(white))) @ cones
    bt709 = to_xyz(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), day)
    made: Vector = np.linalg.inv(bt709) @ adapted @ to_xyz(corners, white)
    return made


WIDE = {
    4: of_primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), white=(0.310, 0.316)),
    8: of_primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), white=(0.310, 0.316)),
    9: of_primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: of_primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), white=(0.314, 0.351)),
    12: of_primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
MUTED = [
    np.array([0.6, 0.6, 0.6]),
    np.array([0.75, 0.55, 0.5]),
    np.array([0.55, 0.7, 0.6]),
    np.array([0.5, 0.55, 0.75]),
]
"""Grey, and colours of wide primaries that BT.709 can show."""


@pytest.mark.parametrize("rgb", MUTED, ids=["grey", "red", "green", "blue"])
@pytest.mark.parametrize("code", WIDE)
@pytest.mark.core(2)
def test_wide_primaries_are_brought_into_bt709(tmp_path: Path, code: int, rgb: Vector) -> None:
    wanted = (WIDE[code] @ rgb**2.4).clip(0) ** (1 / 2.4)
    found = shown(clip_of(tmp_path, BT709(rgb), primaries=code), tmp_path)
    assert found * 255 == pytest.approx(wanted * 255, abs=4)


LIGHT: dict[int, Callable[[float], float]] = {
    4: lambda v: v**2.4,  # shown as it is, as players do
    5: lambda v: v**2.4,
    8: lambda v: v,
    9: lambda v: float(10 ** (2 * (v - 1))),
    10: lambda v: float(10 ** (2.5 * (v - 1))),
    13: lambda v: v**2.4,
    17: lambda v: 52.37 / 48 * v**2.6,
}
"""Light of a display, 1 being white, by the code of the transfer (ITU-T H.273, table 3)."""


@pytest.mark.parametrize("signal", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("code", LIGHT)
@pytest.mark.core(3)
def test_each_transfer_gives_its_light(tmp_path: Path, code: int, signal: float) -> None:
    found = shown(clip_of(tmp_path, np.array([signal, 0.0, 0.0]), transfer=code), tmp_path)
    assert found * 255 == pytest.approx(np.full(3, LIGHT[code](signal) ** (1 / 2.4) * 255), abs=3)


def by_camera(light: Vector) -> Vector:
    """The curve of ITU-R BT.2020, table 4."""
    return np.where(light < 0.018053968, 4.5 * light, 1.09929682 * light**0.45 - 0.09929682)


def constant_luminance(rgb: Vector) -> Vector:
    """ITU-R BT.2020, table 4, of colours that are coded already."""
    light = np.where(rgb < 4.5 * 0.018053968, rgb / 4.5, ((rgb + 0.09929682) / 1.09929682) ** (1 / 0.45))
    luma = by_camera(np.array(0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2]))
    blue, red = rgb[2] - luma, rgb[0] - luma
    return np.array([luma, blue / (1.9404 if blue <= 0 else 1.5816), red / (1.7184 if red <= 0 else 0.9936)])


@pytest.mark.parametrize("rgb", MUTED, ids=["grey", "red", "green", "blue"])
def test_constant_luminance_gives_its_colours_back(tmp_path: Path, rgb: Vector) -> None:
    wanted = (WIDE[9] @ rgb**2.4).clip(0) ** (1 / 2.4)
    clip = clip_of(tmp_path, constant_luminance(rgb), matrix=10, primaries=9, transfer=14)
    assert shown(clip, tmp_path) * 255 == pytest.approx(wanted * 255, abs=4)


def pq(light: Vector) -> Vector:
    """Light of a display, 1 being 10,000 cd/m², in PQ (ITU-R BT.2100, table 4)."""
    power = light**0.1593017578125
    signal: Vector = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return signal


def hlg(light: Vector) -> Vector:
    """Light of a display, 1 being 1,000 cd/m², in HLG: the inverse of its gamma of luminance, then of its curve."""
    luminance = 0.2627 * light[0] + 0.6780 * light[1] + 0.0593 * light[2]
    scene = light * luminance ** (1 / 1.2 - 1)
    above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    signal: Vector = np.where(scene <= 1 / 12, np.sqrt(3 * scene), above)
    return signal


def ictcp(rgb: Vector, curve: Callable[[Vector], Vector]) -> Vector:
    """ITU-R BT.2100, table 7."""
    cones = curve(np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096 @ rgb)
    made: Vector = np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096 @ cones
    return made


DIM = 0.3 * 203
"""The brightest light, in cd/m², that is shown as it is."""


@pytest.mark.parametrize("rgb", [BRICK, LEAF, SKY], ids=["brick", "leaf", "sky"])
@pytest.mark.parametrize("kind", ["pq", "hlg", "ictcp"])
@pytest.mark.core(1)
def test_dark_colours_of_hdr_are_exact(tmp_path: Path, kind: str, rgb: Vector) -> None:
    light = rgb**2.4 / (rgb**2.4).max() * DIM
    wide = np.linalg.inv(WIDE[9]) @ light
    yuv, codes = {
        "pq": (BT2020(pq(wide / 10_000)), (9, 16)),
        "hlg": (BT2020(hlg(wide / 1000)), (9, 18)),
        "ictcp": (ictcp(wide / 10_000, pq), (14, 16)),
    }[kind]
    clip = clip_of(tmp_path, yuv, matrix=codes[0], transfer=codes[1], primaries=9)
    assert probe(clip, scan=True).video.hdr == ("hlg" if kind == "hlg" else "pq")
    wanted = (light / 203) ** (1 / 2.4)
    assert shown(clip, tmp_path) * 255 == pytest.approx(wanted * 255, abs=4)
