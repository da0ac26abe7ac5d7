"""``mpt validate`` looks at what an INPUT stands for, and says of each clip what it is and what is wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import audio_clips
from tests.cli.conftest import Done, Mpt, events_of, run_program
from tests.media import Tone

if TYPE_CHECKING:
    from tests.media import MediaFolder


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """An ordinary clip."""
    return media.make(seconds=0.2)


@pytest.fixture
def place(clip: Path, here: Path) -> Place:
    """Puts copies of the clip under these names into the test's folder."""

    def copies(*names: str) -> None:
        for name in names:
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clip, here / name)

    return copies


if TYPE_CHECKING:
    from collections.abc import Callable

    Place = Callable[..., None]


def names(done: Done) -> list[str]:
    """Paths of all clips, as seen from the working folder."""
    return [os.path.relpath(entry["path"]) for entry in done.data["clips"]]


# --- what an input stands for -------------------------------------------------------------------


def test_a_folder_is_its_video_files_in_natural_order(mpt: Mpt, place: Place) -> None:
    place("in/b10.mp4", "in/B9.MOV", "in/a.mp4", "in/.hidden.mp4", "in/sub/deep.mp4", "in/notes.txt")
    done = mpt("validate", "in", "--json")
    assert done.code == 0
    assert names(done) == ["in/a.mp4", "in/B9.MOV", "in/b10.mp4"]


@pytest.mark.core
def test_inputs_keep_their_order_and_may_repeat(mpt: Mpt, place: Place) -> None:
    place("b.mp4", "a.mp4")
    assert names(mpt("validate", "b.mp4", "a.mp4", "./b.mp4", "--json")) == ["b.mp4", "a.mp4", "b.mp4"]


def test_folder_says_what_it_leaves_out(mpt: Mpt, place: Place, here: Path) -> None:
    place("in/a.mp4", "in/b.MOD", "in/sub/c.mp4")
    for name in ("1.jpg", "2.jpg", "x.mp3"):
        (here / "in" / name).touch()
    assert "left out: 2 photos, 1 audio file, 1 subfolder" in mpt("validate", "in", "--strict").out.splitlines()
    done = mpt("validate", "in", "--json", "--strict")
    assert (done.code, names(done)) == (0, ["in/a.mp4", "in/b.MOD"])
    assert [(entry["kind"], entry["count"]) for entry in done.data["left_out"]] == [
        ("photo", 2),
        ("audio", 1),
        ("folder", 1),
    ]


def test_unfinished_download_is_a_warning_and_an_error_if_strict(mpt: Mpt, place: Place, here: Path) -> None:
    place("in/a.mp4", "in/b.mp4.part")
    done = mpt("validate", "in", "--json")
    assert (done.code, names(done)) == (0, ["in/a.mp4"])
    (warning,) = done.document["warnings"]
    assert (warning["code"], warning["path"]) == ("download_unfinished", str(here / "in"))
    strict = mpt("validate", "in", "--json", "--strict")
    assert (strict.code, strict.codes, strict.document["warnings"]) == (3, ["download_unfinished"], [])
    assert "b.mp4.part" in mpt("validate", "in").err


def test_a_pattern_that_the_shell_left_alone_is_expanded(mpt: Mpt, place: Place) -> None:
    place("in/clip10.mp4", "in/clip9.mp4", "in/other.mov")
    assert names(mpt("validate", "in/clip*.mp4", "--json")) == ["in/clip9.mp4", "in/clip10.mp4"]


def test_a_name_that_exists_is_no_pattern(mpt: Mpt, place: Place) -> None:
    place("clip[1].mp4", "clip1.mp4")
    assert names(mpt("validate", "clip[1].mp4", "--json")) == ["clip[1].mp4"]


def test_links_are_followed(mpt: Mpt, place: Place, here: Path) -> None:
    place("in/real.mp4")
    (here / "folder").symlink_to("in")
    (here / "link.mp4").symlink_to("in/real.mp4")
    assert names(mpt("validate", "folder", "link.mp4", "--json")) == ["folder/real.mp4", "link.mp4"]


@pytest.mark.parametrize("source", ["nothing*.mp4", "empty", "-"])
@pytest.mark.core(1)
def test_an_input_that_matches_nothing_is_an_error(mpt: Mpt, here: Path, source: str) -> None:
    (here / "empty").mkdir()
    done = mpt("validate", source, "--json")
    assert (done.code, done.codes) == (3, ["no_match"])
    assert done.document["errors"][0]["hint"]


def test_nothing_to_find_beside_something_is_an_error_too(mpt: Mpt, place: Place) -> None:
    place("a.mp4")
    done = mpt("validate", "a.mp4", "x*.mp4")
    assert done.code == 3
    assert "1 clip: 1 valid" in done.out
    assert "'x*.mp4' matches no file (no_match)" in done.err


def test_list_of_another_system_is_read(mpt: Mpt, place: Place) -> None:
    place("a.mp4", "in/b c.mp4")
    listed = "\ufeffa.mp4\r\nin\\b c.mp4\r\n"
    for encoding in ("utf-8", "utf-16-le"):
        assert names(mpt("validate", "-", "--json", stdin=listed.encode(encoding))) == ["a.mp4", "in/b c.mp4"]


def test_paths_on_stdin_are_taken_literally(mpt: Mpt, place: Place) -> None:
    place("a.mp4", "with space.mp4", "star*.mp4", "z.mp4")
    done = mpt("validate", "z.mp4", "-", "--json", stdin=b"with space.mp4\n\nstar*.mp4\na.mp4")
    assert names(done) == ["z.mp4", "with space.mp4", "star*.mp4", "a.mp4"]


@pytest.mark.parametrize("option", ["-0", "--null"])
def test_names_with_line_breaks_come_with_nul(place: Place, option: str) -> None:
    place("two\nlines.mp4", "-o.mp4")
    done = run_program("validate", option, "--json", "-", stdin=b"two\nlines.mp4\0-o.mp4\0")
    assert done.code == 0
    assert names(done) == ["two\nlines.mp4", "-o.mp4"]


def test_a_name_after_two_dashes_is_no_option(mpt: Mpt, place: Place) -> None:
    place("--json")
    done = mpt("validate", "--color", "never", "--", "--json")
    assert done.code == 0
    assert "1 clip: 1 valid" in done.out


def test_bytes_that_are_no_text_come_through(clip: Path, here: Path) -> None:
    name = os.fsdecode(b"bad\xff.mp4")
    shutil.copy(clip, here / name)
    done = run_program("validate", name, "--json")
    assert names(done) == [name]
    shown = run_program("validate", name)
    assert (shown.code, r"bad\xff.mp4" in shown.out) == (0, True)


# --- verdicts -----------------------------------------------------------------------------------


@pytest.mark.core
def test_every_kind_of_wrong_file_has_its_code(mpt: Mpt, place: Place, here: Path) -> None:
    place("good.mp4")
    (here / "empty.mp4").touch()
    (here / "text.mp4").write_text("no video at all\n" * 100)
    (here / "folder.mp4").mkdir()
    (here / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n")
    os.mkfifo(here / "pipe.mp4")
    wrong = ("missing.mp4", "empty.mp4", "text.mp4", "pipe.mp4", "list.mp4")
    done = mpt("validate", "good.mp4", *wrong, "http://localhost/a.mp4", "--json")
    assert done.code == 3
    own = {Path(entry["path"]).name: entry["errors"][0]["code"] for entry in done.data["clips"] if not entry["valid"]}
    codes = ("file_not_found", "file_empty", "not_media", "not_a_file", "playlist_refused")
    assert own == dict(zip(wrong, codes, strict=True))
    assert sorted(done.codes) == sorted([*codes, "url_refused"])
    assert done.data["summary"] == {"total": 6, "valid": 1, "invalid": 5, "with_warnings": 0}


@pytest.mark.core
def test_the_document_tells_what_a_clip_is(mpt: Mpt, media: MediaFolder) -> None:
    sound = Tone(hertz=(440.0, 660.0), sample_rate=44_100)
    path = media.make(seconds=1.0, size="96x64", fps="25", rotation=90, sound=sound)
    (entry,) = mpt("validate", path, "--json").data["clips"]
    found = entry["media"]
    video = {key: found["video"][key] for key in ("codec", "width", "height", "display_width", "display_height", "fps")}
    assert video == {
        "codec": "h264",
        "width": 96,
        "height": 64,
        "display_width": 64,
        "display_height": 96,
        "fps": "25",
    }
    assert found["audio"] == {"codec": "aac", "channels": 2, "layout": "stereo", "sample_rate": 44_100}
    assert found["size_bytes"] == path.stat().st_size
    assert found["duration_seconds"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.core
def test_the_table_has_a_row_for_each_clip_and_its_problems_below(mpt: Mpt, place: Place) -> None:
    place("a.mp4")
    done = mpt("validate", "a.mp4", "missing.mp4")
    _, good, bad, problem, hint, *_ = done.out.splitlines()
    assert good.split() == [
        "ok",
        str(Path("a.mp4").absolute()),
        "mp4,",
        "h264",
        *["160x90", "30", "0.2", "s", "aac", "mono"],
    ]
    assert bad.split()[:2] == ["bad", str(Path("missing.mp4").absolute())]
    assert problem.strip() == "error: does not exist (file_not_found)"
    assert hint.strip().startswith("hint: ")
    assert done.out.endswith("2 clips: 1 valid, 1 invalid\n")


def test_a_webm_is_not_called_matroska(mpt: Mpt, media: MediaFolder) -> None:
    for suffix, name in ((".webm", "webm"), (".mkv", "matroska")):
        clip = media.make(seconds=0.2, codec="libvpx-vp9", sound=None, suffix=suffix)
        assert f"  {name}, vp9" in mpt("validate", clip).out


def test_strict_makes_a_warning_an_error(mpt: Mpt, media: MediaFolder) -> None:
    wide = media.make(seconds=0.2, size="320x32")
    mild = mpt("validate", wide, "--json")
    assert (mild.code, mild.codes) == (0, [])
    assert [issue["code"] for issue in mild.document["warnings"]] == ["extreme_aspect_ratio"]
    assert mild.data["summary"]["with_warnings"] == 1
    strict = mpt("validate", wide, "--strict", "--json")
    assert (strict.code, strict.codes, strict.document["warnings"]) == (3, ["extreme_aspect_ratio"], [])
    assert strict.data["summary"] == {"total": 1, "valid": 0, "invalid": 1, "with_warnings": 0}


def test_only_deep_sees_damage_in_the_middle(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    content = bytearray(media.make(seconds=1.0, sound=None, keyframe_interval=5).read_bytes())
    begin = content.index(b"mdat") + 2000
    content[begin : begin + 12_000] = b"\x55" * 12_000
    (here / "damaged.mp4").write_bytes(content)
    assert mpt("validate", "damaged.mp4").code == 0
    deep = mpt("validate", "damaged.mp4", "--deep", "--json").document
    assert "damaged" in [issue["code"] for issue in (*deep["warnings"], *deep["errors"])]
    assert mpt("validate", "damaged.mp4", "--deep", "--strict").code == 3


def test_limits_come_from_the_configuration(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "strict.toml").write_text('validation.max_file_size = "1kB"\n')
    done = mpt("validate", clip, "-c", "strict.toml", "--json")
    assert (done.code, done.codes) == (3, ["file_too_large"])


def test_events_of_a_validation(mpt: Mpt, clip: Path) -> None:
    events = events_of(mpt("validate", clip, "missing.mp4", "--jsonl").out, 3)
    assert [event["type"] for event in events] == ["run-started", "validation-finished", "run-finished"]
    assert (events[0]["command"], events[0]["total_clips"]) == ("validate", 2)
    assert (events[1]["valid"], events[1]["invalid"]) == (1, 1)
    assert events[2]["status"] == "error"


def test_quiet_says_only_what_is_wrong(mpt: Mpt, clip: Path) -> None:
    good = mpt("validate", clip, "-q")
    assert (good.code, good.out, good.err) == (0, "", "")
    bad = mpt("validate", clip, "missing.mp4", "-q")
    assert (bad.code, bad.out) == (3, "")
    assert bad.err.splitlines()[0].endswith("missing.mp4: does not exist (file_not_found)")


def test_a_table_in_a_pipe_is_as_wide_as_columns_says_else_whole(mpt: Mpt, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a" * 90 + ".mp4", "b.mp4"]
    whole = mpt("validate", *names).out
    assert names[0] in whole
    monkeypatch.setenv("COLUMNS", "60")
    narrow = mpt("validate", *names).out.splitlines()[:2]
    assert max(map(len, narrow)) <= 60
    assert max(len(line) for line in mpt("config", "show").out.splitlines()[:-1]) <= 60
    for nothing in ("", "0", "wide"):
        monkeypatch.setenv("COLUMNS", nothing)
        assert mpt("validate", *names).out == whole


def test_what_keeps_a_clip_from_being_copied_is_said(mpt: Mpt, media: MediaFolder) -> None:
    alike, odd = media.make(), media.make(size="320x180", seconds=0.5)
    done = mpt("validate", alike, alike, odd, "--deep")
    assert "concat does not copy it: size is 320x180" in done.out
    data = mpt("validate", alike, odd, "--deep", "--json").data
    assert [clip["copy_obstacles"] for clip in data["clips"]] == [[], ["size is 320x180"]]


def test_clips_that_differ_in_loudness_are_named_where_all_is_decoded(mpt: Mpt, here: Path) -> None:
    loud, soft = (
        audio_clips.clip(here / f"{name}.mp4", audio_clips.tone(500, 2), "-af", f"volume={db}dB")
        for name, db in (("a", 0), ("b", -20))
    )
    done = mpt("validate", loud, soft, "--deep", "--json")
    assert (done.code, [warning["code"] for warning in done.document["warnings"]]) == (0, ["loudness_differs"])
    levels = [each["lufs"] for each in done.document["data"]["clips"]]
    assert levels[0] - levels[1] == pytest.approx(20, abs=1)
    assert mpt("validate", loud, soft, "--deep", "--strict", "--json").codes == ["loudness_differs"]
