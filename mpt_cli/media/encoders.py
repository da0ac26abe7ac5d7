"""CodecOptimizer: which encoder, with which settings, writes which codec into which container.

Software encoders only. Every setting that changes an encoder's bits is named, so that all clips of
a request come out with identical parameter sets and can be joined without encoding them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mpt_cli.errors import Issue, IssueCode
from mpt_cli.media.timing import round_half_up
from mpt_cli.models import Codec, Container, EncoderSettings, QualityLevel

if TYPE_CHECKING:
    from fractions import Fraction

    from mpt_cli.config import QualitySettings

GOP_SECONDS = 2
"""Distance of keyframes: what platforms ask for, and short enough to seek in."""
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
    """What an encoder takes: preset and CRF of each quality level, and its limits.

    0 is no CRF for two of them: x264 means lossless by it, which is another profile, and ffmpeg
    gives SVT-AV1 its default, 35, instead (measured).
    """

    name: str
    codec: Codec
    levels: dict[QualityLevel, tuple[str, int]]
    presets: tuple[str, ...]
    lowest_crf: int
    highest_crf: int


ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            "libx264",
            Codec.H264,
            {
                QualityLevel.DRAFT: ("superfast", 28),
                QualityLevel.BALANCED: ("veryfast", 21),
                QualityLevel.HIGH: ("medium", 18),
            },
            _X26X_PRESETS,
            1,
            51,
        ),
        Encoder(
            "libx265",
            Codec.HEVC,
            {
                QualityLevel.DRAFT: ("ultrafast", 30),
                QualityLevel.BALANCED: ("veryfast", 25),
                QualityLevel.HIGH: ("medium", 21),
            },
            _X26X_PRESETS,
            0,
            51,
        ),
        # Presets above 10 show blocks of older pictures where the content jumps (PSNR 28 dB against 54, measured).
        Encoder(
            "libsvtav1",
            Codec.AV1,
            {QualityLevel.DRAFT: ("10", 42), QualityLevel.BALANCED: ("10", 34), QualityLevel.HIGH: ("7", 27)},
            tuple(str(number) for number in range(14)),
            1,
            63,
        ),
    )
}
_DEFAULT_ENCODERS = {encoder.codec: encoder for encoder in ENCODERS.values()}
_CONTAINER_CODECS = {
    Container.MP4: frozenset(Codec),
    Container.MOV: frozenset({Codec.H264, Codec.HEVC}),  # ffmpeg's MOV muxer takes no AV1 (measured)
    Container.MKV: frozenset(Codec),
}


def fits_container(codec: Codec, container: Container) -> bool:
    """Whether ffmpeg can write this codec into this container."""
    return codec in _CONTAINER_CODECS[container]


class CodecOptimizer:
    """Chooses encoders and their settings for a request."""

    def default_encoder(self, codec: Codec) -> str:
        """The name of the encoder that ``auto`` stands for."""
        return _DEFAULT_ENCODERS[codec].name

    def problems(self, quality: QualitySettings) -> list[Issue]:
        """What is wrong with the wishes of a request, before any of them is tried."""
        encoder = self._encoder(quality)
        if encoder is None:
            near = get_close_matches(quality.encoder, ENCODERS, n=1)
            return [
                Issue(
                    IssueCode.ENCODER_UNAVAILABLE,
                    f"encoder {quality.encoder} is not one that mpt can drive",
                    hint=f"{f'did you mean {near[0]}? ' if near else ''}choose auto, {', '.join(ENCODERS)}",
                )
            ]
        return [*self._mismatch(encoder, quality), *self._out_of_range(encoder, quality)]

    def get_optimal_settings(self, quality: QualitySettings, *, frame_rate: Fraction, threads: int) -> EncoderSettings:
        """The settings that a whole request is encoded with; see :meth:`problems` first.

        ``threads`` are part of them, because the bits of x264 change with their number.
        """
        encoder = self._encoder(quality)
        if encoder is None:
            raise ValueError(f"unknown encoder {quality.encoder}")
        preset, crf = encoder.levels[quality.quality]
        options = {
            "-preset": quality.preset or preset,
            "-crf": str(crf if quality.crf is None else quality.crf),
            "-g": str(round_half_up(frame_rate * GOP_SECONDS)),
            **_fixed_options(encoder, quality.threads or threads),
        }
        return EncoderSettings(
            codec=encoder.codec,
            encoder=encoder.name,
            options=tuple(part for pair in options.items() for part in pair),
            pixel_format="yuv420p",
            threads=quality.threads or threads,
        )

    def _encoder(self, quality: QualitySettings) -> Encoder | None:
        return _DEFAULT_ENCODERS[quality.codec] if quality.encoder == "auto" else ENCODERS.get(quality.encoder)

    def _mismatch(self, encoder: Encoder, quality: QualitySettings) -> list[Issue]:
        if encoder.codec is quality.codec:
            return []
        message = f"encoder {encoder.name} writes {encoder.codec}, not {quality.codec}"
        return [Issue(IssueCode.ENCODER_UNAVAILABLE, message, hint=f"add --codec {encoder.codec}")]

    def _out_of_range(self, encoder: Encoder, quality: QualitySettings) -> list[Issue]:
        issues = []
        if quality.crf is not None and not encoder.lowest_crf <= quality.crf <= encoder.highest_crf:
            message = (
                f"{encoder.name} takes a crf from {encoder.lowest_crf} to {encoder.highest_crf}, not {quality.crf}"
            )
            issues.append(Issue(IssueCode.QUALITY_OUT_OF_RANGE, message, hint="a lower number is better quality"))
        if quality.preset is not None and quality.preset not in encoder.presets:
            message = f"{encoder.name} has no preset {quality.preset}"
            issues.append(
                Issue(IssueCode.QUALITY_OUT_OF_RANGE, message, hint=f"choose one of {' '.join(encoder.presets)}")
            )
        return issues


def _fixed_options(encoder: Encoder, threads: int) -> dict[str, str]:
    """What every clip needs: a profile that phones play, closed GOPs, no text in the stream."""
    if encoder.codec is Codec.H264:
        return {"-profile:v": "high", "-flags": "+cgop", "-x264-params": "stitchable=1"}
    if encoder.codec is Codec.HEVC:
        # Without open-gop=0 later keyframes are not clean; info=0 keeps the options, which name the
        # threads, out of the stream; x265 takes its threads here and not from -threads.
        pools = f"pools={threads}:frame-threads=1"
        return {"-profile:v": "main", "-x265-params": f"open-gop=0:info=0:{pools}:log-level=error"}
    return {"-svtav1-params": f"lp={threads}"}
