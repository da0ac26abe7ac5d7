"""What is wrong with a request is named before anything is opened, with every problem of it."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, ProcessingConfig, VideoConfig
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.validation.parameter import ParameterValidator
from tests.builders import media_of

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIP = VideoClip(Path("/in/a.mp4"))


def issues_of(output: Path, clips: Sequence[VideoClip] = (CLIP,), *, overwrite: bool = False) -> list[Issue]:
    """What is wrong with a request of the default configuration."""
    return ParameterValidator().validate(VideoParams(tuple(clips), output, overwrite=overwrite), Config())


def codes_of(output: Path, clips: Sequence[VideoClip] = (CLIP,), *, overwrite: bool = False) -> list[IssueCode]:
    """The codes of what is wrong."""
    return [issue.code for issue in issues_of(output, clips, overwrite=overwrite)]


def with_size(folder: Path, size: str) -> list[Issue]:
    """What is wrong with a reel of this size."""
    config = Config(video=VideoConfig(size=Dimensions.parse(size)))
    return ParameterValidator().validate(VideoParams((CLIP,), folder / "reel.mp4"), config)


# --- clips ----------------------------------------------------------------------------------------


def test_a_good_request_has_no_problem_and_its_clips_are_not_looked_at(tmp_path: Path) -> None:
    assert issues_of(tmp_path / "reel.mp4") == []


def test_a_request_without_clips_says_so(tmp_path: Path) -> None:
    assert codes_of(tmp_path / "reel.mp4", []) == [IssueCode.NO_MATCH]


def test_what_was_found_while_the_request_was_made_is_not_hidden_by_having_no_clip(tmp_path: Path) -> None:
    found = Issue(IssueCode.URL_REFUSED, "is a URL")
    params = VideoParams((), tmp_path / "reel.mp4", problems=(found,))
    assert ParameterValidator().validate(params, Config()) == [found]


def test_as_many_clips_as_allowed_are_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    config = Config(processing=ProcessingConfig(max_clips=3))
    three, four = (VideoParams((CLIP,) * count, tmp_path / "reel.mp4") for count in (3, 4))
    assert ParameterValidator().validate(three, config) == []
    assert [issue.code for issue in ParameterValidator().validate(four, config)] == [IssueCode.LIMIT_EXCEEDED]


@pytest.mark.parametrize(("start", "end"), [(2, 1), (1, 1), (0, 0), (-1, None), (-2, -1)])
def test_a_trim_that_ends_before_it_starts_is_refused(tmp_path: Path, start: int, end: int | None) -> None:
    clip = VideoClip(Path("/in/b.mp4"), Fraction(start), None if end is None else Fraction(end))
    (issue,) = issues_of(tmp_path / "reel.mp4", [CLIP, clip])
    assert (issue.code, issue.path) == (IssueCode.USAGE, clip.path)


def test_everything_is_named_at_once(tmp_path: Path) -> None:
    config = Config(video=VideoConfig(size=Dimensions(15, 20_001)))
    params = VideoParams((), tmp_path / "reel.avi")
    assert [issue.code for issue in ParameterValidator().validate(params, config)] == [
        IssueCode.NO_MATCH,
        IssueCode.DIMENSIONS_TOO_SMALL,
        IssueCode.DIMENSIONS_TOO_LARGE,
        IssueCode.USAGE,
    ]


# --- trims against the length of a file -----------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [("0", None), ("0", "1"), ("0.5", "1"), ("0.999", None), ("0", "0.001"), ("0", "1.016")],
)
def test_a_trim_within_the_clip_is_fine_up_to_half_a_picture_after_its_end(start: str, end: str | None) -> None:
    clip = VideoClip(Path("/in/a.mp4"), Fraction(start), None if end is None else Fraction(end))
    assert ParameterValidator().validate_trim(clip, media_of(duration=Fraction(1))) == []


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [("1", None, "1 s"), ("2.5", "3", "2.5 s"), ("0", "1.02", "1.02 s"), ("0.5", "9", "9 s")],
)
def test_a_trim_beyond_the_clip_is_refused_and_says_where_it_lies(start: str, end: str | None, named: str) -> None:
    clip = VideoClip(Path("/in/a.mp4"), Fraction(start), None if end is None else Fraction(end))
    (issue,) = ParameterValidator().validate_trim(clip, media_of(duration=Fraction(1)))
    assert (issue.code, issue.path) == (IssueCode.TRIM_BEYOND_DURATION, clip.path)
    assert f"at {named} but lasts 1.000 s" in issue.message


# --- picture --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["16x16", "16384x16384", "1080x1920", "16x16384"])
def test_sizes_are_fine_up_to_their_limits(tmp_path: Path, size: str) -> None:
    assert with_size(tmp_path, size) == []


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ("14x16", IssueCode.DIMENSIONS_TOO_SMALL),
        ("16x14", IssueCode.DIMENSIONS_TOO_SMALL),
        ("0x1920", IssueCode.DIMENSIONS_TOO_SMALL),
        ("16386x16", IssueCode.DIMENSIONS_TOO_LARGE),
        ("16x16386", IssueCode.DIMENSIONS_TOO_LARGE),
    ],
)
def test_sizes_beyond_their_limits_are_refused(tmp_path: Path, size: str, code: IssueCode) -> None:
    assert [issue.code for issue in with_size(tmp_path, size)] == [code]


@pytest.mark.parametrize(("size", "even"), [("1081x1920", "1080x1920"), ("1080x1921", "1080x1920"), ("17x17", "16x16")])
def test_an_odd_size_is_refused_with_the_even_one_to_write(tmp_path: Path, size: str, even: str) -> None:
    (issue,) = with_size(tmp_path, size)
    assert issue.code is IssueCode.ODD_DIMENSIONS
    assert issue.hint is not None
    assert even in issue.hint


# --- output ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reel.mp4", "reel.MOV", "reel.mkv", "new/folder/reel.mp4", "a.b.mp4", "ü\n.mp4"])
def test_an_output_that_can_be_made_is_fine_also_in_a_new_folder(tmp_path: Path, name: str) -> None:
    assert codes_of(tmp_path / name) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["reel.avi", "reel.webm", "reel", "reel.", ".mp4", "mp4"])
def test_an_output_of_another_container_names_those_that_can_be_made(tmp_path: Path, name: str) -> None:
    (issue,) = issues_of(tmp_path / name)
    assert issue.code is IssueCode.USAGE
    assert "container" in issue.message
    assert issue.hint is not None
    assert all(suffix in issue.hint for suffix in (".mp4", ".mov", ".mkv"))


def test_an_existing_output_is_refused_unless_it_may_be_replaced(tmp_path: Path) -> None:
    output = tmp_path / "reel.mp4"
    output.write_bytes(b"precious")
    assert codes_of(output) == [IssueCode.OUTPUT_EXISTS]
    assert codes_of(output, overwrite=True) == []
    assert output.read_bytes() == b"precious"


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_an_output_that_is_an_input_is_refused_also_through_links(tmp_path: Path, link: str) -> None:
    source, output = tmp_path / "clip.mp4", tmp_path / "reel.mp4"
    source.write_bytes(b"clip")
    if link == "same":
        output = source
    elif link == "symbolic":
        output.symlink_to(source)
    else:
        os.link(source, output)
    clips = [VideoClip(tmp_path / "missing.mp4"), VideoClip(source)]
    assert codes_of(output, clips, overwrite=True) == [IssueCode.OUTPUT_IS_INPUT]


def test_an_output_that_differs_from_its_inputs_may_lie_beside_them(tmp_path: Path) -> None:
    source, output = tmp_path / "clip.mp4", tmp_path / "reel.mp4"
    source.write_bytes(b"same")
    output.write_bytes(b"same")
    assert codes_of(output, [VideoClip(source)], overwrite=True) == []


@pytest.mark.parametrize("name", ["missing.mp4", "nul\0.mp4", "x" * 300])
def test_an_input_that_cannot_be_looked_at_does_not_hide_what_is_wrong_with_the_output(
    tmp_path: Path, name: str
) -> None:
    output = tmp_path / "reel.mp4"
    output.write_bytes(b"reel")
    clips = [VideoClip(tmp_path / name), VideoClip(output)]
    assert codes_of(output, clips) == [IssueCode.OUTPUT_IS_INPUT]


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    output = tmp_path / "folder.mp4"
    output.mkdir()
    for overwrite in (False, True):
        assert codes_of(output, overwrite=overwrite) == [IssueCode.OUTPUT_NOT_WRITABLE]


def _under_a_file(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file" / "reel.mp4"


def _deep_under_a_file(folder: Path) -> Path:
    return _under_a_file(folder).parent / "new" / "reel.mp4"


def _in_a_circle(folder: Path) -> Path:
    (folder / "loop.mp4").symlink_to("loop.mp4")
    return folder / "loop.mp4"


@pytest.mark.parametrize(
    "place",
    [
        _under_a_file,
        _deep_under_a_file,
        _in_a_circle,
        lambda folder: folder / f"{'x' * 300}.mp4",
        lambda folder: folder / ("x" * 300) / "reel.mp4",
        lambda folder: folder / "nul\0.mp4",
    ],
    ids=["under a file", "deep under a file", "a circle of links", "long name", "in a long name", "nul"],
)
def test_an_output_that_cannot_be_made_is_an_issue_and_never_an_exception(tmp_path: Path, place: object) -> None:
    assert callable(place)
    output = place(tmp_path)
    (issue,) = issues_of(output)
    assert (issue.code, issue.path) == (IssueCode.OUTPUT_NOT_WRITABLE, output)
    assert "cannot be written" in issue.message
