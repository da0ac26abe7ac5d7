"""Nothing of what clips carry inside of their coded frames is in a reel: captions, places, light levels."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.sections import Config
from mpt_cli.media.formats.bitstream import length_prefixed
from mpt_cli.model.choices import Action, Codec
from tests import reader
from tests.frame_metadata import CAPTIONS, REGISTERED, SECRET, before_slices, edited, found, obu, sei, user_data
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.media import Color, Recipe, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from av.packet import PacketSideData

    from mpt_cli.model.results import VideoResult
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


LEFT_OUT = "metadata in its frames is left out"
COPIED = Recipe(seconds=0.4, color=Color(), keyframe_interval=6, options=("-flags", "+cgop"))
HEVC = Recipe(
    seconds=0.4, color=Color(), codec="libx265", options=("-x265-params", "open-gop=0:log-level=none", "-tag:v", "hvc1")
)
AV1 = Recipe(seconds=0.4, color=Color(), codec="libsvtav1", options=("-svtav1-params", "scd=0"))


def copied(output: Path, clips: list[Path], codec: Codec = Codec.H264, fps: str = "30") -> VideoResult:
    """The result of a request whose clips are all copied."""
    wanted = config_of(codec=codec, fps=fps)
    result = make_reel(output, clips, Config(video=wanted.video, encode=wanted.encode))
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}, [clip.reasons for clip in result.clips]
    return result


def looks(path: Path) -> list[str]:
    """Every decoded frame of a file by a hash of its samples."""
    return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()[:12] for frame in reader.frames(path)]


def behind_sequence(data: bytes, private: bytes) -> bytes:
    """An AV1 frame with a unit behind its sequence header, or in front where it has none."""
    place = 2 + data[1] if data[0] >> 3 & 15 == 1 else 0
    return data[:place] + private + data[place:]


PRIVATE: dict[str, tuple[Codec, Recipe, Callable[[bytes, int], bytes]]] = {
    "user data in the first frame": (Codec.H264, COPIED, lambda data, n: data if n else user_data("h264") + data),
    "captions in each frame": (Codec.H264, COPIED, lambda data, _: sei("h264", (REGISTERED, CAPTIONS + SECRET)) + data),
    "user data in a later frame": (Codec.H264, COPIED, lambda data, n: user_data("h264") + data if n == 7 else data),
    "HEVC user data in each frame": (Codec.HEVC, HEVC, lambda data, _: user_data("hevc") + data),
    "AV1 user data": (Codec.AV1, AV1, lambda data, _: behind_sequence(data, obu(5, b"\4\xb5\0\x31" + SECRET))),
}


@pytest.mark.parametrize(
    ("kind", "count", "suffix"),
    [(kind, *((2, ".mkv") if number % 2 else (1, ".mp4"))) for number, kind in enumerate(PRIVATE)],
)
@pytest.mark.core(1)
def test_copied_frames_lose_their_metadata(
    media: MediaFolder, tmp_path: Path, kind: str, count: int, suffix: str
) -> None:
    codec, recipe, edit = PRIVATE[kind]
    clip = edited(media.make(recipe), tmp_path / "clip.mp4", edit)
    assert SECRET in clip.read_bytes()
    reel = tmp_path / f"reel{suffix}"
    result = copied(reel, [clip] * count, codec)
    assert all(LEFT_OUT in found.reasons for found in result.clips)
    assert SECRET not in reel.read_bytes()
    assert not found(reel)
    assert looks(reel) == looks(clip) * count


def test_ordinary_clip_is_still_copied_in_place(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(COPIED)
    result = copied(tmp_path / "reel.mov", [clip])
    assert not any(LEFT_OUT in found.reasons for found in result.clips)
    assert b"x264 - core" in (tmp_path / "reel.mov").read_bytes()


def test_additions_to_blocks_of_matroska_are_left_out(media: MediaFolder, tmp_path: Path) -> None:
    transparent, clip, reel = tmp_path / "transparent.webm", tmp_path / "clip.mkv", tmp_path / "reel.mkv"
    source = "color=red@0.5:size=64x64:duration=0.1,format=yuva420p"
    run_ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libvpx-vp9", "-auto-alt-ref", "0", transparent)
    with av.open(str(transparent)) as container:
        addition = next(container.demux(video=0)).get_sidedata("matroska_block_additional")
    addition.update((bytes(7) + b"\1" + SECRET).ljust(addition.data_size, b"-"))
    _with_side_data(media.make(COPIED, fps="25", sound=None), clip, addition)
    assert SECRET in clip.read_bytes()
    copied(reel, [clip], fps="25")
    assert SECRET not in reel.read_bytes()


def test_time_of_day_in_frames_is_left_out(media: MediaFolder, tmp_path: Path) -> None:
    timed = (*COPIED.options, "-x264-params", "pic-struct=1")
    noon = sei("h264", (1, bytes.fromhex("09818000 00180000".replace(" ", ""))))

    def stamped(data: bytes, _: int) -> bytes:
        units = [unit for unit in length_prefixed(data, 4) if unit[0] & 31 != 6]
        return noon + b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)

    recipe = Recipe(seconds=0.4, color=Color(), keyframe_interval=6, options=timed)
    clip, reel = edited(media.make(recipe), tmp_path / "clip.mp4", stamped), tmp_path / "reel.mp4"
    assert found(clip)["S12M_TIMECODE"] == 12
    copied(reel, [clip])
    assert not found(reel)
    assert looks(reel) == looks(clip)


def _with_side_data(source: Path, target: Path, addition: PacketSideData) -> None:
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        copies = [output.add_stream_from_template(stream, opaque=True) for stream in container.streams]
        for packet in container.demux():
            if packet.size:
                if packet.stream.type == "video":
                    packet.set_sidedata(addition)
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
