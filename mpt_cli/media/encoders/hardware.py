"""Hardware encoders: options and limits, in the scale of each encoder's own quality (pure).

No encoder is trusted because it is listed here or by ffmpeg: each is tried before it is used
(:mod:`mpt_cli.media.encoders.smoke_test`), and its output is verified as that of software. The numbers of
the levels follow the makers' advice; they were not measured against VMAF as those of software are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.software import Encoder
from mpt_cli.model.choices import Codec, QualityLevel
from mpt_cli.model.clips import Hardware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class _Family:
    """Common properties of the encoders of one kind of device.

    ``levels`` are preset and quality for H.264 and HEVC, ``av1`` those for AV1, whose scale is
    another; ``options`` returns ffmpeg's options for a codec, a preset and a quality.
    """

    suffix: str
    hardware: Hardware
    presets: tuple[str, ...]
    levels: tuple[tuple[str, int], tuple[str, int], tuple[str, int]]
    av1: tuple[tuple[str, int], tuple[str, int], tuple[str, int]]
    range: tuple[int, int]
    av1_range: tuple[int, int]
    options: Callable[[Codec, str, int], dict[str, str]]
    codecs: tuple[Codec, ...] = tuple(Codec)
    higher_is_better: bool = False


def _profile(codec: Codec) -> dict[str, str]:
    return {"-profile:v": "high" if codec is Codec.H264 else "main"}


def _nvenc(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    # Without -b:v 0 the quality is bounded by the 2 Mbit/s that ffmpeg gives where nothing is said.
    rate = {"-rc": "vbr", "-cq": str(quality), "-b:v": "0", "-forced-idr": "1"}
    return {"-preset": preset, "-tune": "hq", **rate, **({} if codec is Codec.AV1 else _profile(codec))}


def _qsv(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    every = {"-idr_interval": "1"} if codec is Codec.HEVC else {}  # else only the first keyframe is an IDR
    return {"-preset": preset, "-global_quality": str(quality), "-forced_idr": "1", **_profile(codec), **every}


def _amf(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    step = 8 if codec is Codec.AV1 else 2
    rate = {"-rc": "cqp", "-qp_i": str(quality), "-qp_p": str(quality + step)}
    between = {} if codec is Codec.HEVC else {"-qp_b": str(quality + 2 * step)}
    return {"-usage": "transcoding", "-quality": preset, **rate, **between, **_profile(codec)}


def _videotoolbox(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    del preset  # it has none
    return {"-q:v": str(quality), "-allow_sw": "0", **_profile(codec)}


def _vaapi(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    del preset
    return {"-rc_mode": "CQP", "-global_quality": str(quality), **_profile(codec)}


def _vulkan(codec: Codec, preset: str, quality: int) -> dict[str, str]:
    del preset
    return {"-rc_mode": "cqp", "-qp": str(quality), **_profile(codec)}


_NONE = ""
_FAMILIES = (
    # Consumer cards of NVIDIA refuse more sessions than their driver allows: 3 in the older ones.
    _Family(
        "nvenc",
        Hardware("cuda", at_once=3),
        tuple(f"p{number}" for number in range(1, 8)),
        (("p2", 31), ("p5", 25), ("p7", 20)),
        (("p2", 43), ("p5", 34), ("p7", 27)),
        (1, 51),
        (1, 63),
        _nvenc,
    ),
    _Family(
        "qsv",
        Hardware("qsv", at_once=4),
        ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"),
        (("veryfast", 30), ("medium", 24), ("slower", 20)),
        (("veryfast", 30), ("medium", 24), ("slower", 20)),
        (1, 51),
        (1, 51),
        _qsv,
    ),
    _Family(
        "amf",
        Hardware("amf", at_once=2),
        ("speed", "balanced", "quality"),
        (("speed", 30), ("balanced", 23), ("quality", 19)),
        (("speed", 140), ("balanced", 100), ("quality", 75)),
        (0, 47),
        (0, 239),
        _amf,
    ),
    _Family(
        "videotoolbox",
        Hardware("videotoolbox", at_once=4),
        (),
        ((_NONE, 45), (_NONE, 62), (_NONE, 75)),
        ((_NONE, 45), (_NONE, 62), (_NONE, 75)),
        (1, 100),
        (1, 100),
        _videotoolbox,
        (Codec.H264, Codec.HEVC),
        higher_is_better=True,
    ),
    _Family(
        "vaapi",
        Hardware("vaapi", at_once=4, uploads=True),
        (),
        ((_NONE, 30), (_NONE, 23), (_NONE, 19)),
        ((_NONE, 140), (_NONE, 100), (_NONE, 75)),
        (1, 51),
        (1, 255),
        _vaapi,
    ),
    _Family(
        "vulkan",
        Hardware("vulkan", at_once=2, uploads=True),
        (),
        ((_NONE, 30), (_NONE, 23), (_NONE, 19)),
        ((_NONE, 140), (_NONE, 100), (_NONE, 75)),
        (1, 51),
        (1, 255),
        _vulkan,
    ),
)
"""Families in the order in which ``auto`` prefers them: those of one maker before those that serve all."""


def _encoder(family: _Family, codec: Codec) -> Encoder:
    levels = family.av1 if codec is Codec.AV1 else family.levels
    lowest, highest = family.av1_range if codec is Codec.AV1 else family.range
    return Encoder(
        name=f"{codec}_{family.suffix}",
        codec=codec,
        levels=dict(zip(QualityLevel, levels, strict=True)),
        presets=family.presets,
        lowest_crf=lowest,
        highest_crf=highest,
        hardware=family.hardware,
        higher_is_better=family.higher_is_better,
    )


HARDWARE_ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder for family in _FAMILIES for codec in family.codecs for encoder in [_encoder(family, codec)]
}
_OPTIONS: Mapping[str, Callable[[Codec, str, int], dict[str, str]]] = {
    family.hardware.device: family.options for family in _FAMILIES
}


def hardware_options(encoder: Encoder, preset: str, quality: int) -> dict[str, str]:
    """Return ffmpeg's options of a hardware encoder; its GOPs are closed and begin with an IDR."""
    assert encoder.hardware is not None
    return _OPTIONS[encoder.hardware.device](encoder.codec, preset, quality)
