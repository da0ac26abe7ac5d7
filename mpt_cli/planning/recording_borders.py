"""Evidence that one clip goes on with the recording of the clip before (pure).

Two clips of one camera agree in all of their parameters, and their names count on. What tells them apart from two
files of one recording is where their audio begins and ends: an encoder that begins puts silence first, and a recorder
that only begins a new file cuts audio between packets and video at a keyframe, so that what the audio of the first
file lacks or has too much beside its video the second one has too much or lacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode
from mpt_cli.model.natural_order import by_recording, recording_of
from mpt_cli.model.recording_times import seconds_of_name

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.media_info import AudioStreamInfo, CodedAudio, MediaInfo
    from mpt_cli.planning.used_clip import UsedClip

_LOST = IssueCode.LEADING_FRAMES_LOST
_MOST_APART = 1
"""Seconds by which audio and video may be apart at a border."""
_LEAST_SECONDS = Fraction(1, 2)
"""Shorter clips are no pieces of a recording: their clocks and offsets show too little."""
_SLACK = Fraction(1, 2000)
"""Seconds by which offsets may differ beside the rounding of their clocks."""
_MOST_TORN = Fraction(1, 2)
"""Seconds of audio whose packets may be torn by a border: those of one packet of a transport stream."""
ZEROED_PACKETS = 2
"""Packets by which audio may outlast or miss the video of a piece whose successor has both begin together: one that
the border leaves on its side, and the one that an encoder put first."""
_MOST_FRAMES_APART = Fraction(1, 2)
"""Seconds by which the frames of a second file may begin before those of the first end, or later: where reordered
frames are cut off, both files hold some of a group."""
_TIME_SLACK = 2.5
"""Seconds by which times of recording may be off: they are whole seconds, of the start or the end of writing."""
_DIGITS = re.compile(r"([0-9]+)")
_FIRST_NUMBER = re.compile(r"[ _.(-]*0*[12]\)?")


@dataclass(frozen=True, slots=True)
class Border:
    """Where a recording goes on in another file.

    Attributes:
        reason: Evidence, for the report of the plan.
        shares_clock: True if both files have one clock.
        torn: Times of the clock between which each file holds a part of the packets of audio.
        zeroed: True if the second file says that audio and video begin together, whatever the first one lacked.
    """

    reason: str
    shares_clock: bool = False
    torn: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    zeroed: bool = False

    @property
    def torn_seconds(self) -> Fraction:
        """Seconds of audio between the last whole packet of one file and the first of the other."""
        return self.torn[1] - self.torn[0]


def border_of(before: UsedClip, after: UsedClip) -> Border | None:
    """Return the border between two clips of one recording that are used up to it; None where that is not shown."""
    one, other = _audio_of(before), _audio_of(after)
    if one is None or other is None or not _are_used_up(before, after):
        return None
    (first, ended), (second, begun) = one, other
    alike = _kind(first) == _kind(second) and ended.setup == begun.setup and ended.packet == begun.packet
    if not alike or not _are_alike(before.media, after.media):
        return None
    return _by_clock(before, after, first.sample_rate) or _by_offsets(before, after, first.sample_rate)


def video_begin(media: MediaInfo) -> Fraction:
    """Return when the first frame of a file is shown, or would be if it decoded without the file before."""
    traits = media.copy_traits
    lost = traits is None or not traits.clean_start
    return media.zero if lost and _LOST in {warning.code for warning in media.warnings} else media.video_start


def video_end(media: MediaInfo) -> Fraction:
    """Return when the last frame of a file is no longer shown."""
    assert media.video_end is not None
    return media.video_end


def coded_audio(media: MediaInfo) -> CodedAudio:
    """Return the packets of the only track that is heard of a file."""
    assert media.audio is not None
    assert media.audio.coded is not None
    return media.audio.coded


def _audio_of(used: UsedClip) -> tuple[AudioStreamInfo, CodedAudio] | None:
    """Return the only audio of a clip that is heard, where its packets and all times are known."""
    media = used.media
    known = media.scanned and not (media.clock_moves or used.clip.mute or media.suspect) and media.video_end is not None
    if not known or len(media.heard) != 1:
        return None
    (track,) = media.heard
    return None if track.coded is None or track.is_part else (track, track.coded)


def _are_used_up(before: UsedClip, after: UsedClip) -> bool:
    """Return whether nothing is cut off at the border."""
    return not after.clip.start and before.reaches_end and before.clip.path != after.clip.path


def _kind(track: AudioStreamInfo) -> tuple[object, ...]:
    return track.codec, track.sample_rate, track.channels, track.layout, track.lossless


def _are_alike(one: MediaInfo, other: MediaInfo) -> bool:
    """Return whether the frames of two files are of one encoder."""
    videos = [(v.codec, v.profile, v.dimensions, v.sar, v.orientation, v.pixel_format, v.color, v.interlaced)
              for v in (one.video, other.video)]  # fmt: skip
    sets = {media.copy_traits.parameter_sets for media in (one, other) if media.copy_traits is not None}
    lengths = [video_end(media) - video_begin(media) for media in (one, other)]
    return one.container == other.container and videos[0] == videos[1] and len(sets) <= 1 and min(lengths) > 0


def _by_clock(before: UsedClip, after: UsedClip, rate: int) -> Border | None:
    """Return the border where times of the second file go on from those of the first."""
    one, other = before.media, after.media
    ended, begun = coded_audio(one), coded_audio(other)
    end = ended.first + Fraction(ended.samples, rate)
    gap = begun.first - end
    gap_of_frames = video_begin(other) - video_end(one)
    if begun.first < ended.first + _LEAST_SECONDS or abs(gap_of_frames) > _MOST_FRAMES_APART:
        return None
    if abs(gap) <= _SLACK + 2 * max(ended.tick, begun.tick):
        return Border("its clock goes on", shares_clock=True)
    packets = round(gap * rate / ended.packet)
    even = abs(gap - Fraction(packets * ended.packet, rate)) <= _SLACK + 2 * begun.tick
    if one.container == "mpegts" and 0 < gap <= _MOST_TORN and even:
        torn = end, end + Fraction(packets * ended.packet, rate)
        return Border("its clock goes on", shares_clock=True, torn=torn)
    return None


def _by_offsets(before: UsedClip, after: UsedClip, rate: int) -> Border | None:
    """Return the border where the audio of the second file has too much or lacks what is lacking or over in the first.

    An encoder that had just begun would give silence first. Files of one camera may still match by chance, as where
    it records the packets of an encoder that never stops: names and times must go on as well.
    """
    one, other = before.media, after.media
    if one.copy_traits is None or other.copy_traits is None or not _goes_on_by_name(before, after):
        return None
    ended, begun = coded_audio(one), coded_audio(other)
    over = ended.first + Fraction(ended.samples, rate) - video_end(one)
    lead, packet = begun.first - video_begin(other), Fraction(ended.packet, rate)
    assert one.audio is not None
    tells = begun.in_midst is True if one.audio.lossless is None else abs(over) > _SLACK + begun.tick
    if not tells or max(abs(over), abs(lead)) > _MOST_APART:
        return None
    tick = one.frame_times.time_base if one.frame_times is not None else begun.tick
    if abs(over - lead) <= _SLACK + max(tick, begun.tick):  # four times are rounded, and rarely all to one side
        return Border("its audio begins where that one's ends")
    chapters = recording_of(before.clip.path.name) is not None or _times_go_on(before, after)
    if lead == 0 and abs(over) <= ZEROED_PACKETS * packet and chapters and one.audio.lossless is None:
        return Border("its audio begins within a recording", zeroed=True)
    return None


def _goes_on_by_name(before: UsedClip, after: UsedClip) -> bool:
    """Return whether name or time of a file follow those of the one before, and neither says otherwise."""
    times = _times_go_on(before, after)
    return times is not False and (times is True or _counts_on(before.clip.path, after.clip.path))


def _times_go_on(before: UsedClip, after: UsedClip) -> bool | None:
    """Return whether a file was recorded when the one before ended; None where that is not known.

    Tools that cut a file give all pieces its time.
    """
    one, other = (_recorded(used) for used in (before, after))
    if one is None or other is None or abs(other - one) < 1:
        return None
    lengths = [float(video_end(used.media) - video_begin(used.media)) for used in (before, after)]
    return min(lengths) - _TIME_SLACK <= other - one <= max(lengths) + _TIME_SLACK


def _recorded(used: UsedClip) -> float | None:
    recorded = used.media.recorded
    return seconds_of_name(used.clip.path.stem) if recorded is None else recorded


def _counts_on(one: Path, other: Path) -> bool:
    """Return whether the names of two files differ in a number, by one."""
    if one.parent != other.parent or one.suffix.casefold() != other.suffix.casefold():
        return False
    texts = [_DIGITS.split(by_recording(path.stem)) for path in (one, other)]
    if len(texts[0]) != len(texts[1]):
        return bool(_FIRST_NUMBER.fullmatch(other.stem.removeprefix(one.stem))) and other.stem.startswith(one.stem)
    differ = [(index, *pair) for index, pair in enumerate(zip(*texts, strict=True)) if pair[0] != pair[1]]
    if len(differ) != 1:
        return False
    index, number, next_number = differ[0]
    return index % 2 == 1 and int(next_number) == int(number) + 1
