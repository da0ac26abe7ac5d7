"""The proof of the frame map: a source frame that does not stand where it belongs is found."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.frame_map import ShownFrame, planned_frames, prove_frame_map, read_frame_map
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Evidence
from mpt_cli.model.errors import ProcessingError, VerificationError
from mpt_cli.model.frame_times import FrameTimes, Timing
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel
from tests.integration.segments import Bench, MistakenFfmpeg, other_encoder
from tests.marks import draw_number
from tests.media import numbered, run_ffmpeg
from tests.reader import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

BASE = Fraction(1, 25)
SOURCE = FrameTimes.of(range(10), time_base=BASE, timing=Timing.STAMPED, rate=Fraction(25))


def after_count(filters: str, mistake: str) -> str:
    """Put a filter in front of the one that repeats the last frame."""
    return filters.replace("]tpad=stop=1:stop_mode=clone", f"]{mistake},tpad=stop=1:stop_mode=clone", 1)


MISTAKES = {
    "one dropped and its neighbour twice": "select=not(eq(n\\,10))",
    "all a frame late": "setpts=PTS+(1/25)/TB",
    "all a frame early": "setpts=PTS-(1/25)/TB",
    "two swapped": "shuffleframes=0 1 3 2 4",
    "the last one lost": "select=lt(n\\,24)",
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.core(2)
def test_segment_with_a_misplaced_frame_is_refused(media: MediaFolder, tmp_path: Path, mistake: str) -> None:
    clip = media.numbered(replace(numbered(1, seconds=1, fps="25"), sound=None))
    ffmpeg = MistakenFfmpeg(lambda graph: after_count(graph, MISTAKES[mistake]))
    with pytest.raises(ProcessingError, match=r"source frame \d+"):
        Bench(tmp_path, ffmpeg=ffmpeg).clip(clip, form_of(rate="25"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", ["25", "50", "12", "24000/1001"])
@pytest.mark.core(1)
def test_segment_of_a_whole_clip_has_its_frame_map_proven(media: MediaFolder, tmp_path: Path, rate: str) -> None:
    clip = media.numbered(numbered(1, seconds=1, fps="25"))
    bench = Bench(tmp_path)
    assert bench.clip(clip, form_of(rate=rate)).verified.frame_map is Evidence.PROVEN
    assert bench.leftovers() == set()


def test_copied_clip_says_that_its_frames_were_copied(media: MediaFolder, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.clip(media.numbered(numbered(1, seconds=1)), form_of())
    assert bench.clip(first.processed_path, form_of(), action=Action.COPY).verified.frame_map is Evidence.COPIED


class OlderFfmpeg(Ffmpeg):
    """Says that it is of a version that does not tell which frames it encodes."""

    @property
    def reports_frames(self) -> bool:
        return False


def test_older_ffmpeg_leaves_the_frame_map_unproven(media: MediaFolder, tmp_path: Path) -> None:
    clip = Bench(tmp_path, ffmpeg=OlderFfmpeg()).clip(media.numbered(numbered(1, seconds=1)), form_of())
    assert clip.verified.frame_map is Evidence.UNAVAILABLE


@pytest.mark.parametrize(("origin", "rate", "frames", "wanted"), [
    ("0", "25", 5, [0, 1, 2, 3, 4]),
    ("0", "50", 5, [0, 0, 1, 1, 2]),
    ("1/50", "25", 4, [0, 1, 2, 3]),
    ("1/5", "25", 3, [5, 6, 7]),
    ("-1/5", "25", 7, [0, 0, 0, 0, 0, 0, 1]),
    ("0", "5", 2, [2, 7]),  # frame 2 at 0.08 s is nearer to 0 than to 0.2
    ("9/25", "25", 3, [9, 9, 9]),
])  # fmt: skip
@pytest.mark.core(7)
def test_planned_frames_are_those_nearest_before(origin: str, rate: str, frames: int, wanted: list[int]) -> None:
    assert list(planned_frames(SOURCE, Fraction(origin), Fraction(rate), frames)) == wanted


def shown(*frames: tuple[int, int | None]) -> list[ShownFrame]:
    return [ShownFrame(decoded, ticks, BASE) for decoded, ticks in frames]


def test_frame_that_was_not_decoded_cannot_be_shown() -> None:
    prove_frame_map(shown((0, 0), (0, 0), (1, 2)), [0, 1, 2], SOURCE)


def test_frame_that_was_decoded_must_be_shown() -> None:
    with pytest.raises(VerificationError, match="source frame 1 is missing"):
        prove_frame_map(shown((0, 0), (0, 0), (2, 2)), [0, 1, 2], SOURCE)


def test_frames_without_timestamps_are_told_by_their_number() -> None:
    prove_frame_map(shown((0, None), (1, None), (2, None)), [0, 1, 2], SOURCE)
    with pytest.raises(VerificationError):
        prove_frame_map(shown((0, None), (2, None), (3, None)), [0, 1, 2], SOURCE)


def test_time_that_no_source_frame_has_is_refused() -> None:
    with pytest.raises(VerificationError, match=r"no source frame is shown at 1\.600000 s"):
        prove_frame_map(shown((0, 0), (1, 40)), [0, 1], SOURCE)


@pytest.mark.parametrize("text", ["0 0 0", "0 0 0 1/0", "1 0 0 1/25", "0 0 x 1/25"])
def test_frame_map_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map"
    path.write_text(text)
    with pytest.raises(VerificationError):
        read_frame_map(path)


ODD_STREAMS = {
    "H.264 with B-frames in AVI": (".avi", ("-c:v", "libx264", "-bf", "3", "-x264-params", "b-pyramid=2")),
    "H.264 without B-frames in AVI": (".avi", ("-c:v", "libx264", "-preset", "ultrafast")),
    "MPEG-4 with B-frames in AVI": (".avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "2")),
    "VP8 with hidden frames": (".webm", ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "2M")),
    "VP9 with hidden frames": (".webm", ("-c:v", "libvpx-vp9", "-lag-in-frames", "16", "-b:v", "2M")),
    "MPEG-2 of fields": (".mpg", ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-bf", "2", "-q:v", "2")),
}


@pytest.mark.parametrize("name", ODD_STREAMS)
@pytest.mark.parametrize("rate", ["25", "50"])
@pytest.mark.core(1)
def test_stream_that_stores_frames_otherwise_shows_each_in_place(tmp_path: Path, name: str, rate: str) -> None:
    suffix, options = ODD_STREAMS[name]
    raw = b"".join(draw_number((160, 96), 7, n).tobytes() for n in range(50))
    grey = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "160x96", "-r", "25", "-i", "pipe:0")
    clip = tmp_path / f"clip{suffix}"
    run_ffmpeg(*grey, "-vf", "scale=out_range=tv,format=yuv420p", *options, clip, stdin=raw)
    reel = finished_reel(tmp_path / "reel.mp4", [clip], config_of(size="160x96", fps=rate))
    each = int(rate) // 25
    assert [found.number for found in pictures(reel, [(160, 96)])] == [n for n in range(50) for _ in range(each)]


def test_join_that_encodes_again_and_loses_a_frame_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    form = form_of()
    bench = Bench(tmp_path)
    clips = [
        bench.clip(media.numbered(numbered(1, seconds=0.5)), form),
        bench.clip(media.numbered(numbered(2, seconds=0.5)), other_encoder(form, bf="0")),
    ]
    assert not bench.join(clips, tmp_path / "reel.mp4", form)
    bench.ffmpeg = MistakenFfmpeg(lambda graph: graph.replace("fps=", "select=not(eq(n\\,10)),fps=", 1))
    with pytest.raises(VerificationError, match="frame 10 shows decoded frame 9"):
        bench.join(clips, tmp_path / "again.mp4", form)
