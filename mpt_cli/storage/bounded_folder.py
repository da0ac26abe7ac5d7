"""Records: folders of small files, one a record, that several processes share."""

from __future__ import annotations

import errno
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from mpt_cli.storage.atomic_write import require_writable, sweep_unfinished, write_in_one_step
from mpt_cli.storage.small_files import read_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MOST_BYTES = 64 << 20
"""Size of the largest record: the evidence of a reel of 10,000 clips takes 10 MB."""
_BUCKET = re.compile(r"[0-9a-f]{2}")


class Records:
    """Folder of records; other files in it, which a user may have put there, are left alone."""

    def __init__(self, folder: Path | None, names: str, *, in_buckets: bool = False) -> None:
        """Use a folder, which is created with the first record.

        Args:
            folder: Folder of the records; None for a user without any folder, who has no records.
            names: Regular expression of the names of records; anything else is not ours.
            in_buckets: True for many records, which lie in folders of two hexadecimal digits.
        """
        self.folder = folder
        self._names, self._in_buckets = re.compile(names, re.DOTALL), in_buckets
        self._swept: set[Path] = set()
        self._room = 0

    def read(self, name: str) -> bytes:
        """Return the content of a record.

        Raises:
            OSError: There is no such record, or something else than a plain small file has its name.
        """
        return read_small(self._place(name), _MOST_BYTES)

    def write(self, name: str, content: bytes) -> None:
        """Write a record in one step, and with the first one remove what killed processes left beside it.

        Raises:
            OSError: The record cannot be written.
        """
        path = self._place(name)
        write_in_one_step(path, content)
        if path.parent not in self._swept:  # each sweep reads the whole folder
            self._swept.add(path.parent)
            sweep_unfinished(path.parent)

    def require_writable(self) -> Path:
        """Check that a record could be written, and remove what killed processes left; return the folder.

        Raises:
            OSError: The folder cannot be written.
        """
        folder = self._required_folder()
        require_writable(folder)
        sweep_unfinished(folder)
        return folder

    def paths(self) -> list[Path]:
        """Return the paths of all records."""
        return [path for folder in self._folders() for path in listed(folder) if self._names.fullmatch(path.name)]

    def keep_newest(self, number: int, *, spare: int, age: Callable[[Path], float | str]) -> None:
        """Remove the oldest records, if there are many more than wanted; failures are ignored.

        To be called after each write. The folder is read only once as many records were written as it had room for.

        Args:
            number: Number of records to keep.
            spare: Number of records above it that may stay, so that not every write must look for the oldest.
            age: Returns a key by which records are sorted, oldest first.
        """
        if self._room > 0:
            self._room -= 1
            return
        paths = self.paths()
        self._room = number + spare - len(paths)
        if self._room < 0:
            ages = {path: age(path) for path in paths}
            _remove(sorted(paths, key=ages.__getitem__)[:-number])
            self._room = spare

    def drop_before(self, seconds: float) -> None:
        """Remove records that were written before a time; failures are ignored."""
        _remove([path for path in self.paths() if modified(path) < seconds])

    def sweep(self, *, everything: bool = False) -> None:
        """Remove records that killed processes left unfinished, or all unfinished ones."""
        for folder in self._folders():
            if everything:
                sweep_unfinished(folder, age_seconds=0)
            else:
                sweep_unfinished(folder)

    def clear(self) -> None:
        """Remove all records, and the folder if nothing else is in it."""
        _remove(self.paths())
        self.sweep(everything=True)
        if self.folder is not None:
            remove_empty(self.folder)

    def _place(self, name: str) -> Path:
        return self._required_folder() / name

    def _required_folder(self) -> Path:
        if self.folder is None:
            raise FileNotFoundError(errno.ENOENT, "there is no folder of records")
        return self.folder

    def _folders(self) -> list[Path]:
        if self.folder is None:
            return []
        return list(buckets(self.folder)) if self._in_buckets else [self.folder]


def modified(path: Path) -> float:
    """Return the time at which a file was written, 0 if there is none."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def buckets(folder: Path) -> Iterator[Path]:
    """Yield the folders of two hexadecimal digits in a folder of many entries.

    A user's folder may have been named as the cache: nothing else in it is ours to remove.
    """
    yield from (bucket for bucket in listed(folder) if _BUCKET.fullmatch(bucket.name))


def remove_empty(folder: Path) -> None:
    """Remove the empty folders of a cache, its own folder included."""
    for empty in (*buckets(folder), folder):
        with suppress(OSError):
            empty.rmdir()


def listed(folder: Path) -> list[Path]:
    """Return the content of a folder, empty if another process has just removed it; ``glob`` fails then."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _remove(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()
