"""Model of many cores: wall time, speed-up and limits of runs on 2 to 64 cores, from parts measured here.

Each part is measured by itself, in CPU seconds; a simulation puts them together. Last, a real run of 12 clips
with all cores of this machine is compared with its prediction.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

import av

from mpt_cli.media.formats.bitstream import FrameData
from mpt_cli.media.inspect.probe import probe
from mpt_cli.storage.file_identity import content_hash
from tests.benchmarks import soak
from tests.benchmarks.material import FFMPEG, SHORT, make_alike, make_clip
from tests.benchmarks.measure import SIZE, Outcome, RunError, markdown, run
from tests.benchmarks.model import Parts, predict
from tests.benchmarks.peers import Job, frame_chain, mpt_command

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.benchmarks.measure import Cost
    from tests.benchmarks.model import Prediction

CLIP_SECONDS, HOUR = 4.0, 3600.0
CORES, COUNTS = (2, 4, 16, 64), (12, 60, 1_000, 10_000)
_SHORT, _LONGER = 4, 12
_COPIES = 40
_MANY = 140
_REAL_CLIPS = 12
_PROOF_STARTS = 5
_UNITS = {
    "start": (1e3, "ms"),
    "probe": (1e3, "ms a clip"),
    "probe_second": (1e3, "ms per second of a clip"),
    "own_probe": (1e3, "ms a clip"),
    "own_task": (1e3, "ms a segment"),
    "hash_per_byte": (1e9, "s per GB"),
    "source_bytes": (1e-6, "MB per second"),
    "reel_bytes": (1e-6, "MB per second"),
    "encode_start": (1e3, "ms a segment"),
    "encode": (1e3, "ms per second of the reel"),
    "decode_audio": (1e3, "ms per second of the reel"),
    "encode_audio": (1e3, "ms per second of the reel"),
    "copy_per_byte": (1e9, "s per GB"),
    "proof": (1e3, "ms per second of the reel"),
    "proof_start": (1e3, "ms a clip"),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Source clips of two lengths, what they become, and a folder for all that is written."""

    short: Path
    longer: Path
    job: Job

    @property
    def reel(self) -> Path:
        """Coded frames and audio in the format of the reel."""
        return self.job.folder / "longer.mp4"


def many_cores(given: Namespace, folder: Path) -> Outcome:
    """Measure the parts, print what they predict, and compare one prediction with a real run."""
    kept, size = (given.keep or folder).absolute(), given.size or SIZE
    short, longer = (make_clip(SHORT, kept / f"part-{seconds}s.mp4", seconds, 1) for seconds in (_SHORT, _LONGER))
    place = _Place(short, longer, Job((short, longer), size, folder))
    parts = measured(place, given.mpt, 1 if given.quick else 3)
    print(parts_table(parts))
    alike, long = predictions(parts), predictions(parts, HOUR)
    print(f"\nClips of {CLIP_SECONDS:g} s:\n\n{table(alike)}")
    print(f"\nThe same, and one of them is an hour long:\n\n{table(long)}")
    job = Job(tuple(sorted(make_alike(folder / "alike", _REAL_CLIPS, CLIP_SECONDS).iterdir())), size, folder)
    real = run(*mpt_command(job, given.mpt), home=folder / "home")
    print(f"\n{compared(predict(parts, [CLIP_SECONDS] * _REAL_CLIPS, os.cpu_count() or 1), real)}")
    figures = {"parts": asdict(parts), "real": asdict(real)}
    return Outcome(0, figures | {"clips": [*map(_figures, alike)], "with an hour": [*map(_figures, long)]})


def predictions(parts: Parts, longest: float = CLIP_SECONDS) -> list[Prediction]:
    """Return predictions for all counts and cores, one core first; ``longest`` is the length of the last clip."""
    return [
        predict(parts, [CLIP_SECONDS] * (count - 1) + [longest], cores) for count in COUNTS for cores in (1, *CORES)
    ]


def table(found: Sequence[Prediction]) -> str:
    """Return predictions as a Markdown table; the speed-up is against one core."""
    alone = {each.clips: each.wall for each in found if each.cores == 1}
    rows = []
    for each in found:
        if each.cores == 1:
            continue
        limits = ", ".join(f"{name} {share:.0%}" for name, share in each.limits[:2])
        speed_up = alone[each.clips] / each.wall
        cells = (
            f"{each.clips:,}",
            f"{each.cores}",
            f"{each.wall:,.1f}",
            f"{speed_up:.1f}",
            f"{speed_up / each.cores:.0%}",
        )
        rows.append((*cells, limits))
    return markdown(
        ("clips", "cores", "wall s", "speed-up", "of perfect", "limits and their share of the wall time"), rows
    )


def parts_table(parts: Parts) -> str:
    """Return the measured parts as a Markdown table."""
    scaled = ((name, value, *_UNITS[name]) for name, value in asdict(parts).items())
    rows = [(name.replace("_", " "), unit, _shown(value * factor)) for name, value, factor, unit in scaled]
    return markdown(("part", "unit", "measured"), rows, words=2)


def _shown(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def compared(predicted: Prediction, real: Cost) -> str:
    """Return a sentence about a prediction and the real run."""
    return (
        f"{predicted.clips} clips on {predicted.cores} cores: predicted {predicted.wall:.1f} s of wall time and "
        f"{predicted.work:.1f} s of CPU time, measured {real.seconds:.1f} s and {real.cpu_seconds:.1f} s "
        f"(load average {os.getloadavg()[0]:.1f})"
    )


def measured(place: _Place, mpt: Path, rounds: int) -> Parts:
    """Return the parts, each the median of some rounds."""

    def of_rounds(part: Callable[..., float], *given: object) -> float:
        return median(part(*given) for _ in range(rounds))

    short, longer = (of_rounds(_encoded, place, path) for path in (place.short, place.longer))
    encode = (longer - short) / (_LONGER - _SHORT)
    looked, looked_longer = (of_rounds(_looked_into, path) for path in (place.short, place.longer))
    probe_second = max(0.0, (looked_longer - looked) / (_LONGER - _SHORT))
    start, own_plan = _own(mpt, "--dry-run")
    _, own_all = _own(mpt)
    size = place.longer.stat().st_size
    return Parts(
        start=start,
        probe=max(0.0, looked - _SHORT * probe_second),
        probe_second=probe_second,
        own_probe=own_plan,
        own_task=max(0.0, own_all - own_plan),
        hash_per_byte=of_rounds(_cpu, lambda: content_hash(place.longer)) / size,
        source_bytes=size / _LONGER,
        reel_bytes=place.reel.stat().st_size / _LONGER,
        encode_start=max(0.0, short - _SHORT * encode),
        encode=encode,
        decode_audio=of_rounds(_decoded_audio, place) / _LONGER,
        encode_audio=of_rounds(_encoded_audio, place),
        copy_per_byte=of_rounds(_copied, place),
        proof=of_rounds(_cpu, lambda: _read(place.reel)) / _LONGER,
        proof_start=of_rounds(_first_decoded, place.reel),
    )


def _looked_into(path: Path) -> float:
    return _cpu(lambda: probe(path, scan=True))


def _encoded(place: _Place, source: Path) -> float:
    """Encode a clip as a segment is, with one thread, and put a short reel together from it for other parts."""
    name = "longer" if source == place.longer else "short"
    video = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1", "-an")
    audio = ("-vn", "-ar", "48000", "-ac", "2", "-f", "s16le")
    folder = place.job.folder
    cost = run(
        *(*FFMPEG, "-threads", "1", "-filter_complex_threads", "1", "-i", source, "-vf", frame_chain(place.job)),
        *(*video, folder / f"{name}-mute.mp4", *audio, folder / f"{name}.pcm"),
    )
    pcm = ("-f", "s16le", "-ar", "48000", "-ac", "2", "-i", folder / f"{name}.pcm")
    run(*FFMPEG, "-i", folder / f"{name}-mute.mp4", *pcm, "-c:v", "copy", "-c:a", "aac", folder / f"{name}.mp4")
    return cost.cpu_seconds


def _decoded_audio(place: _Place) -> float:
    cost = run(*FFMPEG, "-i", place.longer, "-vn", "-f", "s16le", place.job.folder / "audio.pcm")
    return cost.cpu_seconds


def _encoded_audio(place: _Place) -> float:
    """Return the CPU seconds that encoding a second of audio takes, the start of ffmpeg included."""
    piece = ("-stream_loop", "-1", "-f", "s16le", "-ar", "48000", "-ac", "2", "-i", place.job.folder / "longer.pcm")
    cost = run(*FFMPEG, *piece, "-t", "30", "-c:a", "aac", "-b:a", "192k", place.job.folder / "piece.aac")
    return cost.cpu_seconds / 30


def _copied(place: _Place) -> float:
    """Return the CPU seconds that copying a byte of coded frames takes, with the index moved to the front."""
    listed, joined = place.job.folder / "copies.ffconcat", place.job.folder / "joined.mp4"
    listed.write_text(f"file '{place.reel}'\n" * _COPIES, encoding="utf-8")
    cost = run(*FFMPEG, "-f", "concat", "-safe", "0", "-i", listed, "-c", "copy", "-movflags", "+faststart", joined)
    size = joined.stat().st_size
    joined.unlink()
    return cost.cpu_seconds / size


def _read(reel: Path) -> None:
    """Read a reel as its proof does: a CRC over all frames, and all audio decoded."""
    with av.open(str(reel)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        data, crc = FrameData(video.codec_context.codec.canonical_name, video.codec_context.extradata or b""), 0
        for packet in container.demux(video, audio):
            if packet.stream_index == audio.index:
                packet.decode()
            elif packet.size:
                crc = data.crc(bytes(packet), crc)


def _first_decoded(reel: Path) -> float:
    """Return the CPU seconds that decoding the first frame takes."""

    def decode() -> None:
        for _ in range(_PROOF_STARTS):
            with av.open(str(reel)) as container:
                next(container.decode(video=0))

    return _cpu(decode) / _PROOF_STARTS


def _own(mpt: Path, *options: str) -> tuple[float, float]:
    """Return the CPU seconds of mpt's own process before the first clip, and those for each: many against few."""
    few, many = (soak.sampled(mpt, "own", soak.request, count, *options) for count in (soak.FEW, _MANY))
    if few.code or many.code:
        raise RunError(f"mpt ended with exit codes {few.code} and {many.code}")
    each = max(0.0, many.cpu_seconds - few.cpu_seconds) / (_MANY - soak.FEW)
    return max(0.0, few.cpu_seconds - each * soak.FEW), each


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _figures(each: Prediction) -> dict[str, object]:
    steps = {step.name: step.wall for step in each.steps}
    return {"clips": each.clips, "cores": each.cores, "wall": each.wall, "limits": each.limits, "steps": steps}
