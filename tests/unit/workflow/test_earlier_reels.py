"""Reels among the clips of a request: known by their records, or by their chapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import FileValidationResult
from mpt_cli.workflow.earlier_reels import warnings_of_earlier_reels
from mpt_cli.workflow.published_reels import PublishedReels
from tests.builders import media_of

NAMES = ("a.mov", "b.mov", "c.mov", "reel.mp4")


def found(*chapters: str, recorded: tuple[str, ...] = (), names: tuple[str, ...] = NAMES) -> list[Issue]:
    """Warnings about clips of these names, the last of which is a reel."""
    paths = [Path("/nowhere") / name for name in names]
    clips = {paths[-1]: tuple(Path("/nowhere") / name for name in recorded)} if recorded else {}
    files = [FileValidationResult(path, media=media_of()) for path in paths[:-1]]
    files.append(FileValidationResult(paths[-1], media=media_of(chapter_titles=chapters)))
    return warnings_of_earlier_reels(files, lambda _: clips)


def test_reel_is_known_by_its_record() -> None:
    (issue,) = found(recorded=("a.mov", "x.mov"))
    assert (issue.code, issue.path) == (IssueCode.REEL_AMONG_CLIPS, Path("/nowhere/reel.mp4"))
    assert "1 clip of this request (a.mov)" in issue.message


def test_reel_is_known_by_its_chapters() -> None:
    (issue,) = found("a", "b", "c", "x")
    assert (issue.code, issue.path) == (IssueCode.REEL_AMONG_CLIPS, Path("/nowhere/reel.mp4"))
    assert "(a.mov, b.mov, c.mov)" in issue.message


@pytest.mark.parametrize("chapters", [(), ("a",), ("a", "a"), ("x", "y"), ("reel", "a")])
def test_other_chapters_are_no_reel(chapters: tuple[str, ...]) -> None:
    assert found(*chapters) == []


def test_reel_of_other_clips_is_a_clip() -> None:
    assert found("x", "y", recorded=("x.mov", "y.mov")) == []


@pytest.mark.parametrize("folder", ["a\0b", "x" * 5000])
def test_folder_that_cannot_be_is_no_reason_to_fail(tmp_path: Path, folder: str) -> None:
    reels = PublishedReels(tmp_path / "state")
    file = FileValidationResult(Path(folder) / "a.mp4", errors=(Issue(IssueCode.NOT_READABLE, "cannot be read"),))
    assert warnings_of_earlier_reels([file], reels.clips_of) == []


def test_file_that_cannot_be_read_is_no_reel() -> None:
    file = FileValidationResult(Path("/nowhere/a.mp4"), errors=(Issue(IssueCode.NOT_MEDIA, "is text"),))
    assert warnings_of_earlier_reels([file, file], lambda _: {}) == []
