"""Tags of a container that mpt reads: when it was recorded, and the titles of its chapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.recording_times import EARLIEST, seconds_of_tag

if TYPE_CHECKING:
    from av.container import InputContainer

_TIMES = ("com.apple.quicktime.creationdate", "creation_time", "date")
"""Tags in the order in which they are believed: Apple's has a zone and names the start, others may name the end."""
_MOST_CHAPTERS = 100


def recorded_at(container: InputContainer) -> float | None:
    """Return when a file says that it was recorded, in seconds since 1970; None for a clock that was never set."""
    tagged = (container.metadata, *(stream.metadata for stream in container.streams.video))
    for name in _TIMES:
        for tags in tagged:
            seconds = seconds_of_tag(tags.get(name, ""))
            if seconds is not None and seconds >= EARLIEST:
                return seconds
    return None


def chapter_titles(container: InputContainer) -> tuple[str, ...]:
    """Return the titles of the first chapters that have one."""
    titles = (chapter["metadata"].get("title", "") for chapter in container.chapters()[:_MOST_CHAPTERS])
    return tuple(title for title in titles if title)
