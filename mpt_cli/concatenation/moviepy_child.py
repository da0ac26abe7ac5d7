"""Child process that joins with MoviePy: an order and the samples of the reel on stdin, progress on stdout.

The child is a program of its own (see ``concatenation/moviepy.py``) in the folder of the run, and the only
module that imports MoviePy. It uses MoviePy's reader of clips and its writers of frames and audio, but not
its clips in between: their times are floating-point, which loses a frame or a sample at the joints. One
clip is open at a time.

MoviePy does not check how its ffmpegs end, and repeats the last frame where one is missing. This module
checks exit codes, messages of each reader, and that it gave exactly the frames of the clip.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpt_cli.media.formats.adts import packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TextIO

WHOLE_AUDIO, AUDIO, LOG = "moviepy-whole.aac", "moviepy.aac", "moviepy.log"
"""Files in the folder of the run: audio as encoded and as cut, and the log of MoviePy's ffmpegs."""
NO_MOVIEPY = 6
"""Exit code if MoviePy cannot be imported."""
_CHUNK_BYTES = 1 << 18
_REPORT_SECONDS = 0.25
_MESSAGE_CHARACTERS = 4000
_LAST_SIGNAL = 9
"""SIGKILL by number: Windows has no such name."""


def main() -> None:
    """Join as ordered by the first line of stdin, then end the process.

    Stdout has the number of finished frames and, after a failure, its reason.
    """
    samples = sys.stdin.buffer
    order = json.loads(samples.readline())
    os.environ["FFMPEG_BINARY"] = order["ffmpeg"]  # read by MoviePy
    _block_dotenv()
    with Path(LOG).open("w+", encoding="utf-8", errors="replace") as log:
        try:
            warnings.filterwarnings("error", "In file ", UserWarning)  # the only sign of a missing frame
            _write_audio(order, samples, log)
            _write_frames(order, log)
        except ImportError as error:
            _report(f"MoviePy cannot be imported: {error}")
            sys.exit(NO_MOVIEPY)
        except (OSError, ValueError, UserWarning) as error:
            log.seek(0)
            _report(log.read()[-_MESSAGE_CHARACTERS:] or str(error))
            sys.exit(1)


def say_version() -> None:
    """Print the version of MoviePy, in a child because its import is slow."""
    _block_dotenv()
    import moviepy

    _report(moviepy.__version__)


def _block_dotenv() -> None:
    """Prevent the import of python-dotenv.

    With it MoviePy reads the ``.env`` of any parent folder, and starts what that names as ffmpeg or ffplay.
    MoviePy works without it; not every version has a variable that switches it off.
    """
    sys.modules["dotenv"] = None  # type: ignore[assignment]  # its import then fails


def _write_audio(order: dict[str, Any], samples: BinaryIO, log: TextIO) -> None:
    """Encode the rest of stdin, and keep the packets of the reel after its chapters.

    The excess is cut here because ``-frames:a`` would also end the frames, one too early if audio and frames
    end together.
    """
    import numpy as np
    from moviepy.audio.io.ffmpeg_audiowriter import FFMPEG_AudioWriter

    writer = FFMPEG_AudioWriter(WHOLE_AUDIO, logfile=log, **order["sound"])
    with _watched(writer):
        while chunk := samples.read(_CHUNK_BYTES):
            writer.write_frames(np.frombuffer(chunk, "<i2"))
    with Path(WHOLE_AUDIO).open("rb") as whole, Path(AUDIO).open("wb") as kept:
        kept.write(bytes.fromhex(order["chapters"]))
        kept.writelines(islice(packets(whole), order["packets"]))


def _write_frames(order: dict[str, Any], log: TextIO) -> None:
    """Encode the frames of all clips in order, and add the audio."""
    from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

    writer = FFMPEG_VideoWriter(audiofile=AUDIO, audio_codec="copy", logfile=log, **order["pictures"])
    done, report_at = 0, time.monotonic()
    with _watched(writer):
        for name, frames in order["clips"]:
            for frame in _frames(name, frames, order["pictures"]["size"]):
                writer.write_frame(frame)
                done += 1
                if time.monotonic() >= report_at:
                    report_at = time.monotonic() + _REPORT_SECONDS
                    _report(str(done))
    _report(str(done))


def _frames(name: str, frames: int, size: list[int]) -> Iterator[Any]:
    """Yield the frames of a clip; raise OSError unless all decode, have this size, and no other follows."""
    from moviepy import VideoFileClip

    with VideoFileClip(name, audio=False) as clip:
        if list(clip.size) != size:
            raise OSError(f"{name} is {clip.size[0]}x{clip.size[1]} for MoviePy")
        for number in range(frames):
            yield clip.get_frame((number + 0.5) / clip.fps)
        reader = clip.reader.proc
        if reader.stdout.read(1):
            raise OSError(f"{name} has more than {frames} pictures for MoviePy")
        if message := reader.stderr.read().decode(errors="replace").strip():
            raise OSError(f"{name} does not decode: {message}")


@contextmanager
def _watched(writer: Any) -> Iterator[None]:
    """Check that the ffmpeg of a writer ends well; if the system kills it, kill this process too."""
    encoder = writer.proc
    try:
        with writer:
            yield
    finally:
        if encoder.wait() == -_LAST_SIGNAL:
            os.kill(os.getpid(), signal.SIGKILL)
    if encoder.returncode:
        raise OSError(f"its ffmpeg ended with exit code {encoder.returncode}")


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
