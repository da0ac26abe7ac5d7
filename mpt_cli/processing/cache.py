"""ClipCache: finished segments by what they were made of, so that nothing is encoded twice.

An entry is a folder with the pictures, the sound and a note of their sizes, hashes and proof. It gets
its name in one step when it is whole, and its files are taken out as further names of the same bytes
(hard links), so that runs never wait for one another and may clear away what another one uses. What
was used last stays longest.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from mpt_cli.media.known import content_hash
from mpt_cli.results import CacheInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mpt_cli.models import ProcessedClip

logger = logging.getLogger(__name__)

RECIPE_VERSION = 1
"""Raised when the same command would have to give another segment."""
_NOTE, _PICTURES, _SOUND = "note.json", "pictures.mp4", "sound.pcm"
_UNFINISHED = "unfinished-"
_ABANDONED_SECONDS = 24 * 3600
_FREE_SHARE = 2
"""The store may fill one part in this many of what the disk has left beside it."""


class _File(BaseModel):
    """Size and hash of a stored file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    content: str


class Note(BaseModel):
    """What stands beside a stored segment: its proof, and by what its files are known."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    vcl_crc: int
    parameter_sets: str
    extradata: bytes
    pictures: _File
    sound: _File | None


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


class ClipCache:
    """A folder of finished segments, shared by all runs of a user."""

    def __init__(self, folder: Path, *, limit_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """Keep entries below this folder; it is made when the first one is stored."""
        self._folder, self._limit_bytes, self._clock = folder, limit_bytes, clock
        self._lock = threading.Lock()
        self._stored_bytes = 0
        self._room_bytes = 0

    def has(self, key: str) -> bool:
        """Whether there is an entry; its files are checked when they are taken."""
        return (self._place(key) / _NOTE).is_file()

    def fetch(self, key: str, pictures: Path, sound: Path | None) -> Note | None:
        """Put the stored files under these names; None where there are none, or no right ones.

        A damaged entry is removed. OSError where the names cannot be made.
        """
        place = self._place(key)
        try:
            note = Note.model_validate_json((place / _NOTE).read_bytes())
            wanted = [(place / _PICTURES, pictures, note.pictures)]
            if sound is not None and note.sound is not None:
                wanted.append((place / _SOUND, sound, note.sound))
            for source, target, known in wanted:
                _link(source, target)
                _require(target, known)
        except FileNotFoundError:
            self._give_up(place, pictures, sound)
            return None
        except (ValueError, ValidationError) as damage:
            logger.warning("Cache entry %s is damaged and was removed: %s", key, damage)
            self._give_up(place, pictures, sound)
            return None
        with suppress(OSError):
            os.utime(place, (self._clock(), self._clock()))
        return note

    def store(self, key: str, clip: ProcessedClip) -> None:
        """Keep a proven segment; a store that is full or cannot be written is no error."""
        place, unfinished = self._place(key), self._folder / f"{_UNFINISHED}{uuid4().hex}"
        try:
            unfinished.mkdir(parents=True)
            _link(clip.processed_path, unfinished / _PICTURES)
            if clip.audio_path is not None:
                _link(clip.audio_path, unfinished / _SOUND)
            note = Note(
                vcl_crc=clip.vcl_crc,
                parameter_sets=clip.parameter_sets,
                extradata=clip.extradata,
                pictures=_known(unfinished / _PICTURES),
                sound=_known(unfinished / _SOUND) if clip.audio_path is not None else None,
            )
            (unfinished / _NOTE).write_text(note.model_dump_json(), encoding="ascii")
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished.rename(place)  # refused where another run was quicker
            with self._lock:
                self._stored_bytes += note.pictures.size + (note.sound.size if note.sound else 0)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                logger.warning("A finished clip was not kept: %s", error)
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
            shutil.rmtree(oldest.place, ignore_errors=True)
            size -= oldest.size_bytes
        return CacheInfo(self._folder, len(entries), size, limit)

    def require_writable(self) -> None:
        """OSError where nothing could be stored."""
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = self._folder / f"{_UNFINISHED}{uuid4().hex}"
        mark.mkdir()
        mark.rmdir()

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _place(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _limit(self, size_bytes: int) -> int:
        """The configured limit, or half of what the disk could give, whichever is less."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            return self._limit_bytes
        return min(self._limit_bytes, (free + size_bytes) // _FREE_SHARE)

    def _entries(self) -> Iterator[_Entry]:
        for place in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in place.iterdir())
                yield _Entry(place, size, place.stat().st_mtime)

    def _sweep(self) -> None:
        for unfinished in self._folder.glob(f"{_UNFINISHED}*"):
            with suppress(OSError):
                if self._clock() - unfinished.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(unfinished, ignore_errors=True)

    def _give_up(self, place: Path, *targets: Path | None) -> None:
        for target in targets:
            if target is not None:
                target.unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)


def _require(path: Path, known: _File) -> None:
    """ValueError unless a file is what was stored."""
    if path.stat().st_size != known.size or content_hash(path) != known.content:
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
