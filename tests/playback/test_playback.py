"""Reels play in a browser: each clip is seen and heard at its time, and playing goes on over each joint.

``pytest -m browser`` runs these. Every clip has one colour and one tone, so that a picture says whose
it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.model.choices import Action, Codec, CopyPolicy
from mpt_cli.model.clips import VideoClip
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.media import Color, Tone
from tests.playback.browser import TYPES, Job, find_browser, play

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from tests.media import MediaFolder

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]

COLORS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
HERTZ = (300.0, 500.0, 800.0)
AROUND = 0.5
"""Seconds that are played over a joint, and listened to in the middle of a clip."""
MOST_OFF = 16
"""Of 255, by which a colour may differ: Chromium 150 shows blue 12 off, and another matrix is 20 off or more."""
OTHER_SETTINGS = {Codec.H264: "medium", Codec.HEVC: "fast", Codec.AV1: "7"}
"""Presets whose parameter sets differ from the draft's."""
CODEC_NAMES = {Codec.H264: "avc1.640028", Codec.HEVC: "hvc1.1.6.L93.B0", Codec.AV1: "av01.0.04M.08"}
POLICIES = {
    "encoded": CopyPolicy.NEVER,
    "copied": CopyPolicy.IDENTICAL,
    "unlike": CopyPolicy.IDENTICAL,  # parameter sets differ, so nothing is copied
    "mixed": CopyPolicy.COMPATIBLE,  # they differ, and are copied nevertheless
    "cut": CopyPolicy.COMPATIBLE,  # trimmed beside keyframes, so that a frame of each is encoded
}
"""Kinds of reels, and which clips may be copied into them."""


@dataclass(frozen=True, slots=True)
class Case:
    """A reel: how it is coded, and how it came to be."""

    kind: str
    """One of :data:`POLICIES`."""
    codec: Codec = Codec.H264
    suffix: str = ".mp4"
    rate: Fraction = field(default=Fraction(30))

    def __str__(self) -> str:
        """The test's name."""
        return f"{self.kind}-{self.codec}{self.suffix}-{float(self.rate):.5g}"

    def config(self, policy: CopyPolicy, preset: str | None = None) -> Config:
        """What the reel, or one of the clips that it is made of, is made with."""
        config = config_of(fps=str(self.rate), codec=self.codec)
        encode = config.encode.model_copy(update={"preset": preset})
        concat = config.concat.model_copy(update={"copy_policy": policy})
        return config.model_copy(update={"encode": encode, "concat": concat})


NTSC, PAL = Fraction(30000, 1001), Fraction(25)
CASES = (
    Case("encoded"),
    Case("encoded", rate=NTSC),
    Case("copied", rate=PAL),
    Case("mixed", rate=NTSC),
    Case("unlike"),
    Case("copied", suffix=".mov"),
    Case("mixed", suffix=".mov", rate=PAL),
    Case("copied", suffix=".mkv", rate=NTSC),
    Case("mixed", suffix=".mkv"),
    Case("cut"),
    Case("cut", suffix=".mkv"),
    Case("encoded", Codec.AV1),
    Case("copied", Codec.AV1, rate=NTSC),
    Case("mixed", Codec.AV1, rate=PAL),
    Case("copied", Codec.AV1, ".mkv"),
    Case("encoded", Codec.HEVC),
    Case("copied", Codec.HEVC, ".mov", rate=NTSC),
)


def made(case: Case, media: MediaFolder, folder: Path) -> Path:
    """The reel of three clips."""
    seconds, cut = (3.0, Fraction(1)) if case.kind == "cut" else (1.0, None)
    sources = [
        media.make(source=f"color=c={color}", color=Color(), fps=str(case.rate), sound=Tone((hertz,)), seconds=seconds)
        for color, hertz in zip(COLORS, HERTZ, strict=True)
    ]
    if case.kind != "encoded":
        presets = (None, OTHER_SETTINGS[case.codec] if case.kind != "copied" else None, None)
        sources = [
            finished_reel(folder / f"part-{place}.mp4", [source], case.config(CopyPolicy.NEVER, preset))
            for place, (source, preset) in enumerate(zip(sources, presets, strict=True))
        ]
    reel = folder / f"reel{case.suffix}"
    start = 2 - 1 / case.rate  # a frame before the second keyframe
    clips = [VideoClip(source, start, start + cut) if cut else VideoClip(source) for source in sources]
    result = make_reel(reel, clips, case.config(POLICIES[case.kind]))
    assert result.success, result.errors
    assert {clip.encoded_frames for clip in result.clips} == {1} or not cut
    copied = case.kind in ("copied", "mixed", "cut")
    assert {clip.action for clip in result.clips} == {Action.COPY if copied else Action.ENCODE}
    return reel


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_reel_plays(case: Case, media: MediaFolder, tmp_path: Path) -> None:
    assert BROWSER is not None
    reel = made(case, media, tmp_path)
    length = round(case.rate)  # of a clip, in pictures
    joints, total = (length, 2 * length), 3 * length
    middles = [start + length // 2 for start in (0, *joints)]
    inside = [*middles, *(joint - 1 for joint in joints), total - 1]
    times = [*map(Fraction, joints), *(number + Fraction(1, 2) for number in inside)]  # exactly to the joints
    job = Job(
        reel=f"/{reel.name}",
        type=f'{TYPES[".mp4"]}; codecs="{CODEC_NAMES[case.codec]}"',
        looks=tuple(float(time / case.rate) for time in times),
        joints=tuple(float(joint / case.rate) for joint in joints),
        middles=tuple(float(middle / case.rate) for middle in middles),
        around=AROUND,
    )
    seen = play(BROWSER, reel, job)
    if case.codec is Codec.HEVC and not seen["can_play"]:
        pytest.skip("this browser has no decoder for HEVC")
    assert seen["error"] is None
    assert (seen["width"], seen["height"]) == (160, 90)
    assert seen["duration"] == pytest.approx(float(total / case.rate), abs=float(1 / case.rate))
    assert pictures(seen, case.rate) == [(number, number // length) for number in (*joints, *inside)]
    assert all(at >= joint + AROUND / 2 for at, joint in zip(seen["played"], job.joints, strict=True))
    assert seen["audio_bytes"] > 0
    assert seen["sound"]["channels"] == 2
    assert seen["sound"]["duration"] == pytest.approx(float(total / case.rate), abs=float(1 / case.rate))
    assert seen["sound"]["hertz"] == pytest.approx(HERTZ, abs=2 / AROUND)


def pictures(seen: dict[str, Any], rate: Fraction) -> list[tuple[int, int | None]]:
    """Number in the reel, and clip, of each picture that was looked at; None for a colour that no clip has."""
    return [(round(look["time"] * rate), clip_of(look["color"])) for look in seen["seen"]]


def clip_of(color: list[int]) -> int | None:
    """The clip that has this colour."""
    for place, own in enumerate(COLORS.values()):
        if all(abs(one - other) <= MOST_OFF for one, other in zip(color, own, strict=True)):
            return place
    return None
