"""Decode an audio track of a file, and count what of it does not decode."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

import av
from av.audio.frame import AudioFrame

from mpt_cli.media.clock_jumps import OneRow
from mpt_cli.media.inspect.audio.channel_names import release_custom_order
from mpt_cli.media.inspect.demux import open_container, readable_packets
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet

    from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo
    from mpt_cli.runtime.cancel import CancelToken

    Span = tuple[Fraction, Fraction]
    """A first time and the one where it ends, in seconds of the clock of a file after its moves."""

_MICROSECOND = 1_000_000
_LEAD_SECONDS = 1
"""So much in front of a span is decoded too: a decoder that begins in the midst needs some packets."""
_LEAST_LOSS = Fraction(1, 20)
"""Seconds; what is less is the edge of a cut, where some decoders lack a packet."""


@dataclass(frozen=True, slots=True)
class AudioLoss:
    """How many seconds of audio do not decode, and of how many."""

    lost: Fraction
    total: Fraction

    @property
    def decoded_share(self) -> Fraction:
        """The share, 0 to 1, that decodes."""
        return 1 - self.lost / self.total if self.total else Fraction(1)

    def issue(self, track: AudioStreamInfo, path: Path) -> Issue | None:
        """Return what is said of a file with this loss; None where it is none."""
        if self.lost < _LEAST_LOSS:
            return None
        share = f"{float(self.lost):.1f} of {float(self.total):.1f} s"
        message = f"has damaged audio: {share} of stream {track.index} ({track.codec}) do not decode as they should"
        return Issue(IssueCode.AUDIO_DAMAGED, message, path, "look for a whole copy")


class CountsAudioLoss(Protocol):
    """Counts what of the audio of an untrusted file does not decode."""

    def __call__(self, path: Path, media: MediaInfo, span: Span | None = None, *, cancel: CancelToken) -> AudioLoss:
        """Return the loss of a file that has audio, or of a span of it; Cancelled on a stop."""
        ...


def audio_loss(
    path: Path,
    stream_index: int,
    span: Span | None = None,
    *,
    clock_moves: Sequence[Fraction] = (),
    end: int | None = None,
    alive: Callable[[], object] = lambda: None,
) -> AudioLoss:
    """Return how much of an audio track, or of a span of it, does not decode.

    ``clock_moves`` are those of the file; only bytes before ``end`` are read.
    ValueError or LookupError where the stream is no longer there.
    """
    with open_container(path, end=end) as container:
        decoding = AudioDecoding(container, stream_index, span, clock_moves)
        for _ in decoding.frames(alive):
            pass
        return decoding.loss


def _gap(time: Fraction | None, after: Fraction | None) -> Fraction | None:
    """Return the seconds from one packet to the next; None where they are not known, or do not follow each other."""
    return after - time if time is not None and after is not None and after > time else None


class AudioDecoding:
    """Decodes one audio track, whatever of it is damaged."""

    def __init__(
        self,
        container: InputContainer,
        stream_index: int,
        span: Span | None,
        clock_moves: Sequence[Fraction],
        anchors: Sequence[Sequence[int]] = (),
    ) -> None:
        """Prepare for a span, or for all, of a file whose clock moves so.

        With ``anchors``, numbers of packets and microseconds, the times of all others are not believed.
        """
        stream: Any = container.streams[stream_index]
        if stream.type != "audio" or stream.codec_context is None:
            raise ValueError("has other streams than before")
        self.labels = release_custom_order(stream)
        self._container, self._stream, self._span = container, stream, span
        self._sent_row, self._shown_row = OneRow(clock_moves), OneRow(clock_moves)
        self._anchors = {number: Fraction(time, _MICROSECOND) for number, time in anchors}
        self._packets: list[tuple[Fraction | None, Fraction, bool]] = []  # when, how long, whether it decodes

    def frames(self, alive: Callable[[], object]) -> Iterator[AudioFrame]:
        """Yield all frames of the span and some in front, with times in samples after the moves of the clock.

        A frame without a time, as of several in one packet of a transport stream, follows the one before it.
        """
        due: Fraction | None = None
        for packet in readable_packets(self._container, [self._stream]):
            alive()
            time = due = self._anchors.get(len(self._packets), due)
            if not self._anchors:
                time = self._time(packet)
            if self._span is not None and time is not None:
                if time < self._span[0] - _LEAD_SECONDS and not self._anchors:  # which takes all of them
                    due = None
                    continue
                if time >= self._span[1] + _LEAD_SECONDS:
                    return
            for frame in self._decoded(packet, time):
                at = due
                if frame.pts is not None and not self._anchors:
                    at = frame.pts * Fraction(frame.time_base or 0)
                    at += self._shown_row.shift_at(at)
                if at is not None:
                    frame.pts, frame.time_base = round(at * frame.sample_rate), Fraction(1, frame.sample_rate)
                    due = at + Fraction(frame.samples, frame.sample_rate)
                yield frame

    @property
    def loss(self) -> AudioLoss:
        """How much of what was read does not decode."""
        lost = total = Fraction(0)
        gaps = [_gap(*pair) for pair in pairwise(time for time, _, _ in self._packets)]
        usual = median(known) if (known := [gap for gap in gaps if gap]) else Fraction(0)
        for (time, told, whole), gap in zip(self._packets, [*gaps, None], strict=True):
            length = gap if gap and gap <= 2 * usual else told or usual  # the file may tell milliseconds, or nothing
            if self._span is None or time is None or self._span[0] <= time < self._span[1]:
                total += length
                lost += 0 if whole else length
        return AudioLoss(lost, total)

    def _time(self, packet: Packet[Any]) -> Fraction | None:
        if not packet.size or packet.pts is None:
            return None
        time = packet.pts * Fraction(packet.time_base)
        return time + self._sent_row.shift_at(time)

    def _decoded(self, packet: Packet[Any], time: Fraction | None) -> list[AudioFrame]:
        """Return the frames of a packet, and note whether it decodes; one may give none, or those of an earlier one."""
        try:
            frames: list[Any] = packet.decode()
            whole = not any(getattr(frame, "is_corrupt", False) for frame in frames)
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            frames, whole = [], False
        if packet.size and not packet.is_discard:
            self._packets.append((time, (packet.duration or 0) * Fraction(packet.time_base), whole))
        return [frame for frame in frames if isinstance(frame, AudioFrame) and frame.samples]
