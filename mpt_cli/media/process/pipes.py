"""Pipes of a child process: reading and writing that can be cancelled, and text from bytes.

Knows nothing of processes. Imports nothing of mpt.
"""

from __future__ import annotations

import os
import queue
import select
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_TAIL_BYTES = 32 * 1024
_LINE_BYTES = 1024 * 1024
_PIPE_BYTES = 64 * 1024
TICK_SECONDS = 0.2  # how soon a thread that waits for a pipe notices that it is called off


class Tail:
    """Last 32 kB of a text as a terminal shows it: a carriage return overwrites its line."""

    def __init__(self) -> None:
        """Start empty."""
        self._closed, self._open = bytearray(), b""

    def add(self, chunk: bytes) -> bool:
        """Add the next chunk; return True if it holds anything."""
        *closed, rest = (self._open + chunk).split(b"\n")
        for line in closed:
            self._closed += _shown(line) + b"\n"
        del self._closed[:-_TAIL_BYTES]
        # A carriage return at the end overwrites only if something other than a line feed follows.
        self._open = rest[rest.rstrip(b"\r").rfind(b"\r") + 1 :][-_TAIL_BYTES:]
        return bool(chunk)

    def text(self) -> str:
        """Return the text, with undecodable bytes replaced."""
        return (bytes(self._closed) + _shown(self._open))[-_TAIL_BYTES:].decode("utf-8", "replace")


def _shown(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


class Requests:
    """Chunks to write to a child's stdin as they come up; one thread takes them, others put.

    While ``is_idle`` returns True, an empty line is written now and then, so that a child that has nothing to
    do is not taken for one that hangs.
    """

    def __init__(self, *, is_idle: Callable[[], bool] = lambda: False, beat_seconds: float | None = None) -> None:
        """Start open and empty."""
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._is_idle, self._beat_seconds = is_idle, beat_seconds

    def put(self, chunk: bytes) -> None:
        """Write this chunk next."""
        self._waiting.put(chunk)

    def close(self) -> None:
        """Close the child's stdin after the chunks that were put."""
        self._waiting.put(None)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks in order until the end; waits for them."""
        while True:
            try:
                chunk = self._waiting.get(timeout=self._beat_seconds)
            except queue.Empty:
                if self._is_idle():
                    yield b"\n"
                continue
            if chunk is None:
                return
            yield chunk


class Lines:
    """Splits a stream into lines without their ends; a line longer than 1 MiB comes in pieces."""

    def __init__(self, on_line: Callable[[str], bool]) -> None:
        """Call ``on_line`` with each line."""
        self._on_line, self._open = on_line, b""

    def add(self, chunk: bytes) -> bool:
        """Add the next chunk, an empty one at the end; return True if ``on_line`` returned True for a line."""
        *lines, self._open = (self._open + chunk).split(b"\n")
        if self._open and (not chunk or len(self._open) > _LINE_BYTES):
            lines.append(self._open)
            self._open = b""
        answers = [self._on_line(line.rstrip(b"\r").decode("utf-8", "replace")) for line in lines]
        return any(answers)


def read(pipes: Iterable[IO[bytes]], *, over: Callable[[], bool]) -> Iterator[tuple[IO[bytes], bytes]]:
    """Yield each pipe with its next bytes, none at its end, until all have ended or the reading is called off.

    Args:
        pipes: The pipes; on Windows, where nothing waits for several, one.
        over: Returns True once the reading is called off.
    """
    open_pipes = {pipe.fileno(): pipe for pipe in pipes}
    while open_pipes and not over():
        for descriptor in _ready(open_pipes, "POLLIN"):
            pipe, chunk = open_pipes[descriptor], os.read(descriptor, _PIPE_BYTES)
            if not chunk:
                del open_pipes[descriptor]
            yield pipe, chunk


def write(pipe: IO[bytes], data: bytes, *, over: Callable[[], bool]) -> bool:
    """Write all data; return False when the reader is gone or the write is cancelled before."""
    if sys.platform != "win32":
        os.set_blocking(pipe.fileno(), False)
    rest = memoryview(data)
    while rest and not over():
        try:
            if _ready([pipe.fileno()], "POLLOUT"):
                rest = rest[os.write(pipe.fileno(), rest[:_PIPE_BYTES]) :]
        except BlockingIOError:
            continue
        except OSError:  # EPIPE; Windows says EINVAL
            return False
    return not rest


def _ready(descriptors: Collection[int], event: str) -> Sequence[int]:
    """Wait a tick for pipes and return those that are ready.

    Windows cannot wait; its threads end with the last holder of the pipe.
    """
    if sys.platform == "win32":  # pragma: no cover - the counterpart
        return list(descriptors)
    poll = select.poll()  # not select.select, which ends at file descriptor 1023
    for descriptor in descriptors:
        poll.register(descriptor, getattr(select, event))
    return [descriptor for descriptor, _ in poll.poll(TICK_SECONDS * 1000)]
