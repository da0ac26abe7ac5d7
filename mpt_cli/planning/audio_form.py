"""The target format of the audio of a reel: what the settings leave open is taken from the clips (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mpt_cli.media.encoders.audio import (
    AAC,
    ALAC,
    CODECS,
    FLAC,
    PCM,
    codec_name,
    coded_bitrate,
    containers_of,
    given_up,
    names_layout,
    nearest_bitrate,
    nearest_layout,
    nearest_rate,
)
from mpt_cli.model.audio_form import LAYOUTS, AudioForm, SampleFormat, layout_of
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mpt_cli.config.sections import AudioConfig
    from mpt_cli.media.encoders.audio import AudioCodec
    from mpt_cli.model.choices import Container
    from mpt_cli.model.media_info import MediaInfo

_BY_COUNT = {1: "mono", 2: "stereo", 6: "5.1"}
_HEARD = Fraction(1, 20)
"""Seconds without audio at the start of a reel that may be heard: two packets of AAC at 48 kHz are less."""
_SAME_SAMPLES = {"flac": (FLAC, ALAC, PCM), "alac": (ALAC, FLAC, PCM), "pcm": (PCM, FLAC, ALAC)}
"""Codecs without loss in the order in which they take the place of each, for containers that do not take it."""


class _Source(NamedTuple):
    """What clips may agree in; ``codec`` is one of settings, or the name of another."""

    codec: str
    lossless: SampleFormat | None
    rate: int
    layout: str | None
    channels: int


@dataclass(frozen=True, slots=True)
class AudioChoice:
    """The audio of a reel.

    Attributes:
        form: The target format.
        reasons: Where it comes from, and why something is not as in the clips.
        issue: Warning for what the reel cannot keep of most of its clips, or None.
    """

    form: AudioForm
    reasons: tuple[str, ...] = ()
    issue: Issue | None = None


def given_audio(config: AudioConfig) -> AudioForm:
    """Return the audio that the settings give; stereo of 48 kHz for what they leave open."""
    codec, rate = CODECS[config.codec or AAC.family], config.sample_rate or 48_000
    layout = _BY_COUNT[config.channels or 2]
    bitrate = None if codec.formats else _given_bitrate(config, codec, rate, layout)
    return AudioForm(codec_name(codec, SampleFormat.S16), rate, layout, bitrate)


def settled_audio(
    config: AudioConfig,
    clips: Iterable[tuple[MediaInfo, Fraction]],
    container: Container,
    *,
    of_clips: bool,
    only: AudioCodec | None = None,
) -> AudioChoice:
    """Return the audio of a reel: clips that agree in theirs and hold the most seconds decide what is open.

    Args:
        config: The settings of audio.
        clips: Each clip that is heard with the seconds that are used of it.
        container: The container of the reel.
        of_clips: Whether settings that nobody gave are open; else only those that are ``auto``.
        only: The codec of a join that writes no other.
    """
    config = _opened(config) if of_clips else config
    is_open = None in (config.codec, config.sample_rate, config.channels)
    if not is_open and not CODECS[config.codec or AAC.family].formats:  # of those, clips decide the depth
        return AudioChoice(given_audio(config))
    heard = [(media, seconds) for media, seconds in clips if media.audio is not None]
    if not heard:
        return AudioChoice(given_audio(config), ("no clip has audio",))
    source, share = _majority(heard)
    codec, replaced = _codec(config, source, container, only)
    rate, other_rate = _rate(config, source, codec)
    layout, other_layout = _layout(config, source, codec)
    samples, shallow = _samples(config, source, codec)
    bitrate = None if codec.formats else _bitrate(config, codec, rate, layout, heard, source)
    form = AudioForm(codec_name(codec, samples), rate, layout, bitrate, samples)
    lost = tuple(reason for reason in (other_rate, other_layout, shallow) if reason)
    reasons = tuple(reason for reason in (share, replaced, *lost, _late_start(form, container)) if reason)
    return AudioChoice(form, reasons, _warning(lost, form, source, container) if lost else None)


def _opened(config: AudioConfig) -> AudioConfig:
    """Return the settings with what nobody gave left open; a bit rate asks for a codec that has one."""
    given = config.model_fields_set
    unset = [name for name in ("codec", "sample_rate", "channels") if name not in given]
    if "bitrate" in given and "codec" in unset:
        unset.remove("codec")
    return config.model_copy(update=dict.fromkeys(unset))


def _majority(heard: Sequence[tuple[MediaInfo, Fraction]]) -> tuple[_Source, str]:
    """Return the audio that most seconds have, and in how many; of equal groups that of more channels and samples."""
    seconds: dict[_Source, Fraction] = defaultdict(Fraction)
    for media, used in heard:
        seconds[_source(media)] += used
    most = max(seconds, key=lambda each: (seconds[each], each.channels, each.rate, each.codec))
    total = sum(seconds.values(), Fraction(0))
    if len(seconds) == 1:
        return most, "as in all clips with audio"
    return most, f"as in the clips of {seconds_text(seconds[most])} of {seconds_text(total)} with audio"


def _source(media: MediaInfo) -> _Source:
    """Return the audio of a clip: that of its first track, with the channels of all that are parts of its layout."""
    tracks = media.heard
    first = tracks[0]
    channels = tuple(name for track in tracks for name in track.channels) if first.is_part else first.channels
    if len(tracks) > 1 and not first.is_part and len(channels) == 1:
        channels = LAYOUTS["stereo"]  # two microphones are heard on both sides
    family = first.codec if first.lossless is None else first.codec.split("_", maxsplit=1)[0]
    return _Source(family, first.lossless, first.sample_rate, layout_of(channels), len(channels))


def _codec(
    config: AudioConfig, source: _Source, container: Container, only: AudioCodec | None
) -> tuple[AudioCodec, str | None]:
    """Return the codec of the reel, and why it is not that of the clips."""
    if config.codec is not None:
        return CODECS[config.codec], None
    own = CODECS.get(source.codec)
    if only is not None:
        return only, None if own is only else f"this join writes {only.family} only, not {source.codec}"
    if source.lossless is None:
        if own is None:
            return AAC, f"{source.codec} is encoded as aac, which all players take"
        return (own, None) if container in own.containers else (AAC, _misfit(own, container))
    order = _SAME_SAMPLES.get(source.codec, (FLAC, ALAC, PCM))
    layout = source.layout or "stereo"
    fit = [codec for codec in order if container in codec.containers and layout in codec.layouts]
    deep = [codec for codec in fit if source.lossless in codec.formats]
    named = [codec for codec in deep if names_layout(codec, container, layout)]
    return (named or deep or fit or [ALAC])[0], None


def _misfit(codec: AudioCodec, container: Container) -> str:
    takers = " or ".join(f".{each}" for each in containers_of(codec))
    return f"{codec.family} needs {takers}, in .{container} it becomes aac"


def _rate(config: AudioConfig, source: _Source, codec: AudioCodec) -> tuple[int, str | None]:
    wanted = config.sample_rate or source.rate
    rate = nearest_rate(codec, wanted)
    return rate, None if rate == wanted else f"{codec.family} has no {wanted} Hz: {rate} Hz"


def _layout(config: AudioConfig, source: _Source, codec: AudioCodec) -> tuple[str, str | None]:
    if config.channels is not None:
        return _BY_COUNT[config.channels], None
    if source.layout is None:
        return "stereo", f"its {source.channels} channels have no usual layout: stereo"
    layout = nearest_layout(codec, source.layout)
    return layout, None if layout == source.layout else f"{codec.family} has no {source.layout}: {layout}"


def _samples(config: AudioConfig, source: _Source, codec: AudioCodec) -> tuple[SampleFormat, str | None]:
    """Return the format of PCM that is kept for a codec, and why it is not that of the clips."""
    if source.lossless is None or not codec.formats:
        coded = source.lossless is not None and config.codec is None
        return SampleFormat.S16, f"{codec.family} is not without loss" if coded else None
    if source.lossless in codec.formats:
        return source.lossless, None
    return SampleFormat.S24, f"{codec.family} has no samples of {_depth(source.lossless)}: 24 bits"


def _late_start(form: AudioForm, container: Container) -> str | None:
    """Return what is lost at the start of a reel, where it is long enough to be heard."""
    lost = Fraction(given_up(form, container), form.sample_rate)
    return f"the first {round(lost * 1000)} ms are lost to the start of the encoder" if lost >= _HEARD else None


def _depth(samples: SampleFormat) -> str:
    return f"{samples.bits} bits" + (" in floating point" if samples.is_float else "")


def _bitrate(
    config: AudioConfig,
    codec: AudioCodec,
    rate: int,
    layout: str,
    heard: Sequence[tuple[MediaInfo, Fraction]],
    source: _Source,
) -> int:
    """Return the bit rate that was given, else at least the highest of the clips that decide."""
    if "bitrate" in config.model_fields_set:
        return _given_bitrate(config, codec, rate, layout)
    own = [media.heard[0].bit_rate or 0 for media, _ in heard if _source(media) == source]
    return coded_bitrate(codec, rate, layout, 0 if source.lossless else max(own))


def _given_bitrate(config: AudioConfig, codec: AudioCodec, rate: int, layout: str) -> int:
    """Return the bit rate of the settings as a codec takes it; the default is one for stereo."""
    least = 0 if "bitrate" in config.model_fields_set else coded_bitrate(codec, rate, layout, 0)
    return nearest_bitrate(codec, rate, layout, max(config.bitrate, least))


def _warning(lost: Sequence[str], form: AudioForm, source: _Source, container: Container) -> Issue:
    """Return the warning for what is lost though nobody asked for it."""
    keeping = CODECS.get(source.codec, PCM if source.lossless else AAC)
    takers = " or ".join(f".{each}" for each in containers_of(keeping))
    hint = f"use {takers} to keep it" if container not in keeping.containers else None
    return Issue(IssueCode.AUDIO_CHANGED, f"the audio of the reel is {form}: {'; '.join(lost)}", hint=hint)
