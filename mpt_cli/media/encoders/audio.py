"""Audio encoders: the containers, rates, layouts and depths that each takes (pure)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.audio_form import LAYOUTS, SampleFormat
from mpt_cli.model.choices import Container

if TYPE_CHECKING:
    from collections.abc import Collection

    from mpt_cli.model.audio_form import AudioForm

_ALL = frozenset(Container)
_BROADCAST = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1")
_DOLBY = ("mono", "stereo", "2.1", "3.0", "3.1", "4.0", "quad", "5.0", "5.1")
_XIPH = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
_LOSSLESS = (SampleFormat.S16, SampleFormat.S24)
_DOLBY_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
"""Bit rates of AC-3 (ATSC A/52, table 5.18)."""


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """An audio codec that a reel can have.

    Attributes:
        family: Name in settings.
        encoder: Encoder, in ffmpeg's name; for ``pcm`` one for each depth.
        containers: Containers that take it.
        layouts: Channel layouts that it takes.
        rates: Sample rates that it takes, in order; empty for all.
        formats: Depths that it holds without loss; empty for a codec with loss.
        priming: Samples that its encoder puts in front. Matroska says how many, and players skip them; MP4 and MOV
            could say it by an edit list only, which a reel does not have: as many samples of the reel are lost there.
        packet: Samples of a packet.
    """

    family: str
    encoder: str
    containers: frozenset[Container]
    layouts: tuple[str, ...]
    rates: tuple[int, ...] = ()
    formats: tuple[SampleFormat, ...] = ()
    priming: int = 0
    packet: int = 0


AAC = AudioCodec(
    "aac",
    "aac",
    _ALL,
    _BROADCAST,  # 7.1 needs a description that ADTS does not carry
    rates=(7350, 8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
    priming=1024,
    packet=1024,
)
_MKV = frozenset({Container.MKV})
OPUS = AudioCodec("opus", "libopus", _MKV, _XIPH, rates=(48_000,), priming=312, packet=960)
"""Not in MP4: its first samples would need an edit list."""
AC3 = AudioCodec("ac3", "ac3", _ALL, _DOLBY, rates=(32_000, 44_100, 48_000), priming=256, packet=1536)
EAC3 = AudioCodec("eac3", "eac3", _ALL, _DOLBY, rates=(32_000, 44_100, 48_000), priming=256, packet=1536)
FLAC = AudioCodec("flac", "flac", frozenset({Container.MP4, Container.MKV}), _XIPH, formats=_LOSSLESS)
ALAC = AudioCodec("alac", "alac", _ALL, _BROADCAST, formats=_LOSSLESS)
PCM = AudioCodec("pcm", "pcm", frozenset({Container.MOV, Container.MKV}), tuple(LAYOUTS), formats=tuple(SampleFormat))
"""Not in MP4: ffmpeg 5.1 refuses it, and few players take it."""
CODECS = {codec.family: codec for codec in (AAC, OPUS, AC3, EAC3, FLAC, ALAC, PCM)}


def codec_of(audio: AudioForm) -> AudioCodec:
    """Return the codec of a target format."""
    return PCM if audio.codec.startswith("pcm_") else CODECS[audio.codec]


def codec_name(codec: AudioCodec, samples: SampleFormat) -> str:
    """Return ffmpeg's name of a codec for samples of this format."""
    return f"pcm_{samples}" if codec is PCM else codec.family


def encoder_name(audio: AudioForm) -> str:
    """Return ffmpeg's name of the encoder of a target format."""
    codec = codec_of(audio)
    return audio.codec if codec is PCM else codec.encoder


def is_encoded_apart(audio: AudioForm) -> bool:
    """Return True if audio is encoded before the join, in parallel pieces; else the join encodes it in one piece.

    Only packets of AAC are known to fit together at the border of two pieces (``concatenation/audio.py``); the
    other encoders are as fast as a disk (FLAC: 400 times real time, measured), or rarely needed.
    """
    return audio.codec == "aac"


def given_up(audio: AudioForm, container: Container) -> int:
    """Return how many samples at the start of a reel are lost to what the encoder puts in front."""
    return 0 if container is Container.MKV and audio.codec != "aac" else codec_of(audio).priming


def held_back(audio: AudioForm) -> int:
    """Return how many samples of silence an encoder needs behind a reel.

    Those of AC-3 end with the packet of the last sample that they were given, and keep what it shares with the next
    one (measured, ffmpeg 9.0: 132,096 samples decode of 132,300).
    """
    codec = codec_of(audio)
    return codec.priming if codec in (AC3, EAC3) else 0


def names_layout(codec: AudioCodec, container: Container, layout: str) -> bool:
    """Return True if a file says which channel is which: PCM in Matroska has only a number of channels."""
    return codec is not PCM or container is not Container.MKV or layout in ("mono", "stereo")


def nearest_rate(codec: AudioCodec, rate: int) -> int:
    """Return the lowest rate of a codec that holds all of this one, else its highest."""
    if not codec.rates:
        return rate
    return codec.rates[min(bisect_left(codec.rates, rate), len(codec.rates) - 1)]


def nearest_layout(codec: AudioCodec, layout: str) -> str:
    """Return the smallest layout of a codec that has all these channels, else the largest that has some of them."""
    wanted = set(LAYOUTS[layout])
    wider = [each for each in codec.layouts if wanted <= set(LAYOUTS[each])]
    narrower = [each for each in codec.layouts if set(LAYOUTS[each]) <= wanted]
    return min(wider, key=_count) if wider else max(narrower or ["stereo"], key=_count)


def coded_bitrate(codec: AudioCodec, rate: int, layout: str, least: int) -> int:
    """Return the bit rate to encode with: at least the given one, and enough that a second coding is not heard.

    The default of 192 kb/s for stereo at 48 kHz is 96 for each channel; two thirds do for those at the back.

    Args:
        codec: The codec, one with loss.
        rate: Samples per second.
        layout: Channel layout.
        least: Bit rate of the clips.
    """
    channels = _count(layout)
    usual = (min(channels, 2) * 96_000 + max(0, channels - 2) * 64_000) * min(rate, 48_000) // 48_000
    return nearest_bitrate(codec, rate, layout, -(-max(usual, least) // 1000) * 1000)


def nearest_bitrate(codec: AudioCodec, rate: int, layout: str, bitrate: int) -> int:
    """Return the lowest bit rate of a codec that is not below this one, else its highest."""
    if codec in (AC3, EAC3):
        return 1000 * next((each for each in _DOLBY_KILOBITS if 1000 * each >= bitrate), _DOLBY_KILOBITS[-1])
    # AAC: 6,144 bits a packet
    return min(bitrate, 256_000 * _count(layout) if codec is OPUS else 6 * rate * _count(layout))


def _count(layout: str) -> int:
    return len(LAYOUTS[layout])


def containers_of(codec: AudioCodec) -> Collection[Container]:
    """Return the containers that take a codec, in their usual order."""
    return [container for container in Container if container in codec.containers]
