"""What keeps each of a set of clips from being copied, as ``mpt validate`` says it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import FileValidationResult
from mpt_cli.planning.copy_obstacles import copy_obstacles, with_copy_obstacles
from tests.builders import media_of

UNREAD: dict[str, Any] = {"scanned": False, "copy_traits": None}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"video": {"dimensions": Dimensions(320, 180)}}, ("size is 320x180",)),
        ({"video": {"codec": "hevc"}}, ("codec is hevc",)),
        ({"video": {"codec": "wmv3"}}, ("no container holds wmv3", "codec is wmv3")),
        ({"video": {"frame_rate": Fraction(25)}}, ("frame rate is 25",)),
        ({"traits": {"parameter_sets": "other"}}, ("parameter sets differ from the other clips'",)),
        ({"traits": {"obstacle": "its fields are packets of their own"}}, ("its fields are packets of their own",)),
        ({"traits": {"on_grid": False}}, ("its frames have no times of their own",)),
        ({"copy_traits": None, "clock_moves": (Fraction(1),)}, ("its clock jumps",)),
        (UNREAD, None),
        (UNREAD | {"video": {"dimensions": Dimensions(320, 180)}}, ("size is 320x180",)),
    ],
)
def test_what_differs_from_most_clips_is_named(changes: dict[str, Any], reasons: tuple[str, ...] | None) -> None:
    assert copy_obstacles([media_of(), media_of(**changes), media_of()]) == [(), reasons, ()]


def test_only_files_that_can_be_used_are_compared() -> None:
    bad = FileValidationResult(Path("bad"), errors=(Issue(IssueCode.NOT_MEDIA, "is text"),))
    files = with_copy_obstacles([bad, FileValidationResult(Path("good"), media=media_of()), bad])
    assert [file.copy_obstacles for file in files] == [None, (), None]
    assert copy_obstacles([]) == []
