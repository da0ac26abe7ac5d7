"""Clips of one camera are joined as they are: the reel keeps bit depth, colours, shape and orientation of its clips."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import pytest
from av.sidedata.sidedata import Type

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.video.side_data import side_data_of
from mpt_cli.model.choices import Action, JoinMethod
from mpt_cli.model.clips import VideoClip
from tests import reader
from tests.media import Color, Recipe, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder

_SCREEN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
_HDR = {
    "pq": f"hdr10=1:max-cll=1000,400:master-display={_SCREEN}",
    "hlg": "repeat-headers=0",
}


def x265(parameters: str = "repeat-headers=0") -> tuple[str, ...]:
    """Return options of x265 with closed groups."""
    return ("-x265-params", f"log-level=none:open-gop=0:{parameters}", "-preset", "superfast")


def hevc(kind: str, transfer: str, /, **changes: object) -> Recipe:
    """Return a recipe for ten bits of HDR, as phones record it."""
    color = Color("bt2020nc", "bt2020", transfer)
    plain = Recipe(codec="libx265", pixel_format="yuv420p10le", color=color, options=x265(_HDR[kind]), fps="25")
    return replace(plain, **changes)  # type: ignore[arg-type]


KINDS: dict[str, Recipe] = {
    "untagged": Recipe(color=Color(tagged=False)),
    "hlg, rotated": hevc("hlg", "arib-std-b67", rotation=90, suffix=".mov"),
    "pq": hevc("pq", "smpte2084"),
    "bt.601": Recipe(color=Color("smpte170m", "smpte170m", "smpte170m"), fps="30000/1001"),
    "full range": Recipe(color=Color(full_range=True)),
    "anamorphic": Recipe(color=Color(), sar="16/11"),
    "mirrored": Recipe(color=Color(), mirrored=True),
    "upside down": Recipe(color=Color(), rotation=180),
    "4:2:2, intra": Recipe(color=Color(), pixel_format="yuv422p10le", keyframe_interval=1, suffix=".mov"),
    "matroska": Recipe(color=Color(tagged=False), suffix=".mkv"),
    "av1, ten bits": Recipe(codec="libsvtav1", pixel_format="yuv420p10le", options=("-svtav1-params", "scd=0")),
}
"""One kind of camera each; what differs from a plain clip is what was encoded again before."""


def of_one_camera(media: MediaFolder, recipe: Recipe) -> list[Path]:
    """Return three clips that differ in what they show and nothing else."""
    return [media.make(replace(recipe, seconds=0.8, filters=(f"hue=h={turn}",), sound=Tone())) for turn in (0, 60, 120)]


def joined(output: Path, clips: Sequence[Path], method: JoinMethod = JoinMethod.AUTO) -> VideoResult:
    """Return the result of ``mpt concat`` with no option."""
    params = VideoParams(tuple(map(VideoClip, clips)), output, join=method)
    return ModuleFactory(Config()).create_video_orchestrator().process_video_request(params)


def looks(path: Path) -> list[str]:
    """Return a hash of the stored samples of each decoded frame."""
    return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest() for frame in reader.frames(path)]


def declared(path: Path) -> tuple[object, ...]:
    """Return what a file says of its frames: format, shape, colours, turn, and light levels."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context, frame = stream.codec_context, next(container.decode(video=0))
        levels = [side_data_of(frame, kind) for kind in (Type.MASTERING_DISPLAY_METADATA, Type.CONTENT_LIGHT_LEVEL)]
        tags = int(frame.colorspace), frame.color_primaries, frame.color_trc
        shape = stream.sample_aspect_ratio or 1, context.width, context.height
        full_range = frame.color_range == 2
        orientation = probe(path, scan=True).video.orientation
        return context.pix_fmt, context.profile, shape, tags, full_range, tuple(levels), orientation


@pytest.mark.core(1)
@pytest.mark.parametrize("kind", KINDS)
def test_clips_of_one_camera_are_joined_as_they_are(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    clips, reel = of_one_camera(media, KINDS[kind]), tmp_path / "reel.mp4"
    result = joined(reel, clips)
    assert result.success, result.errors
    assert [clip.action for clip in result.clips] == [Action.COPY] * 3, [clip.reasons for clip in result.clips]
    assert looks(reel) == [look for clip in clips for look in looks(clip)]
    assert declared(reel) == declared(clips[0])


@pytest.mark.parametrize("kind", ["untagged", "pq", "full range", "anamorphic", "matroska"])
def test_matroska_keeps_them_too(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    clips, reel = of_one_camera(media, KINDS[kind]), tmp_path / "reel.mkv"
    result = joined(reel, clips)
    assert [clip.action for clip in result.clips] == [Action.COPY] * 3, [clip.reasons for clip in result.clips]
    assert looks(reel) == [look for clip in clips for look in looks(clip)]
    assert declared(reel) == declared(clips[0])


def test_a_turned_clip_does_not_fit_into_matroska(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = of_one_camera(media, KINDS["hlg, rotated"]), tmp_path / "reel.mkv"
    result = joined(reel, clips)
    assert {clip.action for clip in result.clips} == {Action.ENCODE}
    assert {clip.reasons for clip in result.clips} == {("stored rotated",)}
    frame = next(reader.frames(reel))
    assert (frame.width, frame.height) == (90, 160)


def test_one_odd_clip_is_named_and_all_are_encoded(media: MediaFolder, tmp_path: Path) -> None:
    kind = KINDS["untagged"]
    odd = media.make(replace(kind, color=Color(), seconds=0.4))
    result = joined(tmp_path / "reel.mp4", [*of_one_camera(media, kind), odd])
    assert {clip.action for clip in result.clips} == {Action.ENCODE}
    reasons = [clip.reasons for clip in result.clips]
    assert reasons[:3] == [("other clips must be encoded, which gives other parameter sets",)] * 3
    assert reasons[3] == ("colours are bt709/bt709/bt709/tv",)


def test_reencoding_makes_the_usual_form_of_their_dynamic_range(media: MediaFolder, tmp_path: Path) -> None:
    reel = tmp_path / "reel.mp4"
    result = joined(reel, of_one_camera(media, KINDS["pq"]), JoinMethod.REENCODE)
    assert {clip.action for clip in result.clips} == {Action.ENCODE}
    assert next(reader.frames(reel)).format.name == "yuv420p10le"
