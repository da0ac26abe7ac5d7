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
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from mpt_cli.model.timing import microsecond_durations
from mpt_cli.storage import locks
from mpt_cli.storage.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm


logger = logging.getLogger(__name__)

PREFIX = ".mpt-"
_RUN = f"{PREFIX}run-"
LOCK_SUFFIX = ".lock"


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
    sweep_once(parent.absolute(), os.getpid())
    folder = run_folder_path(parent, workflow_id)
    with ExitStack() as stack:
        with writing(parent):
            parent.mkdir(parents=True, exist_ok=True)
            # The lock is there before the folder and after it: a run that is killed leaves what can be swept.
            stack.enter_context(locks.held(folder.with_name(f"{folder.name}{LOCK_SUFFIX}")))
            folder.mkdir()
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield TempFileManager(folder)


def run_folder_path(parent: Path, workflow_id: str) -> Path:
    """Where the files of a workflow are."""
    return parent / f"{_RUN}{short_name(workflow_id)}"


def short_name(name: str) -> str:
    """A name for a file that stands for any text, whatever is in it."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:12]


def sweep(parent: Path) -> None:
    """Remove what dead runs left in a folder, whole run folders and unfinished outputs.

    Only what has a lock of this machine that can be got; what has no lock was kept on purpose.
    """
    try:
        found = list(parent.glob(f"{PREFIX}*{LOCK_SUFFIX}"))
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
def sweep_once(parent: Path, process_id: int) -> None:
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
