"""Reels from clips that must be encoded: mpt against its peers, in turns.

``mixed`` is a dozen clips of different codecs, sizes, rates and audio; ``long`` is one clip of 120 s among
three of 4 s. mpt begins with an empty cache in each round. The peers neither check the clips nor the reel, map
no HDR to SDR and repair no times. *Encoding alone* is one ffmpeg with one thread for each clip, as many at a
time as there are cores: the sum of the encodings, without join and proof.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.benchmarks.material import make_long, make_mixed
from tests.benchmarks.measure import SIZE, Outcome, in_turns, rows_of, table
from tests.benchmarks.peers import MPT, Job, contenders

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

QUICK_SIZE, QUICK_DIVISOR = "360x640", 3


def mixed(given: Namespace, folder: Path) -> Outcome:
    """Measure the mixed reel, or a folder of clips of the user."""
    made = given.clips or _material(given, folder, "mixed")
    return _compare(given, folder, made)


def long(given: Namespace, folder: Path) -> Outcome:
    """Measure one long clip among short ones."""
    return _compare(given, folder, _material(given, folder, "long"))


def mixed_material(given: Namespace, folder: Path) -> Path:
    """Return the folder of the mixed reel's clips, created if need be."""
    return given.clips if given.clips else _material(given, folder, "mixed")


def _material(given: Namespace, folder: Path, name: str) -> Path:
    kept = (given.keep or folder).absolute() / f"{name}{'-quick' if given.quick else ''}"
    divide = QUICK_DIVISOR if given.quick else 1
    if name == "mixed":
        return make_mixed(kept, 2 if given.quick else 4, divide=divide)
    return make_long(kept, *((26, 1) if given.quick else (120, 4)), divide=divide)


def _compare(given: Namespace, folder: Path, clips: Path) -> Outcome:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    job = Job(tuple(sorted(clips.iterdir())), given.size or (QUICK_SIZE if given.quick else SIZE), work)
    rows = rows_of(in_turns(contenders(job, given.mpt), given.rounds or (1 if given.quick else 5)), MPT)
    print(table(rows, MPT))
    return Outcome(0, [asdict(row) for row in rows])
