"""Bitwise reader for codec headers, in the notation of the codec specifications (pure)."""

from __future__ import annotations

_MOST_ZEROS = 32


class Bits:
    """Sequence of bits; reading past the end returns zeros."""

    def __init__(self, data: bytes) -> None:
        """Start at the first bit."""
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    @property
    def is_spent(self) -> bool:
        """True if more bits were read than there are."""
        return self._left < 0

    def fixed(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        self._left -= count
        shifted = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return shifted & ((1 << count) - 1)

    def golomb(self) -> int:
        """Return an unsigned number in Exp-Golomb code."""
        zeros = 0
        while not self.fixed(1) and zeros < _MOST_ZEROS:
            zeros += 1
        return (1 << zeros) - 1 + self.fixed(zeros)

    def signed_golomb(self) -> int:
        """Return a signed number in Exp-Golomb code."""
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def without_emulation(unit: bytes) -> bytes:
    """Return the bytes of a NAL unit without emulation prevention bytes."""
    return unit.replace(b"\0\0\3", b"\0\0")
