"""Which clips go on with the recording of the one before, and which only look as if they did."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mpt_cli.config.sections import Config
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.media_info import AudioStreamInfo, CodedAudio
from mpt_cli.planning.recording_borders import border_of
from mpt_cli.planning.recordings import in_recordings
from mpt_cli.planning.used_clip import UsedClip, used_clip
from tests.builders import media_of

RATE = Fraction(25)
PACKET = 1024


def piece(
    name: str,
    *,
    lead: Fraction = Fraction(0),
    packets: int = 94,
    begin: Fraction = Fraction(0),
    midst: bool | None = True,
    coded: dict[str, Any] | None = None,
    track: dict[str, Any] | None = None,
    clip: dict[str, Any] | None = None,
    **media: Any,
) -> UsedClip:
    """Two seconds of frames from ``begin`` on, and audio that begins ``lead`` seconds later."""
    described = CodedAudio(begin + lead, packets * PACKET, PACKET, Fraction(1, 48_000), "setup", midst)
    audio = AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48_000, coded=replace(described, **(coded or {})))
    info = media_of(
        video={"frame_rate": RATE},
        **{
            "zero": begin,
            "video_start": begin,
            "video_end": begin + 2,
            "duration": Fraction(2),
            "audio": replace(audio, **(track or {})),
            **media,
        },
    )
    return used_clip(0, VideoClip(Path(name), **(clip or {})), info, Config(), RATE)


OVER = Fraction(94 * PACKET, 48_000) - 2  # 5.3 ms


def goes_on(first: UsedClip, second: UsedClip) -> bool:
    return border_of(first, second) is not None


def test_clip_goes_on_where_offsets_names_and_packets_say_so() -> None:
    assert goes_on(piece("p1.mp4", midst=False), piece("p2.mp4", lead=OVER))


NAMES = {
    ("p9.mp4", "p10.mp4"): True,
    ("p1.mp4", "p3.mp4"): False,
    ("p2.mp4", "p1.mp4"): False,
    ("p1.mp4", "q2.mp4"): False,
    ("a/p1.mp4", "b/p2.mp4"): False,
    ("GX010021.MP4", "GX020021.MP4"): True,
    ("GX010021.MP4", "GX010022.MP4"): True,
    ("GOPR0007.MP4", "GP010007.MP4"): True,
    ("video.mp4", "video_1.mp4"): True,
    ("2024-05-01 10-00-00.mp4", "2024-05-01 10-00-02.mp4"): True,
    ("2024-05-01 10-00-00.mp4", "2024-05-01 10-00-20.mp4"): False,
    ("20240501_100000_001.mp4", "20240501_100002_002.mp4"): True,
    ("20240501_100000_001.mp4", "20240501_110000_002.mp4"): False,
}


@pytest.mark.parametrize(("names", "expected"), NAMES.items())
def test_names_must_count_on_or_tell_the_time(names: tuple[str, str], expected: bool) -> None:
    assert goes_on(piece(names[0]), piece(names[1], lead=OVER)) is expected


OTHERS: dict[str, dict[str, Any]] = {
    "an encoder that began": {"midst": False},
    "silence": {"midst": None},
    "another offset": {"lead": OVER + Fraction(3, 1000)},
    "audio at the start of the frames": {"lead": Fraction(0)},
    "another setup": {"coded": {"setup": "other"}},
    "another rate": {"track": {"sample_rate": 44_100}},
    "another codec": {"track": {"codec": "mp3"}},
    "times of recording apart": {"recorded": 1_700_000_600.0},
    "a trimmed start": {"clip": {"start": "0.2"}},
    "mute": {"clip": {"mute": True}},
    "a clock that jumps": {"clock_moves": (Fraction(1),)},
    "packets that are not known": {"track": {"coded": None}},
}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_clip_does_not_go_on_with(changed: dict[str, Any]) -> None:
    first = piece("p1.mp4", recorded=1_700_000_000.0)
    second = piece("p2.mp4", **{"lead": OVER, **changed})
    assert not goes_on(first, second)


def test_clip_does_not_go_on_behind_a_trim() -> None:
    assert not goes_on(piece("p1.mp4", clip={"end": "1.5"}), piece("p2.mp4", lead=OVER))
    assert goes_on(piece("p1.mp4", clip={"end": "2"}), piece("p2.mp4", lead=OVER))


def test_lossless_clips_that_end_with_their_frames_are_joined_as_single_ones() -> None:
    lossless: dict[str, Any] = {"track": {"codec": "pcm_s16le", "lossless": "s16"}, "midst": None}
    frames: dict[str, Any] = {"coded": {"samples": 96_000}}
    assert goes_on(piece("p1.mp4", **lossless), piece("p2.mp4", lead=OVER, **lossless))
    assert not goes_on(piece("p1.mp4", **lossless, **frames), piece("p2.mp4", **lossless, **frames))


@pytest.mark.parametrize(("gap", "expected"), [(0, True), (Fraction(1, 100), False), (Fraction(1, 2), False)])
def test_a_clock_that_goes_on_needs_no_name(gap: Fraction, expected: bool) -> None:
    first = piece("x.ts", begin=Fraction(10), container="mpegts")
    second = piece("a.ts", begin=Fraction(12), lead=OVER + gap, container="mpegts")
    assert goes_on(first, second) is expected


def test_reordered_frames_may_overlap_where_a_clock_goes_on() -> None:
    first = piece("r1.ts", begin=Fraction(10), container="mpegts", video_end=Fraction(12) + 3 / RATE)
    second = piece("r2.ts", begin=Fraction(12), lead=OVER, container="mpegts")
    placed = in_recordings([first, second], RATE, 48_000, lambda used: used)
    assert [used.segment.frames for used in placed] == [50, 50]


def test_packets_torn_by_a_cut_of_a_transport_stream_are_counted() -> None:
    first = piece("r1.ts", begin=Fraction(10), container="mpegts")
    second = piece("r2.ts", begin=Fraction(12), lead=OVER + Fraction(2 * PACKET, 48_000), container="mpegts")
    border = border_of(first, second)
    assert border is not None
    assert border.torn_seconds == Fraction(2 * PACKET, 48_000)


def test_chapters_whose_audio_is_told_to_begin_with_the_frames_go_on_by_their_samples() -> None:
    chapters = [piece(f"GX0{number}0021.MP4", lead=Fraction(0)) for number in range(1, 5)]
    placed = in_recordings(chapters, RATE, 48_000, lambda used: used)
    splices = [used.splice for used in placed]
    assert all(splice is not None for splice in splices)
    assert [splice.first for splice in splices if splice] == [0, 96_256, 192_512, 288_768]
    assert [round(splice.moved * 48_000) for splice in splices if splice] == [0, 256, 512, 768]


def test_frames_of_all_pieces_are_those_of_the_whole() -> None:
    leads = [Fraction(256 * number, 48_000) for number in range(4)]
    pieces = [piece(f"p{number}.mp4", lead=lead) for number, lead in enumerate(leads)]
    placed = in_recordings(pieces, Fraction(30000, 1001), 48_000, lambda used: used)
    assert sum(used.segment.frames for used in placed) == round(8 * Fraction(30000, 1001))
    assert [used.reason is not None for used in placed] == [False, True, True, True]
    assert [used.splice.moved for used in placed if used.splice] == [0, 0, 0, 0]


def test_a_clock_that_drifts_is_followed_again() -> None:
    """Audio that is a millisecond late in each piece: it is never more than two off."""
    late = Fraction(48, 48_000)
    leads = [number * (Fraction(256, 48_000) + late / 20) for number in range(3)]
    pieces = [piece(f"p{number}.mp4", lead=lead) for number, lead in enumerate(leads)]
    placed = in_recordings(pieces, RATE, 48_000, lambda used: used)
    assert all(used.splice is not None and abs(used.splice.moved) <= Fraction(2, 1000) for used in placed)


def test_single_clips_are_used_as_they_are() -> None:
    clips = [piece("p1.mp4"), piece("p2.mp4", midst=False)]
    assert in_recordings(clips, RATE, 48_000, lambda used: replace(used, reason="alone")) == [
        replace(clip, reason="alone") for clip in clips
    ]
