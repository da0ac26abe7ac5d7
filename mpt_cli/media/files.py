"""Temporary files and the way a finished file gets its name.

A run has one hidden folder, which any end of the run removes; what a killed run left behind is
removed by the next process beside it, if it can get the dead one's lock. An output is written under a
hidden name beside its target and takes its name in one step, after it was proven.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import shutil
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.errors import IssueCode, MptError, OutputError, ResourceError
from mpt_cli.filesystem import DISK_FULL
from mpt_cli.media import locks
from mpt_cli.media.timing import microsecond_durations

if sys.platform == "darwin":  # pragma: no cover - the counterpart
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpt_cli.models import ProcessedClip, TargetForm

logger = logging.getLogger(__name__)

PREFIX = ".mpt-"
_RUN = f"{PREFIX}run-"
_LOCK_SUFFIX = ".lock"
_SWEEP_SECONDS = 1.0
"""Another run that clears up holds the lock of a dead one for a moment."""
_BUSY_SECONDS = (0.1, 0.4, 1.0)
"""Pauses before a busy target is tried again: players and virus scanners let go soon, or not at all."""
_LONGEST_NAME, _SHORT_STEM = 240, 60
"""Bytes, and characters of at most four bytes each: a name has 255 bytes in most file systems."""


class TempFileManager:
    """The folder of one workflow: segments, sound, the concat list."""

    def __init__(self, folder: Path) -> None:
        """Manage files in a folder that exists."""
        self.folder = folder

    def segment_paths(self, clip_index: int) -> tuple[Path, Path]:
        """Where the pictures and the sound of a clip are written."""
        return self.folder / f"{clip_index:05d}.mp4", self.folder / f"{clip_index:05d}.pcm"

    def frame_map_path(self, clip_index: int) -> Path:
        """Return where ffmpeg writes from which decoded frame each frame of a clip was made."""
        return self.folder / f"{clip_index:05d}.frames"

    def path(self, name: str) -> Path:
        """A file of this workflow."""
        return self.folder / name

    @property
    def concat_list(self) -> Path:
        """Where the list that ffmpeg joins by is written."""
        return self.path("concat.txt")

    def discard(self, *paths: Path | None) -> None:
        """Remove files of this workflow that are no longer needed; others are never touched."""
        for path in paths:
            if path is not None and path.parent == self.folder:
                path.unlink(missing_ok=True)

    def create_concat_list(self, clips: Sequence[ProcessedClip], form: TargetForm) -> Path:
        """The list that ffmpeg joins by, with exact durations; ffmpeg has to run in this folder.

        A name with a protocol is taken from where ffmpeg runs, one without from the list's own URL,
        of which a ``#`` or ``?`` in the name of a folder cuts off the rest.
        """
        durations = microsecond_durations([clip.segment.frames for clip in clips], form.frame_rate)
        lines = ["ffconcat version 1.0"]
        for clip, duration in zip(clips, durations, strict=True):
            lines += [
                f"file file:{self.linked(clip).name}",
                f"duration {duration // 1_000_000}.{duration % 1_000_000:06d}",
            ]
        with writing(self.concat_list):
            self.concat_list.write_text("\n".join([*lines, ""]), encoding="ascii")
        return self.concat_list

    def cleanup_concat_list(self) -> None:
        """Remove the list and the links that it named, as far as they are there."""
        self.discard(self.concat_list)
        self.discard_links()

    def discard_links(self) -> None:
        """Remove what :meth:`linked` made."""
        self.discard(*self.folder.glob("link-*"))

    def linked(self, clip: ProcessedClip) -> Path:
        """The pictures of a clip under a plain name in this folder.

        For a user's own clip that is a link, because its name may hold anything, also a line break,
        which no quoting takes through a list.
        """
        if clip.owned:
            return clip.processed_path
        link = self.folder / f"link-{clip.index:05d}"
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(clip.processed_path.absolute())
        except OSError:  # Windows allows links only to some users
            shutil.copyfile(clip.processed_path, link)
        return link


@contextmanager
def run_folder(parent: Path, workflow_id: str, *, keep: bool = False) -> Iterator[TempFileManager]:
    """A hidden folder for one workflow; removed with everything in it unless it is to be kept."""
    _sweep_once(parent.absolute(), os.getpid())
    folder = run_folder_path(parent, workflow_id)
    with ExitStack() as stack:
        with writing(parent):
            parent.mkdir(parents=True, exist_ok=True)
            # The lock is there before the folder and after it: a run that is killed leaves what can be swept.
            stack.enter_context(locks.held(folder.with_name(f"{folder.name}{_LOCK_SUFFIX}")))
            folder.mkdir()
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield TempFileManager(folder)


def run_folder_path(parent: Path, workflow_id: str) -> Path:
    """Where the files of a workflow are."""
    return parent / f"{_RUN}{_short(workflow_id)}"


def _short(name: str) -> str:
    """A name for a file that stands for any text, whatever is in it."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def sweep(parent: Path) -> None:
    """Remove what dead runs left in a folder, whole run folders and unfinished outputs.

    Only what has a lock of this machine that can be got; what has no lock was kept on purpose.
    """
    try:
        found = list(parent.glob(f"{PREFIX}*{_LOCK_SUFFIX}"))
    except OSError:  # where nothing can be looked for nothing is left
        return
    for lock in found:
        with suppress(OSError):
            if not locks.is_of_this_machine(lock):
                continue
            with locks.held(lock, create=False) as got:
                if got:
                    _remove_unfinished(lock)


@lru_cache(maxsize=1024)
def _sweep_once(parent: Path, process_id: int) -> None:
    """The same when a process first writes into a folder: of 5,000 files each look at them takes 11 ms.

    A batch would look for each of its jobs. What runs leave that are killed from then on is for the next process.
    """
    del process_id  # once for each: a fork is another
    sweep(parent)


def _remove_unfinished(lock: Path) -> None:
    """Remove what a lock was for: a run folder, or an output by any suffix."""
    folder = lock.with_suffix("")
    if folder.name.startswith(_RUN) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    for path in lock.parent.glob(f"{glob.escape(lock.stem)}.*"):
        if path != lock:
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that no other run may write to, and the hidden path beside it where its file is made."""

    target: Path
    hidden: Path
    overwrite: bool
    replace: Callable[[Path, Path], object]
    sleep: Callable[[float], object]

    def publish(self, before: Callable[[], object] = lambda: None) -> None:
        """Give the file its name; what ``before`` raises in the last moment keeps it from it.

        OutputError ``output_exists`` when the target has appeared meanwhile and may not be replaced,
        ``output_busy`` when the system does not let it be replaced: then the finished file stays
        beside it under a visible name.
        """
        with writing(self.target):
            _flush(self.hidden)
            if not self.overwrite:
                refuse_existing(self.target)
            before()
            _rename(self.hidden, self.target, self.replace, self.sleep)
        _flush_names(self.target.parent)


@contextmanager
def claimed(
    target: Path,
    *,
    overwrite: bool,
    replace: Callable[[Path, Path], object] = os.replace,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Claim]:
    """A claim to a name, for as long as the context lasts; what was not published then is removed.

    OutputError ``locked`` when another run is writing the same output. What is raised within the
    context stays what it is: much of a run reads. ``replace`` is the seam for a system that refuses,
    ``sleep`` for the pauses before it is asked again.
    """
    short = _short(target.name)
    hidden = target.parent / f"{PREFIX}{short}{target.suffix}"
    with ExitStack() as stack:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _sweep_once(target.parent.absolute(), os.getpid())
            lock = locks.held(target.parent / f"{PREFIX}{short}{_LOCK_SUFFIX}", patience_seconds=_SWEEP_SECONDS)
            if not stack.enter_context(lock):
                raise OutputError(
                    IssueCode.LOCKED,
                    "another run is writing this output",
                    path=target,
                    hint="wait for it, or choose another name",
                )
            hidden.unlink(missing_ok=True)  # what lies there could be a link to another file
        stack.callback(_discard, hidden)
        yield Claim(target, hidden, overwrite, replace, sleep)


def publish(
    target: Path, data: bytes, *, overwrite: bool, before: Callable[[Path], object] = lambda _hidden: None
) -> None:
    """Write a small file as a large one is written; ``before`` it has its name, the file itself is shown."""
    with claimed(target.absolute(), overwrite=overwrite) as claim:
        with writing(target):
            claim.hidden.write_bytes(data)
        claim.publish(lambda: before(claim.hidden))


def _discard(path: Path) -> None:
    """Remove a file if it is there; that it cannot be removed does not hide why it had to be."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns errors of the file system into those of mpt."""
    try:
        yield
    except OSError as error:
        raise unworkable(error, path, doing="written") from error


def unworkable(failure: OSError, path: Path, *, doing: str = "worked with") -> MptError:
    """What a path is that the system does not take; ``path`` where it does not say which."""
    if isinstance(failure.filename, (str, bytes)):
        path = Path(os.fsdecode(failure.filename))
    if failure.errno in DISK_FULL:
        return disk_full(path)
    message = f"cannot be {doing} ({failure.strerror or failure})"
    return OutputError(IssueCode.OUTPUT_NOT_WRITABLE, message, path=path)


def disk_full(path: Path) -> ResourceError:
    """The error of a disk, or of a share of one, that is full at this path."""
    return ResourceError(IssueCode.DISK_FULL, "the disk is full", path=path, hint="free some space")


def refuse_existing(target: Path) -> None:
    """OutputError where there is something at this name, if only a link to nothing."""
    if os.path.lexists(target):
        raise OutputError(IssueCode.OUTPUT_EXISTS, "already exists", path=target, hint="add --overwrite to replace it")


def _rename(
    hidden: Path, target: Path, replace: Callable[[Path, Path], object], sleep: Callable[[float], object]
) -> None:
    for seconds in _BUSY_SECONDS:
        with suppress(PermissionError):
            replace(hidden, target)
            return
        sleep(seconds)
    try:
        replace(hidden, target)
    except PermissionError as error:
        kept = _visible_name(target)
        hidden.replace(kept)
        raise OutputError(
            IssueCode.OUTPUT_BUSY,
            "cannot be replaced: another program has it open",
            path=target,
            hint=f"close it; the finished reel is at {kept}",
        ) from error


def _visible_name(target: Path) -> Path:
    """A name beside the target that nothing has."""
    stem = target.stem if len(os.fsencode(target.name)) < _LONGEST_NAME else target.stem[:_SHORT_STEM]
    names = (f"{stem}.finished{f'-{number}' if number > 1 else ''}{target.suffix}" for number in count(1))
    return next(path for path in map(target.with_name, names) if not os.path.lexists(path))


def _flush(path: Path, flags: int = os.O_RDWR) -> None:
    """Bring what is open for writing, or the names in a folder, to the disk."""
    descriptor = os.open(path, flags)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Let the system write it down, on macOS the drive too: of fsync a drive keeps there what it likes."""
    if sys.platform == "darwin":  # pragma: no cover - the counterpart
        with suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def _flush_names(folder: Path) -> None:
    """Bring a new name to the disk as well; where that fails the file has its name all the same, until power fails."""
    if sys.platform == "win32":
        return  # folders cannot be opened there
    try:
        _flush(folder, os.O_RDONLY)
    except OSError as error:
        logger.warning("%s: the new name may not outlast a loss of power (%s)", folder, error)


def free_bytes(path: Path) -> int:
    """Free space of the file system that a path, which need not exist, will lie on."""
    return shutil.disk_usage(_existing(path)).free


def disk_of(path: Path) -> int:
    """A number that is the same for paths on one file system; they need not exist."""
    return _existing(path).stat().st_dev


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    folder = path.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
