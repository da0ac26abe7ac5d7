"""Cache of finished files by the recipe they were created with, so that nothing is encoded twice.

An entry is a folder with some files and a note of their sizes and hashes, and of facts about them. It
gets its name in one step when it is complete, and its files are taken out as further names of the same
bytes (hard links), so that runs never wait for one another and may remove entries in use.
The least recently used entries are removed first.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import stat
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mpt_cli.model.errors import VerificationError
from mpt_cli.model.results import CacheInfo
from mpt_cli.model.shortages import shortage_of
from mpt_cli.storage import locks
from mpt_cli.storage.bounded_folder import buckets, listed, remove_empty
from mpt_cli.storage.disk import free_bytes
from mpt_cli.storage.file_identity import content_hash
from mpt_cli.storage.small_files import read_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


logger = logging.getLogger(__name__)

RECIPE_VERSION = 4
"""Raised when the same command has to produce another file, or the format of entries changes."""
_NOTE, _NOTE_BYTES = "note.json", 1 << 20
_UNFINISHED = "unfinished-"
_IS_ENTRY = re.compile(r"[0-9a-f]{62}")
_ABANDONED_SECONDS = 24 * 3600
_MOST_LOOKS = 5
"""How often an entry is looked at that other runs clear away and store again meanwhile."""
_FREE_SHARE = 2
"""Divisor of the space that the disk has left beside the cache: the cache may fill that part."""


class _File(BaseModel):
    """Size and hash of a stored file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    content: str


class _Note(BaseModel):
    """Content of the note beside the files of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: str
    files: dict[str, _File]


@dataclass(frozen=True, slots=True)
class _Entry:
    folder: Path
    size_bytes: int
    used: float


def recipe_key(content: str, build: str, command: Sequence[str]) -> str:
    """Return the cache key of the file that a command creates from a content.

    Args:
        content: Hash of the input.
        build: Build string of the program.
        command: The whole recipe: trim, target, encoder. File names in it must be placeholders, and its
            thread count one that every run agrees on.

    Returns:
        The key, 64 hexadecimal digits.
    """
    recipe = "\0".join((str(RECIPE_VERSION), content, build, *command))
    return hashlib.sha256(os.fsencode(recipe)).hexdigest()


class Store:
    """Folder of cache entries, shared by all runs of a user."""

    def __init__(
        self,
        folder: Path,
        *,
        limit_bytes: int,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = free_bytes,
        on_failure: Callable[[OSError], object] = lambda _error: None,
    ) -> None:
        """Use a folder, which is created with the first entry.

        Args:
            folder: Folder of the cache.
            limit_bytes: Size that all entries may have.
            clock: Returns the time in seconds since the epoch.
            free: Returns the free bytes of the disk that holds a path.
            on_failure: Receives the error of an entry that could not be stored.
        """
        self._folder, self._limit_bytes, self._clock, self._free = folder, limit_bytes, clock, free
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._stored_bytes = 0
        self._room_bytes = 0
        self._swept = False

    @property
    def folder(self) -> Path:
        """Folder of the cache."""
        return self._folder

    def has(self, key: str) -> bool:
        """Return True if there is an entry; its files are verified when they are taken."""
        return _has_note(self._entry_folder(key))

    def take(self, key: str, targets: Mapping[str, Path]) -> str | None:
        """Link files of an entry to the given paths.

        Args:
            key: Key of the entry.
            targets: Path for each file, by its name in the entry.

        Returns:
            The facts of the entry; None if there is no entry.

        Raises:
            VerificationError: The files are not what was stored; the entry is removed.
            OSError: The disk is full, or another shortage.
        """
        folder = self._entry_folder(key)
        self._sweep_once()
        for _ in range(_MOST_LOOKS):
            with _held_open(folder) as seen:
                if seen is None:
                    _discard(targets)
                    return None
                try:
                    note = _taken(folder, targets)
                except (OSError, ValueError) as error:
                    _discard(targets)
                    if shortage_of(error) is not None:
                        raise
                    if not _is_still(folder, seen):  # another run has cleared it away, and may have stored it again
                        continue
                    self._remove(folder)
                    logger.warning("Cache entry %s is damaged and was removed: %s", key, error)
                    raise VerificationError("has a damaged segment in the cache, and is encoded again") from error
                with suppress(OSError):
                    os.utime(folder, (self._clock(), self._clock()))
                return note.facts
        _discard(targets)
        return None

    def put(self, key: str, sources: Mapping[str, Path], facts: str = "") -> None:
        """Keep files and facts. A cache that is full or cannot be written causes a warning, no error.

        Args:
            key: Key of the entry.
            sources: Path of each file, by its name in the entry.
            facts: Text that :meth:`take` returns.
        """
        try:
            with locks.unfinished(self._folder, _UNFINISHED, _create) as unfinished:
                size_bytes = self._fill(unfinished, self._entry_folder(key), sources, facts)
            with self._lock:
                self._stored_bytes += size_bytes
        except OSError as error:
            if not self.has(key):
                logger.warning("What was finished was not kept: %s", error)
                self._on_failure(error)

    def info(self) -> CacheInfo:
        """Return the size of the cache and its limit."""
        entries = list(self._entries())
        size = sum(entry.size_bytes for entry in entries)
        return CacheInfo(self._folder, len(entries), size, self._limit(size))

    def keep_to_limit(self) -> None:
        """Prune once this process has filled the room of the last prune: a walk through the cache is slow."""
        with self._lock:
            if self._stored_bytes <= self._room_bytes:
                return
            info = self.prune()
            self._stored_bytes, self._room_bytes = 0, max(0, info.limit_bytes - info.size_bytes)

    def prune(self) -> CacheInfo:
        """Remove the least recently used entries above the limit, and remains of dead runs.

        Returns:
            The size of the cache afterwards.
        """
        self._sweep()
        entries = sorted(self._entries(), key=lambda entry: entry.used)
        size = sum(entry.size_bytes for entry in entries)
        limit = self._limit(size)
        while entries and size > limit:
            oldest = entries.pop(0)
            self._remove(oldest.folder)
            size -= oldest.size_bytes
        return CacheInfo(self._folder, len(entries), size, limit)

    def require_writable(self) -> None:
        """Check that an entry could be stored, and remove what killed processes left.

        Raises:
            OSError: The folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with locks.unfinished(self._folder, _UNFINISHED, _create) as mark:
            mark.rmdir()
        self._sweep()

    def clear(self) -> None:
        """Remove all entries; files that another run has taken stay with that run."""
        for entry in self._entries():
            self._remove(entry.folder)
        self._sweep(0.0)
        remove_empty(self._folder)

    def _fill(self, unfinished: Path, folder: Path, sources: Mapping[str, Path], facts: str) -> int:
        """Fill a new entry and give it its name; return its size, 0 where another run was quicker."""
        try:
            for name, source in sources.items():
                _link(source, unfinished / name)
            files = {name: _known(unfinished / name) for name in sources}
            _write_note(unfinished / _NOTE, _Note(facts=facts, files=files))
            is_ours = self._name(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return sum(file.size for file in files.values()) if is_ours else 0

    def _name(self, unfinished: Path, folder: Path) -> bool:
        """Give a new entry its name; return False where another run was quicker."""
        for last in (*[False] * (_MOST_LOOKS - 1), True):
            try:
                folder.parent.mkdir(exist_ok=True)
                if not _has_note(folder):
                    self._remove(folder)  # a rest without its note would block the name for good
                unfinished.rename(folder)
                break
            except OSError:
                if _has_note(folder):
                    return False
                if last:  # else another run may just have cleared the cache
                    raise
        return True

    def _entry_folder(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _limit(self, size_bytes: int) -> int:
        """Return the configured limit, or half of the space that the disk could give, whichever is less."""
        try:
            free = self._free(self._folder)
        except OSError:
            return self._limit_bytes
        return min(self._limit_bytes, (free + size_bytes) // _FREE_SHARE)

    def _entries(self) -> Iterator[_Entry]:
        for folder in (entry for bucket in buckets(self._folder) for entry in listed(bucket)):
            with suppress(OSError):
                if _IS_ENTRY.fullmatch(folder.name):
                    size = sum(file.lstat().st_size for file in folder.iterdir())
                    yield _Entry(folder, size, folder.stat().st_mtime)

    def _sweep_once(self) -> None:
        """Sweep when a run first uses the cache; one that stores something sweeps when it prunes."""
        with self._lock:
            swept, self._swept = self._swept, True
        if not swept:
            self._sweep()

    def _sweep(self, age_seconds: float = _ABANDONED_SECONDS) -> None:
        """Remove what killed processes left, and what is so old that nobody can be at it."""
        oldest = self._clock() - age_seconds
        for rest in listed(self._folder):
            if locks.is_unfinished(rest, _UNFINISHED):
                with suppress(OSError), locks.owner(rest, _UNFINISHED) as owner:
                    if owner.has_left(is_old=rest.lstat().st_mtime <= oldest):
                        shutil.rmtree(rest, ignore_errors=True)

    def _remove(self, folder: Path) -> None:
        """Remove an entry in one step, so that no other run finds a half of it."""
        aside = locks.unfinished_path(self._folder, _UNFINISHED)
        with suppress(OSError):
            folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _create(unfinished: Path) -> None:
    unfinished.mkdir(parents=True)


def _write_note(path: Path, note: _Note) -> None:
    """Write the note, and a line with its hash: a digit of it that changes must not pass for a proof."""
    text = note.model_dump_json()
    path.write_text(f"{text}\n{_seal(text)}\n", encoding="ascii")


def _read_note(path: Path) -> _Note:
    """Return the note; raises ValueError unless it is as it was written."""
    text, _, seal = read_small(path, _NOTE_BYTES).decode("ascii").partition("\n")
    if seal != f"{_seal(text)}\n":
        raise ValueError(f"{path.name} is not what was written")
    return _Note.model_validate_json(text)


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _taken(folder: Path, targets: Mapping[str, Path]) -> _Note:
    """Link the files of an entry and return its note; raises ValueError if a file differs from the note."""
    note = _read_note(folder / _NOTE)
    for name, target in targets.items():
        known, stored = note.files.get(name), folder / name
        status = stored.lstat()
        if known is None or not stat.S_ISREG(status.st_mode) or status.st_size != known.size:
            raise ValueError(f"{name} is not what was stored")  # before a copy could read gigabytes
        _link(stored, target)
        if content_hash(target) != known.content:
            raise ValueError(f"{name} is not what was stored")
    return note


def _discard(targets: Mapping[str, Path]) -> None:
    for target in targets.values():
        target.unlink(missing_ok=True)


def _has_note(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / _NOTE).is_file()
    return False


@contextmanager
def _held_open(folder: Path) -> Iterator[os.stat_result | None]:
    """Yield the status of an entry, None if there is none; no other one gets its inode while the context is open."""
    descriptor, status = None, None
    with suppress(OSError):
        status = folder.lstat()
        if sys.platform != "win32":  # where no inode is used twice
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except FileNotFoundError:  # cleared since the look, and its inode may be that of the next entry
                status = None
            else:
                status = os.fstat(descriptor)
    try:
        yield status
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_still(folder: Path, seen: os.stat_result) -> bool:
    try:
        return os.path.samestat(folder.lstat(), seen)
    except OSError:
        return False


def _known(path: Path) -> _File:
    return _File(size=path.stat().st_size, content=content_hash(path))


def _link(source: Path, target: Path) -> None:
    """Create another name of the same bytes; a copy where the file system has no hard links."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except FileExistsError:
        target.unlink()
        _link(source, target)
    except OSError:
        shutil.copyfile(source, target)
