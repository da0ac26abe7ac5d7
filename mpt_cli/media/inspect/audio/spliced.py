"""Decode the audio of a file together with the packets of the files around it, which are of the same recording."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.audio.frame import AudioFrame
from av.codec.context import Flags2

from mpt_cli.media.inspect.audio.decoding import AudioDecoding
from mpt_cli.media.inspect.audio.torn_packets import torn_packets
from mpt_cli.media.inspect.demux import is_cut_off, open_container, readable_packets
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from av.container import InputContainer

    from mpt_cli.model.splice import Neighbour, Splice

    Alive = Callable[[], object]

_REACH_SECONDS = Fraction(3, 2)
"""So much of a file around is decoded: at a border audio and video may be a second apart, and a decoder that begins
in the midst needs some packets."""

_SLACK = Fraction(1, 200)
"""Seconds by which the last packet begins, at least, before the audio ends."""


class SplicedDecoding(AudioDecoding):
    """Decodes one audio track behind the last packets of the file before, and goes on with the first of the next.

    Times are samples of the whole recording: timestamps of a piece are rounded, or begin at zero in each.
    """

    def __init__(self, path: Path, container: InputContainer, stream_index: int, splice: Splice) -> None:
        """Prepare for all of a file."""
        super().__init__(container, stream_index, None, ())
        self._path, self._splice = path, splice
        self._decoder: Any = self._stream.codec_context
        self._decoder.flags2 |= Flags2.skip_manual  # a piece tells that its start is hidden, as that of the whole was

    def frames(self, alive: Alive) -> Iterator[AudioFrame]:
        """Yield all frames, and those of the packets around."""
        yield from self._lead(alive)
        done, end = self._splice.first, self._splice.first + self._splice.samples
        for packet in _whole_packets(self._path, self._container, self._stream, alive):
            frames = self._noted(packet)
            yield from _timed(frames, done)
            done += _samples(frames)
            if done >= end:  # a last packet that the border of files tears is no whole one
                break
        yield from self._rest(end, alive)

    def last_frames(self, alive: Alive) -> Iterator[AudioFrame]:
        """Yield the frames around the border to the file after."""
        own = _last_packets(self._path, self._container, self._stream, self._splice.audio_end, alive)
        frames = [frame for data in own for frame in self._decoded_bytes(data)]
        done = self._splice.first + self._splice.samples
        yield from _timed(frames, done - _samples(frames))
        yield from self._rest(done, alive)

    def _lead(self, alive: Alive) -> list[AudioFrame]:
        """Return the last frames of the file before."""
        before = self._splice.before
        if before is None:
            return []
        with open_container(before.path, end=before.bytes_end) as container:
            stream = container.streams[before.index]
            coded = _last_packets(before.path, container, stream, before.audio_end, alive)
        frames = [frame for data in coded for frame in self._decoded_bytes(data)]
        bridge, missing = self._bridge(before.path, self._path, before)
        frames += bridge
        return _timed(frames, self._splice.first - missing - _samples(frames))

    def _rest(self, done: int, alive: Alive) -> Iterator[AudioFrame]:
        """Yield the first frames of the file after."""
        after = self._splice.after
        if after is None:
            return
        bridge, missing = self._bridge(self._path, after.path, after)
        yield from _timed(bridge, done)
        done += _samples(bridge) + missing
        with open_container(after.path, end=after.bytes_end) as container:
            stream: Any = container.streams[after.index]
            end = done + _REACH_SECONDS * self._decoder.sample_rate
            for packet in _whole_packets(after.path, container, stream, alive):
                frames = self._decoded_bytes(bytes(packet))
                yield from _timed(frames, done)
                done += _samples(frames)
                if done > end:
                    return

    def _bridge(self, first: Path, second: Path, side: Neighbour) -> tuple[list[AudioFrame], int]:
        """Return the frames of packets that are torn between two files, and how many samples of them are missing."""
        if side.torn is None:
            return [], 0
        coded = torn_packets(first, second, self._stream.id, side.torn)
        frames = [frame for data in coded for frame in self._decoded_bytes(data)]
        wanted = round((side.torn[1] - side.torn[0]) * self._decoder.sample_rate)
        if abs(wanted - _samples(frames)) <= self._decoder.sample_rate // 1000:
            return frames, 0
        return [], wanted

    def _noted(self, packet: Any) -> list[AudioFrame]:
        """Return the frames of a packet of this file, and note whether it decodes."""
        frames = self._decoded_bytes(bytes(packet))
        whole = bool(frames) and not any(frame.is_corrupt for frame in frames)
        self._packets.append((None, (packet.duration or 0) * Fraction(packet.time_base), whole))
        return frames

    def _decoded_bytes(self, data: bytes) -> list[AudioFrame]:
        """Return the frames of a packet without what the file says of it; none where it does not decode."""
        try:
            frames: list[Any] = self._decoder.decode(av.Packet(data))
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            return []
        return [frame for frame in frames if isinstance(frame, AudioFrame) and frame.samples]


def _whole_packets(path: Path, container: InputContainer, stream: Any, alive: Alive) -> Iterator[Any]:
    size = path.stat().st_size
    for packet in readable_packets(container, [stream]):
        alive()
        if packet.size and not is_cut_off(packet, size):
            yield packet


def _last_packets(path: Path, container: InputContainer, stream: Any, end: Fraction, alive: Alive) -> list[bytes]:
    """Return the last packets of a stream that ends at a time."""
    begin, end = end - _REACH_SECONDS, end - _SLACK
    container.seek(max(0, int((begin - _REACH_SECONDS) / stream.time_base)), stream=stream)
    found = _between(begin, end, _whole_packets(path, container, stream, alive))
    if not found:  # the seek went too far
        container.seek(0, stream=stream)
        found = _between(begin, end, _whole_packets(path, container, stream, alive))
    return found


def _between(begin: Fraction, end: Fraction, packets: Iterable[Any]) -> list[bytes]:
    """Return the bytes of packets from a time on that are whole: one behind the end is torn."""
    found = []
    for packet in packets:
        if packet.pts is None or begin <= packet.pts * packet.time_base < end:
            found.append(bytes(packet))
    return found


def _timed(frames: list[AudioFrame], first: int) -> list[AudioFrame]:
    """Return frames that follow each other with their times, in samples."""
    for frame in frames:
        frame.pts, frame.time_base = first, Fraction(1, frame.sample_rate)
        first += frame.samples
    return frames


def _samples(frames: Iterable[AudioFrame]) -> int:
    return sum(frame.samples for frame in frames)
