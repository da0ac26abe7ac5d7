"""Lists of paths as other systems and programs write them: read, or named for what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.settings.encodings import as_utf8
from mpt_cli.settings.path_lists import listed_paths

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a.mp4", "sub/b 2.mp4"]
WINDOWS = "a.mp4\r\nsub\\b 2.mp4\r\n"
LISTS = {
    "plain": b"a.mp4\nsub/b 2.mp4\n",
    "without a last line end": b"a.mp4\nsub/b 2.mp4",
    "Windows": WINDOWS.encode(),
    "Windows with a mark": b"\xef\xbb\xbf" + WINDOWS.encode(),
    "UTF-16": WINDOWS.encode("utf-16"),
    "UTF-16 from the other end": b"\xfe\xff" + WINDOWS.encode("utf-16-be"),
    "UTF-16 without a mark": WINDOWS.encode("utf-16-le"),
    "UTF-16 from the other end without a mark": WINDOWS.encode("utf-16-be"),
    "copied as paths": b'"a.mp4"\r\n"sub\\b 2.mp4"\r\n',
    "spaces around": b"a.mp4 \n\tsub/b 2.mp4\n",
    "ffmpeg": b"ffconcat version 1.0\n# mine\nfile a.mp4\nfile 'sub/b 2.mp4'\n",
    "ffmpeg without a head": b"file 'a.mp4'\nfile 'sub/b 2.mp4'\n",
    "playlist": b"#EXTM3U\n#EXTINF:3,a\na.mp4\n#EXTINF:4,b\nsub/b 2.mp4\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the two files of the lists."""
    (tmp_path / "sub").mkdir()
    for name in NAMES:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("kind", LISTS)
def test_list_of_any_kind_names_the_files(folder: Path, kind: str) -> None:
    assert listed_paths(LISTS[kind], folder, nul=False) == NAMES


def test_line_that_is_a_name_is_literal(folder: Path) -> None:
    names = ["a.mp4\r", '"a.mp4"', "file a.mp4", "sub\\b 2.mp4", " a.mp4", "#1.mp4"]
    for name in names:
        (folder / name).touch()
    assert listed_paths("\n".join(names).encode(), folder, nul=False) == names


def test_name_that_is_missing_loses_only_the_line_end(folder: Path) -> None:
    assert listed_paths(b'x.mp4\r\n"y.mp4"\n', folder, nul=False) == ["x.mp4", '"y.mp4"']


def test_paths_with_nul_are_literal(folder: Path) -> None:
    assert listed_paths(b'a.mp4\r\0"a.mp4"\0', folder, nul=True) == ["a.mp4\r", '"a.mp4"']


@pytest.mark.parametrize("data", [b"\xff\xfea\0\0", b"\xff\xfe\0\xd8", b"a.mp4\0b.mp4\0"])
def test_list_that_cannot_be_read_is_named(folder: Path, data: bytes) -> None:
    (issue,) = listed_paths(data, folder, nul=False)
    assert isinstance(issue, Issue)
    assert issue.code is IssueCode.NO_MATCH
    assert issue.hint


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0"), min_size=1))
def test_text_is_the_same_in_all_encodings(text: str) -> None:
    plain = text.encode()
    assert as_utf8(plain) == as_utf8(b"\xef\xbb\xbf" + plain) == plain
    assert as_utf8(text.encode("utf-16")) == as_utf8(b"\xfe\xff" + text.encode("utf-16-be")) == plain


@given(st.binary().filter(lambda data: not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))))
def test_bytes_without_nul_keep_their_values(data: bytes) -> None:
    kept = data.replace(b"\0", b"")
    if not kept.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        assert as_utf8(kept) == kept
