"""A small reader of finished reels, for tests: what is shown, what is heard, how it is packed.

It shares no code with mpt and believes no container where it can look: pictures are known by the
number they carry (:mod:`tests.marks`), sound by counting decoded samples, colours by the stored
luma and chroma.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.resampler import AudioResampler

from tests.marks import CELLS, SIGNAL_RATE, cell_edges, check_byte, signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Gray = NDArray[np.uint8]
    Size = tuple[int, int]

LEAST_CONTRAST = 40.0
"""Difference of a bit's two cells (of 190 as drawn) below which a picture counts as unreadable."""

_WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Shares of red and blue in luma: ITU-R BT.709, BT.601 and BT.2020."""


# --- pictures -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture: its time in seconds and what it says; None where it cannot be read."""

    pts: Fraction
    clip_id: int | None
    number: int | None


def frames(path: Path) -> Iterator[VideoFrame]:
    """Every decoded picture in the order of showing."""
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def duration(path: Path) -> int | None:
    """What the container says of its length, in microseconds."""
    with av.open(str(path)) as container:
        return container.duration


def chapters(path: Path) -> list[tuple[str, Fraction]]:
    """Title and start of each chapter."""
    with av.open(str(path)) as container:
        found = [(each["metadata"], each["start"] * Fraction(each["time_base"] or 1)) for each in container.chapters()]
    assert all(set(said) == {"title"} for said, _ in found)
    return [(said["title"], start) for said, start in found]


def pictures(path: Path, shown: Iterable[Size] = ((160, 90),)) -> list[Picture]:
    """What every picture of a reel says, its clips having these displayed sizes, fitted by contain."""
    sizes = sorted(set(shown))
    found = []
    for frame in frames(path):
        assert frame.pts is not None
        assert frame.time_base is not None
        gray = frame.to_ndarray(format="gray").astype(np.uint8)
        said = next((number for size in sizes if (number := read_number(gray, size))), (None, None))
        found.append(Picture(frame.pts * frame.time_base, *said))
    return found


def stripe_numbers(path: Path) -> list[int]:
    """The number on every picture that is drawn as eight stripes, the lowest bit at the left."""
    found = []
    for frame in frames(path):
        row = frame.to_ndarray(format="gray")[frame.height // 2]
        found.append(sum(1 << bit for bit in range(8) if row[int((bit + 0.5) * frame.width / 8)] > 126))
    return found


def read_number(gray: Gray, shown: Size) -> tuple[int, int] | None:
    """Clip and number on a picture into which one of size ``shown`` was fitted; None if unreadable."""
    factor = min(gray.shape[1] / shown[0], gray.shape[0] / shown[1])
    columns = _centres(shown[0] * factor, gray.shape[1])
    rows = _centres(shown[1] * factor, gray.shape[0])
    cells = np.array([[gray[y, x].mean() for x in columns] for y in rows])
    difference = cells[:, 0::2] - cells[:, 1::2]
    if np.abs(difference).min() < LEAST_CONTRAST:
        return None
    word = int("".join("1" if bit > 0 else "0" for bit in difference.ravel()), 2)
    clip_id, number, check = word >> 24, word >> 8 & 0xFFFF, word & 0xFF
    return (clip_id, number) if check == check_byte(clip_id, number) else None


def _centres(fitted: float, full: int) -> list[slice]:
    """The middle half of each cell along a side, where a picture lies centred in a longer side."""
    edges = cell_edges(1) * fitted + (full - fitted) / 2
    quarter = (edges[1] - edges[0]) / 4
    return [
        slice(int(edges[k] + quarter), max(int(edges[k] + quarter) + 1, int(edges[k + 1] - quarter)))
        for k in range(CELLS)
    ]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture, each border as a share of its width or height."""

    left: float = 0.25
    top: float = 0.25
    right: float = 0.75
    bottom: float = 0.75


MIDDLE = Region()


def mean_color(
    path: Path, number: int = 0, *, region: Region = MIDDLE, matrix: str = "bt709", full_range: bool = False
) -> tuple[float, float, float]:
    """Mean red, green and blue (0 to 255) of a part of the n-th picture of an 8-bit 4:2:0 file.

    The stored values are taken to mean what ``matrix`` and ``full_range`` say, whatever the file's
    tags say: a wrong conversion cannot hide behind a tag that is wrong in the same way.
    """
    frame = next(frame for n, frame in enumerate(frames(path)) if n == number)
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        raise ValueError(f"{frame.format.name} is not 8-bit 4:2:0")
    luma, blue, red = (_mean(_plane(frame, index), region) for index in range(3))
    y = luma / 255 if full_range else (luma - 16) / 219
    pb, pr = ((chroma - 128) / (255 if full_range else 224) for chroma in (blue, red))
    kr, kb = _WEIGHTS[matrix]
    r, b = y + 2 * (1 - kr) * pr, y + 2 * (1 - kb) * pb
    g = (y - kr * r - kb * b) / (1 - kr - kb)
    return (255 * r, 255 * g, 255 * b)


def _plane(frame: VideoFrame, index: int) -> Gray:
    """One plane of a planar 8-bit picture, without the padding of its lines."""
    plane = frame.planes[index]
    lines: Gray = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: plane.height, : plane.width]


def _mean(plane: Gray, region: Region) -> float:
    """Mean of a part of a plane."""
    height, width = plane.shape
    across = slice(int(region.left * width), int(region.right * width))
    down = slice(int(region.top * height), int(region.bottom * height))
    return float(plane[down, across].mean())


@dataclass(frozen=True, slots=True)
class ColorTags:
    """The colour description of the first picture as the numbers of ITU-T H.273; range 1 is limited."""

    matrix: int
    primaries: int
    transfer: int
    range: int


def color_tags(path: Path) -> ColorTags:
    """What a file says about its colours; 2 (for the range 0) is "not said"."""
    frame = next(frames(path))
    return ColorTags(frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)


# --- sound --------------------------------------------------------------------------------------


def samples(path: Path, *, rate: int | None = None, layout: str | None = None) -> Samples:
    """All decoded samples as floats, a row a channel, joined in order whatever their timestamps say.

    ``rate`` and ``layout`` convert; without them the file's own stay.
    """
    resampler = AudioResampler("fltp", layout, rate)
    parts: list[Samples] = []
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros((0, 0), np.float32)
        frame: AudioFrame | None
        for frame in [*container.decode(audio=0), None]:
            if frame is not None:
                frame.pts = None
            parts += [part.to_ndarray().astype(np.float32) for part in resampler.resample(frame)]
    return np.concatenate(parts, axis=1) if parts else np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a clip's sound starts in a reel (sample), and how surely it is that sound (0 to 1)."""

    start: int
    strength: float


def find_sound(
    sound: Samples, clip_id: int, *, at: int = 0, length: int = 4800, near: int = 0, reach: int = 0
) -> Found:
    """Find a clip's signature in one channel at 48 kHz, by ``length`` samples of it from ``at`` on.

    The answer is where the clip's sample 0 lies, also if the piece was taken from its middle. With
    ``reach``, only starts within that many samples of ``near`` are looked at, else all.
    """
    piece = signature(clip_id, at + length)[at:]
    low = max(0, near + at - reach) if reach else 0
    high = near + at + length + reach if reach else sound.size
    window = sound[low:high].astype(np.float64)
    if window.size < length:
        return Found(0, 0.0)
    size = 1 << (window.size + length - 1).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    products = np.fft.irfft(spectrum, size)[: window.size - length + 1]
    best = int(np.argmax(products))
    energy = np.linalg.norm(window[best : best + length]) * np.linalg.norm(piece)
    return Found(low + best - at, float(products[best] / energy) if energy > 1e-9 else 0.0)


def tone_level(sound: Samples, hertz: float, *, rate: int = SIGNAL_RATE) -> float:
    """Level of a tone in one channel in decibels, a full-scale sine being 0; at least -120.

    The mean over the whole sound: what is silent for half of its length is 6 dB lower.
    """
    if not sound.size:
        return -120.0
    # A Hann window keeps loud neighbours out; its mean of one half is made good by the factor 4.
    window = np.hanning(sound.size)
    wave = np.exp(-2j * np.pi * hertz * np.arange(sound.size) / rate)
    amplitude = 4 * abs(np.mean(sound * window * wave))
    return float(20 * np.log10(max(amplitude, 1e-6)))


def peak(sound: Samples) -> float:
    """Largest absolute sample; 0.0 of nothing."""
    return float(np.abs(sound).max()) if sound.size else 0.0


# --- packets and boxes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; times are ticks of :attr:`Track.time_base`."""

    pts: int | None
    dts: int | None
    duration: int | None
    size: int
    key: bool


@dataclass(frozen=True, slots=True)
class Track:
    """The packets of one stream in the order of the file."""

    codec: str
    time_base: Fraction
    packets: tuple[Packet, ...]


def track(path: Path, kind: str = "video") -> Track:
    """The first stream of a kind (``video`` or ``audio``)."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        assert stream.time_base is not None
        found = [
            Packet(packet.pts, packet.dts, packet.duration, packet.size, packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size  # the last, empty one only flushes
        ]
        return Track(stream.codec_context.name, Fraction(stream.time_base), tuple(found))


_CONTAINER_BOXES = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"dinf", b"udta", b"moof", b"traf"})


@dataclass(frozen=True, slots=True)
class Box:
    """A box of an mp4 or mov file: its path from the top (``moov/trak/edts``), place and size in bytes."""

    path: str
    offset: int
    size: int


def boxes(path: Path) -> list[Box]:
    """All boxes of an mp4 or mov file, outer before inner, in the order of the file."""
    content = path.read_bytes()
    return list(_walk(content, 0, len(content), ""))


def _walk(content: bytes, begin: int, end: int, above: str) -> Iterator[Box]:
    """The boxes between two places (ISO/IEC 14496-12, 4.2)."""
    while begin + 8 <= end:
        size, kind, header = int.from_bytes(content[begin : begin + 4]), content[begin + 4 : begin + 8], 8
        if size == 1:
            size, header = int.from_bytes(content[begin + 8 : begin + 16]), 16
        elif size == 0:
            size = end - begin
        if size < header or begin + size > end:
            return  # not a box: the four zero bytes that end a QuickTime user data list, or damage
        name = above + kind.decode("latin-1")
        yield Box(name, begin, size)
        if kind in _CONTAINER_BOXES:
            yield from _walk(content, begin + header, begin + size, name + "/")
        begin += size


def index_comes_first(path: Path) -> bool:
    """Whether ``moov`` lies before ``mdat``, so that playing can start before all is loaded."""
    order = [box.path for box in boxes(path) if box.path in ("moov", "mdat")]
    return order[:1] == ["moov"]


def has_edit_list(path: Path) -> bool:
    """Whether any track has an edit list, which players treat differently."""
    return any(box.path.endswith(("/edts", "/elst")) for box in boxes(path))
