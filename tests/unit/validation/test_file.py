"""The verdict on a file: what is a clip passes, what is none is refused by name, and nothing raises."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.damage import DeepLook
from mpt_cli.model.clips import Dimensions, Orientation
from mpt_cli.model.errors import IssueCode, ProbeError
from mpt_cli.validation.file import FileValidator
from tests.builders import media_of
from tests.looks import AudioHere, nothing_lost, probe_here, share_here
from tests.media import MediaFolder, Recipe, Tone, run_ffmpeg
from tests.oddities import damaged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import FileValidationResult
    from mpt_cli.runtime.cancel import CancelToken

SILENT_MKV = Recipe(sound=None, suffix=".mkv", keyframe_interval=1)


def verdict(path: Path, *, scan: bool = False, deep: bool = False, **limits: Any) -> FileValidationResult:
    """The verdict with these limits, by a look into the real file."""
    validator = FileValidator(
        ValidationConfig(**limits),
        probe=probe_here,
        decoded_share=DeepLook(Ffmpeg(), share_here),
        audio_loss=AudioHere().audio_loss,
    )
    return validator.validate_video_file(path, scan=scan, deep=deep)


def judged(found: MediaInfo | Exception, path: Path, *, share: float = 1.0, **limits: Any) -> FileValidationResult:
    """The deep verdict on a file that is said to hold this."""

    def say(path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None) -> MediaInfo:
        if isinstance(found, Exception):
            raise found
        return found

    validator = FileValidator(
        ValidationConfig(**limits),
        probe=say,
        decoded_share=lambda _path, _media, *, cancel: share,
        audio_loss=nothing_lost,
    )
    return validator.validate_video_file(path, deep=True)


def codes(result: FileValidationResult) -> list[IssueCode]:
    """The codes of all errors."""
    assert all(issue.path == result.path for issue in (*result.errors, *result.warnings))
    return [issue.code for issue in result.errors]


@pytest.fixture
def some_file(tmp_path: Path) -> Path:
    """A file that is there and is not empty."""
    path = tmp_path / "some.mp4"
    path.write_bytes(b"something")
    return path


# --- valid files ----------------------------------------------------------------------------------

VALID = {
    "mp4": Recipe(),
    "mov without sound": Recipe(suffix=".mov", sound=None),
    "hevc in mkv": Recipe(codec="libx265", suffix=".mkv"),
    "vp9 in webm": Recipe(codec="libvpx-vp9", suffix=".webm", sound=Tone(codec="libopus")),
    "gif": Recipe(codec="gif", pixel_format="rgb8", suffix=".gif", sound=None, fps="10"),
    "broadcast gxf": Recipe(codec="mpeg2video", suffix=".gxf", sound=None, size="720x576", fps="25", seconds=0.4),
    "transport stream": Recipe(suffix=".ts", start=100.0),
    "one picture": Recipe(seconds=0.04, fps="25", sound=None),
    "interlaced": Recipe(interlaced=True, fps="25", size="160x96"),
}


@pytest.mark.anchor("T031")
@pytest.mark.parametrize("kind", VALID)
@pytest.mark.core(3)
def test_a_clip_is_valid_however_closely_it_is_looked_at(media: MediaFolder, kind: str) -> None:
    path = media.make(VALID[kind])
    for look in ({"scan": False}, {"scan": True}, {"deep": True}):
        result = verdict(path, **look)
        assert (result.errors, result.warnings) == ((), ())
        assert result.media is not None
        assert result.is_valid


def test_lengths_are_exact_only_where_packets_are_read(media: MediaFolder) -> None:
    path = media.make(Recipe(seconds=12.0, size="320x240", source="testsrc", options=("-crf", "4")))
    looks = [verdict(path), verdict(path, scan=True), verdict(path, deep=True)]
    assert [look.media is not None and look.media.scanned for look in looks] == [False, True, True]


# --- files that are no clips ----------------------------------------------------------------------


def _cut_off(media: MediaFolder, path: Path) -> None:
    whole = media.make().read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _noise(_: MediaFolder, path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))


def _hollow(media: MediaFolder, path: Path) -> None:
    path.write_bytes(damaged(media.make(SILENT_MKV), every=1))


@pytest.mark.anchor("T032")
@pytest.mark.parametrize("scan", [True, False])
@pytest.mark.parametrize(
    ("build", "suffix", "code"),
    [
        (_cut_off, ".mp4", IssueCode.NOT_MEDIA),
        (_noise, ".mp4", IssueCode.NOT_MEDIA),
        (_hollow, ".mkv", IssueCode.NO_FRAMES),
    ],
)
def test_a_corrupted_file_is_refused(
    media: MediaFolder,
    tmp_path: Path,
    build: Callable[[MediaFolder, Path], None],
    suffix: str,
    code: IssueCode,
    *,
    scan: bool,
) -> None:
    path = tmp_path / f"corrupted{suffix}"
    build(media, path)
    result = verdict(path, scan=scan)
    assert codes(result) == [code]
    assert result.media is None


@pytest.mark.heavy
def test_whatever_the_bytes_are_there_is_a_verdict_and_no_exception(media: MediaFolder, tmp_path: Path) -> None:
    chance, path = random.Random(20), tmp_path / "mutant.mp4"
    verdicts = set()
    for source in (media.make(seconds=0.2), media.make(SILENT_MKV, seconds=0.2)):
        for _ in range(25):
            data = bytearray(source.read_bytes())
            for place in chance.sample(range(len(data)), chance.choice((1, 10, 100))):
                data[place] = chance.randrange(256)
            path.write_bytes(data)
            result = verdict(path, deep=True)
            assert result.is_valid == (not codes(result))
            assert (result.media is not None) or result.errors
            verdicts.add(result.is_valid)
    assert verdicts == {True, False}


def _text(_: MediaFolder, path: Path) -> None:
    path.write_text("This is no film.\n" * 100, encoding="ascii")


def _playlist(media: MediaFolder, path: Path) -> None:
    path.write_text(f"#EXTM3U\n#EXTINF:1,\n{media.make()}\n", encoding="utf-8")


def _image(_: MediaFolder, path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", "-f", "image2", "-c:v", "png", path)


def _sound(media: MediaFolder, path: Path) -> None:
    run_ffmpeg("-i", media.make(), "-vn", "-c:a", "copy", path)


def _encrypted(media: MediaFolder, path: Path) -> None:
    key, name = "0" * 31 + "1", "0" * 31 + "2"
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", name)
    run_ffmpeg("-i", media.make(), "-c", "copy", *scheme, path)


@pytest.mark.anchor("T033")
@pytest.mark.parametrize(
    ("build", "code"),
    [
        (_text, IssueCode.NOT_MEDIA),
        (_playlist, IssueCode.PLAYLIST_REFUSED),
        (_image, IssueCode.STILL_IMAGE),
        (_sound, IssueCode.NO_VIDEO_STREAM),
        (_encrypted, IssueCode.ENCRYPTED),
    ],
)
def test_a_file_of_an_unsupported_kind_is_refused_by_name_whatever_it_is_called(
    media: MediaFolder, tmp_path: Path, build: Callable[[MediaFolder, Path], None], code: IssueCode
) -> None:
    path = tmp_path / "looks-like-a-clip.mp4"
    build(media, path)
    assert codes(verdict(path)) == [code]


@pytest.mark.anchor("T034")
def test_an_empty_file_is_empty_also_behind_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "empty.mp4", tmp_path / "link.mp4"
    path.touch()
    link.symlink_to(path)
    for empty in (path, link):
        assert codes(verdict(empty)) == [IssueCode.FILE_EMPTY]


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("build", "kind"), [(_folder, "a folder"), (os.mkfifo, "a pipe"), (_socket, "a socket"), (_device, "a device")]
)
def test_what_is_no_file_is_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Callable[[Path], None], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name may be only a hundred bytes long
    path = tmp_path / "clip.mp4"
    build(path)
    opened = AssertionError("was opened")
    result = judged(opened, path)
    assert codes(result) == [IssueCode.NOT_A_FILE]
    assert kind in result.errors[0].message


@pytest.mark.parametrize("dangling", [False, True])
def test_a_file_that_is_not_there_says_so(tmp_path: Path, *, dangling: bool) -> None:
    path = tmp_path / "missing.mp4"
    if dangling:
        path.symlink_to("nowhere.mp4")
    assert codes(verdict(path)) == [IssueCode.FILE_NOT_FOUND]


def test_path_with_backslashes_is_told_how_to_write_it(tmp_path: Path) -> None:
    hints = [verdict(tmp_path / name).errors[0].hint or "" for name in ("a.mp4", r"clips\a.mp4", "clips\new.mp4")]
    assert ["/ between folders" in hint for hint in hints] == [False, True, True]
    assert "job file" in hints[2]


@pytest.mark.anchor("T035")
def test_a_file_without_permission_is_not_readable_and_the_hint_says_what_to_do(some_file: Path) -> None:
    result = judged(PermissionError(13, "Permission denied"), some_file)
    assert codes(result) == [IssueCode.NOT_READABLE]
    assert "Permission denied" in result.errors[0].message
    assert result.errors[0].hint == "check its permissions"


def test_a_path_below_a_file_does_not_exist(some_file: Path) -> None:
    assert codes(verdict(some_file / "clip.mp4")) == [IssueCode.FILE_NOT_FOUND]


@pytest.mark.parametrize("name", ["loop.mp4", f"{'x' * 300}.mp4"])
def test_a_path_that_leads_nowhere_is_not_readable_and_permissions_are_not_blamed(some_file: Path, name: str) -> None:
    (some_file.parent / "loop.mp4").symlink_to("loop.mp4")
    result = verdict(some_file.parent / name)
    assert codes(result) == [IssueCode.NOT_READABLE]
    assert result.errors[0].hint is None


@pytest.mark.parametrize("error", [ValueError("odd"), ZeroDivisionError("odd"), MemoryError("odd")])
def test_a_file_that_the_probe_trips_over_costs_only_itself(some_file: Path, error: Exception) -> None:
    result = judged(error, some_file)
    assert codes(result) == [IssueCode.PROBE_FAILED]
    assert "odd" in result.errors[0].message


def test_a_refusal_of_the_probe_is_passed_on_whole(some_file: Path) -> None:
    refusal = ProbeError(IssueCode.PROBE_TIMEOUT, "took too long", path=some_file, hint="is the disk asleep?")
    assert judged(refusal, some_file).errors == (refusal.issue,)


def test_a_file_may_be_as_large_as_the_limit(media: MediaFolder) -> None:
    path = media.make()
    size = path.stat().st_size
    assert codes(verdict(path, max_file_size=size)) == []
    assert codes(verdict(path, max_file_size=size - 1)) == [IssueCode.FILE_TOO_LARGE]


def test_more_streams_than_allowed_are_refused(media: MediaFolder) -> None:
    assert codes(verdict(media.make(), max_streams=2)) == []
    assert codes(verdict(media.make(), max_streams=1)) == [IssueCode.LIMIT_EXCEEDED]


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.anchor("T036")
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (Fraction(-1), IssueCode.INVALID_DURATION),
        (Fraction(0), IssueCode.INVALID_DURATION),
        (Fraction(1, 1000), None),
        (Fraction(24 * 3600), None),
        (Fraction(24 * 3600) + Fraction(1, 1000), IssueCode.LIMIT_EXCEEDED),
    ],
)
def test_a_clip_lasts_longer_than_nothing_and_no_longer_than_a_day(
    some_file: Path, seconds: Fraction, code: IssueCode | None
) -> None:
    assert codes(judged(media_of(duration=seconds), some_file)) == ([code] if code else [])


@pytest.mark.anchor("T036")
def test_a_real_clip_may_be_as_long_as_the_limit(media: MediaFolder) -> None:
    path = media.make(sound=Tone(seconds=0.5))
    assert codes(verdict(path, scan=True, max_duration=1)) == []
    assert codes(verdict(path, scan=True, max_duration="0.999")) == [IssueCode.LIMIT_EXCEEDED]


@pytest.mark.anchor("T037")
@pytest.mark.parametrize(
    ("recipe", "ratio"),
    [
        (Recipe(size="256x64"), None),
        (Recipe(size="64x256"), None),
        (Recipe(size="258x64"), "4.03"),
        (Recipe(size="62x256"), "0.24"),
        (Recipe(size="320x32", rotation=90), "0.10"),
        (Recipe(size="160x90", sar="5/1"), "8.89"),
        (Recipe(size="160x32", sar="1/5"), None),
    ],
)
def test_an_extreme_shape_is_a_warning_about_what_is_shown(
    media: MediaFolder, recipe: Recipe, ratio: str | None
) -> None:
    result = verdict(media.make(replace(recipe, sound=None, seconds=0.2)))
    assert result.is_valid
    assert [issue.code for issue in result.warnings] == ([IssueCode.EXTREME_ASPECT_RATIO] if ratio else [])
    assert not ratio or ratio in result.warnings[0].message


@pytest.mark.anchor("T037")
def test_an_extreme_shape_does_not_hide_what_else_is_wrong(some_file: Path) -> None:
    result = judged(media_of(duration=Fraction(0), video={"dimensions": Dimensions(8, 800)}), some_file)
    assert codes(result) == [IssueCode.DIMENSIONS_TOO_SMALL, IssueCode.INVALID_DURATION]
    assert [issue.code for issue in result.warnings] == [IssueCode.EXTREME_ASPECT_RATIO]


SMALL, LARGE = IssueCode.DIMENSIONS_TOO_SMALL, IssueCode.DIMENSIONS_TOO_LARGE


@pytest.mark.anchor("T038")
@pytest.mark.parametrize(
    ("size", "code"),
    [
        ("16x16", None),
        ("15x16", SMALL),
        ("16x15", SMALL),
        ("16384x8192", None),  # the most pixels
        ("16384x8193", LARGE),
        ("16385x16", LARGE),
        ("16x16385", LARGE),
    ],
)
def test_sizes_are_fine_up_to_their_limits(some_file: Path, size: str, code: IssueCode | None) -> None:
    found = media_of(video={"dimensions": Dimensions.parse(size)})
    assert codes(judged(found, some_file)) == ([code] if code else [])


@pytest.mark.anchor("T038")
def test_the_size_that_counts_is_the_one_that_is_shown(media: MediaFolder, some_file: Path) -> None:
    lying = media.make(rotation=90, sound=None, seconds=0.2)
    assert codes(verdict(lying, max_width=90, max_height=160)) == []
    assert codes(verdict(lying, max_width=160, max_height=90)) == [LARGE]
    squeezed = media_of(video={"dimensions": Dimensions(32, 32), "sar": Fraction(1, 4)})
    assert codes(judged(squeezed, some_file)) == [SMALL]
    turned = media_of(video={"dimensions": Dimensions(9, 16), "orientation": Orientation(270)})
    assert codes(judged(turned, some_file, min_width=16, min_height=9)) == []


def test_dolby_vision_that_only_it_can_show_is_refused(some_file: Path) -> None:
    assert codes(judged(media_of(video={"hdr": "dolby_vision"}), some_file)) == [IssueCode.UNSUPPORTED_COLOR]
    assert codes(judged(media_of(video={"hdr": "pq"}), some_file)) == []


# --- deep ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "valid"), [(0.5, True), (0.499, False)])
def test_half_is_enough(some_file: Path, share: float, *, valid: bool) -> None:
    result = judged(media_of(), some_file, share=share)
    assert result.is_valid is valid
    assert [issue.code for issue in (*result.errors, *result.warnings)] == [IssueCode.DAMAGED]


def test_what_is_refused_anyway_is_not_decoded(some_file: Path) -> None:
    assert codes(judged(media_of(duration=Fraction(0)), some_file, share=0.1)) == [IssueCode.INVALID_DURATION]
