"""``mpt concat`` copies pictures where that is safe, and makes uniform what is not."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.cli.options import REEL
from mpt_cli.settings.merged import Settings
from tests import reader
from tests.cli.conftest import Mpt, events_of
from tests.fakes import stand_in
from tests.integration.reels import of, problems
from tests.media import Color, numbered

if TYPE_CHECKING:
    from tests.media import MediaFolder

FIRST, SECOND = numbered(1, seconds=0.5), numbered(2, seconds=0.3)


@pytest.fixture
def parts(mpt: Mpt, media: MediaFolder) -> tuple[str, str]:
    """Two reels of one clip each, in the same form."""
    for name, clip in (("one.mp4", FIRST), ("two.mp4", SECOND)):
        options = ("--size", "160x90", "--fps", "30", "--quality", "draft")
        assert mpt("process", media.numbered(clip), "-o", name, *options).code == 0
    return "one.mp4", "two.mp4"


def pictures_of(*paths: str) -> list[int]:
    """Sizes of the coded pictures of files, one after another."""
    return [packet.size for path in paths for packet in reader.track(Path(path)).packets]


@pytest.mark.parametrize("method", ["auto", "copy"])
def test_parts_of_the_same_form_are_joined_without_encoding(mpt: Mpt, parts: tuple[str, str], method: str) -> None:
    done = mpt("concat", *parts, "-o", "whole.mp4", "--method", method, "--json")
    assert done.code == 0
    assert [clip["action"] for clip in done.data["clips"]] == ["copy", "copy"]
    assert done.data["concatenation"]["stream_copy"] is True
    assert pictures_of("whole.mp4") == pictures_of(*parts)
    assert problems(Path("whole.mp4"), of(FIRST, SECOND), Fraction(30)) == []


def test_reencode_copies_nothing(mpt: Mpt, parts: tuple[str, str]) -> None:
    done = mpt("concat", *parts, "-o", "whole.mp4", "--method", "reencode", "--crf", "40", "--json")
    assert {clip["action"] for clip in done.data["clips"]} == {"encode"}
    assert sum(pictures_of("whole.mp4")) < sum(pictures_of(*parts))
    assert problems(Path("whole.mp4"), of(FIRST, SECOND), Fraction(30)) == []


def test_copy_means_copy(mpt: Mpt, parts: tuple[str, str], media: MediaFolder, here: Path) -> None:
    odd, other = media.make(seconds=0.2, size="64x64"), media.make(seconds=0.1, size="96x64")
    before = sorted(here.iterdir())
    done = mpt("concat", parts[0], parts[1], parts[0], odd, other, "-o", "whole.mp4", "--method", "copy", "--json")
    assert (done.code, done.codes) == (3, ["concat_failed", "concat_failed", "validation_failed"])
    error, another, _ = done.document["errors"]
    assert (error["path"], another["path"]) == (str(odd), str(other))
    assert error["message"] == "cannot be copied: size is 64x64, colours are not tagged"
    assert "--method auto" in error["hint"]
    assert sorted(here.iterdir()) == before


def test_moviepy_joins_where_it_is_asked_for(mpt: Mpt, parts: tuple[str, str]) -> None:
    done = mpt("concat", *parts, "-o", "whole.mp4", "--method", "moviepy", "--json")
    assert [clip["action"] for clip in done.data["clips"]] == ["copy", "copy"]
    told = done.data["concatenation"]
    assert (told["method"], told["stream_copy"], told["fallback_reason"]) == ("MoviePy", False, None)
    assert problems(Path("whole.mp4"), of(FIRST, SECOND), Fraction(30)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_moviepy_takes_over_from_an_ffmpeg_that_fails_unless_told_not_to(
    mpt: Mpt, parts: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stand_in(tmp_path, 'case "$*" in *concat.txt*) echo "x.c: no join" >&2; exit 1;; esac')
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(broken))
    failed = mpt("concat", *parts, "-o", "whole.mp4", "--no-fallback", "--json")
    assert (failed.code, failed.codes) == (4, ["concat_failed"])
    assert failed.document["errors"][0]["message"] == "ffmpeg failed: x.c: no join"
    done = mpt("concat", *parts, "-o", "whole.mp4")
    assert done.code == 0
    assert "joined by MoviePy (all frames encoded again; FFmpeg failed: x.c: no join)" in " ".join(done.out.split())
    notice = "FFmpeg failed: x.c: no join; joining by MoviePy instead, which takes longer"
    assert notice in " ".join(done.err.split())
    assert problems(Path("whole.mp4"), of(FIRST, SECOND), Fraction(30)) == []


def test_one_option_forbids_every_replacement() -> None:
    (flag,) = (flag for flag in REEL if "--no-fallback" in flag.names)
    settings = Settings.load(flags={})
    sections = [place.split(".") for place in flag.key.split()]
    assert [getattr(getattr(settings, section), key) for section, key in sections] == [True, True]
    assert (flag.value, {section for section, _ in sections}) == (False, {"encode", "concat"})


def test_one_part_that_has_the_form_is_copied_byte_for_byte(mpt: Mpt, parts: tuple[str, str]) -> None:
    done = mpt("concat", parts[0], "-o", "same.mp4", "--json")
    assert done.data["concatenation"]["method"] == "DirectCopy"
    assert Path("same.mp4").read_bytes() == Path(parts[0]).read_bytes()


def test_the_form_that_holds_the_most_seconds_is_the_target(mpt: Mpt, media: MediaFolder) -> None:
    clips = [
        media.make(seconds=0.2, size="64x64", fps="30"),
        media.make(seconds=0.4, size="96x64", fps="25"),
        media.make(seconds=0.3, size="64x64", fps="30"),
    ]
    assert mpt("concat", *clips, "-o", "whole.mp4").code == 0
    pictures = list(reader.frames(Path("whole.mp4")))
    assert {(picture.width, picture.height) for picture in pictures} == {(64, 64)}
    assert len(pictures) == 6 + 12 + 9


def form_of_plan(plan: dict[str, Any]) -> tuple[Any, ...]:
    """Width, rate and encoder."""
    return plan["width"], plan["fps"], plan["encoder"].split()[0]


def test_the_form_of_the_clips_is_one_thing_and_holds_their_codec(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    hevc = media.make(seconds=0.4, size="96x64", fps="30", codec="libx265")
    clips = (hevc, media.make(seconds=0.3, fps="25"), media.make(seconds=0.3, size="64x64", fps="25"))
    arguments = (*clips, "-o", "whole.mp4", "-n", "--json")
    own, given = (96, "30", "libx265"), (1920, "25", "libx264")
    assert form_of_plan(mpt("concat", *arguments).plan) == own
    assert form_of_plan(mpt("process", *arguments, "--form", "auto").plan) == own
    assert form_of_plan(mpt("process", *arguments).plan) == given
    assert form_of_plan(mpt("concat", *arguments, "--form", "given").plan) == given
    assert form_of_plan(mpt("concat", *arguments, "--codec", "h264").plan) == (96, "30", "libx264")
    assert form_of_plan(mpt("process", *arguments, "--form", "auto", "--size", "48x48").plan)[0] == 48
    (here / "mpt.toml").write_text('video.form = "auto"\nencode.codec = "h264"\n')
    assert form_of_plan(mpt("process", *arguments).plan) == (96, "30", "libx264")


def test_clips_of_one_form_that_mpt_did_not_make_are_copied(mpt: Mpt, media: MediaFolder) -> None:
    clip = media.make(codec="libx265", color=Color(), options=("-x265-params", "open-gop=0:log-level=none"))
    for command in (("concat",), ("process", "--form", "auto")):
        done = mpt(*command, clip, clip, "-o", "whole.mp4", "--overwrite", "--json")
        assert [clip["action"] for clip in done.data["clips"]] == ["copy", "copy"], done.out
        assert done.data["output"]["video_codec"] == "hevc"


def test_a_lying_clip_is_taken_as_it_is_shown(mpt: Mpt, media: MediaFolder) -> None:
    arguments = ("concat", media.make(seconds=0.2, size="96x64", rotation=90), "-o", "whole.mp4", "-n", "--json")
    encoded, kept = mpt(*arguments, "--method", "reencode").plan, mpt(*arguments).plan
    assert (encoded["width"], encoded["height"]) == (64, 96)
    assert (kept["width"], kept["height"]) == (96, 64)  # as stored, and turned by the player


@pytest.mark.core
def test_options_win_over_the_form_of_the_clips(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    (here / "mpt.toml").write_text('video.size = "48x48"\n')
    clip = media.make(seconds=0.4)
    arguments = ("concat", clip, "-o", "whole.mov", "-n", "--json")
    assert mpt(*arguments).plan["width"] == 48
    plan = mpt(*arguments, "--size", "64x32", "--fps", "24", "--codec", "hevc").plan
    assert [plan[key] for key in ("width", "height", "fps", "container")] == [64, 32, "24", "mov"]
    assert plan["encoder"].startswith("libx265")


def test_concat_takes_inputs_as_process_does(mpt: Mpt, parts: tuple[str, str]) -> None:
    arguments = ("concat", "-", "-o", "whole.mp4", "-n", "--json", "-0")
    plan = mpt(*arguments, stdin=b"two.mp4\0one.mp4\0two.mp4\0").plan
    assert [Path(step["path"]).name for step in plan["clips"]] == ["two.mp4", "one.mp4", "two.mp4"]
    assert parts == ("one.mp4", "two.mp4")


def test_events_of_a_join_name_the_command(mpt: Mpt, parts: tuple[str, str]) -> None:
    events = events_of(mpt("concat", *parts, "-o", "whole.mp4", "--jsonl").out, 0)
    assert events[0]["command"] == "concat"
    assert {event["action"] for event in events if event["type"] == "clip-started"} == {"copy"}


@pytest.mark.core
def test_an_unknown_method_names_the_known_ones(mpt: Mpt) -> None:
    done = mpt("concat", "a.mp4", "-o", "b.mp4", "--method", "glue", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert "'glue' is not one of auto, copy, reencode" in done.document["errors"][0]["message"]
