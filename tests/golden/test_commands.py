"""What ffmpeg is told for each kind of clip and join, word for word; other tests measure what comes of it.

After a change that is meant: ``pytest tests/golden --snapshot-update``, and read the difference.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg import commands, segment_commands
from mpt_cli.model.choices import Codec, Container, DynamicRange, Fit
from mpt_cli.model.clips import Color, Dimensions, Orientation, Segment, VideoClip
from mpt_cli.model.media_info import AudioStreamInfo
from mpt_cli.model.samples import samples_of
from tests.builders import form_of, media_of

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.media_info import MediaInfo

CLIP = Path("/in/a.mp4")
PICTURES, PCM = Path("/run/000000.mp4"), Path("/run/000000.pcm")
CONCAT_LIST, SOUND, REEL = Path("/run/list.txt"), Path("/run/sound.aac"), Path("/out/.mpt-1")
SECOND = Segment(0, 0, 30)
_INDENT = "\n      "
SURROUND = AudioStreamInfo(1, "ac3", ("FL", "FR", "FC", "LFE", "SL", "SR"), "5.1(side)", 48_000)
HDR10 = Color("bt2020nc", "tv", "bt2020", "smpte2084")


def readable(arguments: list[str]) -> str:
    """An option and its value a line, each filter on a line of its own; nothing is left out."""
    lines: list[str] = []
    for argument in arguments:
        is_value = bool(lines) and lines[-1].startswith("-") and " " not in lines[-1]
        if is_value and (not argument.startswith("-") or argument == "-1"):
            lines[-1] += f" {argument.replace(';', f';{_INDENT}')}"
        else:
            lines.append(argument)
    return "\n".join(lines)


def difference(text: str, usual: str) -> str:
    """What is told otherwise than usual: other values, new options, and after ``not`` those left out."""
    told, expected = (part.replace(_INDENT, "\0").splitlines() for part in (text, usual))
    added = [line for line in told if line not in expected]
    options = {line.partition(" ")[0] for line in added}
    missing = [f"not {line}" for line in expected if line not in told and line.partition(" ")[0] not in options]
    return "\n".join([*added, *missing]).replace("\0", _INDENT)


def segment(
    media: MediaInfo,
    form: TargetForm | None = None,
    *,
    start: str = "0",
    frames: int = 30,
    audio_path: Path | None = PCM,
) -> str:
    """What makes one segment of a clip."""
    clip = VideoClip(CLIP, start=Fraction(start))
    piece = Segment(0, 0, frames)
    return readable(
        segment_commands.segment_arguments(
            clip, media, piece, form or form_of(), video_path=PICTURES, audio_path=audio_path
        )
    )


@pytest.mark.anchor("T060")
def test_a_segment_of_a_plain_clip(snapshot: SnapshotAssertion) -> None:
    assert segment(media_of()) == snapshot


SOURCES: dict[str, MediaInfo] = {
    "another size and rate": media_of(video={"dimensions": Dimensions(1920, 1080), "frame_rate": Fraction(60)}),
    "rotated and mirrored": media_of(video={"orientation": Orientation(90, mirrored=True)}),
    "upside down": media_of(video={"orientation": Orientation(180)}),
    "non-square pixels": media_of(video={"dimensions": Dimensions(120, 90), "sar": Fraction(4, 3)}),
    "full range": media_of(video={"pixel_format": "yuvj420p", "color": Color("bt709", "pc", "bt709", "bt709")}),
    "bt.601": media_of(video={"color": Color("smpte170m", "tv", "smpte170m", "smpte170m")}),
    "untagged": media_of(video={"color": Color()}),
    "hdr": media_of(
        video={"color": HDR10, "hdr": "pq", "pixel_format": "yuv420p10le", "bit_depth": 10, "codec": "hevc"}
    ),
    "interlaced": media_of(video={"interlaced": True, "frame_rate": Fraction(25)}),
    "alpha": media_of(video={"has_alpha": True, "codec": "vp9", "pixel_format": "yuva420p"}),
    "5.1 sound": media_of(audio=SURROUND),
    "no sound": media_of(audio=None),
    "late start": media_of(
        zero=Fraction(59_857), video_start=Fraction(59_857) + Fraction(1, 3), last_picture=Fraction(59_858)
    ),
}


@pytest.mark.anchor("T060")
@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_different_for_each_kind_of_source(kind: str, snapshot: SnapshotAssertion) -> None:
    assert difference(segment(SOURCES[kind]), segment(media_of())) == snapshot


@pytest.mark.parametrize("fit", Fit)
def test_a_lying_picture_in_a_standing_one(fit: Fit, snapshot: SnapshotAssertion) -> None:
    standing = form_of(size="90x160", fit=fit, background="#102030")
    assert difference(segment(media_of(), standing), segment(media_of())) == snapshot


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1])
def test_a_segment_of_each_codec(codec: Codec, snapshot: SnapshotAssertion) -> None:
    form = form_of(codec=codec, rate="30000/1001", threads=2)
    assert difference(segment(media_of(), form), segment(media_of())) == snapshot


def in_hdr(dynamic_range: DynamicRange, **changes: Any) -> TargetForm:
    """The usual form with HDR."""
    form, quality = form_of(codec=Codec.HEVC, **changes), QualitySettings(codec=Codec.HEVC)
    settings = CodecOptimizer().get_optimal_settings(
        quality, frame_rate=form.frame_rate, threads=1, samples=samples_of(dynamic_range)
    )
    return replace(form, encoder=settings)


@pytest.mark.parametrize("kind", ["plain", "bt.601", "hdr", "alpha"])
@pytest.mark.parametrize("wanted", [DynamicRange.HLG, DynamicRange.PQ])
def test_a_segment_of_hdr(wanted: DynamicRange, kind: str, snapshot: SnapshotAssertion) -> None:
    media = SOURCES.get(kind, media_of())
    assert difference(segment(media, in_hdr(wanted)), segment(media, form_of(codec=Codec.HEVC))) == snapshot


@pytest.mark.parametrize("fit", [Fit.CONTAIN, Fit.BLUR])
def test_what_is_drawn_over_other_frames_keeps_ten_bits(fit: Fit, snapshot: SnapshotAssertion) -> None:
    standing = in_hdr(DynamicRange.HLG, size="90x160", fit=fit, background="#102030")
    assert difference(segment(media_of(), standing), segment(media_of(), in_hdr(DynamicRange.HLG))) == snapshot


def in_hardware(name: str, *, codec: Codec = Codec.H264) -> TargetForm:
    """The usual form by an encoder in hardware."""
    form = form_of(codec=codec)
    quality = QualitySettings(codec=codec, encoder=name)
    settings = CodecOptimizer().get_optimal_settings(quality, frame_rate=form.frame_rate, threads=1)
    return replace(form, encoder=settings)


@pytest.mark.anchor("T062")
@pytest.mark.parametrize("name", ["h264_nvenc", "hevc_qsv", "av1_amf", "h264_videotoolbox", "h264_vaapi", "av1_vulkan"])
def test_a_segment_by_each_kind_of_hardware(name: str, snapshot: SnapshotAssertion) -> None:
    form = in_hardware(name, codec=Codec(name.partition("_")[0]))
    assert difference(segment(media_of(), form), segment(media_of())) == snapshot


@pytest.mark.anchor("T062")
@pytest.mark.parametrize("name", ["h264_nvenc", "h264_vaapi"])
def test_a_join_by_hardware_that_encodes_again(name: str, snapshot: SnapshotAssertion) -> None:
    again = [
        readable(commands.reencode_arguments(CONCAT_LIST, SOUND, form, REEL)) for form in (in_hardware(name), form_of())
    ]
    assert difference(*again) == snapshot


@pytest.mark.parametrize("name", ["h264_nvenc", "h264_vaapi", "h264_vulkan"])
def test_a_trial_and_a_clip_open_the_same_device_and_load_pictures_alike(name: str) -> None:
    form = in_hardware(name)
    trial = commands.trial_arguments(form.encoder, form.dimensions, 25, PICTURES)
    clip = segment_commands.segment_arguments(
        VideoClip(CLIP), media_of(), SECOND, form, video_path=PICTURES, audio_path=None
    )
    join = commands.reencode_arguments(CONCAT_LIST, SOUND, form, REEL)
    device = commands.device_arguments(form.encoder)
    assert bool(device) is (name != "h264_nvenc")
    for arguments in (trial, clip, join):
        at = arguments.index("-init_hw_device") if device else 0
        assert arguments[at : at + len(device)] == device
        assert at < arguments.index("-i")
        (graph,) = (value for value in arguments if "format=nv12" in value)
        assert ("hwupload" in graph) is bool(device)
        assert [value for value in form.encoder.options if value not in arguments] == []


def test_a_trim_is_sought_to_the_last_keyframe_a_second_before_it(snapshot: SnapshotAssertion) -> None:
    points = tuple(Fraction(second) for second in range(0, 10, 2))
    media = media_of(duration=Fraction(10), last_picture=Fraction(299, 30), seek_points=points)
    assert difference(segment(media, start="7.5", frames=15), segment(media_of())) == snapshot


def test_sound_alone_for_a_clip_whose_pictures_are_copied(snapshot: SnapshotAssertion) -> None:
    arguments = segment_commands.audio_arguments(VideoClip(CLIP), media_of(), SECOND, form_of(), audio_path=PCM)
    assert readable(arguments) == snapshot


def test_a_piece_of_sound_is_encoded_from_raw_samples(snapshot: SnapshotAssertion) -> None:
    assert readable(commands.audio_piece_arguments(form_of(), Path("/run/sound-0.aac"))) == snapshot


def join(**form: Any) -> str:
    """What joins clips of a form by copying."""
    target = form_of(**form)
    output = REEL.with_suffix(f".{target.container}")
    return readable(commands.join_arguments(CONCAT_LIST, SOUND, target, output, convert=False))


@pytest.mark.anchor("T060")
def test_a_join_copies_coded_pictures(snapshot: SnapshotAssertion) -> None:
    assert join() == snapshot


JOINS: dict[str, dict[str, Any]] = {
    "mov": {"container": Container.MOV, "rate": "30000/1001"},
    "mkv": {"container": Container.MKV},
    "hevc in mp4": {"codec": Codec.HEVC},
    "av1 in mp4": {"codec": Codec.AV1},
}


@pytest.mark.anchor("T060")
@pytest.mark.parametrize("kind", JOINS)
def test_what_is_different_for_a_join_into_another_container(kind: str, snapshot: SnapshotAssertion) -> None:
    assert difference(join(**JOINS[kind]), join()) == snapshot


def test_a_join_by_encoding_again(snapshot: SnapshotAssertion) -> None:
    arguments = commands.reencode_arguments(CONCAT_LIST, SOUND, form_of(), REEL.with_suffix(".mp4"))
    assert readable(arguments) == snapshot


@pytest.mark.parametrize("kind", ["usual", *JOINS])
def test_a_join_by_moviepy(kind: str, snapshot: SnapshotAssertion) -> None:
    form = form_of(**JOINS.get(kind, {}))
    told = commands.moviepy_video(form, REEL.with_suffix(f".{form.container}"))
    parameters = readable(told.pop("ffmpeg_params"))
    assert (told, parameters, commands.moviepy_audio(form)) == snapshot


# --- what holds for all of them -------------------------------------------------------------------


def test_parameter_sets_are_written_into_the_stream_only_where_they_differ() -> None:
    kept, converted = (
        commands.join_arguments(CONCAT_LIST, SOUND, form_of(), Path("/out/r.mp4"), convert=convert)
        for convert in (False, True)
    )
    assert [(old, new) for old, new in zip(kept, converted, strict=True) if old != new] == [("0", "1")]
    assert kept[kept.index("-auto_convert") + 1] == "0"


NAMES = [
    "concat:a.mov",
    "-x.mp4",
    "a%d.mp4",
    "it's [a] 'name', or \\ two;.mp4",
    "a:b=c.mp4",
    "über\n.mp4",
    "bad\udcff.mp4",
]


@pytest.mark.anchor("T060")
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_every_file_is_named_as_a_file_by_its_whole_path(name: str) -> None:
    folder = Path("/in")
    clip, form = VideoClip(folder / name), form_of()
    media = media_of()
    made = [
        segment_commands.segment_arguments(
            clip, media, SECOND, form, video_path=folder / name, audio_path=folder / name
        ),
        segment_commands.audio_arguments(clip, media, SECOND, form, audio_path=folder / name),
        commands.join_arguments(folder / name, folder / name, form, folder / name, convert=True),
        commands.reencode_arguments(folder / name, folder / name, form, folder / name),
        commands.annex_b_arguments(folder / name, folder / name),
    ]
    for arguments, files in zip(made, (3, 2, 3, 3, 2), strict=True):
        assert arguments.count(f"file:/in/{name}") == files
        assert sum("/in/" in argument for argument in arguments) == files


def test_nothing_but_files_and_known_containers_is_opened() -> None:
    arguments = segment_commands.segment_arguments(
        VideoClip(CLIP), media_of(), SECOND, form_of(), video_path=PICTURES, audio_path=PCM
    )
    inputs = arguments[: arguments.index("-i")]
    assert inputs[inputs.index("-protocol_whitelist") + 1] == "file"
    opened = set(inputs[inputs.index("-format_whitelist") + 1].split(","))
    assert opened >= {"mov", "matroska", "mpegts", "avi"}
    assert not opened & {"concat", "hls", "dash", "image2", "lavfi", "tty", "srt", "ass", "rtsp", "sdp", "imf"}


@pytest.mark.parametrize(
    ("origin", "sought"), [("0", None), ("2.999", None), ("3", "2.000000"), ("4.999", "2.000000"), ("9", "8.000000")]
)
def test_a_seek_leaves_at_least_a_second_in_front(origin: str, sought: str | None) -> None:
    points = tuple(Fraction(second) for second in range(2, 10, 2))
    media = media_of(duration=Fraction(10), seek_points=points)
    clip = VideoClip(CLIP, start=Fraction(origin))
    arguments = segment_commands.audio_arguments(clip, media, SECOND, form_of(), audio_path=PCM)
    found = arguments[arguments.index("-ss") + 1] if "-ss" in arguments else None
    assert found == sought


def test_a_later_segment_counts_from_its_first_frame() -> None:
    media, rate = media_of(zero=Fraction(5)), Fraction(30_000, 1001)
    clip = VideoClip(CLIP, start=Fraction(1, 2))
    assert segment_commands.segment_origin(clip, media, Segment(0, 60, 30), rate) == 5 + Fraction(1, 2) + 60 / rate
