"""The child that joins with MoviePy: an order and the reel's samples on stdin, progress on stdout.

It runs as a program of its own (see ``concatenation/moviepy.py``), in the folder of the run, and is
the only module that imports MoviePy. Of MoviePy it takes what reads a clip and what writes pictures
and sound, without the clips of floating-point time in between, which miss a picture or a sample at
the joints. One clip is open at a time.

MoviePy does not look at how its ffmpegs end, and repeats the last picture where one is missing. So
this looks: at exit codes, at what each reader said, and that it gave the clip's pictures, all and no
more.
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

WHOLE_SOUND, SOUND, LOG = "moviepy-whole.aac", "moviepy.aac", "moviepy.log"
"""Files in the folder of the run: sound as it was encoded and as it is kept, and what MoviePy's ffmpegs said."""
NO_MOVIEPY = 6
"""Exit code where MoviePy cannot be imported."""
_CHUNK_BYTES = 1 << 18
_TELL_SECONDS = 0.25
_SAID_CHARACTERS = 4000
_LAST_SIGNAL = 9
"""SIGKILL by number: Windows has no such name."""


def main() -> None:
    """Join as the first line of stdin says; its end is that of this process.

    On stdout stands the number of pictures that are done, and, where it failed, why.
    """
    samples = sys.stdin.buffer
    order = json.loads(samples.readline())
    os.environ["FFMPEG_BINARY"] = order["ffmpeg"]  # from where MoviePy takes it
    _bar_dotenv()
    with Path(LOG).open("w+", encoding="utf-8", errors="replace") as log:
        try:
            warnings.filterwarnings("error", "In file ", UserWarning)  # all that tells of a picture that is missing
            _write_sound(order, samples, log)
            _write_pictures(order, log)
        except ImportError as error:
            _tell(f"MoviePy cannot be imported: {error}")
            sys.exit(NO_MOVIEPY)
        except (OSError, ValueError, UserWarning) as error:
            log.seek(0)
            _tell(log.read()[-_SAID_CHARACTERS:] or str(error))
            sys.exit(1)


def say_version() -> None:
    """Say which MoviePy there is: it is slow to import, so who only wants to know asks a process like this."""
    _bar_dotenv()
    import moviepy

    _tell(moviepy.__version__)


def _bar_dotenv() -> None:
    """Let no python-dotenv be imported here.

    By it MoviePy reads the ``.env`` of any folder above the one where it works, and starts what that names as
    ffmpeg or ffplay. It goes on without; a variable that switches it off is not known to every version.
    """
    sys.modules["dotenv"] = None  # type: ignore[assignment]  # an import of it then fails


def _write_sound(order: dict[str, Any], samples: BinaryIO, log: TextIO) -> None:
    """Encode what is left of stdin, and keep as many packets as the reel has, behind its chapters.

    What is cut off here could not be cut later: by ``-frames:a`` ffmpeg also ends the pictures, one too early
    where sound and pictures end together.
    """
    import numpy as np
    from moviepy.audio.io.ffmpeg_audiowriter import FFMPEG_AudioWriter

    writer = FFMPEG_AudioWriter(WHOLE_SOUND, logfile=log, **order["sound"])
    with _watched(writer):
        while chunk := samples.read(_CHUNK_BYTES):
            writer.write_frames(np.frombuffer(chunk, "<i2"))
    with Path(WHOLE_SOUND).open("rb") as whole, Path(SOUND).open("wb") as kept:
        kept.write(bytes.fromhex(order["chapters"]))
        kept.writelines(islice(packets(whole), order["packets"]))


def _write_pictures(order: dict[str, Any], log: TextIO) -> None:
    """Encode the pictures of all clips in a row, and put the sound beside them."""
    from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

    writer = FFMPEG_VideoWriter(audiofile=SOUND, audio_codec="copy", logfile=log, **order["pictures"])
    done, tell_at = 0, time.monotonic()
    with _watched(writer):
        for name, frames in order["clips"]:
            for picture in _pictures(name, frames, order["pictures"]["size"]):
                writer.write_frame(picture)
                done += 1
                if time.monotonic() >= tell_at:
                    tell_at = time.monotonic() + _TELL_SECONDS
                    _tell(str(done))
    _tell(str(done))


def _pictures(name: str, frames: int, size: list[int]) -> Iterator[Any]:
    """The pictures of a clip; OSError unless they are all that it has, of this size, and all of them decode."""
    from moviepy import VideoFileClip

    with VideoFileClip(name, audio=False) as clip:
        if list(clip.size) != size:
            raise OSError(f"{name} is {clip.size[0]}x{clip.size[1]} for MoviePy")
        for number in range(frames):
            yield clip.get_frame((number + 0.5) / clip.fps)
        reader = clip.reader.proc
        if reader.stdout.read(1):
            raise OSError(f"{name} has more than {frames} pictures for MoviePy")
        if said := reader.stderr.read().decode(errors="replace").strip():
            raise OSError(f"{name} does not decode: {said}")


@contextmanager
def _watched(writer: Any) -> Iterator[None]:
    """A writer whose ffmpeg must end well; killed by the system, this dies the same death."""
    encoder = writer.proc
    try:
        with writer:
            yield
    finally:
        if encoder.wait() == -_LAST_SIGNAL:
            os.kill(os.getpid(), signal.SIGKILL)
    if encoder.returncode:
        raise OSError(f"its ffmpeg ended with exit code {encoder.returncode}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
