"""Encoders of target formats: that of the request, and one that makes frames like those of clips that are copied."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.kept import codec_like, samples_like
from mpt_cli.model.clips import TargetForm
from mpt_cli.model.samples import SDR_SAMPLES, Samples
from mpt_cli.planning.estimates import Machine, concurrency, need_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.config.sections import Config, QualitySettings
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.choices import Container
    from mpt_cli.model.clips import EncoderSettings
    from mpt_cli.model.media_info import MediaInfo


@dataclass(frozen=True, slots=True)
class FormEncoder:
    """Chooses the encoder of target formats of a request, and its threads.

    Attributes:
        config: The configuration, which names the whole target format.
        machine: Cores and memory.
        optimizer: Chooses encoder settings.
        clips_beside: Number of clips of other requests that run at the same time.
        samples: What the samples of encoded frames mean.
    """

    config: Config
    machine: Machine
    optimizer: CodecOptimizer
    clips_beside: int = 0
    samples: Samples = SDR_SAMPLES

    def target_form(self, container: Container, audio: AudioForm) -> TargetForm:
        """Return the target format with one encoder thread, unless the configuration names a number."""
        rate = self.config.video.fps
        assert rate is not None  # settled
        return TargetForm(
            dimensions=self.config.video.size,
            frame_rate=rate,
            fit=self.config.video.fit,
            background=self.config.video.background,
            encoder=self.optimizer.get_optimal_settings(
                self.config.encode, frame_rate=rate, threads=1, samples=self.samples
            ),
            container=container,
            audio=audio,
        )

    def like(self, form: TargetForm) -> TargetForm | None:
        """Return a format of kept frames with an encoder, of one thread, that makes such ones; None where none does."""
        if form.kept is None or samples_like(form.kept, form.dimensions) is None:
            return None
        return replace(form, encoder=self._settings(form, 1))

    def with_threads(self, form: TargetForm, medias: Sequence[MediaInfo]) -> TargetForm:
        """Return a format with as many encoder threads as cores are idle and memory has room for."""

        def with_threads(threads: int) -> TargetForm:
            return replace(form, encoder=self._settings(form, threads))

        def need(threads: int) -> int:
            return max(need_bytes(media, with_threads(threads)) for media in medias)

        at_a_time = min(len(medias) + self.clips_beside, self.config.processing.jobs or self.machine.cores)
        jobs, threads = concurrency(at_a_time, self.machine, need(1))
        while threads > 1 and jobs * need(threads) > self.machine.memory_bytes:
            threads -= 1
        return with_threads(threads)

    def _settings(self, form: TargetForm, threads: int) -> EncoderSettings:
        quality, samples = self.config.encode, self.samples
        if form.kept is not None:
            samples = samples_like(form.kept, form.dimensions) or samples
            quality = quality_like(form, quality, self.optimizer)
        return self.optimizer.get_optimal_settings(
            quality, frame_rate=form.frame_rate, threads=threads, samples=samples
        )


def quality_like(form: TargetForm, quality: QualitySettings, optimizer: CodecOptimizer) -> QualitySettings:
    """Return the quality settings of the encoder that makes frames like kept ones: software, whose samples are known.

    A crf and a preset belong to an encoder: they count where it is that one.
    """
    assert form.kept is not None
    codec = codec_like(form.kept)
    wanted = optimizer.default_encoder(codec)
    if quality.codec is codec and quality.encoder in ("auto", wanted):
        return quality.model_copy(update={"encoder": wanted})
    return optimizer.in_software(quality.model_copy(update={"codec": codec}))
