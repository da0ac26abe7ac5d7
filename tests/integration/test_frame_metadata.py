"""Nothing of what clips carry inside of their coded frames is in a reel: captions, places, light levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.models import Codec
from tests.frame_metadata import CAPTIONS, REGISTERED, before_slices, edited, found, sei
from tests.integration.reels import config_of, finished_reel
from tests.media import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.media import MediaFolder

CAPTIONED: dict[str, tuple[Recipe, Callable[[bytes, int], bytes]]] = {
    "H.264": (Recipe(seconds=0.4), lambda data, _: sei("h264", (REGISTERED, CAPTIONS)) + data),
    "HEVC": (Recipe(seconds=0.4, codec="libx265"), lambda data, _: sei("hevc", (REGISTERED, CAPTIONS)) + data),
    "MPEG-2": (
        Recipe(seconds=0.4, codec="mpeg2video", suffix=".mkv"),
        lambda data, _: before_slices(data, CAPTIONS[3:]),
    ),
}
HDR10 = (
    "log-level=none:hdr10=1:max-cll=1000,400:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)


@pytest.mark.parametrize("kind", CAPTIONED)
def test_encoded_reel_holds_no_captions(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    recipe, edit = CAPTIONED[kind]
    source = media.make(recipe)
    clip = edited(source, tmp_path / f"clip{source.suffix}", edit)
    assert found(clip)["A53_CC"] == 12
    assert not found(finished_reel(tmp_path / "reel.mp4", [clip], config_of()))


@pytest.mark.parametrize("codec", Codec)
def test_reel_of_hdr_clip_says_nothing_of_its_light(media: MediaFolder, tmp_path: Path, codec: Codec) -> None:
    recipe = Recipe(seconds=0.4, codec="libx265", pixel_format="yuv420p10le", options=("-x265-params", HDR10))
    clip = media.make(recipe)
    assert found(clip)["MASTERING_DISPLAY_METADATA"] == 12
    assert not found(finished_reel(tmp_path / "reel.mp4", [clip], config_of(codec=codec)))
