"""What a file's coded pictures are, as they lie there: whether others can follow them without encoding."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.sidedata.sidedata import Type

from mpt_cli.media.formats.bitstream import FrameData, configured_sets, digest
from mpt_cli.media.formats.coded_headers import obstacle
from mpt_cli.media.formats.containers import COPIED, NAL_CODECS
from mpt_cli.media.formats.frame_metadata import FrameMetadata
from mpt_cli.media.formats.h264_slices import is_bidirectional
from mpt_cli.media.formats.hevc_alpha import alpha_use
from mpt_cli.media.formats.picture_types import may_hold_b_picture
from mpt_cli.media.inspect.video.field_signs import FieldSigns
from mpt_cli.media.inspect.video.side_data import side_data_of
from mpt_cli.media.inspect.video.size_changes import Shapes
from mpt_cli.model.frame_times import Timing
from mpt_cli.model.media_info import CopyTraits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from mpt_cli.media.inspect.times.packet_times import Timeline
    from mpt_cli.model.cut_points import CutPoints

SEEKABLE = ("mov,mp4", "matroska")
"""Containers of which a seek lands on the keyframe that was meant."""
_COPIED_FROM = (*SEEKABLE, "mpegts", "avi", "flv")
_READABLE = ("h264", "hevc", "av1")
_CLOCK_OF_CONTAINERS = Fraction(1, av.time_base)


class CodedPictures:
    """Collects from the packets of one video stream what a stream copy would need to know."""

    def __init__(self, video: VideoStream) -> None:
        """Know of the stream what its header says."""
        self._video = video
        extradata = video.codec_context.extradata or b""
        self._data = FrameData(video.codec_context.codec.canonical_name, extradata)
        self._sets = configured_sets(self._data.codec, extradata)
        self._metadata = FrameMetadata(self._data.codec, extradata)
        self._may_have_blocks = video.container.format.name.startswith("matroska")
        self._in_stored_order = video.container.format.name == "avi"
        self._carries_metadata = self._data.codec in _READABLE and self._metadata.is_in_configuration()
        self._closed = self._starts_clean = True
        self._hides = self._has_keyframe = False
        self._obstacle: str | None = None
        self._latest: int | None = None
        self.is_malformed = False
        """Whether the data of some frame cannot have come from an encoder."""
        self.is_out_of_order = False
        """Whether a frame where decoding begins anew is shown before one that was stored before it."""
        self._extradata, self._redescribed = extradata, False
        self.shapes = Shapes(video.codec_context)
        self.fields = FieldSigns(self._data.codec, extradata)
        self.fields.take_sets(self._sets)
        self.keyframes: list[int] = []
        self.clean_keyframes: list[int] = []
        """Those that nothing after them refers behind: decoding may begin there."""
        self.first_keyframe: int | None = None
        self.begins_with_keyframe: bool | None = None
        self.begins_cleanly = False
        """Whether the first packet is a keyframe that no frame after it is shown before."""
        self.may_reorder = False
        """Whether some picture may be stored behind one that is shown after it, as far as headers tell."""
        self.alpha_use: int | None = None
        """How the alpha of HEVC is to be used; see :mod:`mpt_cli.media.formats.hevc_alpha`."""

    def take(self, packet: Packet[Any], time: int | None, *, thorough: bool) -> None:
        """Note a packet that is shown at this tick, where that is known; ``thorough`` looks at all of its bytes."""
        if thorough and not self.is_malformed:
            self.is_malformed = not self._data.is_well_formed(memoryview(packet))
        self._take_description(packet)
        self.fields.take(packet)
        said = self._obstacle_in(packet)
        self._obstacle = self._obstacle or said
        self.may_reorder = self.may_reorder or may_hold_b_picture(self._data.codec, bytes(packet))
        if not self._carries_metadata and self._data.codec in _READABLE:
            self._carries_metadata = self._has_metadata(packet)
        if self.begins_with_keyframe is None:
            self.begins_with_keyframe = packet.is_keyframe
            readable = packet.is_keyframe and self._data.codec in _READABLE
            self.begins_cleanly = readable and self._data.is_clean_start(bytes(packet))
        if packet.is_keyframe:
            self.first_keyframe = time if self.first_keyframe is None else self.first_keyframe
            self._take_keyframe(packet, time)
        elif not self.keyframes or (time is not None and time < self.keyframes[-1]):
            self._closed = False  # no keyframe before it, or shown before the one that it needs
            self._starts_clean = self._starts_clean and self._leads_with_keyframe(time)
        if not packet.is_keyframe and self._data.codec in NAL_CODECS and self._data.has_sets(memoryview(packet)):
            self._redescribed = bool(self._take_sets(self._data.parameter_sets(bytes(packet)))) or self._redescribed
        if time is not None:
            self._latest = time if self._latest is None else max(self._latest, time)

    def _leads_with_keyframe(self, time: int | None) -> bool:
        """Return whether a frame that is shown at this tick is shown after the first one, which is a keyframe."""
        return bool(self.keyframes) and (time is None or time >= self.keyframes[0])

    def _has_metadata(self, packet: Packet[Any]) -> bool:
        beside = self._may_have_blocks and packet.has_sidedata("matroska_block_additional")
        return beside or self._metadata.is_in(memoryview(packet))

    def is_shown_first(self, packet: Packet[Any]) -> bool:
        """Return whether a packet holds a whole picture, which is shown before those of all that follow."""
        return packet.is_keyframe and self._data.is_shown_first(bytes(packet))

    def is_hidden(self, packet: Packet[Any]) -> bool:
        """Return whether a packet holds no frame that is shown (VP8's show_frame: RFC 6386, 9.1)."""
        hidden = self._data.codec == "vp8" and not memoryview(packet)[0] >> 4 & 1
        self._obstacle = obstacle("vp8", bytes(packet)) if hidden else self._obstacle
        return hidden

    def _obstacle_in(self, packet: Packet[Any]) -> str | None:
        """Return why a packet cannot be copied as one frame, or None."""
        codec, data = self._data.codec, bytes(packet)
        if codec == "h264" and self.fields.possible and (said := self.fields.pairing_obstacle(self._data.units(data))):
            return said
        if codec == "h264" and self._in_stored_order and any(map(is_bidirectional, self._data.units(data))):
            return "its container does not say when its frames are shown"
        return obstacle(codec, data)

    def hide(self) -> None:
        """Note a packet that an edit list leaves out."""
        self._hides = True

    def _take_description(self, packet: Packet[Any]) -> None:
        """Note another decoder configuration, as an MP4 has it with the next of several sample descriptions."""
        if not packet.has_sidedata("new_extradata"):
            return
        extradata = bytes(packet.get_sidedata("new_extradata"))
        if extradata != self._extradata:
            self._extradata, self._redescribed = extradata, True
            self._data = FrameData(self._data.codec, extradata)
            self._take_sets(configured_sets(self._data.codec, extradata))

    def _take_sets(self, sets: Iterable[bytes]) -> list[bytes]:
        """Note parameter sets; those that were not there before."""
        new_sets = [unit for unit in sets if unit not in self._sets]
        self._sets += new_sets
        self.fields.take_sets(new_sets)
        return new_sets

    def _take_keyframe(self, packet: Packet[Any], time: int | None) -> None:
        if self._data.codec == "hevc" and not self.keyframes:
            self.alpha_use = alpha_use(self._video.codec_context.extradata or b"", bytes(packet))
        if time is not None:
            self.keyframes.append(time)
        data, sets = bytes(packet), list[bytes]()
        if self._data.codec in COPIED:
            clean = self._data.is_clean_start(data)
            if clean and time is not None:
                self.clean_keyframes.append(time)
            self._closed = self._closed and clean
            self._starts_clean = self._starts_clean and (clean or self._has_keyframe)
            self._has_keyframe = True
            early = time is not None and self._latest is not None and time < self._latest
            self.is_out_of_order |= clean and early
            sets = self._data.parameter_sets(data)
            self._redescribed = bool(self._take_sets(sets) and len(self.keyframes) > 1) or self._redescribed
        self.shapes.take(packet, data, sets)

    def seek_points(self, container: InputContainer, base: Fraction) -> tuple[Fraction, ...]:
        """Return when keyframes are shown that a seek lands on exactly; empty where seeking is not trusted."""
        seekable = container.format.name.startswith(SEEKABLE)
        return tuple(sorted({point * base for point in self.keyframes})) if seekable else ()

    def traits(
        self, container: InputContainer, timeline: Timeline, first: VideoFrame | None, cut_points: CutPoints | None
    ) -> CopyTraits | None:
        """Return what a stream copy needs to know when all packets were read; None where nothing is copied."""
        codec = self._data.codec
        sets = digest(self._sets) or ("" if codec in _READABLE else codec)
        if not (sets and codec in COPIED and container.format.name.startswith(_COPIED_FROM)):
            return None
        start = container.start_time  # of the earliest stream, which is where a join puts the file
        alone = len(container.streams.video) == 1
        leads = (
            alone and start is not None and abs(start * _CLOCK_OF_CONTAINERS - timeline.first) <= _CLOCK_OF_CONTAINERS
        )
        tells_time = first is not None and bool(side_data_of(first, Type.S12M_TIMECODE))
        return CopyTraits(
            closed_gop=self._closed,
            clean_start=self._starts_clean and self._has_keyframe,
            hides_pictures=self._hides,
            on_grid=timeline.on_grid,
            exact=timeline.exact,
            leads=leads,
            time_base=Fraction(self._video.time_base or 1),
            delay=timeline.delay,
            pictures=timeline.pictures,
            carries_metadata=self._carries_metadata or tells_time,
            level=self._video.codec_context.level,
            parameter_sets=sets,
            extradata=self._video.codec_context.extradata or b"",
            one_description=not self._redescribed,
            counted=timeline.times.timing is Timing.COUNTED,
            obstacle=self._obstacle or ("a field of its frames is missing" if self.fields.is_open else None),
            field_pairs=self.fields.has_pairs,
            cut_points=cut_points,
        )
