"""Times the join of conforming clips: one plain ffmpeg command against ``mpt concat``.

    python tests/benchmarks/join.py --mpt /path/to/an/installed/bin/mpt

The peer is what anyone would type: ``ffmpeg -f concat -c:v copy -c:a aac``. It copies the pictures and
encodes the sound once, as mpt does; it neither checks the clips nor proves the reel. Runs take turns, and
each round begins with another one, so that what else the machine does meets all alike: compare the
medians of one table with each other, never with those of another. CPU time is that of all processes of
a run, memory is that of the largest one.

Give an mpt that is installed, not an editable one (which starts slower and changes under the
benchmark). ``--clips FOLDER`` keeps the clips, or takes those that an earlier run left there. Last, the
decoded pictures of mpt's reel are compared with those of the clips, one by one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import imageio_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FFMPEG = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y")
BT709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
PLAIN = "ffmpeg -f concat"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a benchmark works: the clips in order, the list of them, a folder for all else."""

    clips: tuple[Path, ...]
    listed: Path
    folder: Path

    def reel(self, name: str) -> Path:
        """The output of a contender."""
        return self.folder / f"{name}.mp4"


def main() -> int:
    """0 when every picture of the reel is that of a clip."""
    given = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mpt-join-")))
        clips = make_clips(given.clips or folder / "clips", given.count, given.seconds, given.size)
        listed = folder / "list.ffconcat"
        listed.write_text("".join(f"file '{clip}'\n" for clip in clips), encoding="utf-8")
        place = Place(clips, listed, folder)
        contenders = contenders_of(given.mpt, place)
        costs = in_turns(contenders, given.rounds)
        print(table(costs))
        return compare(place)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    beside = Path(sys.executable).with_name("mpt")
    parser.add_argument("--mpt", type=Path, default=beside, help="the mpt to measure (that of this Python)")
    parser.add_argument("--clips", type=Path, help="make the clips in this folder, or use those that are there")
    parser.add_argument("--count", type=int, default=100, help="clips to join (100)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a clip (2)")
    parser.add_argument("--size", default="1080x1920", help="size of the pictures (1080x1920)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (5)")
    return parser.parse_args()


def make_clips(folder: Path, count: int, seconds: int, size: str) -> tuple[Path, ...]:
    """Clips of one form and one set of parameter sets, each with pictures and a tone of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = tuple(folder.absolute() / f"{number:03}.mp4" for number in range(count))
    for number, clip in enumerate(clips):
        if clip.exists():
            continue
        picture = f"testsrc2=size={size}:rate=30:duration={seconds}"
        sound = f"sine=frequency={220 + 8 * number}:sample_rate=48000:duration={seconds}"
        chain = f"hue=h={360 * number // count},format=yuv420p,{BT709}"
        unfinished = clip.with_name(f"unfinished-{clip.name}")
        _run(
            *FFMPEG,
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-vf", chain),
            *("-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-threads", "1"),
            *("-c:a", "aac", "-b:a", "128k", "-ac", "2", unfinished),
        )
        unfinished.replace(clip)
    return clips


def contenders_of(mpt: Path, place: Place) -> dict[str, Callable[[], Cost]]:
    """What is measured, by name, the peer first; each call is one run."""
    stores = (place.folder / f"store-{number}" for number in range(sys.maxsize))
    warm = next(stores)

    def plain() -> Cost:
        source = ("-f", "concat", "-safe", "0", "-i", place.listed)
        return _run(*FFMPEG, *source, "-c:v", "copy", "-c:a", "aac", place.reel("plain"))

    def join(name: str, store: Path, *options: str) -> Cost:
        output = place.reel(name)
        return _run(mpt, "concat", *place.clips, "-o", output, "--overwrite", "--quiet", *options, home=store)

    join("warm", warm)
    return {
        PLAIN: plain,
        "mpt concat --no-cache": lambda: join("mpt", next(stores), "--no-cache"),
        "mpt concat, the first time": lambda: join("first", next(stores)),
        "mpt concat, once more": lambda: join("warm", warm),
    }


def _run(*command: str | Path, home: Path | None = None) -> Cost:
    """Run to the end; a failure ends the benchmark. With ``home``, mpt has no other memory than that."""
    kinds = ("CACHE", "CONFIG", "DATA", "STATE")
    environment = os.environ | ({f"XDG_{kind}_HOME": str(home / kind) for kind in kinds} if home else {})
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)  # its own children are counted with it
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"exit code {process.returncode}: {' '.join(map(str, command[:8]))} …")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def in_turns(contenders: dict[str, Callable[[], Cost]], rounds: int) -> dict[str, list[Cost]]:
    """Costs of each; every round begins with another contender."""
    names = list(contenders)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            costs[name].append(contenders[name]())
    return costs


def table(costs: dict[str, list[Cost]]) -> str:
    """Medians; the ratio is the median of the ratios within each round."""
    rows = [f"{'':28} {'wall s':>8} {'ratio':>7} {'CPU s':>8} {'ratio':>7} {'MiB':>6}"]
    peer = costs[PLAIN]
    for name, runs in costs.items():
        wall = median(run.seconds / other.seconds for run, other in zip(runs, peer, strict=True))
        cpu = median(run.cpu_seconds / other.cpu_seconds for run, other in zip(runs, peer, strict=True))
        seconds, used = median(run.seconds for run in runs), median(run.cpu_seconds for run in runs)
        peak = median(run.peak_bytes for run in runs) / 2**20
        rows.append(f"{name:28} {seconds:8.2f} {wall:7.2f} {used:8.2f} {cpu:7.2f} {peak:6.0f}")
    return "\n".join(rows)


def compare(place: Place) -> int:
    """1 unless the reel's decoded pictures are those of the clips, in order."""
    wanted = [digest for clip in place.clips for digest in picture_digests([clip])]
    found = list(picture_digests([place.reel("mpt")]))
    same = sum(one == other for one, other in zip(found, wanted, strict=False))
    print(f"{same} of {len(wanted)} decoded pictures are those of the clips; the reel has {len(found)}")
    return 0 if found == wanted else 1


def picture_digests(files: Sequence[Path]) -> Iterator[str]:
    """A digest of each decoded picture."""
    for file in files:
        command = [*FFMPEG, "-i", str(file), "-map", "0:v", "-fps_mode", "passthrough"]
        command += ["-f", "framehash", "-hash", "murmur3", "-"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        yield from (line.rpartition(",")[2].strip() for line in done.stdout.splitlines() if line[:1] != "#")


if __name__ == "__main__":
    sys.exit(main())
