"""Stills as pictures and files: how they are encoded, and which of several tells the most."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter, ImageStat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mpt_cli.model.media_info import Still

Picture = Image.Image
"""What Pillow draws on."""

_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 78
_LOOKED_AT = (160, 160)
"""Detail is measured on pictures of this size, where noise is gone and all clips are alike."""
_DARKEST, _BRIGHTEST = 24, 232
"""Means of luma between which a picture is neither black nor white, and no fade to one of them."""


def image_of(still: Still) -> Image.Image:
    """The still as Pillow draws with it."""
    return Image.frombytes("RGB", (still.width, still.height), still.rgb)


def encoded(image: Image.Image, suffix: str) -> bytes:
    """The content of a picture file whose name ends in ``.png``, ``.jpg`` or ``.jpeg``."""
    file = BytesIO()
    if suffix.lower() == ".png":
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()


def thumbnail(still: Still) -> bytes:
    """A small JPEG file."""
    file = BytesIO()
    image_of(still).save(file, "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    return file.getvalue()


def most_telling(stills: Mapping[int, Still]) -> int | None:
    """Which picture stands best for all: of those neither black nor white, the one with the strongest edges.

    The first of equals; where all are black or white, the one with the strongest edges of those.
    None where there is no picture.
    """
    marks = {key: _mark(still) for key, still in stills.items()}
    return max(marks, key=lambda key: marks[key]) if marks else None


def _mark(still: Still) -> tuple[bool, float]:
    small = image_of(still).convert("L")
    small.thumbnail(_LOOKED_AT, Image.Resampling.BOX)
    edges = small.filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((1, 1, max(2, edges.width - 1), max(2, edges.height - 1)))  # the filter leaves the rim as it was
    return _DARKEST <= ImageStat.Stat(small).mean[0] <= _BRIGHTEST, ImageStat.Stat(inner).mean[0]
