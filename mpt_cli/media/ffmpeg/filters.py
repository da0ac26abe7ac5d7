"""Video filters from decoded frames of any kind to frames in the target format (pure).

The order minimises cost: frames that are not shown are not scaled, those shown twice are scaled once, and
colours are converted at the target's size.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ffmpeg

from mpt_cli.media import color, geometry
from mpt_cli.media.clock_jumps import expression
from mpt_cli.media.ffmpeg import color_filters
from mpt_cli.media.ffmpeg.frame_clock import FrameClock
from mpt_cli.media.ffmpeg.frame_texts import FrameTexts
from mpt_cli.model.choices import Fit
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.frame_times import Timing
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from mpt_cli.media.geometry import Placement
    from mpt_cli.model.clips import EncoderSettings, Orientation, Segment, TargetForm
    from mpt_cli.model.media_info import MediaInfo, VideoStreamInfo

_BEYOND_SECONDS = 10
"""Seconds behind a segment's end at which the copy of the last frame is put."""


def frame_texts(media: MediaInfo, origin: Fraction, segment: Segment, form: TargetForm) -> FrameTexts:
    """Return the texts of the filters of a segment that follow from times.

    Args:
        media: Description of the clip's file.
        origin: Timestamp of the segment's first output frame, in seconds of the file's clock.
        segment: Output frames to create.
        form: Target format.
    """
    rate = form.frame_rate
    clock = FrameClock(media, origin, rate)
    return FrameTexts(
        time_base=f"1/{clock.ticks_per_second}",
        shown=clock.source_expression(),
        clock=clock.segment_expression(segment.frames / rate + _BEYOND_SECONDS),
        frames=str(segment.frames),
        shape=_shape_of_frame(media, origin, rate if _drops(media.video, rate) else None),
    )


def target_frames(stream: Any, video: VideoStreamInfo, texts: FrameTexts, form: TargetForm) -> Any:
    """Return the filters from decoded frames to the frames that are encoded, in the cheapest right order."""
    drops = _drops(video, form.frame_rate)
    described = color_filters.described(_cropped(stream, video), video)
    stream = _counted(described, texts)
    if video.changes_size and needs_one_size(video):
        stream = stream.filter("scale", video.dimensions.width, video.dimensions.height)
    stream = _deinterlaced(stream, video, form.frame_rate)
    if drops:  # Pictures that are not shown are not scaled; those shown twice are scaled once.
        stream = _on_grid(stream, texts, form.frame_rate)
    upright = replace(form, dimensions=geometry.shown_size(form))
    stream = _composed(_flattened(stream, video, form.background), video, upright, texts.shape)
    stream = _stored(stream, form)
    if not drops:
        stream = _on_grid(stream, texts, form.frame_rate)
    stream = without_side_data(stream).filter("setsar", 1 if form.kept is None else str(form.kept.sar))
    stream = stream.filter("setparams", **color.setparams_arguments(form.encoder.color), field_mode="prog")
    return uploaded(stream, form.encoder)


def _drops(video: VideoStreamInfo, frame_rate: Fraction) -> bool:
    """Return True if not all frames are shown."""
    return frame_rate < video.frame_rate and not video.has_fields


def without_side_data(stream: Any) -> Any:
    """Return frames that carry nothing but their pixels.

    Encoders write captions, timecodes and light levels of the source into their frames: x264 does so
    unasked, and others have an option each. Of what is left after the filters nothing is needed.
    """
    return stream.filter("sidedata", mode="delete")


def uploaded(stream: Any, encoder: EncoderSettings) -> Any:
    """Return frames in the memory that the encoder reads from: main memory, or its device's."""
    for name, *arguments in upload_filters(encoder):
        stream = stream.filter(name, *arguments)
    return stream


def upload_filters(encoder: EncoderSettings) -> tuple[tuple[str, ...], ...]:
    """Return the filters that bring frames there, each with its arguments."""
    if encoder.hardware is None:
        return ()
    nv12 = ("format", "nv12")  # which all of them take
    return (nv12, ("hwupload",)) if encoder.hardware.uploads else (nv12,)


def needs_one_size(video: VideoStreamInfo) -> bool:
    """Return True if a filter before the scaler takes no frames of another size."""
    return video.has_fields or video.has_alpha


def _counted(stream: Any, texts: FrameTexts) -> Any:
    """Set timestamps to count from the segment's origin, and put a copy of the last frame far behind the end.

    The ``fps`` filter may swallow the last frame, so that padding after it would hold the one
    before; a copy that is certainly later makes it one frame among others.
    """
    stream = stream.filter("settb", texts.time_base)
    if texts.shown is not None:
        stream = stream.filter("setpts", texts.shown)
    copied = stream.filter("tpad", stop=1, stop_mode="clone")
    return copied.filter("setpts", texts.clock)


def _on_grid(stream: Any, texts: FrameTexts, frame_rate: Fraction) -> Any:
    """Return exactly the segment's frames: frame k shows the frame that is shown at k / rate.

    A late start holds the first frame; damage at the end holds the last one that decoded.
    """
    stream = stream.filter("fps", fps=str(frame_rate), start_time=0, round="near")
    return stream.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=texts.frames)


def _cropped(stream: Any, video: VideoStreamInfo) -> Any:
    """Cut to the part that the container shows; ffmpeg from 7.1 on has already done so, and earlier ones have not."""
    if video.crop is None:
        return stream
    size = video.crop.dimensions
    corner = f"{video.crop.left}*gt(iw,{size.width})", f"{video.crop.top}*gt(ih,{size.height})"
    return stream.filter("crop", f"min(iw,{size.width})", f"min(ih,{size.height})", *corner)


def _deinterlaced(stream: Any, video: VideoStreamInfo, frame_rate: Fraction) -> Any:
    if not video.has_fields:
        return stream
    mode = "send_field" if frame_rate > video.frame_rate else "send_frame"
    return stream.filter("bwdif", mode=mode, parity="auto", deint="interlaced")


def _flattened(stream: Any, video: VideoStreamInfo, background: str) -> Any:
    """Return transparent frames over the background; others as they are.

    The background is drawn without an alpha channel: with one it needs ``replace``, and at some
    sizes ffmpeg 5.1 crashes on that.
    """
    if not video.has_alpha:
        return stream
    split = _in_rgba(stream, video).filter_multi_output("split")
    plain = split[0].filter("format", "rgb24").filter("drawbox", color=_ffmpeg_color(background), thickness="fill")
    if video.is_premultiplied:
        return _added(split[1], split[2], plain)
    return ffmpeg.overlay(plain, split[1], format="rgb")


def _added(colors: Any, alpha: Any, plain: Any) -> Any:
    """Return colours that are already multiplied by their alpha, over a background.

    Not by ``overlay``: that of ffmpeg 9 multiplies them once more, whatever its options, unless frames are
    tagged in a way that older ones do not know.
    """
    uncovered = alpha.filter("alphaextract").filter("format", "gbrp").filter("negate")
    behind = ffmpeg.filter([plain.filter("format", "gbrp"), uncovered], "blend", all_mode="multiply")
    return ffmpeg.filter([colors.filter("format", "gbrp"), behind], "blend", all_mode="addition")


def _in_rgba(stream: Any, video: VideoStreamInfo) -> Any:
    """Return red, green and blue of BT.709, and the alpha beside them."""
    source = color.color_of(video)
    if source.is_ordinary:
        stream = stream.filter("scale", **color.rgb_arguments(source)).filter("format", "rgba")
    else:
        split = stream.filter_multi_output("split")
        alpha = split[1].filter("format", "rgba").filter("alphaextract")
        opaque = color_filters.opaque_rgb(split[0], source).filter("format", "rgba")
        stream = ffmpeg.filter([opaque, alpha], "alphamerge")
    return stream


def _shape_of_frame(media: MediaInfo, origin: Fraction, grid: Fraction | None) -> str:
    """Return width by height of a frame as stored and shown, in ffmpeg's expression language.

    It is chosen by the frame's time where that is known: to ffmpeg all frames have the pixel shape of the
    first one. A frame that was put on a grid may stand half a step before its time, and on its own by a quarter.
    """
    video, times = media.video, media.frame_times
    if not video.shapes or (times is not None and times.timing is Timing.COUNTED):
        return "dar"
    first = Fraction(video.dimensions.width, video.dimensions.height) * video.sar
    words = [expression(first)]
    for (_, before), (time, after) in pairwise(video.shapes):
        late = time - origin
        begin = late - 1 / (4 * video.frame_rate)
        if grid is not None:
            begin = (round_half_up(late * grid) - Fraction(1, 2)) / grid
        words.append(f"gte(t,{expression(begin)})*{expression((after - before) * first)}")
    return "+".join(words)


def _composed(stream: Any, video: VideoStreamInfo, form: TargetForm, shape: str) -> Any:
    """Return frames of the target's size, colours and orientation."""
    placement = geometry.place(video.display, form.dimensions, form.fit)
    inner = placement.inner.turned if video.orientation.swaps_sides else placement.inner
    source = color.RESOLVED if video.has_alpha else color.color_of(video)
    first = _first_shape(video, form)
    sides = _fitting(inner, first, shape) if first is not None else None
    stream = _converted(stream, source, inner, form, sides)
    return _placed(_upright(stream, video.orientation), placement, form)


def _first_shape(video: VideoStreamInfo, form: TargetForm) -> Fraction | None:
    """Return width by height, as stored and shown, of the first frame, which frames of other shapes must fit in.

    None where no other shapes come.
    """
    if not video.changes_shape or form.fit is Fit.STRETCH:
        return None
    return Fraction(video.dimensions.width, video.dimensions.height) * video.sar


def _converted(
    stream: Any, source: color.SourceColor, size: Dimensions, form: TargetForm, fitting: tuple[str, str] | None
) -> Any:
    """Return frames of an even size and the wanted format, in the colours of the target with limited range.

    Scaled first: ``colorspace`` and ``zscale`` take no odd 4:2:0, and HDR is tone-mapped at the
    target's size (2.8 against 6.6 CPU seconds and 416 against 725 MB for a 4K clip, measured).
    """
    sides: tuple[object, object] = (size.width, size.height)
    how = {"flags": "bicubic", **color.scale_arguments(source)}
    if fitting is not None:
        sides, how["eval"] = fitting, "frame"
    target, pixel_format = _target(form), form.encoder.pixel_format
    stream = stream.filter("scale", *sides, **how).filter("format", color_filters.working_format(source, pixel_format))
    if fitting is not None:
        centre = "2*floor((ow-iw)/4)", "2*floor((oh-ih)/4)"
        stream = stream.filter("pad", size.width, size.height, *centre, eval="frame").filter("setsar", 1)
    stream = color_filters.converted(stream, source, target)
    return stream if source.is_ordinary and target.is_ordinary else stream.filter("format", pixel_format)


def _target(form: TargetForm) -> color.SourceColor:
    return color.source_color(form.encoder.color, form.dimensions, form.encoder.pixel_format)


def _fitting(size: Dimensions, first: Fraction, shape: str) -> tuple[str, str]:
    """Return width and height, as ffmpeg expressions, of a frame of any shape within the sides of the first one."""
    width = f"max(2,2*round({size.width}/2*min(1,({shape})/{expression(first)})))"
    height = f"max(2,2*round({size.height}/2*min(1,{expression(first)}/({shape}))))"
    return width, height


def _upright(stream: Any, orientation: Orientation) -> Any:
    """Mirror first, then turn clockwise, as :class:`~mpt_cli.model.clips.Orientation` says."""
    if orientation.mirrored:
        stream = stream.filter("hflip")
    if orientation.rotation == 180:
        return stream.filter("hflip").filter("vflip")
    turn = {90: "clock", 270: "cclock"}.get(orientation.rotation)
    return stream.filter("transpose", turn) if turn else stream


def _stored(stream: Any, form: TargetForm) -> Any:
    """Return upright frames as the container of a reel with kept frames shows them: turned, and of its pixel shape."""
    kept, target = form.kept, _target(form)
    if kept is None:
        return stream
    stream = _turned_back(stream, kept.orientation)
    size, shown = form.dimensions, geometry.shown_size(form)
    if not target.full_range and size == (shown.turned if kept.orientation.swaps_sides else shown):
        return stream
    same = color.scale_arguments(replace(target, full_range=False))
    same |= {"out_range": "pc" if target.full_range else "tv"}
    stream = stream.filter("scale", size.width, size.height, flags="bicubic", **same)
    return stream.filter("format", form.encoder.pixel_format)


def _turned_back(stream: Any, orientation: Orientation) -> Any:
    """Undo :func:`_upright`: turn counterclockwise first, then mirror."""
    if orientation.rotation == 180:
        stream = stream.filter("hflip").filter("vflip")
    elif orientation.rotation:
        stream = stream.filter("transpose", {90: "cclock", 270: "clock"}[orientation.rotation])
    return stream.filter("hflip") if orientation.mirrored else stream


def _placed(stream: Any, placement: Placement, form: TargetForm) -> Any:
    """Return the frame cut to the target, or on the background, or on a blurred copy of itself."""
    width, height = form.dimensions.width, form.dimensions.height
    if placement.inner == form.dimensions:
        return stream
    if form.fit is Fit.COVER:
        return stream.filter("crop", width, height, -placement.x, -placement.y)
    if form.fit is Fit.BLUR:
        return _over_blur(stream, placement, form)
    if form.background == "black":
        return stream.filter("pad", width, height, placement.x, placement.y)
    return _over_plate(stream, placement, form)


def _over_plate(stream: Any, placement: Placement, form: TargetForm) -> Any:
    """Return the frame over a plate of the background's colour.

    ``pad`` knows only BT.601 in ffmpeg 5.1, so the plate is painted in RGB, small, and converted.
    """
    split = stream.filter_multi_output("split")
    plate = split[0].filter("scale", 2, 2, flags="neighbor").filter("format", "rgb24")
    plate = plate.filter("drawbox", color=_ffmpeg_color(form.background), thickness="fill")
    size, target = form.dimensions, _target(form)
    plate = plate.filter(
        "scale", size.width, size.height, flags="neighbor", out_color_matrix="bt709", out_range="tv"
    ).filter("format", form.encoder.pixel_format)
    plate = color_filters.converted(plate, color.RESOLVED, target)
    if not target.is_ordinary:
        plate = plate.filter("format", form.encoder.pixel_format)
    return _over(plate, split[1], form, x=placement.x, y=placement.y)


def _over(behind: Any, frame: Any, form: TargetForm, **place: int) -> Any:
    """Return a frame over another; ``overlay`` works in 8 bits unless it is told otherwise."""
    deep = {"format": "yuv420p10"} if form.encoder.pixel_format == "yuv420p10le" else {}
    return ffmpeg.overlay(behind.filter("setsar", 1), frame.filter("setsar", 1), **place, **deep)


def _over_blur(stream: Any, placement: Placement, form: TargetForm) -> Any:
    """Return the frame over a blurred copy that fills the target; blurred small, because that is cheap.

    Twice by the mean, which is nearly Gauss: ``gblur`` leaves garbage in planes of 16 columns and
    less, and in those of two lines (ffmpeg 5.1 and 9, measured).
    """
    small = Dimensions(max(2, form.dimensions.width // 16 * 2), max(2, form.dimensions.height // 16 * 2))
    filling = geometry.place(placement.inner, small, Fit.COVER)
    split = stream.filter_multi_output("split")
    behind = split[0].filter("scale", filling.inner.width, filling.inner.height, flags="bilinear")
    behind = behind.filter("crop", small.width, small.height).filter("avgblur", 4).filter("avgblur", 4)
    behind = behind.filter("scale", form.dimensions.width, form.dimensions.height, flags="bilinear")
    return _over(behind, split[1], form, x=placement.x, y=placement.y)


def _ffmpeg_color(name: str) -> str:
    return name.replace("#", "0x")
