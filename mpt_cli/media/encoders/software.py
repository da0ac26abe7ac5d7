"""Software encoders: options and limits, and the codecs of each container (pure).

Every setting that changes an encoder's bits is named, so that all clips of a request come out with
identical parameter sets and can be joined without encoding them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Codec, Container, QualityLevel

if TYPE_CHECKING:
    from mpt_cli.model.clips import Hardware
    from mpt_cli.model.samples import HdrMetadata, Samples

_X26X_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """Preset and CRF (or the encoder's counterpart) of each quality level, and the limits of an encoder.

    The levels of software are the cheapest settings that reach a VMAF of 80, 93 and 96 with a file of
    at most 2, 2 and 1.1 times the smallest that does: README's table, by tests/benchmarks/quality.py.

    0 is no CRF for two of them: x264 means lossless by it, which is another profile, and ffmpeg
    gives SVT-AV1 its default, 35, instead (measured).
    """

    name: str
    codec: Codec
    levels: dict[QualityLevel, tuple[str, int]]
    presets: tuple[str, ...]
    lowest_crf: int
    highest_crf: int
    hardware: Hardware | None = None
    """None for a software encoder."""
    higher_is_better: bool = False
    """True if a higher number on the encoder's quality scale is better."""


ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            "libx264",
            Codec.H264,
            {
                QualityLevel.DRAFT: ("ultrafast", 32),
                QualityLevel.BALANCED: ("superfast", 22),
                QualityLevel.HIGH: ("fast", 17),
            },
            _X26X_PRESETS,
            1,
            51,
        ),
        Encoder(
            "libx265",
            Codec.HEVC,
            {
                QualityLevel.DRAFT: ("ultrafast", 27),
                QualityLevel.BALANCED: ("ultrafast", 19),
                QualityLevel.HIGH: ("superfast", 16),
            },
            _X26X_PRESETS,
            0,
            51,
        ),
        # Presets above 10 show blocks of older frames where the content jumps (PSNR 28 dB against 54, measured).
        Encoder(
            "libsvtav1",
            Codec.AV1,
            {QualityLevel.DRAFT: ("10", 45), QualityLevel.BALANCED: ("10", 28), QualityLevel.HIGH: ("6", 20)},
            tuple(str(number) for number in range(14)),
            1,
            63,
        ),
    )
}
DEFAULT_ENCODERS = {encoder.codec: encoder for encoder in ENCODERS.values()}
"""Software encoder of each codec."""
_CONTAINER_CODECS = {
    Container.MP4: frozenset(Codec),
    Container.MOV: frozenset({Codec.H264, Codec.HEVC}),  # ffmpeg's MOV muxer takes no AV1 (measured)
    Container.MKV: frozenset(Codec),
}


def fits_container(codec: Codec, container: Container) -> bool:
    """Return True if ffmpeg can write this codec into this container."""
    return codec in _CONTAINER_CODECS[container]


def software_options(encoder: Encoder, preset: str, crf: int, threads: int, samples: Samples) -> dict[str, str]:
    """Return ffmpeg's options of a software encoder: a profile that phones play, closed GOPs, no text in the stream."""
    level = {"-preset": preset, "-crf": str(crf)}
    deep = "10" if samples.pixel_format == "yuv420p10le" else ""
    if encoder.codec is Codec.H264:
        return {
            **level,
            "-profile:v": samples.profile or f"high{deep}",
            "-flags": "+cgop",
            "-x264-params": "stitchable=1",
        }
    if encoder.codec is Codec.HEVC:
        # Without open-gop=0 later keyframes are not clean; info=0 keeps the options, which name the
        # threads, out of the stream; x265 takes its threads here and not from -threads.
        pools = f"pools={threads}:frame-threads=1"
        told = "".join(f":{word}" for word in _x265_light(samples.metadata))
        params = f"open-gop=0:info=0:{pools}:log-level=error{told}"
        return {**level, "-profile:v": samples.profile or f"main{deep}", "-x265-params": params}
    told = "".join(f":{word}" for word in _svtav1_light(samples.metadata))
    return {**level, "-svtav1-params": f"lp={threads}{told}"}


def _x265_light(metadata: HdrMetadata | None) -> list[str]:
    """Return the static metadata of HDR as x265 takes it: in the units of the standards."""
    if metadata is None:
        return []
    found = []
    if metadata.display is not None:
        found.append("master-display=G({},{})B({},{})R({},{})WP({},{})L({},{})".format(*metadata.display))
    if metadata.light is not None:
        found.append("max-cll={},{}".format(*metadata.light))
    return found


def _svtav1_light(metadata: HdrMetadata | None) -> list[str]:
    """Return the static metadata of HDR as SVT-AV1 takes it: in fractions of one, and cd/m2."""
    if metadata is None:
        return []
    found = []
    if metadata.display is not None:
        *places, most, least = metadata.display
        values = [*(f"{place / 50_000:.5f}" for place in places), f"{most / 10_000:.4f}", f"{least / 10_000:.4f}"]
        found.append("mastering-display=G({},{})B({},{})R({},{})WP({},{})L({},{})".format(*values))
    if metadata.light is not None:
        found.append("content-light={},{}".format(*metadata.light))
    return found
