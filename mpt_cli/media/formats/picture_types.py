"""Read from the header of a coded picture whether it is predicted from both sides, without decoding it.

Sources: ISO/IEC 11172-2 2.4.3.4, ITU-T H.262 6.2.3, ISO/IEC 14496-2 6.2.5.
"""

from __future__ import annotations

_PICTURE, _PLANE = b"\0\0\1\0", b"\0\0\1\xb6"
_MPEG2_BIDIRECTIONAL, _MPEG4_BIDIRECTIONAL = 3, 2


def may_hold_b_picture(codec: str, data: bytes) -> bool:
    """Return whether a packet may hold a picture that is stored behind one that is shown after it.

    Args:
        codec: The canonical name of the codec.
        data: The bytes of the packet. An AVI may hold several pictures of MPEG-4 in one.

    Returns:
        False where the headers rule it out; True where they say so, cannot be read, or the codec is another one.
    """
    if codec in ("mpeg1video", "mpeg2video"):
        kinds = {piece[1] >> 3 & 7 for piece in data.split(_PICTURE)[1:] if len(piece) > 1}
        return not kinds or _MPEG2_BIDIRECTIONAL in kinds
    if codec == "mpeg4":
        kinds = {piece[0] >> 6 for piece in data.split(_PLANE)[1:] if piece}
        return not kinds or _MPEG4_BIDIRECTIONAL in kinds
    return True
