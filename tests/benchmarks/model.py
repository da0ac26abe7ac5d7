"""Simulation of a run on many cores, from measured parts (pure).

The steps of a run follow each other: start, probe, segments, audio of the join, copy of the frames, proof. Inside
a step, tasks go to the first free core, the longest first. mpt's own Python runs one task at a time, because it
holds the interpreter's lock: each task begins with that part. Cores share no cache, memory bandwidth or disk
here, so that real machines are slower.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_SECONDS, SEGMENT_SECONDS, LEAST_SECONDS = 24.0, 20.0, 8.0
"""A clip above 24 s is cut each 20 s; the last segment has at least 8 s. As in ``planning/segments.py``."""
PIECE_SECONDS, PIECE_EXTRA_SECONDS = 30.08, 1.07
"""Audio of the join that is encoded at a time, and what is encoded beside it. As in ``concatenation/audio.py``."""
CORES = "all cores busy"


@dataclass(frozen=True, slots=True)
class Parts:
    """Measured parts of a run, in CPU seconds of one core.

    Attributes:
        start: From the command to the first clip.
        probe: Looking into a clip, and each further second of it.
        own_probe: mpt's own Python for a clip until it is planned.
        own_task: mpt's own Python for a segment and what becomes of it.
        hash_per_byte: Hash of a file.
        source_bytes: Bytes of a second of a clip.
        reel_bytes: Bytes of a second of the reel.
        encode_start: Start of an ffmpeg, and its first frames.
        encode: Decoding and encoding a second.
        decode_audio: Decoding a second of audio by itself.
        encode_audio: Encoding a second of audio.
        copy_per_byte: Copying coded frames into the reel.
        proof: Reading and comparing a second of the reel.
        proof_start: Decoding the first frame of a clip.
    """

    start: float
    probe: float
    probe_second: float
    own_probe: float
    own_task: float
    hash_per_byte: float
    source_bytes: float
    reel_bytes: float
    encode_start: float
    encode: float
    decode_audio: float
    encode_audio: float
    copy_per_byte: float
    proof: float
    proof_start: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run: its wall time, the CPU time of all its tasks, and what holds it back where cores idle."""

    name: str
    wall: float
    work: float
    serial: float
    """Part of the wall time that more cores do not shorten: the longest task, or all that runs one by one."""
    serial_name: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of a run."""

    cores: int
    clips: int
    steps: tuple[Step, ...]

    @property
    def wall(self) -> float:
        """Wall seconds."""
        return sum(step.wall for step in self.steps)

    @property
    def work(self) -> float:
        """CPU seconds."""
        return sum(step.work for step in self.steps)

    @property
    def limits(self) -> list[tuple[str, float]]:
        """What takes the wall time, and the share of each, largest first: busy cores, or serial parts of steps."""
        parts: dict[str, float] = {}
        for step in self.steps:
            busy = step.work / self.cores >= 0.9 * step.wall and step.serial < step.wall
            name = CORES if busy else step.serial_name
            parts[name] = parts.get(name, 0.0) + step.wall
        return sorted(((name, wall / self.wall) for name, wall in parts.items()), key=lambda pair: -pair[1])


def schedule(tasks: Sequence[float], cores: int, own: float = 0.0) -> float:
    """Return the wall seconds of tasks, longest first; each begins with ``own`` seconds, one task at a time."""
    free, lock_free = [0.0] * cores, 0.0
    for task in sorted(tasks, reverse=True):
        lock_free = max(heapq.heappop(free), lock_free) + own
        heapq.heappush(free, lock_free + task)
    return max(free)


def segments(seconds: float) -> list[float]:
    """Return the lengths that a clip is cut into."""
    found = []
    while seconds > LONG_SECONDS:
        found.append(min(SEGMENT_SECONDS, seconds - LEAST_SECONDS))
        seconds -= found[-1]
    return [*found, seconds]


def predict(parts: Parts, clips: Sequence[float], cores: int, *, cut: bool = True) -> Prediction:
    """Predict a run.

    Args:
        parts: The measured parts.
        clips: Length of each clip in seconds.
        cores: Cores of the machine.
        cut: False to encode each clip in one piece.
    """
    seconds = sum(clips)
    steps = (
        _serial("start", parts.start),
        _probe_step(parts, clips, cores),
        _segments_step(parts, clips, cores, cut=cut),
        _audio_step(parts, seconds, cores),
        _serial("copy of the join", parts.copy_per_byte * parts.reel_bytes * seconds),
        _proof_step(parts, clips, cores),
    )
    return Prediction(cores, len(clips), steps)


def _serial(name: str, seconds: float) -> Step:
    return Step(name, seconds, seconds, seconds, name)


def _parallel(name: str, tasks: Sequence[float], cores: int, own: float, longest_name: str) -> Step:
    """Return a step of tasks; its serial part is the longest task, or mpt's own Python for all."""
    wall, longest, lock = schedule(tasks, cores, own), max(tasks, default=0.0) + own, own * len(tasks)
    serial, serial_name = (lock, "mpt's own Python") if lock > longest else (longest, longest_name)
    return Step(name, wall, sum(tasks) + lock, serial, serial_name)


def _probe_step(parts: Parts, clips: Sequence[float], cores: int) -> Step:
    """Return the step that looks into each clip and hashes it."""
    each_second = parts.probe_second + parts.hash_per_byte * parts.source_bytes
    tasks = [parts.probe + each_second * seconds for seconds in clips]
    return _parallel("probe and hash", tasks, cores, parts.own_probe, "probe and hash of the longest clip")


def _segments_step(parts: Parts, clips: Sequence[float], cores: int, *, cut: bool) -> Step:
    """Return the step that encodes; the audio of a clip that is cut is decoded by itself."""
    each_second = parts.encode + parts.hash_per_byte * parts.reel_bytes
    tasks = []
    for seconds in clips:
        pieces = segments(seconds) if cut else [seconds]
        tasks += [parts.encode_start + each_second * piece for piece in pieces]
        if len(pieces) > 1:
            tasks.append(parts.encode_start + parts.decode_audio * seconds)
    return _parallel("segments", tasks, cores, parts.own_task, "the longest segment")


def _audio_step(parts: Parts, seconds: float, cores: int) -> Step:
    """Return the step that encodes the audio of the reel in pieces."""
    count = math.ceil(seconds / PIECE_SECONDS)
    lengths = [PIECE_SECONDS] * (count - 1) + [seconds - PIECE_SECONDS * (count - 1)]
    tasks = [parts.encode_audio * (length + PIECE_EXTRA_SECONDS) for length in lengths]
    return _parallel("audio of the join", tasks, cores, 0.0, "one piece of audio")


def _proof_step(parts: Parts, clips: Sequence[float], cores: int) -> Step:
    """Return the step that reads the reel in order while threads decode the first frame of each clip."""
    read, starts = parts.proof * sum(clips), parts.proof_start * len(clips)
    wall = max(read, (read + starts) / cores)
    return Step("proof", wall, read + starts, read, "reading of the proof")
