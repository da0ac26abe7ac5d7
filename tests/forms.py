"""Target forms for tests that need one without a plan."""

from __future__ import annotations

from fractions import Fraction

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import Codec, Container, Fit, QualityLevel
from mpt_cli.model.clips import Dimensions, TargetForm


def form_of(
    *,
    size: str = "160x90",
    rate: Fraction | str = "30",
    fit: Fit = Fit.CONTAIN,
    codec: Codec = Codec.H264,
    container: Container = Container.MP4,
    background: str = "black",
    threads: int = 1,
) -> TargetForm:
    """The form of a small, quick reel."""
    frame_rate = Fraction(rate)
    quality = QualitySettings(codec=codec, quality=QualityLevel.BALANCED)
    return TargetForm(
        dimensions=Dimensions.parse(size),
        frame_rate=frame_rate,
        fit=fit,
        background=background,
        encoder=CodecOptimizer().get_optimal_settings(quality, frame_rate=frame_rate, threads=threads),
        container=container,
        sample_rate=48_000,
        channels=2,
        audio_codec="aac",
        audio_bitrate=192_000,
    )
