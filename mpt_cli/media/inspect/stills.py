"""Single pictures of a file: at each wanted time the one that is shown then, upright and small enough.

With PyAV, in the processes that open untrusted files, and not with ffmpeg: a file is opened once for
many pictures, nothing is written to be read back, and limits of time and memory hold all the same.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av.filter

from mpt_cli.media import color
from mpt_cli.media.inspect.decoding import timed_frames
from mpt_cli.media.inspect.demux import open_container, readable_packets
from mpt_cli.media.inspect.video.color_description import description_of
from mpt_cli.media.inspect.video.orientation import orientation_of
from mpt_cli.model.choices import DynamicRange
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.media_info import Still

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from av.video.frame import VideoFrame

    from mpt_cli.model.clips import Orientation

_BACK_SECONDS = (0, 2, 10)
"""A seek goes by decode times, and may land behind the wanted picture: then it is tried from earlier on."""
_BYTES_A_PIXEL = 3


def read_stills(
    path: Path, times: Sequence[Fraction], box: Dimensions, *, alive: Callable[[], object] = lambda: None
) -> list[Still | None]:
    """Return the frames shown at these seconds after the first one, scaled into a box; None where none decodes.

    A time after the end shows the last picture.
    """
    with open_container(path) as container:
        stream: Any = container.streams.best("video")
        if stream is None:
            return [None] * len(times)
        found = []
        for time in times:
            frame = _shown_at(container, stream, time, alive)
            found.append(None if frame is None else _still(frame, stream, box))
        return found


def _shown_at(container: Any, stream: Any, time: Fraction, alive: Callable[[], object]) -> VideoFrame | None:
    start = Fraction(stream.start_time or 0) * stream.time_base
    for back in _BACK_SECONDS:
        if time > back:
            container.seek(int((start + time - back) / stream.time_base), stream=stream)
            if (frame := _last_until(container, stream, start + time, alive)) is not None:
                return frame
    container.seek(stream.start_time or 0, stream=stream)
    return _last_until(container, stream, start + time, alive, or_next=True)


def _last_until(
    container: Any, stream: Any, time: Fraction, alive: Callable[[], object], *, or_next: bool = False
) -> VideoFrame | None:
    """Return the last frame from here that is shown at a time, else the first one behind it; skip damaged ones."""
    shown: VideoFrame | None = None
    for frame in timed_frames(readable_packets(container, [stream]), alive=alive):
        if frame.pts * frame.time_base > time:
            return frame if shown is None and or_next else shown
        shown = frame
    return shown


def _still(frame: VideoFrame, stream: Any, box: Dimensions) -> Still:
    orientation, source = orientation_of(frame), _color(frame)
    size = _fitting(frame, Fraction(stream.sample_aspect_ratio or 1), orientation, box)
    graph = av.filter.Graph()
    steps = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base),
        graph.add("scale", f"{size.width}:{size.height}:flags=area+accurate_rnd{_meaning(source)}"),
        *(graph.add(*turn.split("=")) for turn in _turns(orientation)),
        graph.add("format", "rgb24"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps).configure()
    graph.vpush(frame)
    upright = graph.vpull()
    return Still(upright.width, upright.height, _rows(upright), DynamicRange(source.hdr or DynamicRange.SDR))


def _fitting(frame: VideoFrame, sar: Fraction, orientation: Orientation, box: Dimensions) -> Dimensions:
    """Return the size, before it is turned, with which a frame fills the box in one direction and fits in the other."""
    room = box.turned if orientation.swaps_sides else box
    wide, high = frame.width * sar, Fraction(frame.height)
    scale = min(room.width / wide, room.height / high)
    return Dimensions(max(1, round(wide * scale)), max(1, round(high * scale)))


def _color(frame: VideoFrame) -> color.SourceColor:
    return color.source_color(description_of(frame), Dimensions(frame.width, frame.height), frame.format.name)


def _meaning(source: color.SourceColor) -> str:
    """Return the colours of a frame as arguments of ``scale``; RGB needs none."""
    return "".join(f":{name}={value}" for name, value in color.rgb_arguments(source).items())


def _turns(orientation: Orientation) -> list[str]:
    """Return the filters that turn a frame upright: mirrored first, then turned clockwise."""
    steps = ["hflip"] if orientation.mirrored else []
    steps += {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}.get(orientation.rotation, [])
    return steps


def _rows(frame: VideoFrame) -> bytes:
    """Return the rows of an RGB frame without the padding between them in memory."""
    plane, row, step = bytes(frame.planes[0]), frame.width * _BYTES_A_PIXEL, frame.planes[0].line_size
    return b"".join(plane[start : start + row] for start in range(0, step * frame.height, step))
