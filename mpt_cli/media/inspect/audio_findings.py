"""Collect what the packets of one audio track bring to light."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from av.audio.frame import AudioFrame

from mpt_cli.media.inspect.channel_names import channel_names, release_custom_order
from mpt_cli.media.inspect.decoding import SAMPLE_PACKETS, first_frame
from mpt_cli.media.sound import placed

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

    from mpt_cli.media.clock import Clock

_LOOK_SECONDS = Fraction(1, 2)
"""A packet is decoded so often, to see whether channels and rate are still the same."""


class AudioFindings:
    """The first decoded frame of one audio track, whether later ones are alike, and when its packets end."""

    def __init__(self, stream: AudioStream, clock: Clock) -> None:
        """Start with nothing found; the clock is the one of the whole file."""
        self.stream, self._clock = stream, clock
        self._labels = release_custom_order(stream)
        self._frame: AudioFrame | None = None
        self._undecoded = 0
        self._changes = False
        self._look_ticks = round(_LOOK_SECONDS / (stream.time_base or 1))
        self._last_look = 0
        self.packets = 0
        self.start = self.end = Fraction(0)
        """When its frames begin, or its packets while none decodes; and when its packets end."""

    @property
    def frame(self) -> AudioFrame:
        """The first decoded frame; only of a track of which some was decoded."""
        assert self._frame is not None
        return self._frame

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of its channels, in order; of those without one as players take them."""
        return placed(channel_names(self.frame, self._labels))

    @property
    def is_irregular(self) -> bool:
        """Whether channels or rate change, or the channels stand in an order of their own."""
        return self._changes or bool(self._labels)

    @property
    def is_decoded(self) -> bool:
        """Whether some of the track was decoded."""
        return self._frame is not None

    @property
    def knows_enough(self) -> bool:
        """Whether more packets would tell nothing that counts where a plausible header is trusted."""
        return self.is_decoded or self._undecoded > SAMPLE_PACKETS

    def take(self, packet: Packet[Any]) -> None:
        """Look at the next packet of the track."""
        shift = self._clock.shift_of(packet) if packet.size else Fraction(0)
        if self._frame is None:
            self._take_first(packet)
        elif not self._changes and packet.size and abs((packet.pts or 0) - self._last_look) >= self._look_ticks:
            self._look(packet)
        if packet.size and packet.pts is not None and not packet.is_discard:
            self.packets += 1
            end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
            self.end = max(self.end, end + shift)

    def _take_first(self, packet: Packet[Any]) -> None:
        """Decode a packet, before which none did."""
        frame = first_frame(packet, AudioFrame)
        self._undecoded += frame is None
        if frame is not None and frame.pts is not None and frame.samples:
            self._frame = frame
            self.start = frame.pts * Fraction(frame.time_base)
            self.end = self.start + Fraction(frame.samples, frame.sample_rate)
            self._last_look = packet.pts or 0
        elif not self.packets and packet.pts is not None:
            self.start = self.end = packet.pts * Fraction(packet.time_base)

    def _look(self, packet: Packet[Any]) -> None:
        """See whether a packet decodes to what the first one did; one that does not decode says nothing."""
        frame = first_frame(packet, AudioFrame)
        if frame is None:
            return
        self._last_look = packet.pts or 0
        self._changes = _kind(frame) != _kind(self.frame)


def _kind(frame: AudioFrame) -> tuple[object, ...]:
    """Return what the filters of ffmpeg begin anew for when it changes."""
    return frame.layout.name, frame.format.name, frame.sample_rate
