"""Task: one step of a plan that any machine can do, as it is written into a file (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction  # noqa: TC003 - tasks are read back from JSON

from mpt_cli.model.choices import Tracks
from mpt_cli.model.clips import Segment, TargetForm, VideoClip  # noqa: TC001 - the same
from mpt_cli.model.media_info import MediaInfo  # noqa: TC001 - the same
from mpt_cli.model.splice import Splice  # noqa: TC001 - the same

TASK_SCHEMA = "mpt.task/1"
"""Name and version of the document."""


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """Limits of the work on a step; None for a time limit that follows from its length."""

    clip_timeout: Fraction | None
    stall_timeout: Fraction


@dataclass(frozen=True, slots=True)
class TaskHead:
    """The part of a task that every version of mpt reads: who wrote it."""

    schema: str
    mpt: str
    recipe: int


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a plan: a clip in one piece, a segment of it, or its audio.

    Attributes:
        schema: Name and version of the document, :data:`TASK_SCHEMA`.
        mpt: Version of mpt that planned it.
        ffmpeg: Build string of the ffmpeg that it was planned for.
        recipe: Version of the recipes and entries of the cache.
        key: Key of the cache entry that it creates, 64 hexadecimal digits.
        index: Index of the clip in its request.
        clip: The clip, with an absolute path.
        content: BLAKE2b hash of the file.
        media: Description of the file.
        segment: Output frames that it creates.
        tracks: Whether it creates frames, audio or both.
        form: Target format with the encoder threads that were planned.
        key_form: The same with one thread, of which the key is made.
        limits: Limits of time.
        need_bytes: Memory that it is predicted to need.
        work: Pixels decoded plus pixels encoded.
        like_source: True to encode frames in profile and level of the file.
        splice: The files around whose audio is decoded with that of the clip, or None.
    """

    schema: str
    mpt: str
    ffmpeg: str
    recipe: int
    key: str
    index: int
    clip: VideoClip
    content: str
    media: MediaInfo
    segment: Segment
    form: TargetForm
    key_form: TargetForm
    limits: TaskLimits
    need_bytes: int
    work: int
    tracks: Tracks = Tracks.BOTH
    like_source: bool = False
    splice: Splice | None = None


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """End of a task that did not fail.

    Attributes:
        task: The task.
        created: True if the step was done now; False for an entry that was in the cache before.
        stored: True if the cache holds the entry; False for a step with warnings, which are never cached.
        elapsed_seconds: Wall-clock time of the work.
        peak_memory_bytes: Largest memory of its ffmpeg; None where it was not measured.
    """

    task: Task
    created: bool
    stored: bool
    elapsed_seconds: float = 0.0
    peak_memory_bytes: int | None = None
