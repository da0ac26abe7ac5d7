"""Soak: a thousand tiny clips in one request, and hundreds of jobs in one batch.

While a run lasts, its memory, threads, open handles and temporary files are sampled. They are flat if the last
fifth of the run needs no more than the middle one, a tenth and a few aside; the exit code is 1 where something
grows or is left behind. mpt's own CPU, without that of its child processes, is given for each clip: what the run
took more than one of 20 clips, divided by the clips that it had more. CPU times of a machine that is busy with
other things are up to three times as long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.material import FFMPEG, free_box
from tests.benchmarks.measure import HOMES, Outcome

if TYPE_CHECKING:
    from argparse import Namespace, _ArgumentGroup
    from collections.abc import Callable, Sequence

    Command = Callable[[Path, Sequence[Path]], list[str]]

SAMPLE_SECONDS = 0.2
FEW = 20
CLIPS_OF_JOB = 2
FORM = ("--size", "64x64", "--fps", "25")
FRAMES = 5
TICKS = os.sysconf("SC_CLK_TCK")
_SPARE = {"memory": 20 << 20, "threads": 3, "handles": 6, "files": 12}
"""What the last fifth may need more than the middle one, beside a tenth."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What mpt holds at one moment."""

    memory: int
    threads: int
    handles: int
    files: int
    cpu_seconds: float


@dataclass
class Soak:
    """One run and its samples."""

    name: str
    clips: int
    code: int = 0
    seconds: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def cpu_seconds(self) -> float:
        """CPU of mpt itself."""
        return max((sample.cpu_seconds for sample in self.samples), default=0.0)

    def fifth(self, name: str, number: int) -> float:
        """The median of a figure in a fifth of the run, counted from 1."""
        values = [getattr(sample, name) for sample in self.samples]
        part = values[len(values) * (number - 1) // 5 : len(values) * number // 5]
        return float(median(part)) if part else 0.0

    def growing(self) -> list[str]:
        """Figures that are not flat."""
        return [
            f"{name} grows from {self.fifth(name, 3):.0f} to {self.fifth(name, 5):.0f}"
            for name, spare in _SPARE.items()
            if self.fifth(name, 5) > self.fifth(name, 3) * 1.1 + spare
        ]


def make_clips(folder: Path, count: int) -> list[Path]:
    """Make clips of five frames that differ in a box that nobody reads, so that none is known from another."""
    folder.mkdir()
    seed = folder / "seed.mp4"
    seconds = FRAMES / 25
    video = ("-f", "lavfi", "-i", f"testsrc2=size=64x64:rate=25:duration={seconds}")
    audio = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}")
    subprocess.run([*FFMPEG, *video, *audio, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", seed], check=True)
    data = seed.read_bytes()
    seed.unlink()
    clips = [folder / f"{number:05}.mp4" for number in range(count)]
    for number, clip in enumerate(clips):
        clip.write_bytes(data + free_box(number))
    return clips


def request(folder: Path, clips: Sequence[Path]) -> list[str]:
    """The command line of one request with all clips."""
    del clips
    return ["process", str(folder / "clips"), "-o", str(folder / "out" / "reel.mp4"), *FORM]


def batch(folder: Path, clips: Sequence[Path]) -> list[str]:
    """The command line of a batch whose jobs have two clips each."""
    pairs = [clips[at : at + CLIPS_OF_JOB] for at in range(0, len(clips), CLIPS_OF_JOB)]
    text = '[defaults]\nvideo = { size = "64x64", fps = 25 }\n'
    for at, pair in enumerate(pairs):
        text += f'[[job]]\noutput = "out/{at:05}.mp4"\nclips = {json.dumps([*map(str, pair)])}\n'
    (folder / "jobs.toml").write_text(text, encoding="utf-8")
    return ["batch", str(folder / "jobs.toml")]


def sampled(mpt: Path, name: str, command: Command, count: int, *options: str) -> Soak:
    """Run mpt on this many clips, and sample it until it ends."""
    with tempfile.TemporaryDirectory(prefix="mpt-soak-") as scratch:
        folder = Path(scratch)
        clips = make_clips(folder / "clips", count)
        for name_of_folder in ("out", "home", "tmp"):
            (folder / name_of_folder).mkdir()
        homes = {f"XDG_{each}_HOME": str(folder / "home" / each.lower()) for each in HOMES}
        environment = {**os.environ, **homes, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
        argv = [str(mpt), *command(folder, clips), *options, "--json"]
        found = Soak(name, count)
        started = time.monotonic()
        with (
            (folder / "answer").open("wb") as out,
            subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL, env=environment, cwd=folder) as process,
        ):
            while process.poll() is None:
                found.samples += sample_of(process.pid, folder)
                time.sleep(SAMPLE_SECONDS)
            found.code = process.returncode
        found.seconds = time.monotonic() - started
        found.left = [str(path) for path in folder.rglob(".mpt-*")]
        if found.code:
            print((folder / "answer").read_text()[-3000:], file=sys.stderr)
        return found


def sample_of(pid: int, folder: Path) -> list[Sample]:
    """Look at a process and its temporary files; nothing where it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        handles = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - only counted
    except OSError:
        return []
    hidden = [path for parent in ("out", "tmp") for path in (folder / parent).glob(".mpt-*")]
    cpu_seconds = (int(fields[11]) + int(fields[12])) / TICKS
    return [Sample(int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), int(fields[17]), handles, len(hidden), cpu_seconds)]


def show(few: Soak, many: Soak) -> list[str]:
    """Print the figures of a run, and return what is wrong with it."""
    own = (many.cpu_seconds - few.cpu_seconds) / (many.clips - few.clips) * 1000
    peak = max((sample.memory for sample in many.samples), default=0) >> 20
    figures = ", ".join(f"{name} {many.fifth(name, 3):.0f} then {many.fifth(name, 5):.0f}" for name in _SPARE)
    print(f"{many.name}: {many.clips} clips in {many.seconds:.0f} s, exit {many.code}")
    print(f"  own CPU {own:.1f} ms a clip, {many.cpu_seconds:.1f} s in all; memory at most {peak} MiB")
    print(f"  {figures}")
    wrong = many.growing() + [f"left {path}" for path in many.left]
    return [*wrong, *([f"exit code {many.code}"] if many.code else [])]


def add_options(parser: _ArgumentGroup) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--tiny", type=int, help="clips of the one request (1000; 100 with --quick)")
    parser.add_argument("--jobs", type=int, help="jobs of the batch (300; 30 with --quick)")
    parser.add_argument("--memory", action="append", help="a --max-memory to run with (none, and 512MiB)")


def soak(given: Namespace, _folder: Path) -> Outcome:
    """Measure what the command line asks for; 1 where something grows or is left."""
    clips, jobs = given.tiny or (100 if given.quick else 1000), given.jobs or (30 if given.quick else 300)
    problems: list[str] = []
    figures = []
    for memory in given.memory or [None, "512MiB"]:
        limit = ("--max-memory", memory) if memory else ()
        for kind, command, count in (("request", request, clips), ("batch", batch, jobs * CLIPS_OF_JOB)):
            name = f"{kind}{f' in {memory}' if memory else ''}"
            many = sampled(given.mpt, name, command, count, *limit)
            found = show(sampled(given.mpt, name, command, FEW, *limit), many)
            problems += [f"{name}: {problem}" for problem in found]
            for problem in found:
                print(f"  {problem}")
            figures.append({"name": name, "clips": count, "seconds": many.seconds, "cpu_seconds": many.cpu_seconds})
    return Outcome(1 if problems else 0, {"runs": figures, "problems": problems})
