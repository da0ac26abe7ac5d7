"""Reels among the clips of a request: a clip that was joined from others of them is in the reel twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.media.formats.chapters import title_of
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted
from mpt_cli.workflow.published_reels import places_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import FileValidationResult


ClipsOf = Callable[[Iterable[Path]], Mapping[Path, tuple[Path, ...]]]

_LEAST_CHAPTERS = 2
"""Chapters that must be named as other clips; one name alone may be a chance."""
_MOST_NAMED = 3


def warnings_of_earlier_reels(files: Sequence[FileValidationResult], clips_of: ClipsOf) -> list[Issue]:
    """Return a warning for each clip that is a reel of other clips of the request.

    The record of a published reel tells, and for one that was copied, moved or recorded elsewhere its chapters,
    which are named as its clips.

    Args:
        files: The clips of the request.
        clips_of: Returns the clips of each reel that mpt published at one of these places.
    """
    media = {file.path: file.media for file in files}
    places = places_of(media)
    reels = {places[place]: clips for place, clips in clips_of(places).items()}
    titles = {title_of(path): path for path in media} if any(map(_has_chapters, media.values())) else {}
    found = []
    for path, info in media.items():
        recorded = [places[place] for place in reels.get(path, ()) if place in places]
        named = [titles[title] for title in (info.chapter_titles if info else ()) if title in titles]
        by_record, by_chapters = (list(dict.fromkeys(one for one in of if one != path)) for of in (recorded, named))
        if shown := by_record or (by_chapters if len(by_chapters) >= _LEAST_CHAPTERS else []):
            found.append(_issue(path, shown))
    return found


def _has_chapters(info: MediaInfo | None) -> bool:
    return info is not None and bool(info.chapter_titles)


def _issue(path: Path, shown: Sequence[Path]) -> Issue:
    names = ", ".join(other.name for other in shown[:_MOST_NAMED]) + (", …" if len(shown) > _MOST_NAMED else "")
    message = f"is a reel that already shows {counted(len(shown), 'clip')} of this request ({names})"
    hint = "leave it out, or leave out the clips that it shows"
    return Issue(IssueCode.REEL_AMONG_CLIPS, message, path, hint)
