"""What a finished reel declares of itself, compared with what was planned; its frames are not read here."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpt_cli.media.formats import boxes
from mpt_cli.media.inspect.video.color_description import description_of
from mpt_cli.media.inspect.video.field_signs import field_order_of
from mpt_cli.model.choices import Container
from mpt_cli.model.clips import Color, Orientation
from mpt_cli.model.samples import BT709

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.clips import TargetForm

_MOST_CHAPTER_RATE = 500
"""Chapters are told in milliseconds, whatever the clock of the frames is."""
_TECHNICAL_TAGS = {
    "major_brand", "minor_version", "compatible_brands", "encoder", "handler_name", "vendor_id", "language", "duration",
}  # fmt: skip


def declared_problem(container: InputContainer, form: TargetForm, chapters: Sequence[Chapter]) -> str | None:
    """Return a text about the first thing that an opened reel declares otherwise than planned, or None.

    Args:
        container: The reel, with one video stream.
        form: Target format.
        chapters: Planned chapters.
    """
    if problem := _wrong_content(container, form, chapters):
        return problem
    video, audio = container.streams.video[0], container.streams.audio[0]
    wrong = _wrong_form(video, audio, form) or _wrong_color(video, form) or _wrong_kept(video, form)
    return wrong or _wrong_chapters(container, form, chapters)


def matrix_of(form: TargetForm) -> bytes:
    """Return the display matrix of a reel in this format, where its container has one."""
    orientation = Orientation() if form.kept is None else form.kept.orientation
    return boxes.display_matrix(orientation, form.dimensions)


def foreign_tags(container: InputContainer) -> set[str]:
    """Return the names of tags that no muxer of ours writes."""
    tags = set(container.metadata).union(*(stream.metadata for stream in container.streams))
    return {tag.lower() for tag in tags} - _TECHNICAL_TAGS


def _wrong_form(video: VideoStream, audio: AudioStream, form: TargetForm) -> str | None:
    """Return a text about a stream whose declared format is not the planned one, or None."""
    coded_video, coded_audio = video.codec_context, audio.codec_context
    facts = (
        ("pictures are", coded_video.codec.canonical_name, form.codec),
        ("pictures are", f"{coded_video.width}x{coded_video.height}", str(form.dimensions)),
        ("pictures are", coded_video.pix_fmt, form.pixel_format),
        ("sound is", coded_audio.codec.canonical_name, form.audio.codec),
        ("sound has channels:", coded_audio.channels, len(form.audio.channels)),
        ("sound has samples a second:", coded_audio.sample_rate, form.audio.sample_rate),
    )
    return next((f"its {what} {found}, not {wanted}" for what, found, wanted in facts if found != wanted), None)


def _wrong_color(video: VideoStream, form: TargetForm) -> str | None:
    """Return a text about colours of encoded HDR that the reel declares otherwise, or None.

    A player shows HDR without its tags as SDR: pale, and far too dark.
    """
    if form.kept is not None or form.encoder.color == BT709:
        return None
    declared = description_of(video.codec_context)
    return None if declared == form.encoder.color else f"declares other colours: {declared}, not {form.encoder.color}"


def _wrong_kept(video: VideoStream, form: TargetForm) -> str | None:
    """Return a text about kept frames that the reel declares to be others, or None.

    Their data is compared bit for bit: what is left to differ is what the container says of them.
    """
    if form.kept is None:
        return None
    declared = description_of(video.codec_context)
    silent = form.codec == "vp8" and declared == Color()  # its decoder knows no other colours than BT.601
    if declared.with_range != form.kept.color.with_range and not silent:
        return f"declares other colours than its clips: {declared}, not {form.kept.color}"
    order = field_order_of(video.codec_context)
    if form.kept.field_order is not None and order not in (None, form.kept.field_order):  # the frames say it too
        return f"declares fields in the order {order}, not {form.kept.field_order}"
    sar = Fraction(video.sample_aspect_ratio or 1)
    return None if sar == form.kept.sar else f"has a sample aspect ratio of {sar}, not {form.kept.sar}"


def _wrong_content(container: InputContainer, form: TargetForm, chapters: Sequence[Chapter]) -> str | None:
    """Return a text about content beside the frames, the audio and the chapters, or None.

    libav reports the track of titles in MP4 and MOV as data.
    """
    titles = ["data"] if chapters and form.container is not Container.MKV else []
    if sorted(stream.type for stream in container.streams) != sorted(["video", "audio", *titles]):
        return "does not hold exactly one video and one audio stream" + (" and the titles" if titles else "")
    foreign = foreign_tags(container)
    return f"carries metadata: {', '.join(sorted(foreign))}" if foreign else None


def _wrong_chapters(container: InputContainer, form: TargetForm, chapters: Sequence[Chapter]) -> str | None:
    """Return a text about wrong chapters, or None; a chapter begins within half a frame of its clip."""
    found: list[Any] = list(container.chapters())
    if len(found) != len(chapters):
        return f"has {len(found)} chapters, {len(chapters)} were planned"
    for number, (chapter, wanted) in enumerate(zip(found, chapters, strict=True), 1):
        if chapter["metadata"] != {"title": wanted.title}:
            return f"its chapter {number} says {chapter['metadata']}, not {wanted.title!r}"
        off = chapter["start"] * Fraction(chapter["time_base"]) - wanted.start
        if abs(off) * min(form.frame_rate, _MOST_CHAPTER_RATE) * 2 > 1:
            return f"its chapter {number} is {float(off * 1000):+.3f} ms off its time"
    return None
