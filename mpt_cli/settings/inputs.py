"""Expand each INPUT of the command line or of a job file: files, folders, globs, stdin.

Reads only names and kinds of directory entries; ``validation`` checks the content of files.
"""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.left_out import LeftOut, LeftOutKind, left_out, left_out_text
from mpt_cli.model.natural_order import natural_key
from mpt_cli.settings.file_kinds import left_out_kind, of_the_system, previews
from mpt_cli.settings.path_lists import existing, listed_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Made = Callable[[Path, Sequence[str]], Mapping[str, LeftOutKind]]
"""Returns which of these files of a folder mpt itself made of other clips of the folder."""

_GLOB = re.compile(r"[*?[]")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What inputs stand for.

    Attributes:
        paths: Absolute paths of the clips, in order.
        problems: An issue for each input that names no clip.
        warnings: What in the folders may have been meant as a clip, and is none.
        left_out: What else the folders hold.
    """

    paths: tuple[Path, ...] = ()
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Path | Issue]) -> Inputs:
        """Return inputs that are paths and problems."""
        items = list(found)
        return cls(
            tuple(item for item in items if isinstance(item, Path)),
            tuple(item for item in items if isinstance(item, Issue)),
        )

    @classmethod
    def joined(cls, parts: Iterable[Inputs]) -> Inputs:
        """Return all parts in one; what two of them leave out is there once."""
        parts = list(parts)
        return cls(
            tuple(path for part in parts for path in part.paths),
            tuple(issue for part in parts for issue in part.problems),
            tuple(dict.fromkeys(issue for part in parts for issue in part.warnings)),
            tuple(dict.fromkeys(entry for part in parts for entry in part.left_out)),
        )


def nothing_made(_folder: Path, _names: Sequence[str]) -> Mapping[str, LeftOutKind]:
    """Return no file: a :data:`Made` for callers without records."""
    return {}


def expand_inputs(
    inputs: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    nul: bool = False,
    cwd: Path | None = None,
    made: Made = nothing_made,
) -> Inputs:
    """Return the absolute paths that the inputs name, in order, and an issue for each input that names none.

    A plain path is returned even if it does not exist: validation reports it together with the other files.

    Args:
        inputs: Files, folders, globs, or ``-`` for the paths on ``stdin``.
        stdin: Stream of paths; without one ``-`` is a plain name.
        nul: Whether paths on ``stdin`` end with NUL in place of a line break.
        cwd: Folder in place of the current one.
        made: Returns which files of a folder mpt made of its clips: none of the clips of the folder.
    """
    here = cwd or Path.cwd()
    return Inputs.joined(
        Inputs.of(_from_stdin(stdin, here, nul=nul)) if text == "-" and stdin is not None else _expand(text, here, made)
        for text in inputs
    )


def _expand(text: str, here: Path, made: Made) -> Inputs:
    """Expand one input; a name that exists is taken literally before it is a glob or a URL.

    Backslashes stand between folders where that names something, as in lists and job files from Windows.
    """
    if not text or "\0" in text:
        return Inputs.of([Issue(IssueCode.NO_MATCH, f"{text!r} names no file", hint="give a file, a folder or a glob")])
    if (spelled := existing(text, here)) is not None:
        return _existing(here / spelled, made)
    if _URL.match(text):
        return Inputs.of([_url(text)])
    if not _GLOB.search(text):
        return Inputs.of([here / text])
    matches = sorted(next(filter(None, (_matches(each, here) for each in _spellings(text))), []), key=natural_key)
    if not matches:
        hint = "look at the folder and the extension"
        return Inputs.of([Issue(IssueCode.NO_MATCH, f"{text!r} matches no file", hint=hint)])
    return Inputs.joined(_existing(here / match, made) for match in matches)


def _spellings(pattern: str) -> Iterator[str]:
    """Yield the pattern, and how else it may be meant: with backslashes, in another form of Unicode."""
    yield pattern
    yield pattern.replace("\\", "/")
    if not pattern.isascii():
        yield from (unicodedata.normalize(form, pattern) for form in ("NFC", "NFD"))


def _matches(pattern: str, here: Path) -> list[str]:
    return glob.glob(pattern, root_dir=here)  # noqa: PTH207 - Path.glob takes hidden files


def _existing(path: Path, made: Made) -> Inputs:
    # Path.is_dir raises where a parent may not be searched; validation reports such a path.
    return _folder(path, made) if os.path.isdir(path) else Inputs.of([path])  # noqa: PTH112


def _folder(folder: Path, made: Made) -> Inputs:
    """Return the clips of a folder, and what else is in it."""
    try:
        kinds = {entry.name: _kind(entry) for entry in folder.iterdir() if not of_the_system(entry.name)}
    except OSError as error:
        return Inputs.of([Issue(IssueCode.NOT_READABLE, f"is a folder that cannot be read ({error.strerror})", folder)])
    kinds |= dict.fromkeys(previews(name for name, kind in kinds.items() if kind is None), LeftOutKind.PREVIEW)
    names = sorted(kinds, key=natural_key)
    kinds |= made(folder, [name for name in names if kinds[name] in (None, LeftOutKind.PHOTO)])
    entries = left_out(folder, ((name, kind) for name in names if (kind := kinds[name]) is not None))
    clips = tuple(folder / name for name in names if kinds[name] is None)
    warnings = tuple(map(_unfinished, (entry for entry in entries if entry.kind is LeftOutKind.DOWNLOAD)))
    return Inputs(clips, () if clips else (_no_clips(folder, entries),), warnings, entries)


def _kind(entry: Path) -> LeftOutKind | None:
    """Return the kind of an entry that is left out; a dangling link may be a clip, which validation reports."""
    kind = left_out_kind(entry.name)
    if entry.is_file() or (entry.is_symlink() and not entry.exists()):
        return kind
    if entry.is_dir():  # Safari downloads into a folder
        return LeftOutKind.DOWNLOAD if kind is LeftOutKind.DOWNLOAD else LeftOutKind.FOLDER
    return LeftOutKind.OTHER


def _unfinished(entry: LeftOut) -> Issue:
    hint = "let them finish, or name a file to take it as it is"
    return Issue(IssueCode.DOWNLOAD_UNFINISHED, left_out_text([entry]), entry.folder, hint)


def _no_clips(folder: Path, entries: Sequence[LeftOut]) -> Issue:
    advice = "name a file or a subfolder to take it"
    hint = f"{left_out_text(entries)}; {advice}" if entries else "hidden files are left out"
    return Issue(IssueCode.NO_MATCH, "is a folder without video files", folder, hint)


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
