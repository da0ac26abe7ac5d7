"""ProbeCache: the cache of probe results, so that a known file is not read again.

A file is taken for the same while device, inode, size and both its times in nanoseconds are. Its
content is then known by a hash, and what the probe found in it stands beside that.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mpt_cli.model.media_info import MediaInfo
from mpt_cli.storage.bounded_folder import Records
from mpt_cli.storage.file_identity import content_hash, identity_of, is_settled

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.config.sections import ValidationConfig
    from mpt_cli.media.inspect.probe import Probe
    from mpt_cli.runtime.cancel import CancelToken


CONTENT_VERSION = 13
"""Raised when the probe finds more, or other things, in the same bytes."""
_KEPT_SECONDS = 180 * 24 * 3600
_OURS = r"[0-9a-f]{38}\.json(\.[0-9a-f]{32})?"
"""Names of records, and of those that earlier versions left unfinished."""


class _Record(BaseModel):
    """What stands in the store about one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str
    media: MediaInfo


class ProbeCache:
    """Remembers contents and probes in a folder; several processes may share it."""

    def __init__(
        self,
        folder: Path,
        probe: Probe,
        *,
        paranoid: bool = False,
        remember: bool = True,
        clock: Callable[[], float] = time.time,
        on_failure: Callable[[OSError], object] = lambda _error: None,
    ) -> None:
        """Keep records below this folder, which is made when the first one is written.

        ``paranoid`` reads every file again whatever is known, and only notes what it finds. Without
        ``remember`` nothing is written. ``on_failure`` gets the error of a record that could not be written.
        """
        self._records = Records(folder, _OURS, in_buckets=True)
        self._probe, self._paranoid, self._clock = probe, paranoid, clock
        self._remembers, self._on_failure = remember, on_failure
        self._contents: dict[tuple[int, ...], str] = {}

    def probe(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """Return what the file holds, from the record if there is one; raise ProbeError as a probe does.

        Only whole scans are remembered: they took long, and they answer every question.
        """
        if not scan:
            return self._probe(path, scan=False, limits=limits, cancel=cancel)
        record = self._recall(path)
        return record.media if record else self._look(path, limits, cancel).media

    def content(self, path: Path, *, alive: Callable[[], object] = lambda: None) -> str:
        """Return a hash of the file's bytes when it was probed; raise OSError where it cannot be read.

        ``alive`` is called for each MiB that is read, and may raise to stop.
        """
        identity = identity_of(path.stat())
        if identity not in self._contents:
            record = self._recall(path)
            self._contents[identity] = record.content if record else content_hash(path, alive=alive)
        return self._contents[identity]

    def prune(self) -> None:
        """Remove records that were written so long ago that their files have most likely changed."""
        self._records.drop_before(self._clock() - _KEPT_SECONDS)
        self._records.sweep()

    def clear(self) -> None:
        """Remove all records."""
        self._records.clear()

    def forget(self) -> None:
        """Drop what is only held in memory."""
        self._contents.clear()

    def _look(self, path: Path, limits: ValidationConfig, cancel: CancelToken | None) -> _Record:
        """Hash and scan: the scan finds in memory what the hash has just read."""
        before = path.stat()
        content = content_hash(path) if cancel is None else content_hash(path, alive=cancel.raise_if_cancelled)
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
            record = _records().validate_json(self._records.read(_name_of(status)))
        except (OSError, ValidationError):
            return None
        self._contents[identity_of(status)] = record.content
        return record.model_copy(update={"media": record.media.named(path)})

    def _remember(self, status: os.stat_result, record: _Record) -> None:
        """Write the record under its name in one step; a store that cannot be written is no error."""
        unnamed = record.model_copy(update={"media": record.media.named(None)})  # a name need not be UTF-8
        try:
            self._records.write(_name_of(status), _records().dump_json(unnamed))
        except OSError as error:
            self._on_failure(error)


def _name_of(status: os.stat_result) -> str:
    """Return the name of the record of a file."""
    name = hashlib.sha256(repr((CONTENT_VERSION, *identity_of(status))).encode()).hexdigest()
    return f"{name[:2]}/{name[2:40]}.json"


@cache
def _records() -> TypeAdapter[_Record]:
    return TypeAdapter(_Record)
