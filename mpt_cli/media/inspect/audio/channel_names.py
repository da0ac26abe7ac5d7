"""Tell which channel of an audio stream is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.frame import AudioFrame
    from av.audio.plane import AudioPlane
    from av.audio.stream import AudioStream

_NO_ORDER = "channels"
"""Stands in the name of a layout that is unknown, or in an order of its own: ``2 channels (FR+FL)``."""


def release_custom_order(stream: AudioStream) -> tuple[str, ...]:
    """Return the channel names that the container itself gives, and let the decoder know only how many there are.

    Empty where it names none, or a layout of the usual order. This must come before all else that is asked of the
    stream: PyAV 18 frees the list of a custom order with every object that it makes of it, so that a second
    look at the layout, or the first decoded frame, ends the process.
    """
    context = stream.codec_context
    layout = context.layout
    count = layout.nb_channels
    if not count or _NO_ORDER not in layout.name:
        return ()
    names = tuple(channel.name for channel in layout.channels) if "(" in layout.name else ()
    context.layout = f"{count} channels"
    return names


def channel_names(frame: AudioFrame, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a frame's channels; the container's labels count where the decoder knows no places."""
    names = tuple(channel.name for channel in frame.layout.channels)
    return labels if _NO_ORDER in frame.layout.name and len(labels) == len(names) else names


def planes_of(frame: AudioFrame) -> Sequence[AudioPlane]:
    """Return the planes of a frame: of eight channels PyAV 18 counts a ninth, which is no memory of the frame."""
    return frame.planes[: frame.layout.nb_channels if frame.format.is_planar else 1]
