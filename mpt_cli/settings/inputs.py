"""Expand each INPUT of the command line or of a job file: files, folders, globs, stdin.

Reads only names and kinds of directory entries; ``validation`` checks the content of files.
"""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.settings.path_lists import existing, listed_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIA_SUFFIXES = frozenset(
    """
    .3g2 .3gp .amv .apng .asf .avi .divx .dv .f4v .flv .gif .gxf .ivf .m1v .m2t .m2ts .m2v .m4v .mjpeg .mjpg .mkv
    .mov .mp4 .mpe .mpeg .mpg .mts .mxf .nut .ogm .ogv .qt .rm .rmvb .ts .vob .webm .wmv .wtv .y4m
    """.split()  # noqa: SIM905 - forty quoted lines would say no more
)
"""Extensions of the files that are taken from a folder; a file that is named itself may have any."""

_GLOB = re.compile(r"[*?[]")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[object, ...]:
    """Return a sort key by which clip2 comes before clip10: digit runs as numbers, the rest casefolded.

    Names that are equal by this rule (``clip1``, ``Clip01``) still have a fixed order.
    """
    return tuple(_part_key(part) for part in name.split("/")), name


def _part_key(part: str) -> tuple[object, ...]:
    # Pieces with an odd index are digits. To compare length before text is to compare numbers of any size.
    pieces = enumerate(_DIGITS.split(part.casefold()))
    return tuple((len(piece.lstrip("0")), piece.lstrip("0")) if index % 2 else piece for index, piece in pieces)


def expand_inputs(
    inputs: Sequence[str], *, stdin: BinaryIO | None = None, nul: bool = False, cwd: Path | None = None
) -> tuple[list[Path], list[Issue]]:
    """Return the absolute paths that the inputs name, in order, and an issue for each input that names none.

    A plain path is returned even if it does not exist: validation reports it together with the other files.

    Args:
        inputs: Files, folders, globs, or ``-`` for the paths on ``stdin``.
        stdin: Stream of paths; without one ``-`` is a plain name.
        nul: Whether paths on ``stdin`` end with NUL in place of a line break.
        cwd: Folder in place of the current one.
    """
    here = cwd or Path.cwd()
    paths: list[Path] = []
    issues: list[Issue] = []
    for text in inputs:
        found = _from_stdin(stdin, here, nul=nul) if text == "-" and stdin is not None else _expand(text, here)
        for item in found:
            (issues if isinstance(item, Issue) else paths).append(item)  # type: ignore[arg-type]
    return paths, issues


def _expand(text: str, here: Path) -> list[Path | Issue]:
    """Expand one input; a name that exists is taken literally before it is a glob or a URL.

    Backslashes stand between folders where that names something, as in lists and job files from Windows.
    """
    path = here / text
    if not text or "\0" in text:
        return [Issue(IssueCode.NO_MATCH, f"{text!r} names no file", hint="give a file, a folder or a glob")]
    if os.path.lexists(path):
        return _existing(path)
    if (spelled := existing(text, here)) is not None:
        return _existing(here / spelled)
    if _URL.match(text):
        return [_url(text)]
    if not _GLOB.search(text):
        return [path]
    matches = sorted(_matches(text, here) or _matches(text.replace("\\", "/"), here), key=natural_key)
    if not matches:
        return [Issue(IssueCode.NO_MATCH, f"{text!r} matches no file", hint="look at the folder and the suffix")]
    return [item for match in matches for item in _existing(here / match)]


def _matches(pattern: str, here: Path) -> list[str]:
    return glob.glob(pattern, root_dir=here)  # noqa: PTH207 - Path.glob takes hidden files


def _existing(path: Path) -> list[Path | Issue]:
    # Path.is_dir raises where a parent may not be searched; validation reports such a path.
    return _directory(path) if os.path.isdir(path) else [path]  # noqa: PTH112


def _directory(path: Path) -> list[Path | Issue]:
    try:
        names = [entry.name for entry in path.iterdir() if _is_clip(entry)]
    except OSError as error:
        return [Issue(IssueCode.NOT_READABLE, f"is a folder that cannot be read ({error.strerror})", path=path)]
    if not names:
        hint = "subfolders are not searched, and hidden files and other suffixes are left out"
        return [Issue(IssueCode.NO_MATCH, "is a folder without video files", path=path, hint=hint)]
    return [path / name for name in sorted(names, key=natural_key)]


def _is_clip(path: Path) -> bool:
    """Return whether an entry of a folder is a clip; a dangling link is one, which validation reports."""
    if path.name.startswith(".") or path.suffix.lower() not in MEDIA_SUFFIXES:
        return False
    return path.is_file() or (path.is_symlink() and not path.exists())


def _from_stdin(stdin: BinaryIO, here: Path, *, nul: bool) -> list[Path | Issue]:
    """Return the paths on stdin; a pattern is no pattern there, and a folder is not expanded."""
    found = [
        item if isinstance(item, Issue) else _listed(item, here) for item in listed_paths(stdin.read(), here, nul=nul)
    ]
    return found or [
        Issue(IssueCode.NO_MATCH, "-: stdin names no file", hint="write one path a line, or use -0 and NUL")
    ]


def _listed(text: str, here: Path) -> Path | Issue:
    path = here / text
    return _url(text) if _URL.match(text) and not os.path.lexists(path) else path


def _url(text: str) -> Issue:
    return Issue(
        IssueCode.URL_REFUSED,
        f"{text!r} is a URL, and mpt reads only files",
        hint="download it first, then give the file",
    )
