"""Join of conforming clips: one plain ffmpeg command against ``mpt concat``, in turns.

The peer is what anyone would type: ``ffmpeg -f concat -c:v copy -c:a aac``. It copies the frames and
encodes the audio once, as mpt does; it neither checks the clips nor proves the reel. Last, the decoded
frames of mpt's reel are compared with those of the clips, one by one: exit code 1 where one differs.
"""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.material import FFMPEG, make_conforming
from tests.benchmarks.measure import SIZE, Outcome, in_turns, rows_of, run, table

if TYPE_CHECKING:
    from argparse import Namespace, _ArgumentGroup
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.benchmarks.measure import Cost

PLAIN = "ffmpeg -f concat"
QUICK_COUNT = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Clips in order, a list of them for ffmpeg, and a folder for all else."""

    clips: tuple[Path, ...]
    listed: Path
    folder: Path

    def reel(self, name: str) -> Path:
        """Return the output of a contender."""
        return self.folder / f"{name}.mp4"


def add_options(parser: _ArgumentGroup) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--count", type=int, help=f"clips to join (100; {QUICK_COUNT} with --quick)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a clip (2)")


def join(given: Namespace, folder: Path) -> Outcome:
    """Measure the join, then compare its frames."""
    kept, size = (given.keep or folder).absolute() / "conforming", given.size or SIZE
    count = given.count or (QUICK_COUNT if given.quick else 100)
    clips = make_conforming(kept / f"{count}x{given.seconds}s-{size}", count, given.seconds, size)
    listed = folder / "list.ffconcat"
    listed.write_text("".join(f"file '{clip}'\n" for clip in clips), encoding="utf-8")
    place = Place(clips, listed, folder)
    rows = rows_of(in_turns(contenders(given.mpt, place), given.rounds or (1 if given.quick else 5)), PLAIN)
    print(table(rows, PLAIN))
    return Outcome(compare(place), [asdict(row) for row in rows])


def contenders(mpt: Path, place: Place) -> dict[str, Callable[[], Cost]]:
    """Return what is measured, by name, the peer first; each call is one run."""
    homes = (place.folder / f"home-{number}" for number in itertools.count())
    warm = next(homes)

    def plain() -> Cost:
        source = ("-f", "concat", "-safe", "0", "-i", place.listed)
        return run(*FFMPEG, *source, "-c:v", "copy", "-c:a", "aac", place.reel("plain"))

    def joined(name: str, home: Path, *options: str) -> Cost:
        output = place.reel(name)
        return run(mpt, "concat", *place.clips, "-o", output, "--overwrite", "--quiet", *options, home=home)

    joined("warm", warm)
    return {
        PLAIN: plain,
        "mpt concat --no-cache": lambda: joined("mpt", next(homes), "--no-cache"),
        "mpt concat, the first time": lambda: joined("first", next(homes)),
        "mpt concat, once more": lambda: joined("warm", warm),
    }


def compare(place: Place) -> int:
    """Return 1 unless the reel's decoded frames are those of the clips, in order."""
    wanted = [digest for clip in place.clips for digest in frame_digests([clip])]
    found = list(frame_digests([place.reel("mpt")]))
    same = sum(one == other for one, other in zip(found, wanted, strict=False))
    print(f"{same} of {len(wanted)} decoded frames are those of the clips; the reel has {len(found)}")
    return 0 if found == wanted else 1


def frame_digests(files: Sequence[Path]) -> Iterator[str]:
    """Yield a digest of each decoded frame."""
    for file in files:
        command = [*FFMPEG, "-i", str(file), "-map", "0:v", "-fps_mode", "passthrough"]
        command += ["-f", "framehash", "-hash", "murmur3", "-"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        yield from (line.rpartition(",")[2].strip() for line in done.stdout.splitlines() if line[:1] != "#")
