"""Write a stream copy: a part of a file becomes a segment, exactly on the frame grid.

Which clips are copied is decided in :mod:`mpt_cli.planning.stream_copy`.

Metadata that frames carry beside their slices is left out.

By libav and not by ffmpeg, whose filter for timestamps means another clock in each version: what
``setts=time_base`` makes of a file in milliseconds is right by 7.0 and wrong by 5.1 and 9.0 (measured),
and without it times stay in the clock of the file, which may not be able to represent them.
"""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av

from mpt_cli.media.formats.bitstream import FrameData, configured_sets, length_size, without_units
from mpt_cli.media.formats.containers import NAL_CODECS, segment_format
from mpt_cli.media.formats.frame_metadata import FrameMetadata
from mpt_cli.media.formats.h264_slices import frame_number_bits, lone_field
from mpt_cli.media.inspect.demux import open_container, packets
from mpt_cli.media.open_options import file_url
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.timing import ticks_per_frame, timescale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import InputContainer, OutputContainer

    from mpt_cli.model.media_info import CopyTraits, MediaInfo


def copy_frames(
    source: Path,
    target: Path,
    media: MediaInfo,
    *,
    first: Fraction,
    frames: int,
    rate: Fraction | None = None,
    units: int | None = None,
    alive: Callable[[], object] = lambda: None,
) -> int:
    """Copy frames into a segment; frame k of it is shown k frames after its start.

    The segment is an MP4, or what :func:`~mpt_cli.media.formats.containers.segment_format` says of the codec.

    Args:
        source: Path of the source file.
        target: Path of the segment to write.
        media: Description of the source.
        first: Time at which the first frame, a keyframe, is shown, in seconds of the source's clock.
        frames: Number of frames to copy.
        rate: Rate of the grid that frames are placed on; None for that of the file.
        units: Length of the segment on that grid, for frames that keep their own times; None where each frame of
            the grid is there.
        alive: Called for each frame; may raise to stop.

    Returns:
        CRC-32 over the coded frame data.

    Raises:
        VerificationError: The file does not hold these frames.
        ResourceError: The disk is full, or another shortage.
    """
    rate = rate or media.video.frame_rate
    scale, ticks = timescale(rate), ticks_per_frame(rate)
    traits = media.copy_traits
    assert traits is not None
    with _opened(source, target, scale, segment_format(media.video.codec)) as (container, output):
        stream: Any = container.streams[media.video.index]
        extradata = stream.codec_context.extradata or b""
        data, cleaned = FrameData(media.video.codec, extradata), Cleaning(media.video.codec, extradata, traits)
        copied = output.add_stream_from_template(stream, opaque=True)  # else it looks for an encoder
        copied.time_base = Fraction(1, scale)
        if cleaned.changes:
            copied.codec_context.extradata = cleaned.configuration()
        crc = count = 0
        places = _Places(media, frames, units)
        for number, found in _packets_from(container, stream, media, first, rate):
            alive()
            crc = data.crc(bytes(found), crc)
            packet = _twin(found, cleaned.packet(bytes(found))) if cleaned.changes else found
            packet.pts, packet.dts = number * ticks, places.decoded(count) * ticks
            packet.duration = places.length(number) * ticks
            packet.time_base, packet.stream = Fraction(1, scale), copied
            output.mux(packet)
            count += 1
            if count == frames:
                return crc
    raise VerificationError(f"has {count} pictures where {frames} were planned", path=source)


def _packets_from(
    container: InputContainer, stream: Any, media: MediaInfo, first: Fraction, rate: Fraction
) -> Iterator[tuple[int, Any]]:
    """Yield packets from that of the frame shown at ``first``, each with its index among the shown frames."""
    base = Fraction(stream.time_base or 1)
    if media.copy_traits is not None and media.copy_traits.counted:
        skipped = round((first - media.video_start) * rate)
        stored = enumerate(_frames_of(container, stream, media))
        yield from ((number - skipped, packet) for number, packet in stored if number >= skipped)
        return
    if (seek := media.seek_point_for(first)) is not None:
        container.seek(round(seek / base), stream=stream)
    begun = False
    for packet in _frames_of(container, stream, media):
        if packet.pts is None:
            continue
        number = round((packet.pts * base - first) * rate)
        begun = begun or number == 0
        if begun:
            yield number, packet


class _Places:
    """Decode times and lengths of the frames of a segment, in frames of its grid."""

    def __init__(self, media: MediaInfo, frames: int, units: int | None) -> None:
        """Place frames one after another, or at their own times where there are ``units`` of the grid."""
        assert media.copy_traits is not None
        self._delay, self._shown = media.copy_traits.delay, list[int]()
        self._lengths = dict[int, int]()
        if units is not None and media.frame_times is not None:
            self._shown = media.frame_times.places()[:frames]
            self._lengths = {place: end - place for place, end in pairwise([*self._shown, units])}

    def decoded(self, count: int) -> int:
        """Return the decode time of the frame that is stored as the ``count``-th: when an earlier one is shown."""
        place = count - self._delay
        return self._shown[place] if self._shown and place >= 0 else place

    def length(self, number: int) -> int:
        """Return how long the frame is shown that is shown at a place."""
        return self._lengths.get(number, 1)


def _frames_of(container: InputContainer, stream: Any, media: MediaInfo) -> Iterator[Any]:
    """Yield a packet for each frame: two that hold a field each are put together.

    A sample of MP4 and a block of Matroska hold both fields, so that the rate stays that of the frames.
    """
    found = (packet for packet in packets(container, [stream]) if packet.size)
    if media.copy_traits is None or not media.copy_traits.field_pairs:
        yield from found
        return
    extradata = stream.codec_context.extradata or b""
    data, first = FrameData(media.video.codec, extradata), None
    (bits,) = {bits for unit in configured_sets("h264", extradata) if (bits := frame_number_bits(unit)) is not None}
    for packet in found:
        if first is not None:
            both = _twin(first, bytes(first) + bytes(packet))
            both.pts, both.dts = first.pts, first.dts
            first = None
            yield both
        elif lone_field(data.units(bytes(packet)), bits) is None:
            yield packet
        else:
            first = packet


class Cleaning:
    """Removal of what a segment does not need from packets and decoder configuration.

    Metadata is removed, and with start codes also delimiters, and parameter sets that the configuration holds: in an
    MP4 they stand there alone (ISO/IEC 14496-15), which ``hvc1`` promises.
    """

    def __init__(self, codec: str, extradata: bytes, traits: CopyTraits) -> None:
        """Read packets according to a decoder configuration."""
        self._metadata = FrameMetadata(codec, extradata) if traits.carries_metadata else None
        has_start_codes = codec in NAL_CODECS and not length_size(codec, extradata)
        self._codec, self._extradata = codec, extradata
        sets = configured_sets(codec, extradata) if traits.one_description else []
        self._sets = frozenset(sets) if has_start_codes else None
        self.changes = self._metadata is not None or has_start_codes

    def configuration(self) -> bytes:
        """Return the decoder configuration without metadata."""
        return self._extradata if self._metadata is None else self._metadata.cleaned_configuration()

    def packet(self, data: bytes) -> bytes:
        """Return a packet with the same frame, and without the rest."""
        data = data if self._metadata is None else self._metadata.removed(data)
        return data if self._sets is None else without_units(self._codec, data, self._sets)


def _twin(packet: Any, data: bytes) -> Any:
    """Return a packet that holds other bytes, and nothing beside them."""
    twin = av.Packet(data)
    twin.is_keyframe = packet.is_keyframe
    return twin


@contextmanager
def _opened(source: Path, target: Path, scale: int, form: str) -> Iterator[tuple[InputContainer, OutputContainer]]:
    """Open both files; ResourceError for a shortage, OSError or VerificationError for other errors of libav."""
    options = {} if form == "nut" else {"video_track_timescale": str(scale)}
    try:
        with (
            open_container(source) as container,
            av.open(file_url(target), "w", format=form, options=options) as output,
        ):
            yield container, output
    except av.FFmpegError as error:
        refuse_shortage(error)
        if isinstance(error, OSError):
            raise
        raise VerificationError(f"cannot be copied ({error.strerror})", path=source) from error
