"""Depth of the samples of a codec without loss."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mpt_cli.model.audio_form import SampleFormat

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

_PCM = re.compile(r"pcm_([sufd])(\d+)")
_LOSSLESS = frozenset(
    {"flac", "alac", "tta", "wavpack", "truehd", "mlp", "ape", "shorten", "tak", "mp4als", "wmalossless"}
)
_MOST_24 = frozenset({"flac", "alac", "tta", "truehd", "mlp", "ape", "pcm_bluray", "pcm_dvd"})
"""Codecs whose samples of 32 bits hold 24, but for FLAC and ALAC that say otherwise."""
_BY_FRAME = {
    "u8": SampleFormat.S16,
    "s16": SampleFormat.S16,
    "s32": SampleFormat.S32,
    "s64": SampleFormat.S32,
    "flt": SampleFormat.F32,
    "dbl": SampleFormat.F64,
}
"""The smallest format that holds all samples of a decoded frame; no decoder in use gives more than 32 whole bits."""


def lossless_format(stream: AudioStream, frame: AudioFrame) -> SampleFormat | None:
    """Return the smallest format of PCM that holds the samples of a track; None for a codec with loss."""
    context = stream.codec_context
    codec = context.codec.canonical_name
    if not (codec.startswith("pcm_") or codec in _LOSSLESS):
        return None
    decoded = _BY_FRAME[frame.format.name.removesuffix("p")]
    if decoded is not SampleFormat.S32:
        return decoded
    named = _PCM.match(codec)
    bits = int(named[2]) if named else _configured_bits(codec, context.extradata or b"")
    if codec in _MOST_24 or named:
        return SampleFormat.S24 if (bits or 24) <= 24 else SampleFormat.S32
    return decoded


def _configured_bits(codec: str, extradata: bytes) -> int | None:
    """Return the bits of a sample by the configuration of a decoder (RFC 9639, 8.2; ALACSpecificConfig), or None."""
    if codec == "flac" and len(extradata) == 34:
        return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    if codec == "alac" and len(extradata) == 36:
        return extradata[17]
    return None
