"""The proof: right reels pass, and a reel with any one thing wrong does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.damage import DeepLook
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.choices import Codec, Container
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.validation.codec import CodecValidator
from mpt_cli.validation.engine import ValidationEngine
from mpt_cli.validation.file import FileValidator
from mpt_cli.validation.parameter import ParameterValidator
from tests import reader
from tests.builders import form_of
from tests.integration.segments import (
    Bench,
    copy_of,
    duplicate,
    flip,
    place_of,
    prove,
    rewritten,
)
from tests.looks import AudioHere, probe_here, share_here
from tests.media import numbered, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from tests.integration.segments import Edit
    from tests.media import MediaFolder

SOUND_RATE = Fraction(48_000, 1024)
"""Packets a second."""
KINDS = [(codec, container) for codec in Codec for container in Container if (codec, container) != ("av1", "mov")]
REEL_OPTIONS = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets")


@dataclass(frozen=True)
class Reel:
    """A right reel of three clips of equal length."""

    path: Path
    form: TargetForm
    clips: tuple[ProcessedClip, ...]
    bench: Bench

    def expect_refusal(self, path: Path, because: str, *, copied: bool = True) -> None:
        """The proof of another file in its place fails with this reason."""
        with pytest.raises(VerificationError, match=because) as refused:
            prove(path, self.form, self.clips, copied=copied)
        assert refused.value.code is IssueCode.VERIFY_FAILED
        assert refused.value.issue.path == path


@pytest.fixture(scope="module")
def reels(media: MediaFolder, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Codec, Container], Reel]:
    """Right reels, each kind made once."""
    bench = Bench(tmp_path_factory.mktemp("reels"))
    segments: dict[Codec, tuple[ProcessedClip, ...]] = {}
    made: dict[tuple[Codec, Container], Reel] = {}

    def reel(codec: Codec = Codec.H264, container: Container = Container.MP4) -> Reel:
        form = replace(form_of(codec=codec), container=container)
        if codec not in segments:
            sources = [media.numbered(numbered(number, seconds=0.3)) for number in (1, 2, 3)]
            segments[codec] = tuple(bench.clip(source, form) for source in sources)
        if (codec, container) not in made:
            path = bench.files.path(f"reel-{codec}.{container}")
            assert bench.join(segments[codec], path, form)
            made[codec, container] = Reel(path, form, segments[codec], bench)
        return made[codec, container]

    return reel


@pytest.fixture
def reel(reels: Callable[..., Reel]) -> Reel:
    """A right reel: H.264 in MP4."""
    return reels()


@pytest.mark.parametrize(("codec", "container"), KINDS)
@pytest.mark.core(1)
def test_a_right_reel_is_accepted_with_its_facts(
    reels: Callable[..., Reel], codec: Codec, container: Container
) -> None:
    reel = reels(codec, container)
    info = prove(reel.path, reel.form, reel.clips)
    assert (info.frames, info.duration, info.dimensions) == (27, Fraction(9, 10), Dimensions(160, 90))
    assert (info.video_codec, info.audio_codec, info.container) == (codec, "aac", container)
    assert info.size_bytes == reel.path.stat().st_size
    said = [(picture.clip_id, picture.number) for picture in reader.pictures(reel.path)]
    assert said == [(clip, number) for clip in (1, 2, 3) for number in range(9)]


@pytest.mark.parametrize(("codec", "container"), KINDS)
@pytest.mark.parametrize(
    ("order", "because"),
    [
        ((1, 0, 2), "pictures of clip 0 are not those"),
        ((0, 2, 1), "pictures of clip 1 are not those"),
        ((0, 0, 2), "pictures of clip 1 are not those"),
        ((0, 1, 1), "pictures of clip 2 are not those"),
        ((0, 2), "has 18 pictures, 27 were planned|not those that were made"),
        ((0, 1, 2, 2), "more pictures than were planned"),
    ],
    ids=["swapped", "swapped at the end", "repeated", "repeated at the end", "dropped", "one too many"],
)
@pytest.mark.core(3)
def test_segments_in_another_order_are_caught(
    reels: Callable[..., Reel], codec: Codec, container: Container, order: tuple[int, ...], because: str
) -> None:
    reel = reels(codec, container)
    clips = [reel.clips[0], *(replace(clip, index=place) for place, clip in enumerate(reel.clips[1:], 1))]
    other = reel.bench.files.path(f"other.{container}")
    assert reel.bench.join([reel.clips[place] for place in order], other, reel.form)
    with pytest.raises(VerificationError, match=because):
        prove(other, reel.form, [replace(clip, index=place) for place, clip in enumerate(clips)])


@pytest.mark.parametrize(("codec", "container"), KINDS)
@pytest.mark.parametrize("number", [1, 13, 26])
@pytest.mark.core(6)
def test_a_flipped_byte_in_a_coded_picture_is_caught(
    reels: Callable[..., Reel], tmp_path: Path, codec: Codec, container: Container, number: int
) -> None:
    reel = reels(codec, container)
    broken = duplicate(reel.path, tmp_path / reel.path.name)
    place, size = place_of(broken, number)
    flip(broken, place + size // 2)
    reel.expect_refusal(broken, "not those that were made|does not decode")


@pytest.mark.core
def test_a_first_picture_that_does_not_decode_is_caught(reel: Reel, tmp_path: Path) -> None:
    broken = duplicate(reel.path, tmp_path / "reel.mp4")
    place, size = place_of(broken, 9)
    with broken.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * size)
    reel.expect_refusal(broken, "does not decode where a clip begins")


@pytest.mark.core
def test_a_flipped_byte_in_the_parameter_sets_is_caught(reel: Reel, tmp_path: Path) -> None:
    content = reel.path.read_bytes()
    extradata = reel.clips[0].extradata
    assert content.count(extradata) == 1
    broken = tmp_path / "reel.mp4"
    for offset in (len(extradata) - 10, len(extradata) - 6):  # of the picture parameter set
        broken.write_bytes(content)
        flip(broken, content.index(extradata) + offset)
        with pytest.raises(VerificationError):
            prove(broken, reel.form, reel.clips)


def drop(number: int) -> Edit:
    """Leave out one packet."""
    return lambda packets: [packet for place, packet in enumerate(packets) if place != number % len(packets)]


def repeat_last(times: int, rate: Fraction = SOUND_RATE) -> Edit:
    """The last packet some times more."""

    def edit(packets: list) -> list:  # type: ignore[type-arg]
        more = (copy_of(packets[-1], at=(len(packets) + k) / rate) for k in range(times))
        return [*packets, *more]

    return edit


def move(number: int, ticks: int) -> Edit:
    """Show one picture a little later."""

    def edit(packets: list) -> list:  # type: ignore[type-arg]
        packets[number].pts += ticks
        return packets

    return edit


def close_up(number: int) -> Edit:
    """Leave out one packet and move the later ones up."""

    def edit(packets: list) -> list:  # type: ignore[type-arg]
        return [copy_of(packet, at=place / SOUND_RATE) for place, packet in enumerate(drop(number)(packets))]

    return edit


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.core
def test_a_reel_that_was_only_written_again_is_accepted(
    reels: Callable[..., Reel], tmp_path: Path, container: Container
) -> None:
    reel = reels(Codec.H264, container)
    prove(rewritten(reel.path, tmp_path / reel.path.name, reel.form), reel.form, reel.clips)


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize(
    ("pictures", "because"),
    [
        (drop(-1), "has 26 pictures, 27 were planned"),
        (drop(4), "not those that were made|has 26 pictures"),
        (repeat_last(1, Fraction(30)), "more pictures than were planned"),
        (move(5, 40), r"picture \d+ is .* ms off its time"),
    ],
    ids=["no last picture", "a picture left out", "a picture twice", "a picture off the grid"],
)
@pytest.mark.core
def test_wrong_pictures_are_caught(
    reels: Callable[..., Reel], tmp_path: Path, container: Container, pictures: Edit, because: str
) -> None:
    reel = reels(Codec.H264, container)
    reel.expect_refusal(rewritten(reel.path, tmp_path / reel.path.name, reel.form, pictures=pictures), because)


@pytest.mark.core
def test_one_tick_off_is_caught_in_mp4(reel: Reel, tmp_path: Path) -> None:
    reel.expect_refusal(rewritten(reel.path, tmp_path / "reel.mp4", reel.form, pictures=move(7, 1)), "ms off its time")


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize(
    ("sound", "because"),
    [
        (drop(-1), "samples of sound decode, 43200 were planned"),
        (repeat_last(1), "samples of sound decode, 43200 were planned"),
        (repeat_last(3), "samples of sound decode, 43200 were planned"),
        (lambda packets: packets[:20], "20480 samples of sound decode"),
        (drop(10), "sound packet 10 is .* ms off its time"),
        (close_up(10), "samples of sound decode, 43200 were planned"),
    ],
    ids=["no last packet", "one too many", "too long", "too short", "a hole", "a packet left out"],
)
@pytest.mark.core
def test_wrong_sound_is_caught(
    reels: Callable[..., Reel], tmp_path: Path, container: Container, sound: Edit, because: str
) -> None:
    reel = reels(Codec.H264, container)
    reel.expect_refusal(rewritten(reel.path, tmp_path / reel.path.name, reel.form, sound=sound), because)


@pytest.mark.parametrize(
    ("options", "because"),
    [
        (("-movflags", "+faststart"), "it has an edit list"),
        (("-use_editlist", "0", "-movflags", "+negative_cts_offsets"), "its index is not in front"),
        (("-map", "0:v", "-map", "0:v", "-map", "0:a", *REEL_OPTIONS), "exactly one video stream"),
        (("-map", "0:v", "-map", "0:a", "-map", "0:a", *REEL_OPTIONS), "exactly one video and one audio"),
        (("-map", "0:v", *REEL_OPTIONS), "exactly one video and one audio"),
        (("-map", "0:a", *REEL_OPTIONS), "exactly one video stream"),
    ],
    ids=["edit list", "index at the end", "two videos", "two sounds", "no sound", "no video"],
)
@pytest.mark.parametrize("container", [Container.MP4, Container.MOV])
@pytest.mark.core(3)
def test_a_wrong_layout_is_caught(
    reels: Callable[..., Reel], tmp_path: Path, container: Container, options: tuple[str, ...], because: str
) -> None:
    reel = reels(Codec.H264, container)
    other = tmp_path / reel.path.name
    scale = ("-video_track_timescale", "15360")
    run_ffmpeg("-i", reel.path, "-map_metadata", "-1", "-c", "copy", *scale, *options, other)
    reel.expect_refusal(other, because)


def test_a_matroska_file_whose_index_is_behind_is_caught(reels: Callable[..., Reel], tmp_path: Path) -> None:
    reel = reels(Codec.H264, Container.MKV)
    other = tmp_path / "reel.mkv"
    run_ffmpeg("-i", reel.path, "-c", "copy", other)
    reel.expect_refusal(other, "its index is not in front")


def test_another_container_under_the_name_is_caught(reels: Callable[..., Reel], tmp_path: Path) -> None:
    for inside, outside in [("mkv", "mp4"), ("mp4", "mkv"), ("mov", "mp4"), ("mp4", "mov")]:
        other = duplicate(reels(Codec.H264, Container(inside)).path, tmp_path / f"reel.{outside}")
        reels(Codec.H264, Container(outside)).expect_refusal(other, "index is not in front|brand is|ms off its time")


def test_decode_times_that_stand_still_are_caught(reel: Reel, tmp_path: Path) -> None:
    content = bytearray(reel.path.read_bytes())
    place = content.index(b"stts") + 8  # after version and flags
    assert content[place : place + 4] == bytes([0, 0, 0, 1])
    content[place + 8 : place + 12] = bytes(4)
    broken = tmp_path / "reel.mp4"
    broken.write_bytes(content)
    reel.expect_refusal(broken, "decode times do not rise at picture 1")


@pytest.mark.parametrize("content", [b"", b"no film at all", bytes(5000), b"\x00\x00\x00\x18ftypmp42" + bytes(400)])
def test_a_file_that_is_no_media_is_caught(reel: Reel, tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "reel.mp4"
    other.write_bytes(content)
    reel.expect_refusal(other, "cannot be opened|exactly one video stream")


@pytest.mark.core
def test_a_file_that_is_cut_off_is_caught(reel: Reel, tmp_path: Path) -> None:
    content = reel.path.read_bytes()
    other = tmp_path / "reel.mp4"
    for kept in (0.2, 0.6, 0.95):
        other.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(VerificationError):
            prove(other, reel.form, reel.clips)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(
    ("options", "because"),
    [
        (("-vf", "scale=80:46", "-c:v", "libx264"), "80x46, not 160x90"),
        (("-c:v", "mpeg4"), "mpeg4|not those that were made"),
        (("-c:v", "copy", "-c:a", "aac", "-ac", "1"), "sound has channels: 1, not 2"),
        (("-c:v", "copy", "-c:a", "ac3"), "ac3"),
    ],
    ids=["size", "video codec", "channels", "audio codec"],
)
@pytest.mark.core
def test_another_form_than_planned_is_caught(
    reel: Reel, tmp_path: Path, options: tuple[str, ...], because: str, *, copied: bool
) -> None:
    other = tmp_path / "reel.mp4"
    run_ffmpeg("-i", reel.path, "-c:a", "copy", *options, "-video_track_timescale", "15360", *REEL_OPTIONS, other)
    reel.expect_refusal(other, because, copied=copied)


def test_pictures_that_were_encoded_again_need_not_be_the_same(reel: Reel, tmp_path: Path) -> None:
    other = tmp_path / "reel.mp4"
    again = ("-c:v", "libx264", "-bf", "0", "-c:a", "copy", "-video_track_timescale", "15360")
    run_ffmpeg("-i", reel.path, *again, *REEL_OPTIONS, other)
    assert prove(other, reel.form, reel.clips, copied=False).frames == 27
    reel.expect_refusal(other, "parameter sets are not those of its first clip")
    rewritten(reel.path, other, reel.form, pictures=drop(-1))
    reel.expect_refusal(other, "has 26 pictures, 27 were planned", copied=False)
    reel.expect_refusal(duplicate(reel.clips[0].processed_path, other), "one video and one audio", copied=False)


@pytest.fixture
def engine() -> ValidationEngine:
    """What the orchestrator asks for a verdict."""
    files = FileValidator(
        ValidationConfig(),
        probe=probe_here,
        decoded_share=DeepLook(Ffmpeg(), share_here),
        audio_loss=AudioHere().audio_loss,
    )
    return ValidationEngine(files, ParameterValidator(), CodecValidator(CodecOptimizer()), workers=1)


@pytest.mark.anchor("T028")
@pytest.mark.core
def test_an_output_is_validated_after_processing(reel: Reel, tmp_path: Path, engine: ValidationEngine) -> None:
    target = tmp_path / "monday.mp4"
    info = engine.validate_output(reel.path, reel.form, reel.clips, target=target, chapters=(), frames_copied=True)
    assert (info.path, info.frames, info.frame_rate) == (target, 27, Fraction(30))
    with pytest.raises(VerificationError, match="was not created") as refused:
        engine.validate_output(
            tmp_path / "none.mp4", reel.form, reel.clips, target=target, chapters=(), frames_copied=True
        )
    assert refused.value.issue.path == target


@pytest.mark.anchor("T029")
@pytest.mark.core
def test_an_output_that_is_not_whole_is_refused(reel: Reel, tmp_path: Path, engine: ValidationEngine) -> None:
    broken = duplicate(reel.path, tmp_path / "reel.mp4")
    place, size = place_of(broken, 20)
    flip(broken, place + size - 3)
    with pytest.raises(VerificationError, match="not those that were made"):
        engine.validate_output(broken, reel.form, reel.clips, target=broken, chapters=(), frames_copied=True)


@pytest.mark.anchor("T030")
@pytest.mark.parametrize(
    ("wanted", "because"),
    [
        ({"container": Container.MKV}, "its index is not in front"),
        ({"container": Container.MOV}, "its brand is not that of mov"),
        ({"dimensions": Dimensions(90, 160)}, "160x90, not 90x160"),
        ({"frame_rate": Fraction(25)}, "picture 1 is .* off its time"),
        ({"encoder": form_of(codec=Codec.HEVC).encoder}, "h264, not hevc"),
        ({"audio": AudioForm(layout="5.1")}, "sound has channels: 2, not 6"),
        ({"audio": AudioForm(sample_rate=44_100)}, "samples a second: 48000, not 44100"),
    ],
)
@pytest.mark.core
def test_an_output_of_another_format_is_refused(
    reel: Reel, engine: ValidationEngine, wanted: dict[str, object], because: str
) -> None:
    form = replace(reel.form, **wanted)  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match=because):
        engine.validate_output(reel.path, form, reel.clips, target=reel.path, chapters=(), frames_copied=True)
