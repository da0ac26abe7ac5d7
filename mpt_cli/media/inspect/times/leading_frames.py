"""Find the frames at the start of a piece of a recording that need what was in the piece before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.inspect.findings import Findings

_HINT = "put the pieces of a recording together first: cat FIRST.ts NEXT.ts > WHOLE.ts"


@dataclass(frozen=True, slots=True)
class LeadingFrames:
    """Frames that are shown before the first keyframe, and do not decode."""

    count: int
    start: Fraction
    """Seconds at which the first of them would be shown."""
    seconds: Fraction
    in_midst: bool
    """Whether the piece begins in the midst of a group of frames, and not with a keyframe that others precede."""

    def issue(self, path: Path, unheard: Fraction) -> Issue:
        """Return the warning of a piece; ``unheard`` is how many seconds of its audio precede its first frame."""
        frames = f"{self.count} frame{'s' if self.count > 1 else ''} ({float(self.seconds):.2f} s)"
        message = f"begins in the middle of a recording: {frames} before its first keyframe cannot be decoded"
        if unheard > 0:
            message += f", and {float(unheard):.2f} s of audio before them are left out"
        return Issue(IssueCode.LEADING_FRAMES_LOST, message, path, _HINT)


def leading_frames(found: Findings) -> LeadingFrames | None:
    """Return the frames that are lost at the start of a file; None where it begins with a frame that decodes."""
    picture, first_key = found.picture, found.coded.first_keyframe
    known = found.times.has_pts and not (found.coded.begins_cleanly or found.misleads)
    if not known or picture is None or picture.pts is None or first_key is None:
        return None
    end = min(picture.pts, first_key)
    lost = found.times.before(end)
    if not lost:
        return None
    base, start = found.times.time_base, min(lost)
    return LeadingFrames(len(lost), start * base, (end - start) * base, not found.coded.begins_with_keyframe)
