"""What of a file is not read is said: an end that is missing, another movie behind the first one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProbeError
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import MediaFolder, Recipe, Tone

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo

PLAIN = Recipe(seconds=3.0, fps="25", keyframe_interval=25)
KINDS = {
    "mp4, index in front": replace(PLAIN, options=("-movflags", "+faststart")),
    "mp4, fragments": replace(PLAIN, options=("-movflags", "frag_keyframe+empty_moov")),
    "mkv": replace(PLAIN, suffix=".mkv"),
    "mkv, live": replace(PLAIN, suffix=".mkv", options=("-live", "1")),
    "webm": replace(PLAIN, suffix=".webm", codec="libvpx-vp9", sound=Tone(codec="libopus")),
    "avi": replace(PLAIN, suffix=".avi", codec="mpeg4", sound=Tone(codec="libmp3lame")),
    "wmv": replace(PLAIN, suffix=".wmv", codec="wmv2", sound=Tone(codec="wmav2")),
    "flv": replace(PLAIN, suffix=".flv"),
    "ogv": replace(PLAIN, suffix=".ogv", codec="libtheora", sound=None),
    "mxf": replace(PLAIN, suffix=".mxf", codec="mpeg2video", sound=Tone(codec="pcm_s16le")),
    "rm": replace(PLAIN, suffix=".rm", codec="rv20", size="176x144", sound=None),
    "ts": replace(PLAIN, suffix=".ts", sound=Tone(codec="mp2")),
    "gif": replace(PLAIN, suffix=".gif", codec="gif", pixel_format="rgb8", sound=None),
    "ivf": replace(PLAIN, suffix=".ivf", codec="libvpx-vp9", sound=None),
    "y4m": replace(PLAIN, suffix=".y4m", codec="wrapped_avframe", sound=None, seconds=0.4),
}
REAL_MEDIA = replace(KINDS["rm"], sound=Tone(codec="ac3"))
TOLD = ("mp4, index in front", "mkv", "avi", "wmv", "flv", "mxf", "rm", "ivf")
"""Those whose head tells how long they are."""
NOT_READ = ("mp4, index in front", "mp4, fragments", "wmv", "flv", "ogv", "rm", "ivf", "y4m")
READ_ON = ("mkv", "mkv, live", "webm", "avi", "ts", "gif")


def issues(path: Path) -> tuple[Issue, ...]:
    """What is said of a file, as warnings or when it is refused."""
    try:
        return probe(path, scan=True).warnings
    except ProbeError as error:
        return (error.issue,)


def cut(whole: Path, folder: Path, share: float) -> Path:
    """The first part of a file."""
    part = folder / f"cut{whole.suffix}"
    part.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    return part


def joined(folder: Path, *paths: Path) -> Path:
    """Files one behind another."""
    both = folder / f"joined{paths[0].suffix}"
    both.write_bytes(b"".join(path.read_bytes() for path in paths))
    return both


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.505, 0.905])
@pytest.mark.core(1)
def test_file_that_was_cut_off_is_said_to_be(media: MediaFolder, tmp_path: Path, kind: str, share: float) -> None:
    whole = media.make(KINDS[kind])
    assert issues(whole) == ()
    assert [issue.code for issue in issues(cut(whole, tmp_path, share))] == [IssueCode.TRUNCATED]


@pytest.mark.parametrize("kind", TOLD)
@pytest.mark.core(2)
def test_file_cut_below_half_is_refused(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    with pytest.raises(ProbeError, match=r" s of 3\.\d+ s ") as refused:
        probe(cut(media.make(KINDS[kind]), tmp_path, 0.3), scan=False)
    assert refused.value.code is IssueCode.TRUNCATED


@pytest.mark.parametrize("kind", [KINDS["flv"], REAL_MEDIA], ids=["flv", "rm, which ends in an error"])
def test_cut_clip_makes_a_reel_of_what_is_held(media: MediaFolder, tmp_path: Path, kind: Recipe) -> None:
    part = cut(media.make(kind), tmp_path, 0.9)
    held = probe(part, scan=True).duration
    result = make_reel(tmp_path / "reel.mp4", [part], config_of(fps="25"))
    assert [issue.code for issue in result.warnings] == [IssueCode.TRUNCATED]
    assert result.output is not None
    assert abs(result.output.duration - held) <= Fraction(1, 50)
    assert held < Fraction(29, 10)


def test_length_of_a_header_does_not_count_after_an_error(media: MediaFolder, tmp_path: Path) -> None:
    """A RealMedia file that is cut off ends in an error of libav."""
    part = cut(media.make(KINDS["rm"]), tmp_path, 0.8)
    found = probe(part, scan=False)
    assert found.scanned
    assert found.duration < Fraction(27, 10)


@pytest.mark.parametrize("kind", NOT_READ)
@pytest.mark.core(2)
def test_movie_behind_the_first_one_is_said_not_to_be_read(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    first = media.make(KINDS[kind])
    both = joined(tmp_path, first, media.make(KINDS[kind], seconds=KINDS[kind].seconds / 2, source="testsrc"))
    found = probe(both, scan=True)
    assert [issue.code for issue in found.warnings] == [IssueCode.DATA_NOT_READ]
    assert found.duration == probe(first, scan=True).duration


@pytest.mark.parametrize("kind", READ_ON)
def test_movie_behind_the_first_one_is_read_where_it_can_be(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    first = media.make(KINDS[kind])
    both = probe(joined(tmp_path, first, first), scan=True)
    assert both.warnings == ()
    assert abs(both.duration - 2 * probe(first, scan=True).duration) < Fraction(1, 10)


def test_movie_longer_than_the_first_one_behind_it_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    both = joined(tmp_path, media.make(PLAIN, seconds=1.0), media.make(PLAIN))
    assert [issue.code for issue in issues(both)] == [IssueCode.DATA_NOT_READ]
    with pytest.raises(ProbeError, match=r"about 3\.0 s"):
        probe(both, scan=False)


@pytest.mark.parametrize("options", [(), ("-live", "1")], ids=["lengths told", "live"])
def test_pieces_of_a_browser_recording_play_one_after_another(
    media: MediaFolder, tmp_path: Path, options: tuple[str, ...]
) -> None:
    low = Recipe(
        suffix=".webm", codec="libvpx", fps="25", seconds=1.0, options=options,
        sound=Tone((500.0,), codec="libopus"), source="color=red",
    )  # fmt: skip
    high = replace(low, sound=Tone((1000.0,), codec="libopus"), source="color=blue")
    both = joined(tmp_path, media.make(low), media.make(high))
    result = make_reel(tmp_path / "reel.mp4", [both], config_of(fps="25"))
    assert result.warnings == ()
    assert result.output is not None
    assert result.output.frames == 50
    colors = [frame.to_ndarray(format="rgb24")[45, 80] for frame in reader.frames(tmp_path / "reel.mp4")]
    assert [int(color.argmax()) for color in colors] == [0] * 25 + [2] * 25


def test_piece_with_other_tracks_is_said_not_to_be_read(media: MediaFolder, tmp_path: Path) -> None:
    first = media.make(PLAIN, suffix=".mkv")
    both = joined(tmp_path, first, media.make(PLAIN, suffix=".mkv", size="320x180"))
    found: MediaInfo = probe(both, scan=True)
    assert [issue.code for issue in found.warnings] == [IssueCode.DATA_NOT_READ]
    assert found.readable_bytes == first.stat().st_size


@pytest.mark.parametrize("whole", [True, False], ids=["decodes", "does not decode"])
def test_duration_of_a_last_frame_counts_only_where_it_decodes(
    media: MediaFolder, tmp_path: Path, *, whole: bool
) -> None:
    """A GIF says how long a frame lasts in front of it: 21 f9 04, flags, hundredths of a second."""
    data = bytearray(media.make(KINDS["gif"], seconds=1.0).read_bytes())
    control = data.rfind(b"\x21\xf9\x04")
    data[control + 4 : control + 6] = (200).to_bytes(2, "little")
    palette = data[control + 17]
    if not whole:
        data[control + 18 + (3 * (2 << (palette & 7)) if palette & 128 else 0)] = 60  # bits of a code
    path = tmp_path / "last.gif"
    path.write_bytes(data)
    found = probe(path, scan=True)
    assert (found.duration > Fraction(5, 2)) is whole
    assert found.warnings == ()
