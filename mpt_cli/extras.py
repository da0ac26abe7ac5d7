"""What a request may want beside its reel, and the pictures that this is made of (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""Names of contact sheets and posters end in one of these."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Pictures of the finished reel: one frame of each clip on a sheet, and a single telling one."""

    contact_sheet: Path | None = None
    poster: Path | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            contact_sheet: str | os.PathLike[str] | None = None,
            poster: str | os.PathLike[str] | None = None,
        ) -> None:
            """What :meth:`__post_init__` makes the fields of."""

    def __post_init__(self) -> None:
        """Turn paths given as text into paths."""
        for name in ("contact_sheet", "poster"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else Path(value))

    def named(self) -> Mapping[str, Path]:
        """The wanted files by what they are called; empty where nothing is wanted."""
        wanted = {"contact sheet": self.contact_sheet, "poster": self.poster}
        return {name: path for name, path in wanted.items() if path is not None}


NO_EXTRAS = Extras()
"""Nothing but the reel."""


@dataclass(frozen=True, slots=True)
class Still:
    """One upright picture with square pixels: rows of red, green, blue, a byte each."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"val_json_bytes": "base64"}
    """How the bytes look in the answer of the process that decoded it."""

    width: int
    height: int
    rgb: bytes
