"""Text as other systems write it: with a byte order mark, or as UTF-16."""

from __future__ import annotations

import codecs

_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLE = 512


def as_utf8(data: bytes) -> bytes:
    """Return text as UTF-8 without a byte order mark; anything but UTF-16 keeps its bytes.

    Raises:
        UnicodeDecodeError: The text begins as UTF-16, and does not go on as such.
    """
    if data.startswith(codecs.BOM_UTF8):
        return data.removeprefix(codecs.BOM_UTF8)
    for mark, name in _WIDE:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(name).encode()
    unmarked = _unmarked(data[:_SAMPLE])
    return data if unmarked is None else data.decode(unmarked).encode()


def _unmarked(head: bytes) -> str | None:
    """Return the name of the UTF-16 in which these bytes are ASCII, each byte beside a zero; None for none."""
    first, second = head[::2], head[1::2]
    if len(head) < 4 or len(first) != len(second):
        return None
    if not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if not any(first) and all(second) else None
