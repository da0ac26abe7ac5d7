"""Small clips whose audio is what a test is about, and what a segment made of one plays."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from struct import pack, unpack_from
from typing import TYPE_CHECKING

import numpy as np

from mpt_cli.config.sections import ProcessingConfig
from mpt_cli.media.audio_tracks import with_heard_tracks
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.timing import frame_count
from mpt_cli.processing.clip import ClipProcessor
from mpt_cli.runtime.events import RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import clip_of, form_of
from tests.integration.segments import planned
from tests.looks import AudioHere, share_here
from tests.media import run_ffmpeg
from tests.reader import tone_level

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mpt_cli.processing.clip import Processed

RATE = 48_000
FORM = form_of(size="64x36", rate="25")
VIDEO = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")


def tone(hertz: float, seconds: float, *, rate: int = RATE) -> tuple[str, ...]:
    """ffmpeg's input for a mono tone at an eighth of full scale."""
    return ("-f", "lavfi", "-i", f"sine=f={hertz:g}:r={rate}:d={seconds:g}")


def tones(hertz: tuple[float, ...], seconds: float, layout: str, *, rate: int = RATE) -> tuple[str, ...]:
    """ffmpeg's input for a tone of a tenth of full scale in each channel."""
    channels = "|".join(f"0.1*sin(2*PI*{each:g}*t)" for each in hertz)
    return ("-f", "lavfi", "-i", f"aevalsrc=exprs={channels}:s={rate}:d={seconds:g}:c={layout}")


def clip(path: Path, audio: tuple[str, ...], *options: str, seconds: float = 2) -> Path:
    """A clip of small frames with this audio."""
    frames = ("-f", "lavfi", "-i", f"testsrc2=s=64x36:r=25:d={seconds:g}")
    run_ffmpeg(*frames, *audio, *VIDEO, *options, path)
    return path


def played(
    path: Path, folder: Path, *, start: float = 0, end: float | None = None
) -> tuple[NDArray[np.float64], Processed]:
    """What a segment of the clip plays, left and right, full scale being 1; and what was said of it."""
    whole = planned(path, FORM)
    whole = replace(whole, media=with_heard_tracks(whole.media, "auto", path))
    begin = Fraction(str(start))
    length = (Fraction(str(end)) if end is not None else whole.media.duration) - begin
    segment = replace(whole.segment, frames=frame_count(length, FORM.frame_rate))
    part = replace(whole, clip=replace(whole.clip, start=begin), segment=segment)
    processor = ClipProcessor(Ffmpeg(), share_here, audio=AudioHere(), clock=time.monotonic)
    done = processor.process(part, FORM, ProcessingConfig(), files=TempFileManager(folder), context=RunContext("audio"))
    audio = clip_of(done).audio_path
    assert audio is not None
    pcm = np.fromfile(audio, "<i2").reshape(-1, 2).T / 32768
    audio.unlink()
    assert not list(folder.glob("*.f32"))
    return pcm, done


def level(pcm: NDArray[np.float64], hertz: float, start: float, end: float) -> tuple[float, float]:
    """Levels of a tone from ``start`` to ``end`` seconds, left and right, in decibels below full scale."""
    part = pcm[:, round(start * RATE) : round(end * RATE)].astype(np.float32)
    return tone_level(part[0], hertz), tone_level(part[1], hertz)


def silences(pcm: NDArray[np.float64], *, least: float = 0.003) -> list[tuple[float, float]]:
    """Start and length, in seconds, of all silences of at least so long."""
    quiet = np.concatenate(([0], (np.abs(pcm).max(axis=0) < 0.0005).astype(int), [0]))
    edges = np.flatnonzero(np.diff(quiet))
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(first / RATE, (end - first) / RATE) for first, end in spans if end - first >= least * RATE]


# --- boxes of MOV and MP4 -----------------------------------------------------------------------


def _find(data: bytes | bytearray, kinds: tuple[bytes, ...], *, track: int) -> list[int]:
    """Places of the boxes on a way down; the last kind empty for any."""
    start, end, places = 0, len(data), []
    for kind in kinds:
        skip = track if kind == b"trak" else 0
        while True:
            size, this = unpack_from(">I4s", data, start)
            if this == kind or not kind:
                if not skip:
                    break
                skip -= 1
            start += size
            assert start < end
        places.append(start)
        start, end = start + 8 + (8 if this == b"stsd" else 0), start + size
    return places


_ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"")


def label_channels(path: Path, labels: tuple[int, ...]) -> None:
    """Write QuickTime's channel labels for the second track of a MOV whose index comes last."""
    data = bytearray(path.read_bytes())
    places = _find(data, _ENTRY, track=1)
    size = unpack_from(">I", data, places[-1])[0]
    data[places[-1] : places[-1] + size] = data[places[-1] : places[-1] + size].replace(b"chan", b"free")
    body = pack(">4I", 0, 0, 0, len(labels)) + b"".join(pack(">2I3f", label, 0, 0, 0, 0) for label in labels)
    data[places[-1] + size : places[-1] + size] = pack(">I4s", 8 + len(body), b"chan") + body
    for place in places:
        old = unpack_from(">I", data, place)[0]
        data[place : place + 4] = pack(">I", old + 8 + len(body))
    path.write_bytes(data)


def rename_codec(path: Path, codec: bytes) -> None:
    """Give the audio of an MP4 another codec, without a description."""
    data = bytearray(path.read_bytes())
    place = _find(data, _ENTRY, track=1)[-1]
    size = unpack_from(">I", data, place)[0]
    data[place + 4 : place + 8] = codec
    data[place + 8 : place + size] = data[place + 8 : place + size].replace(b"esds", b"free", 1)
    path.write_bytes(data)
