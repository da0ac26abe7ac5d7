"""Quality: VMAF and size against an encoder's CPU time, by which the quality levels are chosen.

Each clip of the mixed reel, or of ``--clips FOLDER``, is conformed by the product's own filters; one second from
its middle is encoded with the options that the product would give the encoder, only preset and CRF vary. What the
file of points already holds is not judged again: a later call adds points, or rounds of CPU time.

CPU time is that of the encoding process (user and system, one thread) less that of a process which
only reads the pictures: medians of rounds in which all points take turns. VMAF is libvmaf's default
model over the part of the picture that the clip fills: with black bars, which cost nothing and are
always right, each score would be higher than what is seen deserves.

A level is the cheapest point that reaches its VMAF on average and in no clip falls a just noticeable
difference below it, with a file of at most so many times the smallest that does (:data:`RULES`).
Without a word on size the answer would always be the fastest preset: x264's ``ultrafast`` reaches any
VMAF with the least CPU time, and 93 in 2.5 times the bytes of ``medium``. The whole grid takes one core
forty minutes for the first round, and half of that for each further one.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg.commands import GLOBAL_ARGUMENTS
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.ffmpeg.segment_commands import segment_arguments
from mpt_cli.media.geometry import place
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.process.run import NO_LIMITS
from mpt_cli.model.choices import Codec, QualityLevel
from mpt_cli.model.clips import EncoderSettings, Segment, VideoClip
from mpt_cli.runtime.cancel import CancelToken
from tests.benchmarks.measure import Outcome
from tests.benchmarks.reels import mixed_material
from tests.builders import form_of

if TYPE_CHECKING:
    from argparse import Namespace, _ArgumentGroup
    from collections.abc import Iterable, Iterator, Sequence

    Setting = tuple[Codec, str, int]

RATE, FRAMES = Fraction(30), 30
LOSSLESS = EncoderSettings(Codec.H264, "libx264", ("-preset", "ultrafast", "-qp", "0"), "yuv420p", 1)
GRID: dict[Codec, dict[str, Sequence[int]]] = {
    Codec.H264: {
        "ultrafast": (18, 23, 25, 27, 32, 33),
        "superfast": (18, 22, 23, 27, 30),
        "veryfast": (15, 16, 18, 19, 20, 23, 27),
        "fast": (17, 18, 20),
        "medium": (17, 18, 20, 22),
    },
    Codec.HEVC: {
        "ultrafast": (14, 15, 19, 23, 27, 28),
        "superfast": (16, 17, 19, 21),
        "veryfast": (16, 20),
        "medium": (20,),
    },
    Codec.AV1: {
        "10": (17, 24, 27, 28, 30, 45),
        "8": (19, 20, 30),
        "7": (19, 20),
        "6": (20, 30, 33),
    },
}
"""Presets and CRFs that are measured of each codec's encoder: coarse, then fine around the levels."""
NOTICEABLE = 6.0
"""Points of VMAF that three of four viewers see as a difference (Netflix)."""
NOISE = 1.03
"""Points whose CPU time lies within this of each other cost the same; the smaller file wins."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The VMAF of a level, and how many times the smallest file that reaches it its files may be."""

    vmaf: float
    most_bytes: float


RULES = {
    QualityLevel.DRAFT: Rule(80.0, 2.0),
    QualityLevel.BALANCED: Rule(93.0, 2.0),
    QualityLevel.HIGH: Rule(96.0, 1.1),
}
"""Time counts more than bytes, but for what is to be kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """Raw pictures of the middle of a clip, and the filter that leaves what the clip itself fills."""

    path: Path
    shown: str


@dataclass(frozen=True, slots=True)
class Point:
    """What one setting came to: VMAF of all frames, of each clip, and what 5 % of the frames are below."""

    codec: Codec
    preset: str
    crf: int
    bytes: int
    vmaf: float
    low_vmaf: float
    clip_vmaf: tuple[float, ...]
    cpu_rounds: tuple[float, ...]

    @property
    def cpu_seconds(self) -> float:
        """Median of the rounds."""
        return statistics.median(self.cpu_rounds)

    @property
    def worst_vmaf(self) -> float:
        """The mean of the clip that comes out worst."""
        return min(self.clip_vmaf)

    def beaten_by(self, other: Point) -> bool:
        """Whether another point is better in one of CPU time, size and VMAF and no worse in the others."""
        mine = (self.cpu_seconds, self.bytes, -self.vmaf)
        others = (other.cpu_seconds, other.bytes, -other.vmaf)
        return others != mine and all(theirs <= own for theirs, own in zip(others, mine, strict=True))


class Bench:
    """Parts of clips in a folder, and the ffmpeg that encodes and compares them."""

    def __init__(self, clips: Iterable[Path], folder: Path) -> None:
        """Conform the clips into this folder."""
        self._ffmpeg, self._folder = Ffmpeg(), folder
        self._parts = [self._conformed(clip, index) for index, clip in enumerate(clips)]

    def read(self) -> float:
        """CPU seconds that reading all parts takes."""
        return sum(self._run("-i", part.path, "-f", "null", "-") for part in self._parts)

    def encode(self, codec: Codec, preset: str, crf: int) -> tuple[float, list[Path]]:
        """CPU seconds that a setting takes, reading included, and what it makes of each part."""
        quality = QualitySettings(codec=codec, preset=preset, crf=crf)
        settings = CodecOptimizer().get_optimal_settings(quality, frame_rate=RATE, threads=1)
        coder = ("-c:v", settings.encoder, *settings.options, "-pix_fmt", settings.pixel_format, "-threads", "1")
        files = [part.path.with_suffix(".mp4") for part in self._parts]
        runs = zip(self._parts, files, strict=True)
        return sum(self._run("-i", part.path, *coder, file) for part, file in runs), files

    def judge(self, files: Sequence[Path]) -> list[list[float]]:
        """VMAF of each frame of each part."""
        return [self._compared(file, part) for file, part in zip(files, self._parts, strict=True)]

    def _conformed(self, path: Path, index: int) -> Part:
        form = replace(form_of(size="1080x1920", rate=RATE), encoder=LOSSLESS)
        media, lossless = probe(path, scan=True), self._folder / f"{index}.mkv"
        clip = VideoClip(path, start=max(Fraction(0), media.duration / 2 - FRAMES / RATE / 2))
        segment = Segment(index, 0, FRAMES)
        self._run(*segment_arguments(clip, media, segment, form, video_path=lossless, audio_path=None))
        raw, placed = lossless.with_suffix(".y4m"), place(media.video.display, form.dimensions, form.fit)
        self._run("-i", lossless, raw)
        return Part(raw, f"crop={placed.inner.width}:{placed.inner.height}:{placed.x}:{placed.y}")

    def _compared(self, file: Path, part: Part) -> list[float]:
        chain = f"settb=1/{RATE},setpts=N,{part.shown}"
        graph = f"[0:v]{chain}[a];[1:v]{chain}[b];[a][b]libvmaf=n_threads=1:log_fmt=json:log_path=vmaf.json"
        self._run("-i", file, "-i", part.path, "-lavfi", graph, "-f", "null", "-")
        frames = json.loads((self._folder / "vmaf.json").read_text())["frames"]
        if len(frames) != FRAMES:
            raise SystemExit(f"{file}: {len(frames)} frames, not {FRAMES}")
        return [frame["metrics"]["vmaf"] for frame in frames]

    def _run(self, *arguments: str | Path) -> float:
        """CPU seconds of one ffmpeg; what it says where it fails ends the program."""
        argv = [*GLOBAL_ARGUMENTS, *map(str, arguments)]
        outcome = self._ffmpeg.run(argv, cancel=CancelToken(), limits=NO_LIMITS, cwd=self._folder)
        if outcome.returncode or outcome.cpu_seconds is None:
            raise SystemExit(outcome.stderr_tail or "no CPU time is known here")
        return outcome.cpu_seconds


def one_round(bench: Bench, settings: Iterable[Setting], points: dict[Setting, Point]) -> Iterator[Point]:
    """Encode with each setting once, and judge what was not judged yet; the points as they come."""
    reading = bench.read()
    for setting in settings:
        seconds, files = bench.encode(*setting)
        point = points.get(setting) or _judged(setting, files, bench.judge(files))
        points[setting] = replace(point, cpu_rounds=(*point.cpu_rounds, seconds - reading))
        yield points[setting]


def _judged(setting: Setting, files: Sequence[Path], clips: Sequence[Sequence[float]]) -> Point:
    frames = sorted(vmaf for clip in clips for vmaf in clip)
    size = sum(file.stat().st_size for file in files)
    low, means = frames[len(frames) // 20], tuple(statistics.fmean(clip) for clip in clips)
    return Point(*setting, size, statistics.fmean(frames), low, means, ())


def choose(points: Iterable[Point], rule: Rule) -> Point | None:
    """The point of one codec that is the level of this rule; None where none reaches it."""
    good = [p for p in points if p.vmaf >= rule.vmaf and p.worst_vmaf >= rule.vmaf - NOTICEABLE]
    small = [p for p in good if p.bytes <= rule.most_bytes * min(each.bytes for each in good)]
    cheap = [p for p in small if p.cpu_seconds <= NOISE * min(each.cpu_seconds for each in small)]
    return min(cheap, key=lambda point: point.bytes, default=None)


def table(points: Sequence[Point]) -> str:
    """A row a point, cheapest first; the last column names levels, and the front of CPU time, size and VMAF."""
    lines = [
        "| codec | preset | crf | CPU ms per frame | Mbit/s | VMAF | 5 % of frames below | worst clip | |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for codec in Codec:
        group = sorted((p for p in points if p.codec is codec), key=lambda point: point.cpu_seconds)
        levels = {choose(group, rule): level for level, rule in RULES.items()}
        for p in group:
            frames = len(p.clip_vmaf) * FRAMES
            front = "" if any(map(p.beaten_by, group)) else "front"
            mark = f"**{levels[p]}**" if p in levels else front
            cost = f"{1000 * p.cpu_seconds / frames:.1f} | {p.bytes * 8 * float(RATE) / frames / 1e6:.2f}"
            vmaf = f"{p.vmaf:.2f} | {p.low_vmaf:.2f} | {p.worst_vmaf:.2f}"
            lines.append(f"| {codec} | {p.preset} | {p.crf} | {cost} | {vmaf} | {mark} |")
    return "\n".join(lines)


def load(path: Path | None) -> dict[Setting, Point]:
    """The points of an earlier call."""
    if path is None or not path.exists():
        return {}
    points = [_point(**row) for row in json.loads(path.read_text())]
    return {(point.codec, point.preset, point.crf): point for point in points}


def _point(codec: str, clip_vmaf: list[float], cpu_rounds: list[float], **others: Any) -> Point:
    return Point(codec=Codec(codec), clip_vmaf=tuple(clip_vmaf), cpu_rounds=tuple(cpu_rounds), **others)


def add_options(parser: _ArgumentGroup) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--codec", type=Codec, choices=list(Codec), nargs="+", default=list(Codec), help="(all)")
    parser.add_argument("--points", nargs="+", help="other points than those of the grid, such as fast:20 medium:21")
    parser.add_argument("--points-file", type=Path, help="file of the points: read if it is there, then written")


def quality(given: Namespace, folder: Path) -> Outcome:
    """Measure each point once in each round, write it, and print all; with ``--rounds 0`` only print."""
    settings = [(codec, *pair) for codec in given.codec for pair in _pairs(codec, given.points or _quick(given))]
    points, rounds = load(given.points_file), 1 if given.rounds is None else given.rounds
    work = folder / "work"
    work.mkdir()
    bench = Bench(sorted(mixed_material(given, folder).iterdir()) if rounds else (), work)
    for _ in range(rounds):
        for point in one_round(bench, settings, points):
            print(point.codec, point.preset, point.crf, f"{point.cpu_rounds[-1]:.2f} s", file=sys.stderr, flush=True)
            if given.points_file:
                given.points_file.write_text(json.dumps([asdict(each) for each in points.values()], indent=1))
    print(table(list(points.values())))
    return Outcome(0, [asdict(point) for point in points.values()])


def _quick(given: Namespace) -> list[str] | None:
    """Return one cheap point where little time is wanted."""
    return ["10:30" if Codec.AV1 in given.codec else "ultrafast:23"] if given.quick else None


def _pairs(codec: Codec, wanted: Sequence[str] | None) -> list[tuple[str, int]]:
    if wanted is None:
        return [(preset, crf) for preset, crfs in GRID[codec].items() for crf in crfs]
    split = (point.partition(":") for point in wanted)
    return [(preset, int(crf)) for preset, _, crf in split]
