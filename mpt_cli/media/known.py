"""KnownFiles: what is known of a file from the last time, so that it need not be read again.

A file is taken for the same while device, inode, size and both its times in nanoseconds are. Its
content is then known by a hash, and what the probe found in it stands beside that.
"""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mpt_cli.filesystem import write_in_one_step
from mpt_cli.mediainfo import MediaInfo

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mpt_cli.cancel import CancelToken
    from mpt_cli.config import ValidationConfig
    from mpt_cli.media.inspect.probe import Probe

CONTENT_VERSION = 7
"""Raised when the probe finds more, or other things, in the same bytes."""
_CHUNK_BYTES = 1 << 20
_SHELF = re.compile(r"[0-9a-f]{2}")
_OURS = re.compile(r"[0-9a-f]{62}|[0-9a-f]{38}\.json(\.[0-9a-f]{32})?")
"""An entry of finished files, a record of a file, and one that was not finished."""
_KEPT_SECONDS = 180 * 24 * 3600
_SETTLED_SECONDS = 2.0
"""A file that changed within this time may change again without its times showing it."""
_TIMES = slice(3, None)
"""Where the times are in an identity."""


def file_of(path: Path) -> tuple[int, ...]:
    """What tells a published file from all others: inode, size, and its time in nanoseconds.

    Not its device, which has another number after a restart, and not the time of its last change of
    name, owner or rights.
    """
    status = path.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_still(path: Path, file: tuple[int, ...]) -> bool:
    """Whether a name has the file that was given it; some drives know it there by another inode."""
    try:
        return file_of(path)[1:] == file[1:]
    except OSError:
        return False


class _Record(BaseModel):
    """What stands in the store about one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str
    media: MediaInfo


class KnownFiles:
    """Remembers contents and probes in a folder; several processes may share it."""

    def __init__(
        self,
        folder: Path,
        probe: Probe,
        *,
        paranoid: bool = False,
        remember: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep records below this folder, which is made when the first one is written.

        ``paranoid`` reads every file again whatever is known, and only notes what it finds. Without
        ``remember`` nothing is written.
        """
        self._folder, self._probe, self._paranoid, self._clock = folder, probe, paranoid, clock
        self._remembers = remember
        self._contents: dict[tuple[int, ...], str] = {}

    def probe(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """What the file holds, from the record if there is one; raises ProbeError as a probe does.

        Only whole scans are remembered: they took long, and they answer every question.
        """
        if not scan:
            return self._probe(path, scan=False, limits=limits, cancel=cancel)
        record = self._recall(path)
        return record.media if record else self._look(path, limits, cancel).media

    def content(self, path: Path) -> str:
        """A hash of the file's bytes, as they were when it was probed; OSError where it cannot be read."""
        identity = identity_of(path.stat())
        if identity not in self._contents:
            record = self._recall(path)
            self._contents[identity] = record.content if record else content_hash(path)
        return self._contents[identity]

    def prune(self) -> None:
        """Remove records that were written so long ago that their files have most likely changed."""
        oldest = self._clock() - _KEPT_SECONDS
        for record in below(self._folder):
            with suppress(OSError):
                if record.stat().st_mtime < oldest:
                    record.unlink()

    def clear(self) -> None:
        """Remove all records."""
        for record in below(self._folder):
            with suppress(OSError):
                record.unlink()
        remove_empty(self._folder)

    def forget(self) -> None:
        """Drop what is only held in memory."""
        self._contents.clear()

    def _look(self, path: Path, limits: ValidationConfig, cancel: CancelToken | None) -> _Record:
        """Hash and scan: the scan finds in memory what the hash has just read."""
        before = path.stat()
        content = content_hash(path)
        record = _Record(content=content, media=self._probe(path, scan=True, limits=limits, cancel=cancel))
        after = path.stat()
        identity = identity_of(after)
        if identity_of(before) == identity:
            self._contents[identity] = record.content
            if self._remembers and is_settled(identity, self._clock()):
                self._remember(after, record)
        return record

    def _recall(self, path: Path) -> _Record | None:
        if self._paranoid:
            return None
        try:
            status = path.stat()
            place = self._place(status)
            record = _records().validate_json(place.read_bytes() if place.is_file() else b"")
        except (OSError, ValidationError):
            return None
        self._contents[identity_of(status)] = record.content
        return record.model_copy(update={"media": record.media.named(path)})

    def _remember(self, status: os.stat_result, record: _Record) -> None:
        """Write the record under its name in one step; a store that cannot be written is no error."""
        place = self._place(status)
        unnamed = record.model_copy(update={"media": record.media.named(None)})  # a name need not be UTF-8
        with suppress(OSError):
            write_in_one_step(place, _records().dump_json(unnamed), unfinished=f"{place.name}.")

    def _place(self, status: os.stat_result) -> Path:
        name = hashlib.sha256(repr((CONTENT_VERSION, *identity_of(status))).encode()).hexdigest()
        return self._folder / name[:2] / f"{name[2:40]}.json"


def below(folder: Path) -> Iterator[Path]:
    """What lies in the folders of two hexadecimal digits of a store, under a name that a store gives.

    A user's folder may have been named as the store's: nothing else in it is ours to remove.
    """
    for shelf in listed(folder):
        if _SHELF.fullmatch(shelf.name):
            yield from (place for place in listed(shelf) if _OURS.fullmatch(place.name))


def remove_empty(folder: Path) -> None:
    """Remove the folders of a store, and the store's own, as far as nothing lies in them."""
    for shelf in (*(shelf for shelf in listed(folder) if _SHELF.fullmatch(shelf.name)), folder):
        with suppress(OSError):
            shelf.rmdir()


def listed(folder: Path) -> list[Path]:
    """What lies in a folder that another process may just remove; ``glob`` fails then."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def content_hash(path: Path) -> str:
    """BLAKE2b of a file's bytes, 256 bits in hexadecimal."""
    return digest_of(path, hashlib.blake2b(digest_size=32))


def digest_of(path: Path, found: hashlib._Hash | hashlib.blake2b, *, alive: Callable[[], object] = lambda: None) -> str:
    """The hash of a file's bytes in hexadecimal; ``alive`` is called for each MiB, and may raise."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            alive()
            found.update(chunk)
    return found.hexdigest()


def is_settled(identity: tuple[int, ...], now_seconds: float) -> bool:
    """Whether a file of this identity cannot have changed again without its times showing it."""
    return now_seconds - max(identity[_TIMES], default=0) / 1e9 > _SETTLED_SECONDS


def identity_of(status: os.stat_result) -> tuple[int, ...]:
    """What is the same for as long as a file is: device, inode, size, and both its times in nanoseconds."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@cache
def _records() -> TypeAdapter[_Record]:
    return TypeAdapter(_Record)
