"""What decides whether the coded pictures of a file can be joined without encoding them again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction  # noqa: TC003 - what reads media back from JSON needs the type
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CopyTraits:
    """What a stream copy needs to know of a file beside the form of its pictures."""

    # How bytes look where what is known of a file is written down.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    closed_gop: bool
    """Whether decoding can begin at each keyframe, and nothing behind it is shown before it."""
    hides_pictures: bool
    """Whether an edit list leaves out some of its pictures, which others may need."""
    on_grid: bool
    """Whether all pictures are so near to a grid of the rate that each can be put on its place."""
    exact: bool
    """Whether they are on it already, and stored in the same steps."""
    leads: bool
    """Whether nothing else in the file begins before its pictures."""
    time_base: Fraction
    delay: int
    """How many pictures, at most, are stored before one that is shown before them."""
    pictures: int
    carries_metadata: bool
    """Whether frames hold user data of the source beside their pixels, see ``media/frame_metadata.py``."""
    level: int | None
    parameter_sets: str
    """Digest of the VPS, SPS and PPS, or of the AV1 sequence header."""
    extradata: bytes
    """The decoder configuration that holds them."""
    one_description: bool = True
    """Whether the decoder configuration stays the same from the first picture to the last."""
