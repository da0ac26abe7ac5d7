"""Advice for a path that does not exist names the file that was meant, and no other clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.validation.spelling import spelling_hint

if TYPE_CHECKING:
    from pathlib import Path

THERE = ("e\u0301.mp4", "Holiday.MP4", "IMG_0001.mov", "two  words.mp4", "sunset.mov")
UNKNOWN = "check the spelling of the path"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("\u00e9.mp4", "a file whose name looks the same is there, in another form of Unicode: e\u0301.mp4"),
        ("holiday.mp4", "a file whose name looks the same is there, with other characters: Holiday.MP4"),
        ("two\u00a0words.mp4", "a file whose name looks the same is there, with other characters: two  words.mp4"),
        ("sun\u200bset.mov", "a file whose name looks the same is there, with other characters: sunset.mov"),
        ("IMG_0001.mp4", "did you mean IMG_0001.mov?"),
        ("sunst.mov", "did you mean sunset.mov?"),
        ("IMG_0002.mov", UNKNOWN),  # another clip, not another spelling
        ("beach.mp4", UNKNOWN),
        ("gone/x.mp4", "there is no folder {here}/gone"),
        ("sunset.mov/x.mp4", UNKNOWN),
        ("a\\b.mp4", "write / between folders"),
        ("clips\new.mp4", "in a job file write / between folders: a backslash with a letter is an escape there"),
    ],
)
def test_hint_names_what_was_meant(tmp_path: Path, name: str, hint: str) -> None:
    for there in THERE:
        (tmp_path / there).touch()
    assert spelling_hint(tmp_path / name) == hint.replace("{here}", str(tmp_path))
