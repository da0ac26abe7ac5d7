"""What an INPUT stands for."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.settings.inputs import MEDIA_SUFFIXES, expand_inputs, natural_key


def _make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def _names(folder: Path, *inputs: str) -> list[str]:
    paths, issues = expand_inputs(inputs, cwd=folder)
    assert not issues
    return [str(path.relative_to(folder)) for path in paths]


def _issue(folder: Path, text: str) -> Issue:
    paths, issues = expand_inputs([text], cwd=folder)
    assert not paths
    assert len(issues) == 1
    assert "\n" not in issues[0].message
    return issues[0]


def test_folder_gives_its_clips_in_natural_order(tmp_path: Path) -> None:
    _make(tmp_path, "Clip10.mp4", "clip2.MOV", "clip1.mkv", ".hidden.mp4", "notes.txt", "sub/clip3.mp4", "mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert _names(tmp_path, ".") == ["clip1.mkv", "clip2.MOV", "Clip10.mp4"]


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
    assert expand_inputs(["/x/y.mp4"], cwd=tmp_path) == ([Path("/x/y.mp4")], [])


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert expand_inputs(["a.mp4"])[0] == [tmp_path / "a.mp4"]


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
    assert expand_inputs([text], cwd=tmp_path) == ([tmp_path / text], [])


def test_stdin_names_a_path_a_line(tmp_path: Path) -> None:
    _make(tmp_path, "folder/a.mp4")
    stdin = io.BytesIO(b"b.mp4\n\n c .mp4\n*.mp4\nfolder\n/x\xff.mp4\nhttp://h/a.mp4\nb.mp4")
    paths, issues = expand_inputs(["first.mp4", "-", "last.mp4"], stdin=stdin, cwd=tmp_path)
    named = ["first.mp4", "b.mp4", " c .mp4", "*.mp4", "folder", os.fsdecode(b"/x\xff.mp4"), "b.mp4", "last.mp4"]
    assert paths == [tmp_path / name for name in named]
    assert [issue.code for issue in issues] == [IssueCode.URL_REFUSED]


def test_stdin_with_nul_keeps_line_breaks(tmp_path: Path) -> None:
    paths, issues = expand_inputs(["-"], stdin=io.BytesIO(b"a\nb.mp4\0c.mp4\0"), nul=True, cwd=tmp_path)
    assert paths == [tmp_path / "a\nb.mp4", tmp_path / "c.mp4"]
    assert not issues


def test_nul_on_stdin_needs_the_option(tmp_path: Path) -> None:
    paths, issues = expand_inputs(["-"], stdin=io.BytesIO(b"a.mp4\0b.mp4\0"), cwd=tmp_path)
    assert not paths
    assert "-0" in (issues[0].hint or "")


def test_empty_stdin_is_no_match(tmp_path: Path) -> None:
    stdin = io.BytesIO(b"a.mp4\n")
    paths, issues = expand_inputs(["-", "-"], stdin=stdin, cwd=tmp_path)
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
