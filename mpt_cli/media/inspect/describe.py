"""Describe a file as a :class:`~mpt_cli.model.media_info.MediaInfo`, from what its packets brought to light."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.format import Flags

from mpt_cli.media.audio_tracks import parts_of
from mpt_cli.media.formats import hevc_alpha
from mpt_cli.media.inspect.audio.layers import layered
from mpt_cli.media.inspect.audio.tracks import audio_tracks
from mpt_cli.media.inspect.audio.undecodable import undecodable_audio
from mpt_cli.media.inspect.container import sample_descriptions, tags
from mpt_cli.media.inspect.container.completeness import unread_issues
from mpt_cli.media.inspect.times.continuation import unread_parts
from mpt_cli.media.inspect.times.leading_frames import leading_frames
from mpt_cli.media.inspect.times.packet_times import StreamFacts
from mpt_cli.media.inspect.times.warnings import audio_time_warnings, hold_warnings, time_warnings
from mpt_cli.media.inspect.video import dolby_vision
from mpt_cli.media.inspect.video.color_description import Descriptions
from mpt_cli.media.inspect.video.cropping import crop_of
from mpt_cli.media.inspect.video.field_signs import field_order_of
from mpt_cli.media.inspect.video.hdr_metadata import hdr_metadata_of
from mpt_cli.media.inspect.video.orientation import doubt, is_plain, matrix_of, orientation_from_matrix
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode, ProbeError
from mpt_cli.model.frame_times import Timing
from mpt_cli.model.media_info import MediaInfo, VideoStreamInfo
from mpt_cli.model.timing import clip_duration, nominal_rate

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from mpt_cli.media.inspect.audio.levels import Level
    from mpt_cli.media.inspect.findings import Findings
    from mpt_cli.media.inspect.times.packet_times import PacketTimes, Timeline
    from mpt_cli.model.media_info import CopyTraits, Crop

_WIDEST_FRAME = Fraction(22, 10)
"""Width by height from which on a field is not taken for what is shown."""


def media_info(path: Path, container: InputContainer, found: Findings, levels: dict[int, Level]) -> MediaInfo:
    """Return the description of a file whose packets were read, and whose audio tracks were measured."""
    timeline = _timeline(container, found)
    tracks, apart = layered(path, container, audio_tracks(container, found, levels))
    sound = found.sound
    heard = sound.start if sound else timeline.first
    leading = leading_frames(found)
    zero = leading.start if leading and leading.in_midst else min(timeline.first, heard)
    duration = clip_duration(zero, timeline.end, sound.end if sound else None)
    if not found.scanned:
        duration = header_seconds(container, found.video) or duration
    unread = unread_issues(path, found, timeline)
    in_one_row = found.scanned and not found.clock.moves
    status = path.stat()
    return MediaInfo(
        container=_container_name(container, path),
        size_bytes=status.st_size,
        zero=zero,
        duration=duration,
        video=_video_info(path, found, timeline),
        audio=tracks[0] if tracks else None,
        video_start=timeline.first,
        last_picture=timeline.last,
        scanned=found.scanned,
        seek_points=_seek_points(container, found, timeline) if in_one_row else (),
        frame_times=timeline.times if found.scanned else None,
        copy_traits=_copy_traits(container, found, timeline) if in_one_row and not unread else None,
        suspect=found.suspect or found.coded.is_malformed or (found.coded.is_out_of_order and not found.clock.moves),
        clock_moves=tuple(found.clock.moves),
        readable_bytes=found.extent.end,
        shows_hidden=found.hidden > 0,
        audio_tracks=tracks,
        audio_with=parts_of(tracks[0], tracks) if tracks else (),
        video_end=timeline.end,
        recorded=tags.recorded_at(container),
        modified=status.st_mtime,
        chapter_titles=tags.chapter_titles(container),
        warnings=(
            *found.chosen.warnings,
            *_descriptions(found).issues(path, zero),
            *sample_descriptions.left_out(path, container.format.name, found.video.id, timeline.frame_rate),
            *([leading.issue(path, zero - heard)] if leading else []),
            *unread,
            *time_warnings(path, timeline, found.clock.jumps, zero),
            *audio_time_warnings(path, tracks),
            *hold_warnings(
                path,
                timeline,
                _shown_span(found, timeline),
                (zero, zero + duration),
                lost=leading.seconds if leading else Fraction(0),
            ),
            *apart,
            *undecodable_audio(path, container, found.all_tracks, scanned=found.scanned),
            *_orientation_warnings(path, found),
            *unread_parts(path, found, timeline.end),
        ),
    )


def _orientation_warnings(path: Path, found: Findings) -> tuple[Issue, ...]:
    assert found.picture is not None
    message = doubt(matrix_of(found.picture), _pixel_shape(found.video, found.picture, None))
    return (Issue(IssueCode.ORIENTATION_GUESSED, message, path),) if message else ()


def _shown_span(found: Findings, timeline: Timeline) -> tuple[Fraction, Fraction | None]:
    """Return from when to when there are frames: by the header where not all packets were read, which may not say."""
    stream = found.video
    if found.scanned:
        return timeline.first, timeline.end
    if stream.duration is None or stream.time_base is None:  # as of Matroska and FLV
        return timeline.first, None
    return timeline.first, timeline.first + stream.duration * Fraction(stream.time_base)


def _seek_points(container: InputContainer, found: Findings, timeline: Timeline) -> tuple[Fraction, ...]:
    """Return where reading may begin: nowhere but at the start where the frames must be counted."""
    if not found.scanned or timeline.times.timing is Timing.COUNTED:
        return ()
    return found.coded.seek_points(container, found.times.time_base)


def _container_name(container: InputContainer, path: Path) -> str:
    """Of libav's names for a container (``mov,mp4,m4a,...``) the file's suffix if it is one, else the first."""
    names = container.format.name.split(",")
    suffix = path.suffix.lower().removeprefix(".")
    return suffix if suffix in names else names[0]


def _copy_traits(container: InputContainer, found: Findings, timeline: Timeline) -> CopyTraits | None:
    """Return what a stream copy needs to know; by the times of frames where those of packets are those of fields."""
    pairs = found.coded.fields.has_pairs
    by_frame = _timeline(container, found, found.frame_times) if pairs else timeline
    whole = timeline.on_grid and timeline.times.timing is not Timing.COUNTED and not pairs
    cut_points = found.times.cut_points(found.coded.clean_keyframes) if whole else None
    return found.coded.traits(container, by_frame, found.picture, cut_points)


def _timeline(container: InputContainer, found: Findings, times: PacketTimes | None = None) -> Timeline:
    picture, guessed = found.picture, found.video.guessed_rate
    assert picture is not None
    known = picture.pts is not None and not found.is_in_stored_order
    first = (picture.pts or 0) * found.times.time_base if known else None
    if not len(found.times):
        found.times.add(picture.pts or 0, None, None)
    facts = StreamFacts(
        first_shown=first,
        guessed_rate=Fraction(guessed) if guessed else None,
        timeless=bool(Flags(container.format.flags) & Flags.no_timestamps),
        in_stored_order=found.is_in_stored_order,
        reorders=found.video.codec_context.codec.reorder,
        holds_back=bool(found.video.codec_context.has_b_frames),
        misleads=found.misleads,
        joints=tuple(jump.before for jump in found.clock.jumps),
        hidden=found.hidden,
        fields=bool(picture.interlaced_frame or found.coded.fields.seen or found.coded.fields.possible),
    )
    timeline = (times or found.times).timeline(facts)
    average = found.video.average_rate
    if facts.fields and average and timeline.frame_rate < average * 3 < timeline.frame_rate * 2:
        return replace(timeline, frame_rate=nominal_rate(Fraction(average)))  # a packet was a field
    return timeline


def _video_info(path: Path, found: Findings, timeline: Timeline) -> VideoStreamInfo:
    stream, frame = found.video, found.picture
    assert frame is not None
    context = stream.codec_context
    described, alpha = _descriptions(found), found.coded.alpha_use
    matrix = matrix_of(frame)
    crop = crop_of(path, found.container.format.name, stream, frame)
    if crop is not None and found.coded.shapes.change_size:
        # ffmpeg crops before all filters by the first size, and reads behind the rows of a smaller frame (9.0).
        message, hint = (
            "has frames that are cropped and change their size, which mpt does not support",
            "encode it once without cropping",
        )
        raise ProbeError(IssueCode.PROBE_FAILED, message, path=path, hint=hint)
    alone = dolby_vision.lacks_base_layer(path, found.container.format.name, stream.index)
    return VideoStreamInfo(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        dimensions=crop.dimensions if crop else Dimensions(frame.width, frame.height),
        sar=_pixel_shape(stream, frame, crop),
        orientation=orientation_from_matrix(matrix),
        frame_rate=timeline.frame_rate,
        variable_frame_rate=timeline.variable,
        pixel_format=frame.format.name,
        bit_depth=frame.format.components[0].bits,
        has_alpha=alpha is not None or _has_alpha(stream, frame),
        color=described.used,
        hdr="dolby_vision" if alone else described.converted.hdr,
        interlaced=bool(frame.interlaced_frame) or found.coded.fields.seen or found.coded.shapes.interlaced,
        may_interlace=found.coded.fields.possible,
        crop=crop,
        plain_matrix=is_plain(matrix),
        changes_size=found.coded.shapes.change_size,
        changes_shape=found.coded.shapes.change_shape,
        shapes=found.coded.shapes.ratios() if not found.clock.moves else (),
        field_order=field_order_of(context),
        is_premultiplied=alpha == hevc_alpha.PREMULTIPLIED,
        one_color=described.agree,
        hdr_metadata=hdr_metadata_of(frame) if described.converted.hdr else None,
    )


def _descriptions(found: Findings) -> Descriptions:
    assert found.picture is not None
    codec = found.video.codec_context.codec.canonical_name
    return Descriptions(codec, found.picture, found.container_color, tuple(found.coded.shapes.colors))


def _pixel_shape(stream: VideoStream, frame: VideoFrame, crop: Crop | None) -> Fraction:
    """Return width by height of a pixel.

    Where an MP4 has no word on it, libav takes it from the size of the track, which is that of the
    cropped picture, and of the whole one. A field of HEVC is a frame of half the lines, whose pixel
    shape may be that of the whole.
    """
    told, coded = stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio
    if told and crop:
        shown = crop.dimensions
        told = None if told == Fraction(frame.height * shown.width, frame.width * shown.height) else told
    sar = Fraction(told or coded or 1)
    sar = sar if sar > 0 else Fraction(1)
    is_field = stream.codec_context.codec.canonical_name == "hevc" and frame.interlaced_frame
    return sar / 2 if is_field and frame.width * sar > _WIDEST_FRAME * frame.height else sar


def _has_alpha(stream: VideoStream, frame: VideoFrame) -> bool:
    """Return whether there is transparency; in WebM it is a second stream that only the tag tells of."""
    tagged = any(stream.metadata.get(key) == "1" for key in ("alpha_mode", "ALPHA_MODE"))
    return tagged or any(component.is_alpha for component in frame.format.components)


def header_seconds(container: InputContainer, video: VideoStream) -> Fraction | None:
    """Return the duration in seconds that a header claims, or None."""
    if container.duration is not None:
        return Fraction(container.duration, av.time_base)
    if video.duration is not None and video.time_base is not None:
        return video.duration * Fraction(video.time_base)
    return None
