"""Choice of the encoder of a request, and of its settings.

``auto`` is the first hardware encoder that really works here, else the software encoder of the
codec. No encoder is believed to work: each is tried (:mod:`mpt_cli.media.encoders.smoke_test`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from mpt_cli.media.encoders.hardware import HARDWARE_ENCODERS, hardware_options
from mpt_cli.media.encoders.software import DEFAULT_ENCODERS, ENCODERS, Encoder, software_options
from mpt_cli.model.choices import Codec, QualityLevel
from mpt_cli.model.clips import Dimensions, EncoderSettings
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.samples import SDR_SAMPLES
from mpt_cli.model.similarity import alike
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.config.sections import QualitySettings
    from mpt_cli.model.samples import Samples
    from mpt_cli.runtime.cancel import CancelToken

GOP_SECONDS = 2
"""Distance of keyframes: as platforms require, and short enough to seek in."""
_ALL = ENCODERS | HARDWARE_ENCODERS
_TRIED_SIZE, _TRIED_RATE = Dimensions(256, 256), Fraction(30)
"""Frames of the trial of a software encoder, which takes any size."""


class Trials(Protocol):
    """Answers if encoders work, by trying them."""

    def failures(
        self, candidates: Sequence[EncoderSettings], dimensions: Dimensions, *, cancel: CancelToken
    ) -> list[str | None]:
        """Return for each encoder the text of its failure on frames of this size; None for one that works."""
        ...

    def listed(self, *, cancel: CancelToken) -> frozenset[str]:
        """Return the encoders that this ffmpeg lists, working or not; raises Cancelled."""
        ...

    def forget(self, settings: EncoderSettings) -> None:
        """Forget the answers for an encoder."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Quality settings with the encoder that was chosen for them.

    Attributes:
        quality: The settings of the request, with the name of the chosen encoder.
        failure: Reason for which the requested encoder was not chosen, or None.
    """

    quality: QualitySettings
    failure: str | None = None

    @property
    def issue(self) -> Issue | None:
        """Issue for the failure: an error where the settings allow no other encoder, else a warning; or None."""
        if self.failure is None:
            return None
        if not self.quality.fallback:
            hint = f"choose --encoder auto or {self.quality.encoder}, or leave out --no-fallback"
            return Issue(IssueCode.ENCODER_UNAVAILABLE, self.failure, hint=hint)
        instead = f"{self.quality.encoder} is used instead, at {self.quality.quality} quality"
        return Issue(IssueCode.ENCODER_UNAVAILABLE, f"{self.failure}; {instead}")


class CodecOptimizer:
    """Chooses encoders and their settings for a request."""

    def __init__(self, trials: Trials | None = None) -> None:
        """Use trials; without them ``auto`` is software, and a named encoder is believed to work."""
        self._trials = trials

    def default_encoder(self, codec: Codec) -> str:
        """Return the name of the software encoder of a codec."""
        return DEFAULT_ENCODERS[codec].name

    @staticmethod
    def names() -> dict[str, tuple[str, ...]]:
        """Return the names of all encoders by codec, software first."""
        return {codec: tuple(each.name for each in _ALL.values() if each.codec is codec) for codec in Codec}

    def problems(self, quality: QualitySettings) -> list[Issue]:
        """Return the issues of a request's quality settings that need no trial."""
        encoder = _encoder(quality)
        if encoder is None:
            near, fitting = alike(quality.encoder, _ALL), ", ".join(self.names()[quality.codec])
            return [
                Issue(
                    IssueCode.ENCODER_UNAVAILABLE,
                    f"encoder {quality.encoder} is not one that mpt can drive",
                    hint=f"{f'did you mean {near[0]}? ' if near else ''}choose auto, {fitting}",
                )
            ]
        return [*_mismatch(encoder, quality), *_out_of_range(encoder, quality)]

    def choose(
        self,
        quality: QualitySettings,
        *,
        dimensions: Dimensions,
        frame_rate: Fraction,
        cancel: CancelToken,
        samples: Samples = SDR_SAMPLES,
    ) -> Choice:
        """Choose the encoder for a request; see :meth:`problems` first.

        ``auto`` with a crf or a preset is software, whose scales they are. A named encoder that does
        not work is replaced by software at the same level. So is hardware for HDR: what each device
        takes of 10 bits, and writes of their meaning, is not known.

        Args:
            quality: Quality settings of the request.
            dimensions: Size of the frames, in pixels.
            frame_rate: Frames per second.
            cancel: Stops the trials.
            samples: What the samples of the frames mean.

        Returns:
            The choice.

        Raises:
            Cancelled: The trials were stopped.
        """
        usual = samples == SDR_SAMPLES
        if quality.encoder == "auto":
            best = self._best(quality, dimensions, frame_rate, cancel) if usual else self.default_encoder(quality.codec)
            return Choice(quality.model_copy(update={"encoder": best}))
        if quality.encoder in HARDWARE_ENCODERS and not usual:
            return self.replaced(quality, "is used for 8 bits of SDR only")
        if quality.encoder not in HARDWARE_ENCODERS or self._trials is None:
            return Choice(quality)
        settings = self.get_optimal_settings(quality, frame_rate=frame_rate, threads=1)
        (failure,) = self._trials.failures([settings], dimensions, cancel=cancel)
        return Choice(quality) if failure is None else self.replaced(quality, f"does not work here: {failure}")

    def missing(self, quality: QualitySettings, *, cancel: CancelToken, samples: Samples = SDR_SAMPLES) -> Issue | None:
        """Return the issue of a chosen software encoder that this ffmpeg was built without, or None.

        One is tried for other samples than the usual ones: x265 is also built for 8 bits alone.
        """
        asks = self._trials if quality.encoder in ENCODERS else None
        listed = asks.listed(cancel=cancel) if asks is not None else frozenset()
        if not listed or quality.encoder in listed:
            if asks is None or samples == SDR_SAMPLES:
                return None
            settings = self.get_optimal_settings(quality, frame_rate=_TRIED_RATE, threads=1, samples=samples)
            (failure,) = asks.failures([settings], _TRIED_SIZE, cancel=cancel)
            if failure is None:
                return None
            message = f"{quality.encoder} of this ffmpeg does not encode {samples.pixel_format}: {failure}"
            hint = "choose --dynamic-range sdr or another codec, or name another ffmpeg with MPT_FFMPEG__BINARY"
            return Issue(IssueCode.ENCODER_UNAVAILABLE, message, hint=hint)
        message = f"this ffmpeg was built without {quality.encoder}, which encodes {quality.codec}"
        hint = "choose another codec, or name another ffmpeg with MPT_FFMPEG__BINARY"
        return Issue(IssueCode.ENCODER_UNAVAILABLE, message, hint=hint)

    def replaced(self, quality: QualitySettings, failure: str) -> Choice:
        """Return the choice of software in place of the named encoder, because of a failure."""
        return Choice(self.in_software(quality), f"{quality.encoder} {failure}")

    def in_software(self, quality: QualitySettings) -> QualitySettings:
        """Return the settings for software; a crf and a preset belong to an encoder, and are left out."""
        software = {"encoder": self.default_encoder(quality.codec), "crf": None, "preset": None}
        return quality.model_copy(update=software)

    def distrust(self, settings: EncoderSettings) -> None:
        """Try an encoder again the next time, because it failed on a clip."""
        if self._trials is not None:
            self._trials.forget(settings)

    def hardware_failures(
        self, dimensions: Dimensions, frame_rate: Fraction, *, cancel: CancelToken
    ) -> dict[str, str | None]:
        """Return the reason for which each hardware encoder of ffmpeg does not work; None for one that does.

        Raises:
            Cancelled: The trials were stopped.
        """
        if self._trials is None:
            return {}
        listed = self._trials.listed(cancel=cancel)
        encoders = [encoder for encoder in HARDWARE_ENCODERS.values() if encoder.name in listed]
        tried = [_settings(encoder, encoder.levels[QualityLevel.BALANCED], frame_rate, 1) for encoder in encoders]
        failures = self._trials.failures(tried, dimensions, cancel=cancel)
        return {encoder.name: failure for encoder, failure in zip(encoders, failures, strict=True)}

    def get_optimal_settings(
        self, quality: QualitySettings, *, frame_rate: Fraction, threads: int, samples: Samples = SDR_SAMPLES
    ) -> EncoderSettings:
        """Return the settings for all clips of a request; see :meth:`problems` first.

        Args:
            quality: Quality settings of the request.
            frame_rate: Frames per second.
            threads: Encoder threads of a clip; part of the settings, because the bits of x264 change with
                their number.
            samples: What the samples of the frames mean.

        Returns:
            The encoder with its options.

        Raises:
            ValueError: The encoder is unknown.
        """
        encoder = _encoder(quality)
        if encoder is None:
            raise ValueError(f"unknown encoder {quality.encoder}")
        preset, crf = encoder.levels[quality.quality]
        wished = quality.preset or preset, crf if quality.crf is None else quality.crf
        return _settings(encoder, wished, frame_rate, quality.threads or threads, samples)

    def _best(self, quality: QualitySettings, dimensions: Dimensions, frame_rate: Fraction, cancel: CancelToken) -> str:
        software = self.default_encoder(quality.codec)
        if self._trials is None or quality.crf is not None or quality.preset is not None:
            return software
        listed = self._trials.listed(cancel=cancel)
        candidates = [
            self.get_optimal_settings(
                quality.model_copy(update={"encoder": encoder.name}), frame_rate=frame_rate, threads=1
            )
            for encoder in HARDWARE_ENCODERS.values()
            if encoder.codec is quality.codec and encoder.name in listed
        ]
        failures = self._trials.failures(candidates, dimensions, cancel=cancel)
        works = (each.encoder for each, failure in zip(candidates, failures, strict=True) if failure is None)
        return next(works, software)


def _encoder(quality: QualitySettings) -> Encoder | None:
    """Return the encoder for quality settings, software for ``auto``; None for an unknown one."""
    return DEFAULT_ENCODERS[quality.codec] if quality.encoder == "auto" else _ALL.get(quality.encoder)


def codec_of(encoder: str) -> Codec | None:
    """Return the codec that an encoder writes; None for an unknown one, and for ``auto``."""
    found = _ALL.get(encoder)
    return None if found is None else found.codec


def _settings(
    encoder: Encoder, level: tuple[str, int], frame_rate: Fraction, threads: int, samples: Samples = SDR_SAMPLES
) -> EncoderSettings:
    preset, crf = level
    if encoder.hardware is None:
        options = software_options(encoder, preset, crf, threads, samples)
    else:
        options = hardware_options(encoder, preset, crf)
    options["-g"] = str(round_half_up(frame_rate * GOP_SECONDS))
    return EncoderSettings(
        codec=encoder.codec,
        encoder=encoder.name,
        options=tuple(part for pair in options.items() for part in pair),
        pixel_format=samples.pixel_format,
        threads=threads,
        hardware=encoder.hardware,
        color=samples.color,
    )


def _mismatch(encoder: Encoder, quality: QualitySettings) -> list[Issue]:
    if encoder.codec is quality.codec:
        return []
    message = f"encoder {encoder.name} writes {encoder.codec}, not {quality.codec}"
    return [Issue(IssueCode.ENCODER_UNAVAILABLE, message, hint=f"add --codec {encoder.codec}")]


def _out_of_range(encoder: Encoder, quality: QualitySettings) -> list[Issue]:
    issues = []
    if quality.crf is not None and not encoder.lowest_crf <= quality.crf <= encoder.highest_crf:
        message = f"{encoder.name} takes a crf from {encoder.lowest_crf} to {encoder.highest_crf}, not {quality.crf}"
        better = "higher" if encoder.higher_is_better else "lower"
        issues.append(Issue(IssueCode.QUALITY_OUT_OF_RANGE, message, hint=f"a {better} number is better quality"))
    if quality.preset is not None and quality.preset not in encoder.presets:
        message = f"{encoder.name} has no preset {quality.preset}"
        hint = f"choose one of {' '.join(encoder.presets)}" if encoder.presets else "leave the preset out"
        issues.append(Issue(IssueCode.QUALITY_OUT_OF_RANGE, message, hint=hint))
    return issues
