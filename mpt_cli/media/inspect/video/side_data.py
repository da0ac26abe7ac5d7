"""Read what a decoded frame carries beside its pixels, also where PyAV has no name for some of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from av.sidedata.sidedata import Type

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def side_data_of(frame: VideoFrame, kind: Type) -> bytes:
    """Return the side data of this kind; empty where there is none."""
    found: Any = frame.side_data.get(kind)  # type: ignore[call-overload]  # its stub names only text
    return b"" if found is None else bytes(found)


def _unnamed(kind: type[Type], value: object) -> Type:
    member: Any = object.__new__(kind)
    member._name_, member._value_ = f"UNNAMED_{value}", value
    found: Type = member
    return found


# PyAV 18.1 names kinds up to 27 and raises ValueError on all side data of a frame that has another one
# (29 is the view of spatial video, 31 is EXIF).
Type._missing_ = classmethod(_unnamed)  # type: ignore[method-assign, assignment]
