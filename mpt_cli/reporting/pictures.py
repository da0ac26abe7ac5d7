"""Stills as image files, and the choice of the best still."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter, ImageStat

from mpt_cli.model.choices import DynamicRange
from mpt_cli.reporting.hdr_look import sdr_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mpt_cli.model.media_info import Still

Picture = Image.Image
"""Image type of Pillow."""

_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 78
_MEASURED_SIZE = (160, 160)
"""Size in which detail is measured: noise is gone, and clips of all sizes are comparable."""
_DARKEST, _BRIGHTEST = 24, 232
"""Range of the mean luma of a frame that is not black, white or a fade."""


def image_of(still: Still) -> Image.Image:
    """Return the still as an image of Pillow, HDR as an ordinary display shows it."""
    image = Image.frombytes("RGB", (still.width, still.height), still.rgb)
    return image if still.dynamic_range is DynamicRange.SDR else image.filter(sdr_table(still.dynamic_range))


def encoded(image: Image.Image, extension: str) -> bytes:
    """Return the content of an image file with the extension ``.png``, ``.jpg`` or ``.jpeg``."""
    file = BytesIO()
    if extension.lower() == ".png":
        image.save(file, "PNG")
    else:
        image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()


def thumbnail(still: Still) -> bytes:
    """Return a small JPEG file."""
    file = BytesIO()
    image_of(still).save(file, "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    return file.getvalue()


def best_still(stills: Mapping[int, Still]) -> int | None:
    """Return the key of the best still: the one with the strongest edges that is neither black nor white.

    If all are black or white, the strongest edges decide; of equals the first one wins. None without stills.
    """
    scores = {key: _score(still) for key, still in stills.items()}
    return max(scores, key=lambda key: scores[key]) if scores else None


def _score(still: Still) -> tuple[bool, float]:
    small = image_of(still).convert("L")
    small.thumbnail(_MEASURED_SIZE, Image.Resampling.BOX)
    edges = small.filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((1, 1, max(2, edges.width - 1), max(2, edges.height - 1)))  # the filter leaves the rim as it was
    return _DARKEST <= ImageStat.Stat(small).mean[0] <= _BRIGHTEST, ImageStat.Stat(inner).mean[0]
