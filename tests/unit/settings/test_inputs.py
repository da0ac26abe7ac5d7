"""What an INPUT stands for."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.left_out import LeftOut, LeftOutKind, left_out_text
from mpt_cli.model.natural_order import natural_key
from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES
from mpt_cli.settings.inputs import Inputs, expand_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


def _make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def _names(folder: Path, *inputs: str) -> list[str]:
    found = expand_inputs(inputs, cwd=folder)
    assert not found.problems
    return [str(path.relative_to(folder)) for path in found.paths]


def _issue(folder: Path, text: str) -> Issue:
    found = expand_inputs([text], cwd=folder)
    assert not found.paths
    (issue,) = found.problems
    assert "\n" not in issue.message
    return issue


def test_folder_gives_its_clips_in_natural_order(tmp_path: Path) -> None:
    _make(tmp_path, "Clip10.mp4", "clip2.MOV", "clip1.mkv", ".hidden.mp4", "notes.txt", "sub/clip3.mp4", "mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert _names(tmp_path, ".") == ["clip1.mkv", "clip2.MOV", "Clip10.mp4"]


def _left_out(folder: Path) -> dict[str, tuple[str, ...]]:
    found = expand_inputs(["."], cwd=folder)
    assert all(entry.folder == folder / "." and entry.count == len(entry.names) for entry in found.left_out)
    return {str(entry.kind): entry.names for entry in found.left_out}


def test_folder_counts_by_kind_what_it_leaves_out(tmp_path: Path) -> None:
    _make(tmp_path, "a.mp4", "IMG_2.HEIC", "IMG_1.jpg", "x.mp3", "x.srt", "notes", "sub/b.mp4", "more.mp4/c.mp4")
    _make(tmp_path, ".hidden.jpg", "Thumbs.db", "desktop.ini")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert _left_out(tmp_path) == {
        "photo": ("IMG_1.jpg", "IMG_2.HEIC"),
        "audio": ("x.mp3",),
        "subtitles": ("x.srt",),
        "folder": ("more.mp4", "sub"),
        "other": ("notes", "pipe.mp4"),
    }
    found = expand_inputs(["."], cwd=tmp_path)
    assert left_out_text(found.left_out[:1]) == "left out: 2 photos"
    assert not found.warnings


def test_folder_of_clips_leaves_out_nothing_and_a_folder_named_twice_does_so_once(tmp_path: Path) -> None:
    _make(tmp_path, "a.mp4", "in/a.mp4", "in/a.jpg")
    assert expand_inputs(["in", "in", "in/a.jpg"], cwd=tmp_path).left_out == (
        LeftOut(tmp_path / "in", LeftOutKind.PHOTO, 1, ("a.jpg",)),
    )
    assert expand_inputs(["a.mp4", "in/*"], cwd=tmp_path).left_out == ()


def test_names_of_what_is_left_out_are_bounded(tmp_path: Path) -> None:
    _make(tmp_path, "a.mp4", *(f"{number}.jpg" for number in range(30)))
    (photos,) = expand_inputs([str(tmp_path)]).left_out
    assert (photos.count, len(photos.names), photos.names[-1]) == (30, 20, "19.jpg")


CAMERAS = "MOV001.MOD PRG001.TOD VID_00_001.insv e.mpeg4 GS010001.360 a.h264 b.HEVC c.m2t d.dv e.mxf f.264 g.3gpp"


def test_folder_takes_what_cameras_write(tmp_path: Path) -> None:
    _make(tmp_path, *CAMERAS.split())
    assert set(_names(tmp_path, ".")) == set(CAMERAS.split())


UNFINISHED = "b.mp4.part d.mp4.crdownload c.f137.mp4 e.temp.mp4 Unconfirmed.crdownload g.mov.tmp h.mkv.!qB i.webm.ytdl"


def test_unfinished_downloads_are_named_in_a_warning(tmp_path: Path) -> None:
    _make(tmp_path, "a.mp4", "scene.f22.mp4", "notes.tmp", "Safari.mp4.download/Safari.mp4", *UNFINISHED.split())
    assert _names(tmp_path, ".") == ["a.mp4", "scene.f22.mp4"]
    names = {*UNFINISHED.split(), "Safari.mp4.download"}
    (warning,) = expand_inputs(["."], cwd=tmp_path).warnings
    assert (warning.code, warning.path) == (IssueCode.DOWNLOAD_UNFINISHED, tmp_path / ".")
    assert "9 unfinished downloads (" in warning.message
    assert warning.hint
    left_out = _left_out(tmp_path)
    assert (set(left_out["download"]), left_out["other"]) == (names, ("notes.tmp",))
    assert expand_inputs(["b.mp4.part"], cwd=tmp_path) == Inputs((tmp_path / "b.mp4.part",))


PREVIEWS = {
    "GoPro": ("GX010021.MP4 GX020021.MP4", "GL010021.LRV GL020021.LRV"),
    "GoPro, old": ("GOPR0007.MP4 GP010007.MP4", "GOPR0007.LRV GP010007.LRV"),
    "DJI": ("DJI_0001.MP4", "DJI_0001.LRF"),
    "Insta360": ("VID_20240501_120000_00_001.insv", "LRV_20240501_120000_11_001.insv"),
    "Insta360, old": ("VID_20240501_120000_00_001.insv", "LRV_20240501_120000_11_001.lrv"),
}


@pytest.mark.parametrize("camera", PREVIEWS)
def test_preview_is_left_out_beside_its_clip_and_taken_alone(tmp_path: Path, camera: str) -> None:
    clips, previews = (names.split() for names in PREVIEWS[camera])
    _make(tmp_path, *previews)
    assert set(_names(tmp_path, ".")) == set(previews)
    _make(tmp_path, *clips)
    assert set(_names(tmp_path, ".")) == set(clips)
    assert set(_left_out(tmp_path)["preview"]) == set(previews)


def test_reels_and_images_of_mpt_are_left_out_by_their_names(tmp_path: Path) -> None:
    _make(tmp_path, "a.mp4", "reel.mp4", "sheet.png", "photo.png", "x.mp3")
    asked: list[tuple[Path, list[str]]] = []

    def made(folder: Path, names: Sequence[str]) -> dict[str, LeftOutKind]:
        asked.append((folder, list(names)))
        return {"reel.mp4": LeftOutKind.REEL, "sheet.png": LeftOutKind.IMAGE}

    found = expand_inputs([".", "reel.mp4"], cwd=tmp_path, made=made)
    assert found.paths == (tmp_path / "a.mp4", tmp_path / "reel.mp4")
    assert asked == [(tmp_path / ".", ["a.mp4", "photo.png", "reel.mp4", "sheet.png"])]
    left_out = {entry.kind: entry.text() for entry in found.left_out}
    assert left_out[LeftOutKind.REEL] == "1 reel made by mpt (reel.mp4)"
    assert left_out[LeftOutKind.IMAGE] == "1 image made by mpt (sheet.png)"
    assert left_out[LeftOutKind.PHOTO] == "1 photo"


def test_folder_that_leaves_out_everything_says_so(tmp_path: Path) -> None:
    _make(tmp_path, "only.jpg", "sub/a.mp4")
    hint = _issue(tmp_path, ".").hint or ""
    assert "1 photo, 1 subfolder" in hint
    assert "name" in hint


def test_folder_follows_links(tmp_path: Path) -> None:
    _make(tmp_path, "real/a.mp4")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/b.mp4").symlink_to("a.mp4")
    (tmp_path / "real/broken.mp4").symlink_to("nowhere")
    (tmp_path / "real/loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "real/elsewhere.mp4").symlink_to(tmp_path)
    # What leads nowhere was a clip once: validation says so, and no reel lacks it in silence.
    assert _names(tmp_path, "link") == ["link/a.mp4", "link/b.mp4", "link/broken.mp4", "link/loop.mp4"]


def test_folder_without_clips_is_no_match(tmp_path: Path) -> None:
    _make(tmp_path, "only.txt")
    issue = _issue(tmp_path, str(tmp_path))
    assert issue.code is IssueCode.NO_MATCH
    assert issue.path == tmp_path


def test_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    issue = _issue(tmp_path, ".")
    assert issue.code is IssueCode.NOT_READABLE
    assert "Permission denied" in issue.message


def test_plain_paths_pass_through_absolute_and_in_order(tmp_path: Path) -> None:
    _make(tmp_path, "b.mp4", "a.xyz")
    assert _names(tmp_path, "b.mp4", "missing.mp4", "a.xyz", "b.mp4") == ["b.mp4", "missing.mp4", "a.xyz", "b.mp4"]
    assert expand_inputs(["/x/y.mp4"], cwd=tmp_path) == Inputs((Path("/x/y.mp4"),))


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert expand_inputs(["a.mp4"]).paths == (tmp_path / "a.mp4",)


def test_glob_is_expanded_in_natural_order(tmp_path: Path) -> None:
    _make(tmp_path, "c10.mp4", "c2.mp4", "c1.txt", ".c3.mp4", "d b/c1.mp4", "d/c1.mp4")
    assert _names(tmp_path, "c*") == ["c1.txt", "c2.mp4", "c10.mp4"]
    assert _names(tmp_path, "c?.mp4") == ["c2.mp4"]
    assert _names(tmp_path, "c[12].*") == ["c1.txt", "c2.mp4"]
    assert _names(tmp_path, "*/c1.mp4") == ["d/c1.mp4", "d b/c1.mp4"]
    assert _names(tmp_path, f"{tmp_path}/c2*") == ["c2.mp4"]


def test_folders_that_a_glob_matches_are_folders(tmp_path: Path) -> None:
    _make(tmp_path, "x1/b.mp4", "x1/a.mp4", "x2.mp4")
    assert _names(tmp_path, "x*") == ["x1/a.mp4", "x1/b.mp4", "x2.mp4"]


def test_a_name_that_exists_is_literal(tmp_path: Path) -> None:
    _make(tmp_path, "clip[1].mp4", "clip1.mp4", "a*.mp4", "ab.mp4", "http:/host/a.mp4")
    assert _names(tmp_path, "clip[1].mp4", "a*.mp4") == ["clip[1].mp4", "a*.mp4"]
    assert _names(tmp_path, "http://host/a.mp4") == ["http:/host/a.mp4"]
    (tmp_path / "l[1].mp4").symlink_to("nowhere")
    assert _names(tmp_path, "l[1].mp4") == ["l[1].mp4"]


def test_glob_in_a_folder_whose_name_looks_like_one(tmp_path: Path) -> None:
    folder = tmp_path / "set[1]"
    _make(folder, "a.mp4")
    assert _names(folder, "*.mp4") == ["a.mp4"]


def test_backslashes_stand_between_folders_where_that_names_something(tmp_path: Path) -> None:
    _make(tmp_path, "sub/a.mp4", "sub/b.mp4")
    assert _names(tmp_path, r"sub\a.mp4", r"sub\*.mp4", "sub\\") == ["sub/a.mp4", *["sub/a.mp4", "sub/b.mp4"] * 2]
    _make(tmp_path, r"sub\a.mp4")
    assert _names(tmp_path, r"sub\a.mp4", r"sub\c.mp4") == [r"sub\a.mp4", r"sub\c.mp4"]


@pytest.mark.parametrize("text", ["*.mp4", "no[1].mp4", "", "a\0b"])
def test_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    assert _issue(tmp_path, text).code is IssueCode.NO_MATCH


@pytest.mark.parametrize("text", ["http://host/a.mp4", "HTTPS://h/*.mp4", "file:///a.mp4", "rtmp://h", "s3+x://b/k"])
def test_urls_are_refused(tmp_path: Path, text: str) -> None:
    issue = _issue(tmp_path, text)
    assert issue.code is IssueCode.URL_REFUSED
    assert "download" in (issue.hint or "")


@pytest.mark.parametrize("text", ["file:a.mp4", "concat:a.mp4|b.mp4", "a/b://c", "x" * 5000])
def test_other_names_are_plain(tmp_path: Path, text: str) -> None:
    assert expand_inputs([text], cwd=tmp_path) == Inputs((tmp_path / text,))


def test_stdin_names_a_path_a_line(tmp_path: Path) -> None:
    _make(tmp_path, "folder/a.mp4")
    stdin = io.BytesIO(b"b.mp4\n\n c .mp4\n*.mp4\nfolder\n/x\xff.mp4\nhttp://h/a.mp4\nb.mp4")
    found = expand_inputs(["first.mp4", "-", "last.mp4"], stdin=stdin, cwd=tmp_path)
    paths, issues = list(found.paths), list(found.problems)
    named = ["first.mp4", "b.mp4", " c .mp4", "*.mp4", "folder", os.fsdecode(b"/x\xff.mp4"), "b.mp4", "last.mp4"]
    assert paths == [tmp_path / name for name in named]
    assert [issue.code for issue in issues] == [IssueCode.URL_REFUSED]


def test_stdin_with_nul_keeps_line_breaks(tmp_path: Path) -> None:
    found = expand_inputs(["-"], stdin=io.BytesIO(b"a\nb.mp4\0c.mp4\0"), nul=True, cwd=tmp_path)
    paths, issues = list(found.paths), list(found.problems)
    assert paths == [tmp_path / "a\nb.mp4", tmp_path / "c.mp4"]
    assert not issues


def test_nul_on_stdin_needs_the_option(tmp_path: Path) -> None:
    found = expand_inputs(["-"], stdin=io.BytesIO(b"a.mp4\0b.mp4\0"), cwd=tmp_path)
    paths, issues = list(found.paths), list(found.problems)
    assert not paths
    assert "-0" in (issues[0].hint or "")


def test_empty_stdin_is_no_match(tmp_path: Path) -> None:
    stdin = io.BytesIO(b"a.mp4\n")
    found = expand_inputs(["-", "-"], stdin=stdin, cwd=tmp_path)
    paths, issues = list(found.paths), list(found.problems)
    assert paths == [tmp_path / "a.mp4"]
    assert [issue.code for issue in issues] == [IssueCode.NO_MATCH]


def test_dash_without_stdin_is_a_name(tmp_path: Path) -> None:
    assert _names(tmp_path, "-") == ["-"]


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in MEDIA_SUFFIXES)
    assert {".mp4", ".mov", ".mkv", ".webm", ".m2ts", ".gif"} <= MEDIA_SUFFIXES


@given(st.lists(st.integers(0, 10**30), min_size=2), st.sampled_from(["clip", "Take ", ""]))
def test_digits_compare_as_numbers(numbers: list[int], prefix: str) -> None:
    names = [f"{prefix}{number}.mp4" for number in numbers]
    assert sorted(names, key=natural_key) == [f"{prefix}{number}.mp4" for number in sorted(numbers)]


_names_strategy = st.text(st.sampled_from("aAbß1023/. ٣é-"), max_size=8)


@given(st.lists(_names_strategy))
def test_natural_order_is_total_and_steady(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_case_and_zeros_decide_only_between_equals() -> None:
    names = ["b1", "A02", "a2", "A2", "a10", "B01"]
    assert sorted(names, key=natural_key) == ["A02", "A2", "a2", "a10", "B01", "b1"]


COMPOSED, DECOMPOSED = "caf\u00e9/\u00fc.mp4", "cafe\u0301/u\u0308.mp4"


@pytest.mark.parametrize(("stored", "typed"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_name_in_another_form_of_unicode_is_found(tmp_path: Path, stored: str, typed: str) -> None:
    _make(tmp_path, stored, "a.mp4")
    assert _names(tmp_path, typed) == [stored]
    assert _names(tmp_path, str(tmp_path / typed)) == [stored]
    assert _names(tmp_path, typed.replace("mp4", "*")) == [stored]
    listed = expand_inputs(["-"], stdin=io.BytesIO(f"{typed}\n".encode()), cwd=tmp_path)
    assert listed.paths == (tmp_path / stored,)


def test_name_in_the_form_that_is_there_wins_and_another_letter_is_missing(tmp_path: Path) -> None:
    _make(tmp_path, "\u00e9.mp4", "e\u0301.mp4", "A.mp4")
    assert _names(tmp_path, "\u00e9.mp4") == ["\u00e9.mp4"]
    assert _names(tmp_path, "e\u0301.mp4") == ["e\u0301.mp4"]
    assert _names(tmp_path, "\u00e8.mp4", "\u00e4/x.mp4", "\u0410.mp4") == ["\u00e8.mp4", "\u00e4/x.mp4", "\u0410.mp4"]
