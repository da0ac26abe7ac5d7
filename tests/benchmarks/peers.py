"""Contenders for a folder of clips: mpt, one ffmpeg command, MoviePy, melt, and the encoding alone."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av

from tests.benchmarks import encode_child, moviepy_child
from tests.benchmarks.material import FFMPEG
from tests.benchmarks.measure import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Cost

MPT, GRAPH, MOVIEPY, MELT, ENCODING = "mpt", "one ffmpeg command", "MoviePy", "melt", "encoding alone"
RATE, PRESET, CRF = 30, "veryfast", 23
_VIDEO = ("-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF))
_AUDIO = ("-c:a", "aac", "-b:a", "192k")


@dataclass(frozen=True, slots=True)
class Source:
    """A clip as the peers need to know it."""

    path: Path
    has_audio: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """Clips in order, the size of the reel, and a folder for all that is written."""

    clips: tuple[Path, ...]
    size: str
    folder: Path

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height of the reel."""
        width, _, height = self.size.partition("x")
        return int(width), int(height)


def contenders(job: Job, mpt: Path) -> dict[str, Callable[[], Cost]]:
    """Return the contenders by name, mpt first; each call is one run. melt takes part where it is installed."""
    homes = itertools.count()
    melt = shutil.which("melt")

    def with_mpt() -> Cost:
        """Run mpt with an empty cache, which is removed afterwards."""
        home = job.folder / f"home-{next(homes)}"
        try:
            return run(*mpt_command(job, mpt), home=home)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    found: dict[str, Callable[[], Cost]] = {
        MPT: with_mpt,
        GRAPH: lambda: run(*graph_command(job)),
        MOVIEPY: lambda: run(*_child(moviepy_child.__file__, job, [str(clip) for clip in job.clips])),
        ENCODING: lambda: run(*_child(encode_child.__file__, job, encode_commands(job))),
    }
    if melt is not None:
        found[MELT] = lambda: run(*melt_command(job, melt))
    return found


def mpt_command(job: Job, mpt: Path) -> list[str | Path]:
    """Return the command of mpt."""
    form = ("--size", job.size, "--fps", str(RATE), "--codec", "h264", "--encoder-preset", PRESET, "--crf", str(CRF))
    return [mpt, "process", *job.clips, "-o", job.folder / "mpt.mp4", "--overwrite", "--quiet", *form]


def graph_command(job: Job) -> list[str | Path]:
    """Return the command of an expert: all clips in one filter graph, encoded once."""
    inputs: list[str | Path] = []
    parts, pads = [], ""
    for index, source in enumerate(map(source_of, job.clips)):
        inputs += ["-i", source.path]
        audio = f"[{index}:a:0]aresample=48000:async=1,aformat=channel_layouts=stereo"
        silence = f"anullsrc=r=48000:cl=stereo,atrim=0:{source.seconds}"
        parts.append(f"[{index}:v:0]{frame_chain(job)}[v{index}]")
        parts.append(f"{audio if source.has_audio else silence}[a{index}]")
        pads += f"[v{index}][a{index}]"
    graph = ";".join([*parts, f"{pads}concat=n={len(job.clips)}:v=1:a=1[v][a]"])
    written = (*_VIDEO, *_AUDIO, "-movflags", "+faststart", job.folder / "graph.mp4")
    return [*FFMPEG, *inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", *written]


def encode_commands(job: Job) -> list[list[str]]:
    """Return a command for each clip with one thread of the encoder: no join, no check, the longest clip first."""
    longest = sorted(enumerate(map(source_of, job.clips)), key=lambda pair: -pair[1].seconds)
    return [
        [
            *(*FFMPEG, "-i", str(source.path), "-map", "0:v:0", "-map", "0:a:0?", "-vf", frame_chain(job)),
            *(*_VIDEO, "-threads", "1", *_AUDIO, "-ac", "2", "-ar", "48000", str(job.folder / f"alone-{index}.mp4")),
        ]
        for index, source in longest
    ]


def frame_chain(job: Job) -> str:
    """Return the filters that bring the frames of a clip to the reel's size and rate."""
    width, height = job.sides
    fit = f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic"
    return f"{fit},pad={width}:{height}:-1:-1,setsar=1,fps={RATE},format=yuv420p"


def melt_command(job: Job, melt: str) -> list[str | Path]:
    """Return the command of melt, which takes size and rate from a file that is written for it."""
    width, height = job.sides
    profile = job.folder / "profile"
    facts = {
        "description": "reel",
        "frame_rate_num": RATE,
        "frame_rate_den": 1,
        "width": width,
        "height": height,
        "progressive": 1,
        "sample_aspect_num": 1,
        "sample_aspect_den": 1,
        "display_aspect_num": width,
        "display_aspect_den": height,
        "colorspace": 709,
    }
    profile.write_text("".join(f"{name}={value}\n" for name, value in facts.items()), encoding="utf-8")
    consumer = ("-consumer", f"avformat:{job.folder / 'melt.mp4'}", "vcodec=libx264", f"preset={PRESET}")
    threads = f"real_time=-{os.cpu_count() or 1}"  # each frame is rendered, by this number of threads
    return [melt, "-silent", "-profile", profile, *job.clips, *consumer, f"crf={CRF}", "acodec=aac", threads]


def source_of(path: Path) -> Source:
    """Return what the peers need to know of a clip."""
    with av.open(str(path)) as container:
        return Source(path, bool(container.streams.audio), (container.duration or 0) / 1e6)


def _child(program: str, job: Job, work: object) -> list[str | Path]:
    """Return the command of a program beside this one, whose work is written into a file."""
    name = Path(program).stem
    task = job.folder / f"{name}.json"
    facts = {"work": work, "size": job.sides, "rate": RATE, "preset": PRESET, "crf": CRF}
    task.write_text(json.dumps({**facts, "output": str(job.folder / f"{name}.mp4")}), encoding="utf-8")
    return [sys.executable, program, task]
