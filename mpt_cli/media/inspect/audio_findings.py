"""Collect what the packets of one audio track bring to light."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from av.audio.frame import AudioFrame

from mpt_cli.media.inspect.decoding import SAMPLE_PACKETS, first_frame

if TYPE_CHECKING:
    from av.packet import Packet

    from mpt_cli.media.clock import Clock


class AudioFindings:
    """The first decoded frame of one audio track, and when its packets end."""

    def __init__(self, clock: Clock) -> None:
        """Start with nothing found; the clock is the one of the whole file."""
        self._clock = clock
        self._frame: AudioFrame | None = None
        self._undecoded = 0
        self.start = self.end = Fraction(0)

    @property
    def frame(self) -> AudioFrame:
        """The first decoded frame; only of a track of which some was decoded."""
        assert self._frame is not None
        return self._frame

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
            frame = first_frame(packet, AudioFrame)
            self._undecoded += frame is None
            if frame is None or frame.pts is None or not frame.samples:
                return
            self._frame = frame
            self.start = frame.pts * Fraction(frame.time_base)
            self.end = self.start + Fraction(frame.samples, frame.sample_rate)
        if packet.size and packet.pts is not None and not packet.is_discard:
            end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
            self.end = max(self.end, end + shift)
