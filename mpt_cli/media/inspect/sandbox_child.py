"""The child that opens untrusted files: answers questions on stdin, one JSON object a line, on stdout.

It runs as a program of its own (see ``media/inspect/sandbox.py``): what crashes, hangs or takes all memory
here costs the one file that was asked about. While it reads a long file it writes empty lines, which
show that it gets on.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import os
import sys
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from mpt_cli.media.inspect import probe
from mpt_cli.media.process.shortage import libav_shortage
from mpt_cli.model.audio_form import AudioForm, SampleFormat
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, ProbeError, ResourceError
from mpt_cli.model.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_ALIVE_SECONDS = 0.5
_LONGEST_STEP_SECONDS = 2
"""A longer silence was a pause, as by Ctrl-Z, or the parent ends us for it: it is not counted."""
_PIECE_BYTES = 1 << 19
"""Longer lines would be cut by who reads them: a long recording of keyframes has many times to tell."""
_OF_THE_FILE = (ValueError, ArithmeticError, MemoryError, OSError, LookupError, RuntimeError)
"""What comes of a file that is damaged, or another one by now; errors of PyAV are some of these, or none."""
_THREAD_BYTES = 16 << 20
"""Stack and heap that each thread of a decoder may reserve without using it."""


class Signs:
    """Tells the parent, not too often, that the work goes on; ends work that goes on for too long."""

    def __init__(self, out: BinaryIO, limit_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to this file, for so long that the work may take."""
        self._out, self._clock = out, clock
        self._left = limit_seconds
        self._told = self._looked = clock()

    def __call__(self) -> None:
        """Say so if it is time; ProbeError where the work takes too long."""
        now = self._clock()
        self._left -= min(now - self._looked, _LONGEST_STEP_SECONDS)
        self._looked = now
        if now < self._told + _ALIVE_SECONDS:
            return
        if self._left < 0:
            raise ProbeError(IssueCode.PROBE_TIMEOUT, "takes too long to read for its size", path=Path())
        self._told = now
        self._out.write(b"\n")
        self._out.flush()


def answer(question: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """Return the answer to a question, under its name, or the issue that is the ``error``."""
    try:
        return _found(question, out)
    except (ProbeError, ResourceError) as error:
        return {"error": dataclasses.asdict(error.issue)}
    except (*_OF_THE_FILE, av.FFmpegError) as error:
        if (shortage := libav_shortage(error)) is not None:
            return {"error": dataclasses.asdict(shortage.issue)}
        message = f"cannot be read as a video ({type(error).__name__}: {error})"
        return {"error": {"code": IssueCode.PROBE_FAILED, "message": message, "path": None, "hint": None}}


def _found(question: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    path, alive = Path(question["path"]), Signs(out, question["limit_seconds"])
    if question["ask"] == "probe":
        return {"media": dataclasses.asdict(probe.probe(path, **question["how"], alive=alive))}
    if question["ask"] == "stills":
        from mpt_cli.media.inspect import stills  # few runs show anything

        times, box = [Fraction(time) for time in question["times"]], Dimensions.parse(question["box"])
        found = stills.read_stills(path, times, box, alive=alive)
        return {"stills": [still and dataclasses.asdict(still) for still in found]}
    if question["ask"] == "render":
        from mpt_cli.media.inspect.audio.render import WantedTrack, render  # few files need it

        start, samples, output = Fraction(question["start"]), question["samples"], Path(question["output"])
        wanted = question["track"]
        track = WantedTrack(wanted["index"], wanted["part"], Fraction(wanted["tremble"]), wanted["anchors"])
        form = AudioForm(**question["form"] | {"samples": SampleFormat(question["form"]["samples"])})
        splice = _splice(question["splice"])
        rendered = render(path, track, start, samples, output, form, **_part(question), splice=splice, alive=alive)
        return {"loss": dataclasses.asdict(rendered)}
    if question["ask"] == "compare":
        from mpt_cli.media.inspect.audio.comparison import HeardTrack, MadeAudio, compare

        what = question["made"]
        made = MadeAudio(
            **what
            | {"path": Path(what["path"]), "origin": Fraction(what["origin"]), "begun": Fraction(what["begun"])}
            | {"tracks": tuple(HeardTrack(**track) for track in what["tracks"])}
            | {"clock_moves": tuple(map(Fraction, what["clock_moves"])), "format": SampleFormat(what["format"])}
            | {"splice": _splice(what["splice"])}
        )
        return {"match": dataclasses.asdict(compare(path, made, alive=alive))}
    span = (Fraction(question["span"][0]), Fraction(question["span"][1])) if question["span"] else None
    if question["ask"] == "loss":
        from mpt_cli.media.inspect.audio.decoding import audio_loss

        loss = audio_loss(path, question["stream"], span, **_part(question), alive=alive)
        return {"loss": dataclasses.asdict(loss)}
    from mpt_cli.media.inspect import damage  # few files are asked about that are damaged

    how = {"interlaced": question["interlaced"], **_part(question)}
    share = damage.decoded_share(path, question["stream"], span, **how, alive=alive)
    return {"share": share}


def _part(question: dict[str, Any]) -> dict[str, Any]:
    """Return which part of a file is to be read."""
    return {"clock_moves": [Fraction(move) for move in question["clock_moves"]], "end": question["end"]}


def _splice(told: object) -> Splice | None:
    """Return the files around, from what was said of them."""
    if told is None:
        return None
    from pydantic import TypeAdapter  # few files need it

    return TypeAdapter(Splice).validate_python(told)


def plain(value: object) -> object:
    """Return a value that JSON lacks, as text from which :class:`~mpt_cli.model.media_info.MediaInfo` is read."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return None if isinstance(value, Path) else str(value)


def limit_memory(limit_bytes: int) -> None:
    """Let the system refuse this process more memory than that, where it can."""
    try:
        import resource
    except ImportError:  # Windows: the parent looks at what is used
        return
    room = limit_bytes + _THREAD_BYTES * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_DATA, (room, room))


def trimmer() -> Callable[[], object]:
    """Return a function that gives freed memory back to the system, where the C library can: glibc keeps it."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # TypeError: Windows has no library without a name
        trim = ctypes.CDLL(None).malloc_trim
        return lambda: trim(0)
    return lambda: None


def main() -> None:
    """Answer until stdin ends; the argument is the limit of memory in bytes."""
    limit_memory(int(sys.argv[-1]))
    out, trim = sys.stdout.buffer, trimmer()
    gc.freeze()  # what is loaded stays: a collection then looks at nothing but what one question left
    for line in sys.stdin.buffer:
        if not line.strip():
            continue  # a sign that the parent has no question
        said = json.dumps(answer(json.loads(line), out), default=plain).encode()
        for start in range(0, len(said), _PIECE_BYTES):
            piece = said[start : start + _PIECE_BYTES]
            out.write((b"=" if start + _PIECE_BYTES >= len(said) else b"+") + piece + b"\n")
        out.flush()
        gc.collect()  # containers of PyAV and their streams refer to each other, and hold 2 MB of decoders a file
        trim()
