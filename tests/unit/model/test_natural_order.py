"""Order of names: that of the chapters that recorders write."""

from __future__ import annotations

import pytest

from mpt_cli.model.natural_order import natural_key, recording_of

RECORDERS = {
    "GoPro": "GX010021.MP4 GX020021.MP4 GX030021.MP4 GX010022.MP4 GX010100.MP4",
    "GoPro, two codecs": "GH010021.MP4 GH020021.MP4 GX010022.MP4 GX020022.MP4 GH010023.MP4",
    "GoPro 360": "GS010021.360 GS020021.360 GS010022.360",
    "GoPro, old": "GOPR0007.MP4 GP010007.MP4 GP020007.MP4 GOPR0008.MP4",
    "GoPro, both": "GOPR0007.MP4 GP010007.MP4 GOPR0008.MP4 GX010123.MP4 GX020123.MP4 GX010124.MP4 GX020124.MP4",
    "GoPro Fusion": "GPBK0007.MP4 GB010007.MP4 GPBK0008.MP4 GPFR0007.MP4 GF010007.MP4 GPFR0008.MP4",
    "GoPro, edited": "GX010021.MP4 GX020021-cut.MP4 GX020021_1.MP4 GX010022.MP4",
    "DJI": "DJI_0001.MP4 DJI_0002.MP4 DJI_0010.MP4 DJI_0010_001.MP4 DJI_0010_002.MP4 DJI_0011.MP4",
    "DJI with times": "DJI_20240501120000_0001_D.MP4 DJI_20240501120412_0002_D.MP4 DJI_20240501130000_0003_D.MP4",
    "Insta360": "VID_20240501_120000_00_001.insv VID_20240501_120000_00_002.insv VID_20240501_130000_00_003.insv",
    "AVCHD": "00000.MTS 00001.MTS 00010.MTS",
    "DVD": "VTS_01_1.VOB VTS_01_2.VOB VTS_01_10.VOB VTS_02_1.VOB",
}


def by_name(names: list[str]) -> list[str]:
    """Sort names that come in another order."""
    names = [*names[1:], *names[:1]]
    names.sort(key=natural_key)
    return names


@pytest.mark.parametrize("recorder", RECORDERS)
def test_chapters_of_a_recording_stay_together(recorder: str) -> None:
    names = RECORDERS[recorder].split()
    assert by_name(names) == names
    small = [name.lower() for name in names]
    assert by_name(small) == small


def test_names_that_only_look_like_chapters_keep_their_order() -> None:
    names = ["gift.mp4", "goal10.mp4", "gp0100071.mp4", "gx0100211.mp4", "gx010.mp4"]
    assert sorted(names, key=natural_key) == ["gift.mp4", "goal10.mp4", "gp0100071.mp4", "gx010.mp4", "gx0100211.mp4"]
    assert [recording_of(name) for name in names] == [None] * 5


def test_folders_come_before_chapters() -> None:
    names = ["a/GX010021.MP4", "a/GX020021.MP4", "b/GX010001.MP4"]
    assert by_name(names) == names


def test_chapters_of_a_recording_share_its_key() -> None:
    same = (("GX010021.MP4", "GX020021.MP4"), ("GOPR0007.MP4", "GP010007.MP4"), ("GPFR0007.MP4", "gf010007.mp4"))
    insta = ("VID_20240501_120000_00_001.insv", "VID_20240501_120000_00_002.insv")
    for one, other in (*same, insta):
        assert recording_of(one) == recording_of(other) is not None
    others = ["GX010021.MP4", "GX010022.MP4", "GOPR0021.MP4", "GPFR0021.MP4", "GPBK0021.MP4"]
    assert len({recording_of(name) for name in others}) == len(others)
