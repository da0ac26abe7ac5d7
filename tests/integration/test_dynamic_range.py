"""HDR reels: bits, tags and the decoded values of SDR, HLG and PQ clips, by the formulas of BT.2100 and BT.2408."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from mpt_cli.config.request import Extras, VideoParams
from mpt_cli.config.sections import ConcatConfig, Config, QualitySettings, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action, CopyPolicy, DynamicRange, JoinMethod
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from tests.integration.test_picture import MUTED, TO_BT2020, as_hlg, as_pq, as_yuv, light_of
from tests.integration.test_uniform_sets import hashes
from tests.media import Recipe
from tests.reader import Region, color_tags

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder

    Rgb = NDArray[np.float64]

HLG, PQ = "arib-std-b67", "smpte2084"
WHITE = 203.0
"""Diffuse white of HDR in cd/m2 (ITU-R BT.2408)."""
HLG_WHITE, PQ_WHITE = 0.75, 0.58
TRANSFERS = {"hlg": (HLG, 18), "pq": (PQ, 16)}
SDR_COLORS = {"white": (255, 255, 255), "gray": (118, 118, 118), **MUTED}
NEAR = 0.008
"""Of the signal: the encoder, and the way over 8 bits of the source."""
CENTRE = Region(0.4, 0.4, 0.6, 0.6)


def hlg_of(nits: Rgb) -> Rgb:
    """Light of an HLG display of 1000 cd/m2 as its signal: inverse OOTF, then OETF (ITU-R BT.2100, table 5)."""
    luminance = float(np.array([0.2627, 0.6780, 0.0593]) @ nits)
    scene = nits / 1000 * (luminance / 1000) ** ((1 - 1.2) / 1.2) if luminance else nits
    return as_hlg(scene / 0.265)


def pq_of(nits: Rgb) -> Rgb:
    return as_pq(nits / WHITE)


def signal_of(path: Path, number: int = 0, region: Region = CENTRE) -> Rgb:
    """Red, green and blue of a part of the n-th frame, as the signal (0 to 1) of 10-bit BT.2020 of limited range."""
    with av.open(path) as container:
        frame = next(frame for n, frame in enumerate(container.decode(video=0)) if n == number)
    assert frame.format.name == "yuv420p10le"
    planes = [
        np.frombuffer(bytes(plane), "<u2").reshape(plane.height, -1)[:, : plane.width].astype(float)
        for plane in frame.planes
    ]
    luma, blue, red = (
        plane[
            int(region.top * len(plane)) : max(1, int(region.bottom * len(plane))),
            int(region.left * plane.shape[1]) : int(region.right * plane.shape[1]),
        ].mean()
        for plane in planes
    )
    y, pb, pr = (luma - 64) / 876, (blue - 512) / 896, (red - 512) / 896
    r, b = y + 1.4746 * pr, y + 1.8814 * pb
    return np.array([r, (y - 0.2627 * r - 0.0593 * b) / 0.6780, b])


def sdr_clip(media: MediaFolder, rgb: tuple[float, float, float], **changes: Any) -> Path:
    source = "color=0x" + "".join(f"{round(value):02x}" for value in rgb)
    return media.make(Recipe(**({"seconds": 0.2, "sound": None, "size": "64x36"} | changes)), source=source)


def hdr_clip(media: MediaFolder, signal: Rgb, transfer: str, **changes: Any) -> Path:
    """A clip of 10-bit HEVC that shows this signal."""
    tags = f"setparams=colorspace=bt2020nc:range=tv:color_primaries=bt2020:color_trc={transfer}"
    recipe = Recipe(
        **({"seconds": 0.2, "sound": None, "size": "64x36"} | changes),
        codec="libx265",
        pixel_format="yuv420p10le",
        filters=("format=yuv420p10le", as_yuv(signal, 10), tags),
    )
    return media.make(recipe, source="color=gray")


def made(
    output: Path,
    clips: Sequence[Path],
    dynamic_range: str | None = None,
    *,
    join: JoinMethod | None = None,
    extras: Extras | None = None,
    **sections: Any,
) -> VideoResult:
    """How a request ended for a small reel of high quality."""
    video = dict(sections.pop("video", {})) | ({"dynamic_range": dynamic_range} if dynamic_range else {})
    if join is None:
        video = {"size": "64x36"} | video
    encode = sections.pop("encode", {"crf": 8} if join is None else {})
    config = Config(video=VideoConfig(**video), encode=QualitySettings(**encode), **sections)
    params = VideoParams(tuple(map(VideoClip, clips)), output, join=join, extras=extras or Extras())
    return ModuleFactory(config).create_video_orchestrator().process_video_request(params)


def reel_of(output: Path, clips: Sequence[Path], dynamic_range: str | None = None, **changes: Any) -> Path:
    result = made(output, clips, dynamic_range, **changes)
    assert result.success, result.errors
    return output


@pytest.mark.parametrize("name", SDR_COLORS)
@pytest.mark.parametrize("wanted", ["hlg", "pq"])
@pytest.mark.core(1)
def test_sdr_has_its_white_at_203_nits_and_its_colours(
    media: MediaFolder, tmp_path: Path, wanted: str, name: str
) -> None:
    reel = reel_of(tmp_path / "reel.mp4", [sdr_clip(media, SDR_COLORS[name])], wanted)
    nits = TO_BT2020 @ light_of(SDR_COLORS[name]) * WHITE
    expected = hlg_of(nits) if wanted == "hlg" else pq_of(nits)
    assert signal_of(reel) == pytest.approx(expected, abs=NEAR)
    if name == "white":
        assert signal_of(reel) == pytest.approx(HLG_WHITE if wanted == "hlg" else PQ_WHITE, abs=0.005)


SIGNALS = {"white": (0.75, 0.75, 0.75), "skin": (0.62, 0.5, 0.44), "bright": (0.9, 0.85, 0.7), "dark": (0.1, 0.12, 0.2)}


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(("source", "wanted"), [("hlg", "hlg"), ("pq", "pq"), ("hlg", "pq"), ("pq", "hlg")])
@pytest.mark.core(0)
def test_hdr_keeps_its_values_or_its_light_at_1000_nits(
    media: MediaFolder, tmp_path: Path, source: str, wanted: str, name: str
) -> None:
    signal = np.array(SIGNALS[name]) * (1 if source == "hlg" else 0.8)
    reel = reel_of(tmp_path / "reel.mp4", [hdr_clip(media, signal, TRANSFERS[source][0])], wanted)
    if source == wanted:
        expected = signal
    elif source == "hlg":
        expected = pq_of(light_of_hlg(signal))
    else:
        expected = hlg_of(light_of_pq(signal))
    assert signal_of(reel) == pytest.approx(expected, abs=0.003 if source == wanted else NEAR)


def light_of_hlg(signal: Rgb) -> Rgb:
    """Light of an HLG display of 1000 cd/m2 (ITU-R BT.2100, table 5)."""
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = float(np.array([0.2627, 0.6780, 0.0593]) @ scene)
    light: Rgb = 1000 * luminance**0.2 * scene
    return light


def light_of_pq(signal: Rgb) -> Rgb:
    power = signal ** (1 / 78.84375)
    light: Rgb = 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    return light


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["hevc", "av1"])
@pytest.mark.parametrize("wanted", ["hlg", "pq"])
@pytest.mark.core(1)
def test_a_reel_of_hdr_and_sdr_is_tagged_and_has_ten_bits(
    media: MediaFolder, tmp_path: Path, wanted: str, codec: str, suffix: str
) -> None:
    if (codec, suffix) == ("av1", ".mov"):
        pytest.skip("MOV takes no AV1")
    transfer, number = TRANSFERS[wanted]
    white = np.full(3, HLG_WHITE if wanted == "hlg" else PQ_WHITE)
    clips = [hdr_clip(media, white, transfer), hdr_clip(media, white * 0.5, transfer), sdr_clip(media, (255,) * 3)]
    output = tmp_path / f"reel{suffix}"
    named = {} if codec == "hevc" else {"codec": codec}
    result = made(output, clips, wanted, encode={"crf": 8, **named})
    assert result.success, result.errors
    assert {issue.code for issue in result.warnings} <= {IssueCode.ALL_ENCODED}
    assert result.output is not None
    assert (result.output.video_codec, result.output.dynamic_range) == (codec, DynamicRange(wanted))
    tags = color_tags(output)
    assert (tags.matrix, tags.primaries, tags.transfer, tags.range) == (9, 9, number, 1)
    with av.open(output) as container:
        coded = container.streams.video[0].codec_context
        assert (coded.pix_fmt, int(coded.color_trc), int(coded.color_primaries)) == ("yuv420p10le", number, 9)
    assert signal_of(output, 0) == pytest.approx(white, abs=NEAR)
    assert signal_of(output, 8) == pytest.approx(white / 2, abs=NEAR)
    assert signal_of(output, 14) == pytest.approx(white, abs=0.01)


@pytest.mark.parametrize("fit", ["contain", "blur"])
@pytest.mark.parametrize("background", ["black", "white"])
@pytest.mark.core(0)
def test_bars_are_black_or_white_of_the_reel(media: MediaFolder, tmp_path: Path, background: str, fit: str) -> None:
    clip = sdr_clip(media, (255,) * 3)
    video = {"size": "64x128", "background": background, "fit": fit}
    reel = reel_of(tmp_path / "reel.mp4", [clip], "hlg", video=video)
    bar = HLG_WHITE if background == "white" or fit == "blur" else 0.0
    assert signal_of(reel, region=Region(0.3, 0.05, 0.7, 0.15)) == pytest.approx(bar, abs=0.02)
    assert signal_of(reel) == pytest.approx(HLG_WHITE, abs=0.01)


def test_concat_copies_hdr_and_its_pictures_are_those_of_sdr(media: MediaFolder, tmp_path: Path) -> None:
    white = np.full(3, HLG_WHITE)
    clips = [hdr_clip(media, white, HLG), hdr_clip(media, white * 0.99, HLG)]
    output, sheet = tmp_path / "reel.mp4", tmp_path / "poster.png"
    result = made(output, clips, join=JoinMethod.AUTO, extras=Extras(poster=sheet))
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}
    assert result.output is not None
    assert result.output.dynamic_range is DynamicRange.HLG
    assert hashes(output) == [each for clip in clips for each in hashes(clip)]
    with Image.open(sheet) as image:  # bent as in an SDR reel: 84 % (test_picture)
        assert np.asarray(image.convert("RGB"))[18, 32] / 255 == pytest.approx(0.83, abs=0.02)


@pytest.mark.core(0)
def test_concat_of_hdr_with_one_sdr_clip_is_hdr(media: MediaFolder, tmp_path: Path) -> None:
    white = np.full(3, HLG_WHITE)
    clips = [hdr_clip(media, white, HLG), hdr_clip(media, white / 2, HLG), sdr_clip(media, (255,) * 3)]
    output = tmp_path / "reel.mp4"
    result = made(output, clips, join=JoinMethod.AUTO)
    assert result.success, result.errors
    assert [issue.code for issue in result.warnings] == [IssueCode.ALL_ENCODED]
    assert color_tags(output).transfer == 18
    assert signal_of(output, 14) == pytest.approx(HLG_WHITE, abs=0.03)


@pytest.mark.core(0)
def test_a_join_that_encodes_again_stays_hdr(media: MediaFolder, tmp_path: Path) -> None:
    output = reel_of(tmp_path / "reel.mp4", [hdr_clip(media, np.full(3, HLG_WHITE), HLG)] * 2, join=JoinMethod.REENCODE)
    assert color_tags(output).transfer == 18
    assert signal_of(output, 8) == pytest.approx(HLG_WHITE, abs=NEAR)


def test_sdr_that_was_asked_for_is_no_warning_and_is_not_copied_hdr(media: MediaFolder, tmp_path: Path) -> None:
    clip = hdr_clip(media, np.full(3, HLG_WHITE), HLG)
    silent = made(tmp_path / "a.mp4", [clip, clip], "sdr", join=JoinMethod.AUTO)
    assert silent.success, silent.errors
    assert silent.warnings == ()
    assert color_tags(tmp_path / "a.mp4").transfer == 1
    told = made(tmp_path / "b.mp4", [clip])
    assert [issue.code for issue in told.warnings] == [IssueCode.HDR_CONVERTED]


METADATA = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=900,300"


@pytest.mark.parametrize("agree", [True, False])
@pytest.mark.core(0)
def test_static_metadata_is_kept_where_all_clips_agree(media: MediaFolder, tmp_path: Path, *, agree: bool) -> None:
    def clip(params: str, signal: float) -> Path:
        found = hdr_clip(media, np.full(3, signal), PQ, options=("-x265-params", f"log-level=none:{params}"))
        return found

    clips = [clip(METADATA, 0.5), clip(METADATA if agree else METADATA.replace("900", "700"), 0.4)]
    assert probe(clips[0], scan=True).video.hdr_metadata is not None
    reel = reel_of(tmp_path / "reel.mp4", clips, "pq", concat=ConcatConfig(copy=CopyPolicy.NEVER))
    found, wanted = probe(reel, scan=True).video.hdr_metadata, probe(clips[0], scan=True).video.hdr_metadata
    assert found == (wanted if agree else None)


@pytest.mark.core(0)
def test_mixed_copies_are_compatible_with_hdr(media: MediaFolder, tmp_path: Path) -> None:
    white = np.full(3, HLG_WHITE)
    clips = [hdr_clip(media, white, HLG), hdr_clip(media, white, HLG, size="128x72")]
    result = made(
        tmp_path / "reel.mp4", clips, "hlg", join=JoinMethod.AUTO, concat=ConcatConfig(copy=CopyPolicy.COMPATIBLE)
    )
    assert result.success, result.errors
    assert color_tags(tmp_path / "reel.mp4").transfer == 18
