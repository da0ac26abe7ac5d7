"""Read the packets of a file, and collect what they bring to light."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.format import Flags
from av.video.frame import VideoFrame

from mpt_cli.media.clock_jumps import Clock
from mpt_cli.media.inspect.audio.findings import AudioFindings
from mpt_cli.media.inspect.decoding import SAMPLE_PACKETS, first_frame, only_frame
from mpt_cli.media.inspect.demux import is_cut_off, packets
from mpt_cli.media.inspect.times.packet_times import PacketTimes
from mpt_cli.media.inspect.times.repair import MOST_REORDERED
from mpt_cli.media.inspect.times.track_order import TrackOrder
from mpt_cli.media.inspect.video.coded_frames import CodedPictures
from mpt_cli.media.inspect.video.color_description import told_by
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.container import InputContainer
    from av.packet import Packet

    from mpt_cli.media.clock_jumps import Jumps
    from mpt_cli.media.inspect.container.extent import Extent
    from mpt_cli.media.inspect.streams import Chosen


_REORDERING = ("h264",)
"""Codecs whose frames are not stored in the order of showing, and say so nowhere but in themselves."""


class Findings:
    """What reading the packets of a file brings to light.

    A decoder holds pictures back for those that may be shown before them. A ``hasty`` reading does not
    wait where none can be, which spares the decoding of three or four (13 of 27 ms for 1080x1920). Of
    what is damaged, or the first of two fields, that brings nothing: then all is read without haste.
    """

    def __init__(
        self, container: InputContainer, chosen: Chosen, extent: Extent, *, hasty: bool, jumps: Jumps | None
    ) -> None:
        """Start with nothing found but where the clock jumps, where that is known."""
        self.container, self.chosen, self.extent = container, chosen, extent
        self.video = video = chosen.video
        self._hasty, self.was_too_hasty = hasty, False
        self.container_color = told_by(container, video)
        if hasty:
            video.codec_context.thread_count = 1  # for one picture; other files have the other cores
        reorders = video.codec_context.codec.canonical_name in _REORDERING
        self.is_in_stored_order = container.format.name == "avi" and reorders
        """Whether timestamps only say in which order frames are stored: AVI has no others."""
        self.times = PacketTimes(Fraction(video.time_base or 1))
        self.frame_times = PacketTimes(Fraction(video.time_base or 1))
        """Of H.264 that may have fields, the times of all but the second field of a frame."""
        self.misleads = False
        """Whether frames come out of the decoder in another order than that of their timestamps."""
        self._hidden = self._hidden_first = 0
        self.picture: VideoFrame | None = None
        self.encrypted = False
        self.scanned = self.suspect = False
        self._thorough = False
        self.broken = self.ends_in_packet = False
        self.reach = 0
        self.coded = CodedPictures(video)
        self.clock = Clock(container.format.name, jumps)
        self.order = TrackOrder()
        self._tracks = {stream.index: AudioFindings(stream, self.clock) for stream in chosen.audios}

    @property
    def tracks(self) -> list[AudioFindings]:
        """The audio tracks of which some has been decoded, the default one first."""
        return [track for track in self._tracks.values() if track.is_decoded]

    @property
    def sound(self) -> AudioFindings | None:
        """The audio track that is heard, once some of one has been decoded."""
        return self.tracks[0] if self.tracks else None

    @property
    def track(self) -> AudioFindings | None:
        """The audio track that is heard, or would be if it could be decoded."""
        return self.sound or next(iter(self._tracks.values()), None)

    @property
    def all_tracks(self) -> list[AudioFindings]:
        """The audio tracks, whether they decode or not."""
        return list(self._tracks.values())

    @property
    def may_mislead(self) -> bool:
        """Whether timestamps ascend in the order of storing, which may not be that of showing."""
        context = self.video.codec_context
        may_reorder = context.codec.reorder and context.has_b_frames and self.coded.may_reorder
        reorders = bool(may_reorder) and not self.is_in_stored_order
        told = not (self.clock.moves or Flags(self.container.format.flags) & Flags.no_timestamps)
        return reorders and told and len(self.coded.keyframes) < len(self.times) and self.times.ascend

    @property
    def hidden(self) -> int:
        """Frames that an edit list hides by the time of storing, where that is not the one of showing."""
        hides = self.misleads and self._hidden == self._hidden_first <= MOST_REORDERED
        return self._hidden if hides else 0

    def read(self, alive: Callable[[], object], *, scan: bool) -> None:
        """Demux all packets, or only the first ones; decode until the first picture and sound.

        An error ends the reading, as it does in ffmpeg; FFmpegError only where nothing was decoded before.
        """
        self._thorough = scan
        try:
            self.scanned = self._read_packets(alive, scan=scan)
        except av.FFmpegError as error:
            refuse_shortage(error)
            if self.picture is None:
                raise
            self.scanned = self.broken = True

    def _read_packets(self, alive: Callable[[], object], *, scan: bool) -> bool:
        """Take packets in; whether these were all."""
        for packet in packets(self.container, [self.video, *self.chosen.others, *self.chosen.audios]):
            alive()
            self.reach = max(self.reach, (packet.pos or 0) + packet.size)
            if is_cut_off(packet, self.extent.size):
                self.ends_in_packet = True
                if self.picture is not None:
                    continue
            if packet.has_sidedata("encryption_info"):
                self.encrypted = True
                return False
            index = packet.stream.index  # which the empty packet at the end does not say itself
            if packet.size and index not in self._tracks:
                self.order.note(packet)
            if index == self.video.index:
                self._take_picture(packet)
            elif index in self._tracks:
                self._tracks[index].take(packet)
            if self.was_too_hasty or (not scan and self._knows_enough()):
                return False
        return True

    def _knows_enough(self) -> bool:
        if self.picture is None or len(self.times) < SAMPLE_PACKETS:
            return False
        tracks = self._tracks.values()
        return not tracks or any(track.knows_enough for track in tracks)

    def _take_picture(self, packet: Packet[Any]) -> None:
        if packet.size and packet.is_discard:
            self.coded.hide()
            self._hidden += 1
            self._hidden_first += not len(self.times)
        elif packet.size and not self.coded.is_hidden(packet):
            in_row = self._take_times(packet)
            self.suspect = self.suspect or packet.is_corrupt
            self.coded.take(packet, packet.pts if in_row else None, thorough=self._thorough)
            if self.coded.fields.possible and not self.coded.fields.is_second_field:
                self.frame_times.add(packet.pts, packet.dts, packet.duration)
        if self.picture is None and self._hasty and self.coded.is_shown_first(packet):
            self.picture = only_frame(packet)
            self.was_too_hasty = self.picture is None
        elif self.picture is None:
            self.picture = first_frame(packet, VideoFrame)

    def _take_times(self, packet: Packet[Any]) -> bool:
        """Take the times of a frame in; return whether they are not far from all others."""
        seconds = self.clock.shift_of(packet)
        if seconds is None:
            self.times.add_stray(packet.duration)
            return False
        shift = round(seconds / self.times.time_base) if seconds else 0
        pts = None if self.is_in_stored_order else packet.pts  # which libav makes up
        self.times.add(_later(pts, shift), _later(packet.dts, shift), packet.duration)
        return True


def _later(time: int | None, shift: int) -> int | None:
    return None if time is None else time + shift
