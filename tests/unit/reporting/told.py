"""Ends of runs to be told in files, with hostile names among them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import (
    ClipResult,
    ClipStatus,
    CommandEnd,
    FileValidationResult,
    JobEnd,
    OutputInfo,
    PerformanceReport,
    RunStatus,
    VideoResult,
)

STARTED = datetime(2026, 3, 1, 2, 15, 7, tzinfo=UTC)
HOSTILE = os.fsdecode(b"/clips/\xff <&\"'>]]>\x1b[31m\n\x00\\ \xe2\x80\xae\xef\xbf\xbe.mp4")
"""A name with markup, control characters, bytes that are no text, and characters that XML does not have."""
BAD = Issue(IssueCode.NOT_MEDIA, f"{HOSTILE}: is not media", Path(HOSTILE), "find another\none")
ODD = Issue(IssueCode.EXTREME_ASPECT_RATIO, "is 9:1", Path("/clips/wide.mp4"))


def output(name: str = "/reels/a.mp4") -> OutputInfo:
    """A reel of six seconds."""
    return OutputInfo(
        Path(name), 4711, Container.MP4, Fraction(13, 2), 150, Dimensions(160, 90), Fraction(25), "h264", "aac"
    )


def clip(index: int, status: ClipStatus, action: Action | None = None, error: Issue | None = None) -> ClipResult:
    """A line of a result."""
    return ClipResult(index, Path(f"/clips/{index}.mp4"), status, action, error=error, elapsed_seconds=1.25)


def made() -> VideoResult:
    """A reel without one of its clips."""
    return VideoResult(
        "w1",
        RunStatus.PARTIAL,
        clips=(
            clip(0, ClipStatus.PROCESSED, Action.ENCODE),
            clip(1, ClipStatus.PROCESSED, Action.REUSE),
            clip(2, ClipStatus.SKIPPED, error=BAD),
        ),
        output=output(),
        metrics=PerformanceReport("w1", 9.5, None, 2**28, None),
        errors=(BAD,),
        warnings=(ODD,),
        ffmpeg="9.0",
    )


def failed() -> VideoResult:
    """A run that its deadline ended."""
    late = Issue(IssueCode.DEADLINE_REACHED, "the deadline is over: 1 of 2 clips finished")
    clips = (clip(0, ClipStatus.PROCESSED, Action.COPY), clip(1, ClipStatus.NOT_RUN, Action.ENCODE))
    report = PerformanceReport("w2", 1.0, None, 2**29, None)
    return VideoResult("w2", RunStatus.ERROR, clips, metrics=report, errors=(late,), code=late.code)


def unchanged() -> VideoResult:
    """A reel that was up to date."""
    found = output(f"/reels/{Path(HOSTILE).name}")
    return VideoResult("w3", RunStatus.SUCCESS, (clip(0, ClipStatus.NOT_RUN),), found, unchanged=True)


def batch() -> CommandEnd:
    """A batch in which jobs came to every end."""
    ends = (
        JobEnd("monday", made(), 5),
        JobEnd(f"tuesday {HOSTILE}", failed(), 4),
        JobEnd("wednesday", unchanged(), 0),
        JobEnd("thursday", VideoResult("w4", RunStatus.SKIPPED), None),
    )
    errors = tuple(issue for end in ends for issue in end.result.errors)
    return CommandEnd("batch", 5, STARTED, 12.5, "9.0", errors, ends)


def looked() -> CommandEnd:
    """Files that were looked at, one of them named twice, and an input that matched nothing."""
    missing = Issue(IssueCode.NO_MATCH, "matches nothing", Path("/clips/*.mov"))
    files = (
        FileValidationResult(Path("/clips/wide.mp4"), warnings=(ODD,), elapsed_seconds=0.5),
        FileValidationResult(Path(HOSTILE), errors=(BAD, ODD), elapsed_seconds=0.25),
        FileValidationResult(Path("/clips/wide.mp4"), warnings=(ODD,)),
    )
    return CommandEnd("validate", 3, STARTED, 1.5, None, (missing, BAD, ODD), verdicts=files)


def refused() -> CommandEnd:
    """A command that did not get as far as to look at anything."""
    return CommandEnd("process", 2, STARTED, 0.25, None, (Issue(IssueCode.USAGE, "no output was named"),))
