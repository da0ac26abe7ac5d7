"""Store: finished files by what they were made of, so that nothing is encoded twice.

An entry is a folder with some files and a note of their sizes and hashes, and of facts about them. It
gets its name in one step when it is whole, and its files are taken out as further names of the same
bytes (hard links), so that runs never wait for one another and may clear away what another one uses.
What was used last stays longest.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from mpt_cli.model.errors import VerificationError
from mpt_cli.model.results import CacheInfo
from mpt_cli.storage.disk import DISK_FULL, free_bytes
from mpt_cli.storage.file_identity import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


logger = logging.getLogger(__name__)

RECIPE_VERSION = 4
"""Raised when the same command would have to give another file, or what is stored looks different."""
_NOTE = "note.json"
_UNFINISHED = "unfinished-"
_IS_UNFINISHED = re.compile(rf"{_UNFINISHED}[0-9a-f]{{32}}")
_ABANDONED_SECONDS = 24 * 3600
_FREE_SHARE = 2
"""The store may fill one part in this many of what the disk has left beside it."""


class _File(BaseModel):
    """Size and hash of a stored file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    content: str


class _Note(BaseModel):
    """What stands beside the files of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: str
    files: dict[str, _File]


@dataclass(frozen=True, slots=True)
class _Entry:
    place: Path
    size_bytes: int
    used: float


def recipe_key(content: str, build: str, command: Sequence[str]) -> str:
    """Name of what a command makes of a content.

    The command stands for the whole recipe: trim, target, encoder; ``build`` for the program. File
    names in it must be placeholders, and its thread count one that every run agrees on.
    """
    recipe = "\0".join((str(RECIPE_VERSION), content, build, *command))
    return hashlib.sha256(os.fsencode(recipe)).hexdigest()


class Store:
    """A folder of entries, shared by all runs of a user."""

    def __init__(
        self,
        folder: Path,
        *,
        limit_bytes: int,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Keep entries below this folder; it is made when the first one is stored. ``free`` asks the disk."""
        self._folder, self._limit_bytes, self._clock, self._free = folder, limit_bytes, clock, free
        self._lock = threading.Lock()
        self._stored_bytes = 0
        self._room_bytes = 0

    def has(self, key: str) -> bool:
        """Whether there is an entry; its files are checked when they are taken."""
        with suppress(OSError):
            return (self._place(key) / _NOTE).is_file()
        return False

    def take(self, key: str, targets: Mapping[str, Path]) -> str | None:
        """Put files of an entry under these names, by their names in it; its facts, or None where there is none.

        VerificationError where they are not what was stored; the entry is then removed. OSError where
        the disk is full.
        """
        place = self._place(key)
        try:
            try:
                note = _taken(place, targets)
            except FileNotFoundError:  # another run may have cleared it away, and a third one stored it again
                note = _taken(place, targets)
        except (OSError, ValueError) as error:
            for target in targets.values():
                target.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                raise
            if not place.exists():  # another run has cleared it away
                return None
            self._remove(place)
            logger.warning("Cache entry %s is damaged and was removed: %s", key, error)
            raise VerificationError("has a damaged segment in the cache, and is encoded again") from error
        with suppress(OSError):
            os.utime(place, (self._clock(), self._clock()))
        return note.facts

    def put(self, key: str, sources: Mapping[str, Path], facts: str = "") -> None:
        """Keep files by these names, and facts; a store that is full or cannot be written is no error."""
        place, unfinished = self._place(key), self._folder / f"{_UNFINISHED}{uuid4().hex}"
        try:
            unfinished.mkdir(parents=True)
            for name, source in sources.items():
                _link(source, unfinished / name)
            files = {name: _known(unfinished / name) for name in sources}
            _write_note(unfinished / _NOTE, _Note(facts=facts, files=files))
            place.parent.mkdir(parents=True, exist_ok=True)
            if not self.has(key):
                self._remove(place)  # a rest without its note would bar the place for good
            unfinished.rename(place)  # refused where another run was quicker
            with self._lock:
                self._stored_bytes += sum(file.size for file in files.values())
        except OSError as error:
            if not self.has(key):
                logger.warning("What was finished was not kept: %s", error)
            shutil.rmtree(unfinished, ignore_errors=True)

    def info(self) -> CacheInfo:
        """How much is stored, and how much may be."""
        entries = list(self._entries())
        size = sum(entry.size_bytes for entry in entries)
        return CacheInfo(self._folder, len(entries), size, self._limit(size))

    def keep_to_limit(self) -> None:
        """Prune once this process has stored what there was room for: a walk through the store costs time."""
        with self._lock:
            if self._stored_bytes <= self._room_bytes:
                return
            info = self.prune()
            self._stored_bytes, self._room_bytes = 0, max(0, info.limit_bytes - info.size_bytes)

    def prune(self) -> CacheInfo:
        """Remove what is over the limit, used longest ago first, and what dead runs left; what is left."""
        self._sweep()
        entries = sorted(self._entries(), key=lambda entry: entry.used)
        size = sum(entry.size_bytes for entry in entries)
        limit = self._limit(size)
        while entries and size > limit:
            oldest = entries.pop(0)
            self._remove(oldest.place)
            size -= oldest.size_bytes
        return CacheInfo(self._folder, len(entries), size, limit)

    def require_writable(self) -> None:
        """OSError where nothing could be stored."""
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = self._folder / f"{_UNFINISHED}{uuid4().hex}"
        mark.mkdir()
        mark.rmdir()

    def clear(self) -> None:
        """Remove everything; what another run has just taken stays with it."""
        for entry in self._entries():
            self._remove(entry.place)
        self._sweep(0.0)
        remove_empty(self._folder)

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _limit(self, size_bytes: int) -> int:
        """The configured limit, or half of what the disk could give, whichever is less."""
        try:
            free = self._free(self._folder)
        except OSError:
            return self._limit_bytes
        return min(self._limit_bytes, (free + size_bytes) // _FREE_SHARE)

    def _entries(self) -> Iterator[_Entry]:
        for place in below(self._folder):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in place.iterdir())
                yield _Entry(place, size, place.stat().st_mtime)

    def _sweep(self, age_seconds: float = _ABANDONED_SECONDS) -> None:
        oldest = self._clock() - age_seconds
        for unfinished in listed(self._folder):
            with suppress(OSError):
                if _IS_UNFINISHED.fullmatch(unfinished.name) and unfinished.stat().st_mtime <= oldest:
                    shutil.rmtree(unfinished, ignore_errors=True)

    def _remove(self, place: Path) -> None:
        """Take an entry away in one step, so that nobody finds a half of it."""
        aside = self._folder / f"{_UNFINISHED}{uuid4().hex}"
        with suppress(OSError):
            place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _write_note(path: Path, note: _Note) -> None:
    """The note, and a line with its hash: a digit of it that changes must not pass for a proof."""
    text = note.model_dump_json()
    path.write_text(f"{text}\n{_seal(text)}\n", encoding="ascii")


def _read_note(path: Path) -> _Note:
    """ValueError unless it is as it was written."""
    if not path.is_file():
        raise FileNotFoundError(path)  # a pipe in its place would never answer
    text, _, seal = path.read_text(encoding="ascii").partition("\n")
    if seal != f"{_seal(text)}\n":
        raise ValueError(f"{path.name} is not what was written")
    return _Note.model_validate_json(text)


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _taken(place: Path, targets: Mapping[str, Path]) -> _Note:
    """Link the files of an entry to these names, and return its note; ValueError where they are not what it says."""
    note = _read_note(place / _NOTE)
    for name, target in targets.items():
        _link(place / name, target)
        _require(target, note.files.get(name))
    return note


def _require(path: Path, known: _File | None) -> None:
    """ValueError unless a file is what was stored."""
    if known is None or path.stat().st_size != known.size or content_hash(path) != known.content:
        raise ValueError(f"{path.name} is not what was stored")


def _known(path: Path) -> _File:
    return _File(size=path.stat().st_size, content=content_hash(path))


def _link(source: Path, target: Path) -> None:
    """Another name of the same bytes; a copy where the file system has no such thing."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


_SHELF = re.compile(r"[0-9a-f]{2}")
_OURS = re.compile(r"[0-9a-f]{62}|[0-9a-f]{38}\.json(\.[0-9a-f]{32})?")
"""An entry of finished files, a record of a file, and one that was not finished."""


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
