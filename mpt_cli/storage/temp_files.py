"""Temporary files of a run.

A run has one hidden folder, which is removed however the run ends; the remains of a killed run are
removed by the next process beside it, if it can get the dead run's lock. An output is written under a
hidden name beside its target and takes its name in one step, after it was verified.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.timing import microsecond_durations
from mpt_cli.storage import locks
from mpt_cli.storage.disk import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mpt_cli.model.clips import ProcessedClip, Segment, TargetForm


logger = logging.getLogger(__name__)

PREFIX = ".mpt-"
_RUN = f"{PREFIX}run-"
_PREFIX = re.compile(rf"{re.escape(PREFIX)}[a-z]+-")
"""Beginning of the name of a scratch folder or an unfinished file."""
_ABANDONED_SECONDS = 24 * 3600
LOCK_EXTENSION = ".lock"


class TempFileManager:
    """Folder of one workflow: segments, audio, the concat list."""

    def __init__(self, folder: Path) -> None:
        """Manage files in a folder that exists."""
        self.folder = folder

    def segment_paths(self, segment: Segment) -> tuple[Path, Path]:
        """Return the paths for the frames and for the audio of a segment.

        Args:
            segment: The segment; its clip and its first frame name the files.

        Returns:
            Path of the video file, and path of the raw PCM.
        """
        return self._named(segment, ".mp4"), self._named(segment, ".pcm")

    def frame_map_path(self, segment: Segment) -> Path:
        """Return the path to which ffmpeg writes the source frame of each output frame of a segment."""
        return self._named(segment, ".frames")

    def _named(self, segment: Segment, extension: str) -> Path:
        later = f"-{segment.first_frame:07d}" if segment.first_frame else ""
        return self.folder / f"{segment.clip_index:05d}{later}{extension}"

    def path(self, name: str) -> Path:
        """Return the path of a file of this workflow."""
        return self.folder / name

    @property
    def concat_list(self) -> Path:
        """Path of the list that ffmpeg joins by."""
        return self.path("concat.txt")

    def discard(self, *paths: Path | None) -> None:
        """Remove files of this workflow that are no longer needed; other files are never touched."""
        for path in paths:
            if path is not None and path.parent == self.folder:
                path.unlink(missing_ok=True)

    def create_concat_list(self, clips: Sequence[ProcessedClip], form: TargetForm) -> Path:
        """Write the list that ffmpeg joins by, with exact durations; ffmpeg has to run in this folder.

        A name with a protocol is resolved from the folder ffmpeg runs in, one without from the list's own URL,
        of which a ``#`` or ``?`` in the name of a folder cuts off the rest.

        Args:
            clips: Clips in the order of the reel.
            form: Target format of the reel.

        Returns:
            Path of the list.
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
        """Remove the list and the links that it names, where they exist."""
        self.discard(self.concat_list)
        self.discard_links()

    def discard_links(self) -> None:
        """Remove the links that :meth:`linked` created."""
        self.discard(*self.folder.glob("link-*"))

    def linked(self, clip: ProcessedClip) -> Path:
        """Return a plain name in this folder for the video file of a clip.

        A user's own file gets a link, because its name may hold anything, also a line break, which no quoting
        takes through a list.
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
def run_folder(
    parent: Path, workflow_id: str, *, keep: bool = False, remove: Callable[[Path], object] = shutil.rmtree
) -> Iterator[TempFileManager]:
    """Create a hidden folder for one workflow, and remove it at the end of the context.

    Args:
        parent: Folder to create it in.
        workflow_id: Id of the run.
        keep: True to keep the folder and its files.
        remove: Removes a folder with all files; a test can pass one that fails.

    Yields:
        The files of the run.

    Raises:
        MptError: The folder cannot be created.
    """
    sweep_once(parent.absolute(), os.getpid())
    folder = run_folder_path(parent, workflow_id)
    is_left = False
    with ExitStack() as stack:
        with writing(parent):
            parent.mkdir(parents=True, exist_ok=True)
            # The lock is there before the folder and after it, and stays where the folder cannot be removed:
            # whatever is left can be swept.
            lock = folder.with_name(f"{folder.name}{LOCK_EXTENSION}")
            stack.enter_context(locks.held(lock, stays=lambda: is_left))
            folder.mkdir()
        is_left = not keep
        try:
            yield TempFileManager(folder)
        finally:
            is_left = not keep and not _removed(folder, remove)


def run_folder_path(parent: Path, workflow_id: str) -> Path:
    """Return the path of the folder of a workflow."""
    return parent / f"{_RUN}{short_name(workflow_id)}"


@contextmanager
def scratch_folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """Create a hidden folder for a small task, and remove it at the end of the context.

    Its name is random, so that it needs no lock beside it: it is locked itself.

    Args:
        purpose: Word for its name.
        parent: Folder to create it in; the system's folder of temporary files by default.

    Yields:
        The folder.

    Raises:
        OSError: The folder cannot be created.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep_once(parent.absolute(), os.getpid())
    with locks.unfinished(parent, f"{PREFIX}{purpose}-", _create_private) as folder:
        try:
            yield folder
        finally:
            _removed(folder, shutil.rmtree)


def _create_private(folder: Path) -> None:
    folder.mkdir(0o700)


def _removed(path: Path, remove: Callable[[Path], object]) -> bool:
    """Remove a file or folder; return False if it is still there."""
    try:
        remove(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        logger.warning("%s could not be removed, and is left to a later run: %s", path, error)
    return not os.path.lexists(path)


def short_name(name: str) -> str:
    """Return a plain file name of 12 hexadecimal digits for any text."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def sweep(parent: Path) -> None:
    """Remove run folders, scratch folders, unfinished outputs and other unfinished files of dead runs from a folder.

    Of a run only files with a lock of this machine that can be acquired are removed; files without a lock
    were kept on purpose.
    """
    try:
        found = list(parent.glob(f"{PREFIX}*"))
    except OSError:  # where nothing can be looked for nothing is left
        return
    for path in found:
        with suppress(OSError):
            if path.suffix == LOCK_EXTENSION:
                _sweep_run(path)
            elif (prefix := _PREFIX.match(path.name)) and locks.is_unfinished(path, prefix[0]):
                _sweep_scratch(path, prefix[0])


def sweep_scratch() -> None:
    """Remove what dead runs left in the system's folder of temporary files, if there is one."""
    with suppress(OSError):
        sweep(Path(tempfile.gettempdir()))


def _sweep_run(lock: Path) -> None:
    """Remove what a lock protects, and then the lock, if its run is dead."""
    if not locks.is_of_this_machine(lock):
        return
    is_left = True
    with locks.held(lock, create=False, stays=lambda: is_left) as got:
        if got:
            is_left = not _remove_unfinished(lock)


def _sweep_scratch(path: Path, prefix: str) -> None:
    """Remove a scratch folder, or an unfinished file, whose process is dead, or must be by its age."""
    with locks.owner(path, prefix) as owner:
        status = path.lstat()
        is_old = time.time() - status.st_mtime > _ABANDONED_SECONDS
        if owner.has_left(is_old=is_old):
            _removed(path, shutil.rmtree if stat.S_ISDIR(status.st_mode) else Path.unlink)


@lru_cache(maxsize=1024)
def sweep_once(parent: Path, process_id: int) -> None:
    """Sweep a folder when a process first writes into it: a look at each of 5,000 files takes 11 ms.

    A batch would look for each of its jobs. Remains of runs that are killed later are left to the next process.
    """
    del process_id  # once for each: a fork is another
    sweep(parent)


def _remove_unfinished(lock: Path) -> bool:
    """Remove the files that a lock protects: a folder of a run, or an output with any extension.

    Return False if one is still there.
    """
    folder = lock.with_suffix("")
    rest = [path for path in lock.parent.glob(f"{glob.escape(lock.stem)}.*") if path != lock]
    gone = [_removed(path, Path.unlink) for path in rest]
    if folder.name.startswith(_RUN) and folder.is_dir() and not folder.is_symlink():
        gone.append(_removed(folder, shutil.rmtree))
    return all(gone)
