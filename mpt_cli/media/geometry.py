"""Scaling and position of a frame of one shape in a frame of another (pure; square pixels, even numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Fit
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import megapixels_text
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import TargetForm


@dataclass(frozen=True, slots=True)
class Placement:
    """A frame scaled to ``inner``, whose top left corner lies at ``x``, ``y`` of the target.

    Negative ``x`` or ``y`` cut it; positive ones leave a border. All numbers are even, because
    4:2:0 video has one colour sample for two pixels in each direction.
    """

    inner: Dimensions
    x: int
    y: int


def place(shown: Dimensions, target: Dimensions, fit: Fit) -> Placement:
    """Return the placement of an upright frame in the target.

    ``contain`` and ``blur`` keep all of it, ``cover`` fills the target and cuts the rest off,
    ``stretch`` does not keep its shape.
    """
    if fit is Fit.STRETCH:
        return Placement(target, 0, 0)
    wider = shown.width * target.height >= target.width * shown.height
    limited_by_width = wider if fit is not Fit.COVER else not wider
    if limited_by_width:
        height = _even(target.width * shown.height, shown.width, up=fit is Fit.COVER)
        inner = Dimensions(target.width, height)
    else:
        width = _even(target.height * shown.width, shown.height, up=fit is Fit.COVER)
        inner = Dimensions(width, target.height)
    return Placement(inner, _offset(target.width - inner.width), _offset(target.height - inner.height))


def shown_size(form: TargetForm) -> Dimensions:
    """Return the even size, in square pixels and upright, that frames of a target format are shown in."""
    if form.kept is None:
        return form.dimensions
    width = _even(round_half_up(form.dimensions.width * form.kept.sar), 1, up=False)
    size = Dimensions(width, form.dimensions.height)
    return size.turned if form.kept.orientation.swaps_sides else size


def _even(numerator: int, denominator: int, *, up: bool) -> int:
    """Return the even number nearest to a quotient (or the next one above), at least 2."""
    half = Fraction(numerator, 2 * denominator)
    return max(2, 2 * (ceil(half) if up else round_half_up(half)))


def _offset(room: int) -> int:
    """Return half of the room, rounded to an even number toward zero."""
    sign = -1 if room < 0 else 1
    return sign * (abs(room) // 4 * 2)


def too_many_pixels(size: Dimensions, most: int, path: Path) -> Issue:
    """Return the error of a clip whose frames have more than ``most`` pixels."""
    message = f"is {size} ({megapixels_text(size.pixels)}), above the limit of {megapixels_text(most)}"
    hint = "make it smaller first, or raise validation.max_pixels"
    return Issue(IssueCode.DIMENSIONS_TOO_LARGE, message, path, hint)
