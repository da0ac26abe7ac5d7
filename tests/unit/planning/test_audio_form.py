"""The audio of a reel is that of most seconds of its clips, as far as codec and container take it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import AudioConfig, Config
from mpt_cli.media.encoders.audio import AAC, CODECS, codec_of
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.audio_form import LAYOUTS, AudioForm, SampleFormat, layout_of
from mpt_cli.model.choices import Container
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import EncoderError, IssueCode
from mpt_cli.model.media_info import AudioStreamInfo
from mpt_cli.planning.audio_form import AudioChoice, settled_audio
from mpt_cli.planning.estimates import Machine
from mpt_cli.planning.planner import Planner, PlanRequest
from mpt_cli.runtime.cancel import CancelToken
from tests.builders import media_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo

MP4, MOV, MKV = Container
S16, S24, S32, F32 = SampleFormat.S16, SampleFormat.S24, SampleFormat.S32, SampleFormat.F32


def track(
    codec: str = "aac",
    rate: int = 48_000,
    layout: str = "stereo",
    *,
    lossless: SampleFormat | None = None,
    bit_rate: int | None = None,
) -> AudioStreamInfo:
    """Return an audio track."""
    return AudioStreamInfo(1, codec, LAYOUTS[layout], layout, rate, lossless=lossless, bit_rate=bit_rate)


def chosen(
    *clips: tuple[AudioStreamInfo | None, int], container: Container = MP4, of_clips: bool = True, **settings: object
) -> AudioChoice:
    """Return the audio of a reel of clips with this audio and so many seconds."""
    pairs = [(media_of(audio=audio), Fraction(seconds)) for audio, seconds in clips]
    return settled_audio(AudioConfig(**settings), pairs, container, of_clips=of_clips)  # type: ignore[arg-type]


def form(codec: str, rate: int, layout: str, bitrate: int | None = None, samples: SampleFormat = S16) -> AudioForm:
    """Return a target format."""
    return AudioForm(codec, rate, layout, bitrate, samples)


@pytest.mark.parametrize(
    ("audio", "container", "wanted"),
    [
        (track("aac", 44_100, "mono", bit_rate=63_900), MP4, form("aac", 44_100, "mono", 89_000)),
        (track("aac", 48_000, "5.1", bit_rate=384_000), MP4, form("aac", 48_000, "5.1", 448_000)),
        (track("aac", 48_000, bit_rate=255_001), MP4, form("aac", 48_000, "stereo", 256_000)),
        (track("aac", 8000, "mono", bit_rate=70_000), MP4, form("aac", 8000, "mono", 48_000)),
        (track("aac", 37_800), MP4, form("aac", 44_100, "stereo", 177_000)),
        (track("aac", 48_000, "7.1"), MP4, form("aac", 48_000, "5.1", 448_000)),
        (track("aac", 48_000, "quad"), MP4, form("aac", 48_000, "5.0", 384_000)),
        (track("mp3", 44_100), MKV, form("aac", 44_100, "stereo", 177_000)),
        (track("opus", bit_rate=96_000), MKV, form("opus", 48_000, "stereo", 192_000)),
        (track("opus", bit_rate=96_000), MP4, form("aac", 48_000, "stereo", 192_000)),
        (track("ac3", 48_000, "5.1", bit_rate=448_000), MP4, form("ac3", 48_000, "5.1", 448_000)),
        (track("ac3", 48_000, "5.1", bit_rate=449_000), MKV, form("ac3", 48_000, "5.1", 512_000)),
        (track("eac3", 44_100), MOV, form("eac3", 44_100, "stereo", 192_000)),
        (track("pcm_s16le", 48_000, lossless=S16), MOV, form("pcm_s16le", 48_000, "stereo")),
        (track("pcm_s24be", 96_000, lossless=S24), MOV, form("pcm_s24le", 96_000, "stereo", samples=S24)),
        (track("pcm_s24le", 48_000, "7.1", lossless=S24), MOV, form("pcm_s24le", 48_000, "7.1", samples=S24)),
        (track("pcm_s24le", 48_000, "5.1", lossless=S24), MKV, form("flac", 48_000, "5.1", samples=S24)),
        (track("pcm_f32le", 44_100, lossless=F32), MOV, form("pcm_f32le", 44_100, "stereo", samples=F32)),
        (track("pcm_f32le", 44_100, lossless=F32), MP4, form("flac", 44_100, "stereo", samples=S24)),
        (track("pcm_s32le", 44_100, lossless=S32), MKV, form("pcm_s32le", 44_100, "stereo", samples=S32)),
        (track("pcm_s16le", 8000, "mono", lossless=S16), MP4, form("flac", 8000, "mono")),
        (track("pcm_s16le", 48_000, "4.0", lossless=S16), MP4, form("alac", 48_000, "4.0")),
        (track("flac", 44_100, lossless=S16), MOV, form("alac", 44_100, "stereo")),
        (track("flac", 44_100, lossless=S16), MKV, form("flac", 44_100, "stereo")),
        (track("alac", 44_100, lossless=S24), MP4, form("alac", 44_100, "stereo", samples=S24)),
        (track("alac", 44_100, lossless=S24), MKV, form("alac", 44_100, "stereo", samples=S24)),
        (track("truehd", 48_000, "5.1", lossless=S24), MKV, form("flac", 48_000, "5.1", samples=S24)),
        (track("vorbis", 22_050, "mono"), MP4, form("aac", 22_050, "mono", 45_000)),
    ],
)
def test_reel_has_audio_of_clips(audio: AudioStreamInfo, container: Container, wanted: AudioForm) -> None:
    found = chosen((audio, 1), container=container).form
    assert found == wanted
    codec = codec_of(found)
    assert container in codec.containers
    assert found.layout in codec.layouts


@pytest.mark.parametrize(
    ("audio", "container", "warned"),
    [
        (track("aac", 44_100, "mono"), MP4, False),
        (track("mp3", 44_100), MP4, False),
        (track("opus"), MP4, False),
        (track("pcm_s16le", lossless=S16), MP4, False),
        (track("pcm_f32le", lossless=F32), MP4, True),
        (track("aac", 37_800), MP4, True),
        (track("aac", 48_000, "7.1"), MKV, True),
        (replace(track("aac"), channels=("AMBI0", "AMBI1", "AMBI2", "AMBI3")), MP4, True),
    ],
)
def test_loss_of_depth_rate_or_channels_is_a_warning(
    audio: AudioStreamInfo, container: Container, *, warned: bool
) -> None:
    found = chosen((audio, 1), container=container)
    assert (found.issue is not None) == warned
    if found.issue is not None:
        assert found.issue.code is IssueCode.AUDIO_CHANGED
        assert found.reasons[1:]


def test_clips_that_hold_most_seconds_decide() -> None:
    mono, stereo, low = track("aac", 44_100, "mono"), track("pcm_s16le", lossless=S16), track("aac", 22_050, "mono")
    found = chosen((stereo, 5), (mono, 3), (low, 4), (mono, 3), container=MOV)
    assert found.form == form("aac", 44_100, "mono", 89_000)
    assert found.reasons == ("as in the clips of 6.0 s of 15 s with audio",)


@pytest.mark.parametrize(("rate", "said"), [(8000, True), (16_000, True), (22_050, False), (48_000, False)])
def test_start_that_is_lost_is_said(rate: int, *, said: bool) -> None:
    reasons = chosen((track("aac", rate, "mono"), 1)).reasons
    assert any("the first" in reason for reason in reasons) == said


def test_clips_without_audio_do_not_decide() -> None:
    mono = track("aac", 44_100, "mono")
    assert chosen((None, 100), (mono, 1)).form.layout == "mono"
    assert chosen((None, 100)).form == AudioForm()


def test_settings_that_are_given_are_kept() -> None:
    mono = track("aac", 44_100, "mono")
    assert chosen((mono, 1), of_clips=False).form == AudioForm()
    assert chosen((mono, 1), sample_rate=48_000, channels=2).form == AudioForm()
    assert chosen((mono, 1), of_clips=False, channels="auto").form == form("aac", 48_000, "mono", 96_000)
    assert chosen((mono, 1), of_clips=False, bitrate=128_000, channels="auto").form.bitrate == 128_000
    assert chosen((mono, 1), codec="pcm", container=MOV).form == form("pcm_s16le", 44_100, "mono")
    deep = track("pcm_s24le", lossless=S24)
    assert chosen((deep, 1), of_clips=False, codec="pcm", container=MOV).form.samples is S24


def test_bit_rate_that_is_given_asks_for_coded_audio() -> None:
    deep = track("pcm_s24le", 44_100, lossless=S24)
    assert chosen((deep, 1), bitrate="128k", container=MOV).form == form("aac", 44_100, "stereo", 128_000)


def test_join_that_writes_one_codec_says_so() -> None:
    pairs = [(media_of(audio=track("flac", 44_100, lossless=S16)), Fraction(1))]
    found = settled_audio(AudioConfig(), pairs, MKV, of_clips=True, only=AAC)
    assert found.form == form("aac", 44_100, "stereo", 177_000)
    assert found.issue is not None


def test_two_mono_parts_are_stereo() -> None:
    sides = [
        replace(track("pcm_s24le", 48_000, "mono", lossless=S24), channels=(name,), is_part=True, index=index)
        for index, name in enumerate(("FL", "FR"), 1)
    ]
    media: MediaInfo = media_of(audio=sides[0], audio_with=(sides[1],))
    found = settled_audio(AudioConfig(), [(media, Fraction(1))], MOV, of_clips=True)
    assert found.form == form("pcm_s24le", 48_000, "stereo", samples=S24)


@pytest.mark.parametrize(
    ("channels", "layout"),
    [
        (("FC",), "mono"),
        (("FL",), "mono"),
        (("FR", "FL"), "stereo"),
        (("DL", "DR"), "stereo"),
        (("FL", "FR", "FC", "LFE", "SL", "SR"), "5.1"),
        (("FC", "FL", "FR", "BL", "BR", "LFE"), "5.1"),
        (("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"), "7.1"),
        (("FL", "FR", "FC", "LFE", "BC", "SL", "SR"), "6.1"),
        (("NONE",) * 16, None),
        (("FL", "FL"), None),
        (("FL", "TFL"), None),
    ],
)
def test_layout_of_channels(channels: tuple[str, ...], layout: str | None) -> None:
    assert layout_of(channels) == layout


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.family)
def test_codec_names_layouts_that_reels_have(codec: object) -> None:
    assert codec in CODECS.values()
    layouts = next(each.layouts for each in CODECS.values() if each is codec)
    assert set(layouts) <= set(LAYOUTS)
    assert {"mono", "stereo", "5.1"} <= set(layouts)


def test_plan_in_software_keeps_the_audio() -> None:
    mono = media_of(audio=track("aac", 44_100, "mono"))
    params = VideoParams([VideoClip("a.mp4")], "reel.mp4", join="auto")
    request = PlanRequest(params, Config(), [(0, params.clips[0], mono)], 0, CancelToken())
    planner = Planner(Machine(2, 2**33), CodecOptimizer())
    planned = planner.plan(request)
    first = planned.plan
    again = planner.plan_in_software(replace(request, config=planned.config), first, EncoderError("failed")).plan
    assert first.form.audio.layout == "mono"
    assert (again.form.audio, again.audio_reasons) == (first.form.audio, first.audio_reasons)


@pytest.mark.parametrize(
    ("settings", "bitrate"),
    [
        ({"codec": "ac3", "bitrate": 200_000}, 224_000),
        ({"codec": "ac3", "channels": 6}, 448_000),
        ({"channels": 1, "bitrate": "512k"}, 288_000),
        ({"sample_rate": 8000}, 96_000),
        ({}, 192_000),
    ],
)
def test_bit_rate_is_one_of_the_codec(settings: dict[str, object], bitrate: int) -> None:
    assert chosen((track(), 1), of_clips=False, **settings).form.bitrate == bitrate  # type: ignore[arg-type]
