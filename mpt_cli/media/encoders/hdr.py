"""What a request asks for that cannot write HDR (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.encoders.optimizer import codec_of
from mpt_cli.model.choices import Codec, JoinMethod

if TYPE_CHECKING:
    from mpt_cli.config.sections import Config


def hindrance(config: Config, join: JoinMethod | None) -> str | None:
    """Return what was asked for and cannot write HDR; None where nothing is in its way.

    Few players decode 10 bits of H.264, and hardly any device does.
    """
    if join is JoinMethod.MOVIEPY:
        return "MoviePy writes only 8"
    encode = config.encode
    codec = codec_of(encode.encoder) or (encode.codec if "codec" in encode.model_fields_set else None)
    return "H.264 is written with only 8" if codec is Codec.H264 else None


def way_out(join: JoinMethod | None) -> str:
    """Return what to ask for in place of what cannot write HDR."""
    return "leave out --method moviepy" if join is JoinMethod.MOVIEPY else "use --codec hevc or av1"
