"""SideOutputs: the contact sheet and the poster of a finished reel, and the report of its run as a page.

A picture that fails never fails the reel. What draws pictures and pages is loaded when
it is needed: Pillow takes a while.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode, MptError, UsageError
from mpt_cli.model.run_record import BatchEntry
from mpt_cli.runtime.bounded_map import bounded_map
from mpt_cli.storage.publish import publish, refuse_existing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.config.request import Extras
    from mpt_cli.media.inspect.sandbox import Workers
    from mpt_cli.model.media_info import Still
    from mpt_cli.model.results import OutputInfo, VideoResult
    from mpt_cli.model.run_record import HistoryEntry
    from mpt_cli.runtime.cancel import CancelToken

logger = logging.getLogger(__name__)

MOST_THUMBNAILS = 60
"""Pictures in a page; each takes about 5 kB in it, and some tenths of a second to find."""
_THUMBNAIL_BOX = Dimensions(192, 128)
_AT_ONCE = 4
"""Pictures that a process is asked for at once."""
_PAGE_SUFFIXES = (".html", ".htm")
_CODES = {"contact sheet": IssueCode.CONTACT_SHEET_FAILED, "poster": IssueCode.POSTER_FAILED}


class SideOutputs:
    """Take pictures out of reels, in as many processes at a time as there are ``threads``."""

    def __init__(self, workers: Workers, *, threads: int) -> None:
        """Ask these workers for pictures."""
        self._workers, self._threads = workers, threads

    def make_extras(
        self,
        extras: Extras,
        result: VideoResult,
        *,
        overwrite: bool,
        cancel: CancelToken,
        before: Callable[[Path, Path], object] = lambda _picture, _hidden: None,
        is_ours: Callable[[Path, Path], bool] | None = None,
    ) -> tuple[OutputInfo, list[Issue]]:
        """Create the pictures that are asked for; return the output with their paths, and why others failed.

        ``before`` is called with the name that a picture gets and where it lies until then; a ValueError
        from it discards the picture. ``is_ours`` is called with the name of a picture and the path of a file:
        then only a file for which it returns True is replaced.
        """
        from mpt_cli.reporting import pictures
        from mpt_cli.workflow.reel_pictures import ReelPictures, clips_shown

        assert result.output is not None
        look = ReelPictures(self, result.output, clips_shown(result.clips), len(result.clips), cancel)
        made: dict[str, Path] = {}
        issues: list[Issue] = []
        for what, path in extras.named().items():
            try:
                drawn = look.sheet() if path == extras.contact_sheet else look.poster()
                data = pictures.encoded(drawn, path.suffix)
                ours = partial(is_ours, path) if is_ours else None
                publish(path, data, overwrite=overwrite, before=partial(before, path), is_ours=ours)
                made[what] = path.absolute()
            except (MptError, OSError, ValueError, ImportError, MemoryError) as error:
                logger.warning("The %s of %s was not made: %s", what, result.output.path, error)
                issues.append(_not_made(what, path, error))
        output = replace(result.output, contact_sheet=made.get("contact sheet"), poster=made.get("poster"))
        return output, issues

    def write_page(self, entry: HistoryEntry | BatchEntry, path: Path, *, overwrite: bool, cancel: CancelToken) -> None:
        """Write the report of a run, or of a batch as a whole, as one HTML file.

        Raises:
            UsageError: The name does not end in ``.html``.
            OutputError: The file exists or cannot be written.
            Cancelled: The command is stopped.
        """
        from mpt_cli.reporting import batch_page, page

        if path.suffix.lower() not in _PAGE_SUFFIXES:
            raise UsageError("a report ends in .html", path=path, hint=f"for example {path.stem or 'report'}.html")
        if not overwrite:  # before the pictures are looked for
            refuse_existing(path)
        if isinstance(entry, BatchEntry):
            text = batch_page.batch_page(entry)
        else:
            text = page.page(entry, self.thumbnails(entry.result, cancel))
        publish(path, text.encode(), overwrite=overwrite)

    def thumbnails(self, result: VideoResult, cancel: CancelToken) -> dict[int, bytes]:
        """Return small JPEG files of clips by index: from the reel, else from the input; others are missing.

        A reel of another size than the published one is another file.
        """
        from mpt_cli.reporting import page, pictures
        from mpt_cli.workflow.reel_pictures import middle_of

        listed = page.clips_listed(result.clips)[:MOST_THUMBNAILS]
        stills: dict[int, Still | None] = {}
        with self._workers:
            output = result.output
            if output is not None and _size_of(output.path) == output.size_bytes:
                inside = [clip for clip in listed if clip.start is not None]
                found = self.stills(output.path, [middle_of(c, output) for c in inside], _THUMBNAIL_BOX, cancel)
                stills = {clip.index: still for clip, still in zip(inside, found, strict=True)}
            for clip in listed:
                if stills.get(clip.index) is None and _size_of(clip.path) is not None:
                    middle = (clip.duration or Fraction(0)) / 2
                    stills[clip.index] = self.stills(clip.path, [middle], _THUMBNAIL_BOX, cancel)[0]
        return {index: pictures.thumbnail(still) for index, still in stills.items() if still is not None}

    def stills(self, path: Path, times: Sequence[Fraction], box: Dimensions, cancel: CancelToken) -> list[Still | None]:
        """Return the frames that a file shows at these times, None where there is none; raise Cancelled on a stop."""
        found: list[Still | None] = [None] * len(times)

        def look(start: int) -> tuple[int, Sequence[Still | None]]:
            try:
                return start, self._workers.stills(path, times[start : start + _AT_ONCE], box, cancel=cancel)
            except (MptError, OSError) as error:
                logger.info("No pictures of %s: %s", path, error)
                return start, ()

        starts = range(0, len(times), _AT_ONCE)
        with self._workers:
            for start, stills in bounded_map(
                look,
                starts,
                workers=self._threads,
                max_pending=self._threads,
                should_stop=lambda: cancel.cancelled,
                on_error=cancel.cancel,
                thread_name="still",
            ):
                found[start : start + len(stills)] = stills
        cancel.raise_if_cancelled()
        return found


def _size_of(path: Path) -> int | None:
    """Return the size of a regular file; None for anything else, which must not even be opened."""
    try:
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):
        return None


def _not_made(what: str, path: Path, error: Exception) -> Issue:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    hint = error.issue.hint if isinstance(error, MptError) else None
    return Issue(_CODES[what], f"could not be created as the {what} ({why}); the reel is not affected", path, hint)
