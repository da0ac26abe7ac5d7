"""Font files of the system, found without fontconfig: the folders that each system has are few and known."""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST_FILES, _MOST_FONTS = 20_000, 400
"""Files that are looked at, and fonts that are tried for a letter, at most: TeX alone brings 2,000 fonts."""
_EXTENSIONS = (".ttf", ".otf", ".ttc")
_PLAIN = (
    "dejavusans.",
    "notosans-regular",
    "liberationsans-regular",
    "arial.",
    "segoeui.",
    "notosanscjk",
    "sourcehansans",
    "droidsansfallback",
    "wqy-",
    "arial unicode",
    "arialuni",
    "pingfang",
    "hiragino",
    "applesdgothicneo",
    "applegothic",
    "msyh",
    "msgothic",
    "yugoth",
    "malgun",
    "simsun",
    "ipag",
    "takao",
    "nanumgothic",
    "unifont",
)
"""Beginnings of names of plain fonts with many letters, in the order in which they are tried; CJK behind the others."""
_STYLES = ("bold", "italic", "oblique", "light", "condensed", "mono", "serif", "math")


def font_folders(
    *, platform: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> list[Path]:
    """Return the font folders of the operating system, and of the user where there is one."""
    known = os.path.expanduser("~") if home is None else str(home)  # noqa: PTH111 - stays as it is without a home
    user = [] if known == "~" else [Path(known)]
    if platform == "win32":
        own = environ.get("LOCALAPPDATA")
        machine = Path(environ.get("WINDIR", "C:/Windows")) / "Fonts"
        return [machine, *([Path(own) / "Microsoft/Windows/Fonts"] if own else [])]
    if platform == "darwin":
        shared = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path("/System/Library/AssetsV2")]
        return [*shared, *(folder / "Library/Fonts" for folder in user)]
    data = [folder for folder in environ.get("XDG_DATA_DIRS", "").split(":") if folder.startswith("/")]
    own_data = environ.get("XDG_DATA_HOME", "")
    found = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), *(Path(folder) / "fonts" for folder in data)]
    found += [Path(own_data) / "fonts"] if own_data.startswith("/") else []
    found += [folder / name for folder in user for name in (".local/share/fonts", ".fonts")]
    return list(dict.fromkeys(found))


def system_fonts(folders: Iterable[Path] | None = None) -> list[Path]:
    """Return font files in these folders, or in those of the system, plain fonts with many letters first."""
    files = islice(_files(font_folders() if folders is None else folders), _MOST_FILES)
    return sorted((path for path in files if path.suffix.lower() in _EXTENSIONS), key=_rank)[:_MOST_FONTS]


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield all files below the folders; one that cannot be read has none."""
    for folder in folders:
        for place, _, names in os.walk(folder):
            yield from (Path(place) / name for name in names)


def _rank(path: Path) -> tuple[int, bool, str]:
    name = path.name.lower()
    rank = next((rank for rank, start in enumerate(_PLAIN) if name.startswith(start)), len(_PLAIN))
    return rank, any(style in name for style in _STYLES), name
