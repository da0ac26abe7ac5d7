"""What is published: layout, codec, keyframes and quality, and nothing of the inputs beside picture and sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config.sections import Config, QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import Action, Codec, Container, QualityLevel
from mpt_cli.model.errors import IssueCode, ProcessingError
from tests import reader
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.integration.segments import Bench
from tests.media import Color, Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mpt_cli.model.clips import TargetForm
    from tests.media import MediaFolder

SMALL = "64x36"
TINY = Recipe(seconds=0.3, size=SMALL)
BUSY = Recipe(seconds=1.0, filters=("noise=alls=12:allf=t:all_seed=1",), color=Color(), sound=None)
"""Hard to code: what an encoder spends shows."""


# --- layout --------------------------------------------------------------------------------------


@pytest.mark.anchor("T009")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.core(1)
def test_a_reel_is_what_its_result_says(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / "new" / "folder" / f"reel{suffix}"
    clips = [media.make(TINY), media.make(TINY, fps="25", size="90x160"), media.make(TINY, sound=None)]
    said = make_reel(output, clips, config_of(size=SMALL, fps="30")).output
    assert said is not None
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert (said.path, said.size_bytes) == (output, output.stat().st_size)
    assert (said.container, f".{said.container}") == (Container.of(output), suffix)
    video, audio = reader.track(output), reader.track(output, "audio")
    assert (said.video_codec, said.audio_codec) == (video.codec, audio.codec) == ("h264", "aac")
    pictures = list(reader.frames(output))
    assert (said.frames, said.duration) == (len(pictures), Fraction(len(pictures), 30))
    assert {f"{picture.width}x{picture.height}" for picture in pictures} == {str(said.dimensions)} == {SMALL}
    assert said.frame_rate == 30


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("start", [0.0, 12.5])
def test_a_reel_starts_at_zero_with_one_track_of_each_kind(
    media: MediaFolder, tmp_path: Path, suffix: str, start: float
) -> None:
    plain = media.make(TINY, suffix=".mkv", start=start)
    many, text = tmp_path / "many.mkv", tmp_path / "text.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:00,200\nWords\n")
    maps = ("-map", "1", "-map", "0:a", "-map", "0:v", "-map", "0:a", "-c", "copy", "-c:s", "srt")
    run_ffmpeg("-copyts", "-i", plain, "-i", text, *maps, many)
    reel = finished_reel(tmp_path / f"reel{suffix}", [many, plain], config_of(size=SMALL))
    with av.open(str(reel)) as container:
        titles = [] if suffix == ".mkv" else ["data"]
        assert [stream.type for stream in container.streams] == ["video", "audio", *titles]
    assert next(reader.frames(reel)).pts == 0
    first = reader.track(reel, "audio").packets[0]
    assert first.pts == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC])
def test_mp4_and_mov_have_no_edit_list_and_their_index_in_front(
    media: MediaFolder, tmp_path: Path, suffix: str, codec: Codec
) -> None:
    clips = [media.make(TINY, sound=Tone(delay=0.1)), media.make(TINY)]
    reel = finished_reel(tmp_path / f"reel{suffix}", clips, config_of(size=SMALL, codec=codec))
    assert not reader.has_edit_list(reel)
    assert reader.index_comes_first(reel)
    dts = [packet.dts for packet in reader.track(reel).packets if packet.dts is not None]
    assert len(dts) == len(list(reader.frames(reel)))
    assert dts == sorted(set(dts))


def test_matroska_has_its_cues_in_front(media: MediaFolder, tmp_path: Path) -> None:
    content = finished_reel(tmp_path / "reel.mkv", [media.make(TINY)] * 2, config_of(size=SMALL)).read_bytes()
    # The last mention of the cues is the cues: the one before stands in the table of contents.
    assert content.rindex(b"\x1c\x53\xbb\x6b") < content.index(b"\x1f\x43\xb6\x75")


SECRET = "Sesame"
TAGS = ("title", "comment", "artist", "location", "com.apple.quicktime.location.ISO6709")


def tagged(source: Path, target: Path, *, chapter: bool = True) -> Path:
    """A copy of a clip with tags of every kind, laid out as a reel is; and with a chapter."""
    chapters = target.with_suffix(".txt")
    chapters.write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle={SECRET}\n")
    tags = [part for tag in TAGS for part in ("-metadata", f"{tag}={SECRET}")]
    tags += ["-metadata:s:v", f"handler_name={SECRET}", "-metadata:s:a", f"title={SECRET}"]
    tags += ["-map_chapters", "1" if chapter else "-1"]
    layout = ("-use_editlist", "0", "-movflags", "+use_metadata_tags+faststart+negative_cts_offsets")
    flags = () if target.suffix == ".mkv" else layout
    run_ffmpeg("-i", source, "-i", chapters, "-map", "0", "-c", "copy", *tags, *flags, target)
    chapters.unlink()
    assert target.read_bytes().count(SECRET.encode()) >= len(TAGS)
    return target


def assert_nothing_is_carried(reel: Path, *, names: tuple[str, ...] = ()) -> None:
    """No tag, no chapter but these, and no trace of the secret."""
    assert SECRET.encode() not in reel.read_bytes()
    with av.open(str(reel)) as container:
        assert [chapter["metadata"] for chapter in container.chapters()] == [{"title": name} for name in names]
        assert not {tag.lower() for tag in container.metadata} & {"title", "comment", "artist", "location"}
        assert not any(stream.metadata.get("title") for stream in container.streams)


@pytest.mark.parametrize("source", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.core(1)
def test_nothing_that_a_clip_tells_of_its_owner_is_published(
    media: MediaFolder, tmp_path: Path, source: str, suffix: str
) -> None:
    clip = tagged(media.make(TINY), tmp_path / f"clip{source}")
    reel = finished_reel(tmp_path / f"reel{suffix}", [clip, clip], config_of(size=SMALL))
    assert_nothing_is_carried(reel, names=("clip", "clip"))


def test_nothing_of_its_owner_is_published_with_a_copied_clip(media: MediaFolder, tmp_path: Path) -> None:
    plain = config_of(size=SMALL, fps="30")
    final = finished_reel(tmp_path / "final.mp4", [media.make(TINY)], plain)
    copying = Config(video=plain.video, encode=plain.encode)
    result = make_reel(tmp_path / "reel.mp4", [tagged(final, tmp_path / "tagged.mp4", chapter=False)], copying)
    assert [clip.action for clip in result.clips] == [Action.COPY]
    assert_nothing_is_carried(tmp_path / "reel.mp4")


def test_a_processed_clip_carries_nothing_either(media: MediaFolder, tmp_path: Path) -> None:
    clip = tagged(media.make(TINY), tmp_path / "clip.mp4")
    assert_nothing_is_carried(Bench(tmp_path).clip(clip, form_of(size=SMALL)).processed_path)


# --- coding --------------------------------------------------------------------------------------


def sample_entries(path: Path) -> list[str]:
    """The kinds of all sample descriptions of an mp4 or mov file, in the order of its tracks."""
    content, found = path.read_bytes(), []
    for box in reader.boxes(path):
        if box.path.endswith("/stsd"):
            at, end = box.offset + 16, box.offset + box.size
            while at < end:
                found.append(content[at + 4 : at + 8].decode())
                at += int.from_bytes(content[at : at + 4])
    return found


@pytest.mark.parametrize(
    ("codec", "suffix", "entry", "profile", "highest_level"),
    [
        (Codec.H264, ".mp4", "avc1", "High", 42), (Codec.H264, ".mov", "avc1", "High", 42),
        (Codec.HEVC, ".mp4", "hvc1", "Main", 123), (Codec.HEVC, ".mov", "hvc1", "Main", 123),
        (Codec.AV1, ".mp4", "av01", "Main", 9), (Codec.H264, ".mkv", None, "High", 42),
        (Codec.HEVC, ".mkv", None, "Main", 123), (Codec.AV1, ".mkv", None, "Main", 9),
    ],
)  # fmt: skip
@pytest.mark.core(1)
def test_each_codec_has_the_profile_level_and_tag_that_phones_play(
    media: MediaFolder, tmp_path: Path, codec: Codec, suffix: str, entry: str | None, profile: str, highest_level: int
) -> None:
    config = config_of(size="1080x1920", fps="60", codec=codec)
    reel = finished_reel(tmp_path / f"reel{suffix}", [media.make(TINY, seconds=0.05, sound=None)], config)
    with av.open(str(reel)) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == codec
        assert context.profile == profile
        assert 0 < context.level <= highest_level
    if entry:
        assert sample_entries(reel) == [entry, "mp4a"]


def units(path: Path) -> Iterator[tuple[bool, int, list[bytes]]]:
    """Of each coded picture whether it is a keyframe, its time in ticks, and its H.264 or HEVC units."""
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            data, at, found = bytes(packet), 0, []
            while at + 4 <= len(data):
                size = int.from_bytes(data[at : at + 4])
                found.append(data[at + 4 : at + 4 + size])
                at += 4 + size
            if data:
                assert packet.pts is not None
                yield packet.is_keyframe, packet.pts, found


def kinds(codec: Codec, found: list[bytes]) -> set[int]:
    """The types of units (ITU-T H.264 table 7-1, H.265 table 7-1)."""
    return {unit[0] & 31 if codec is Codec.H264 else unit[0] >> 1 & 63 for unit in found}


IDR = {Codec.H264: {5}, Codec.HEVC: {19, 20}}
PARAMETER_SETS = {Codec.H264: {7, 8}, Codec.HEVC: {32, 33, 34}}


@pytest.mark.parametrize(
    ("codec", "fps"),
    [(Codec.H264, 24), (Codec.H264, 30), (Codec.H264, 60), (Codec.HEVC, 30), (Codec.HEVC, 60), (Codec.AV1, 30)],
)
def test_every_two_seconds_begin_with_a_picture_that_needs_no_other(
    media: MediaFolder, tmp_path: Path, codec: Codec, fps: int
) -> None:
    clips = [media.make(size=SMALL, seconds=seconds, sound=None) for seconds in (4.5, 2.5)]
    reel = finished_reel(
        tmp_path / "reel.mp4", clips, config_of(size=SMALL, fps=str(fps), codec=codec, quality=QualityLevel.HIGH)
    )
    packets = reader.track(reel).packets
    times = [packet.pts for packet in packets if packet.pts is not None]
    numbers = {pts: number for number, pts in enumerate(sorted(times))}
    keys = [place for place, packet in enumerate(packets) if packet.key]
    assert [numbers[times[place]] / fps for place in keys] == [0, 2, 4, 4.5, 6.5]
    assert all(min(times[place:]) == times[place] for place in keys), "pictures before it come after it"
    if codec is not Codec.AV1:
        found = [kinds(codec, parts) for key, _, parts in units(reel) if key]
        assert all(kind & IDR[codec] for kind in found)
    else:
        assert times == sorted(times)


KINDS: dict[str, Recipe] = {
    "plain": TINY,
    "portrait hdr": Recipe(
        seconds=0.3, size="90x160", codec="libx265", pixel_format="yuv420p10le",
        color=Color("bt2020nc", "bt2020", "smpte2084"),
    ),
    "interlaced": Recipe(seconds=0.3, size="160x96", interlaced=True, fps="25"),
    "transparent": Recipe(seconds=0.3, codec="qtrle", pixel_format="argb", suffix=".mov", sound=None, sar="4/3"),
    "one picture": Recipe(seconds=0.03, sound=None),
    "animation": Recipe(seconds=0.3, fps="10", codec="gif", pixel_format="rgb8", suffix=".gif", sound=None),
    "turned": Recipe(seconds=0.3, rotation=90, suffix=".mov", sound=Tone(sample_rate=8000, codec="pcm_s16le")),
    "variable": Recipe(seconds=0.5, drop="mod(n,3)", suffix=".mkv"),
    "stream": Recipe(seconds=0.4, fps="25", codec="mpeg2video", suffix=".ts", start=59_857.0, sound=Tone(codec="mp2")),
    "web": Recipe(seconds=0.3, codec="libvpx-vp9", suffix=".webm", sound=Tone((300.0, 400.0), codec="libopus")),
    "old": Recipe(seconds=0.3, size="161x121", source="testsrc", codec="mpeg4", pixel_format=None, suffix=".avi",
                  sound=Tone(codec="libmp3lame")),
}  # fmt: skip


@pytest.mark.anchor("T046")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.core(2)
def test_a_single_clip_of_any_kind_gets_the_target_s_form(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    form = form_of(size=SMALL)
    clip = Bench(tmp_path).clip(media.make(KINDS[kind]), form)
    pictures = list(reader.frames(clip.processed_path))
    assert len(pictures) == clip.segment.frames == clip.duration * 30
    assert [picture.time for picture in pictures] == pytest.approx([k / 30 for k in range(len(pictures))], abs=1e-6)
    shape = {(p.width, p.height, p.format.name, p.interlaced_frame, p.rotation) for p in pictures}
    assert shape == {(64, 36, "yuv420p", False, 0)}
    assert reader.color_tags(clip.processed_path) == reader.ColorTags(1, 1, 1, 1)
    assert (clip.audio_path is not None) is (KINDS[kind].sound is not None)
    if clip.audio_path:
        pcm = np.fromfile(clip.audio_path, "<i2").reshape(-1, 2)
        assert len(pcm) == clip.segment.frames * 1600 + 1, "one spare sample"
        assert np.abs(pcm[2400:7200]).max() > 3000


@pytest.mark.anchor("T046")
@pytest.mark.core
def test_a_single_clip_that_is_copied_stays_the_user_s_file(media: MediaFolder, tmp_path: Path) -> None:
    source = finished_reel(tmp_path / "reel.mp4", [media.make(TINY)], config_of(size=SMALL))
    (tmp_path / "run").mkdir()
    clip = Bench(tmp_path / "run").clip(source, form_of(size=SMALL), action=Action.COPY)
    assert (clip.processed_path, clip.owned) == (source, False)
    assert [path.suffix for path in (tmp_path / "run").iterdir()] == [".pcm"]
    assert clip.audio_path is not None
    assert clip.audio_path.stat().st_size == (9 * 1600 + 1) * 4


@pytest.mark.anchor("T046")
def test_a_single_clip_that_fails_says_which_and_leaves_nothing(media: MediaFolder, tmp_path: Path) -> None:
    form, source = form_of(size=SMALL), media.make(TINY)
    options = tuple("nonsense" if option == "superfast" else option for option in form.encoder.options)
    with pytest.raises(ProcessingError) as caught:
        Bench(tmp_path).clip(source, replace(form, encoder=replace(form.encoder, options=options)))
    assert (caught.value.code, caught.value.issue.path) == (IssueCode.CLIP_FAILED, source)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", Codec)
def test_clips_of_all_kinds_have_one_set_of_parameters(media: MediaFolder, tmp_path: Path, codec: Codec) -> None:
    bench, form = Bench(tmp_path), form_of(size=SMALL, codec=codec)
    clips = [bench.clip(media.make(recipe), form) for recipe in KINDS.values()]
    assert len({clip.parameter_sets for clip in clips}) == 1
    configurations = set()
    for clip in clips:
        with av.open(str(clip.processed_path)) as container:
            configurations.add(container.streams.video[0].codec_context.extradata)
    assert len(configurations) == 1
    reel = tmp_path / "reel.mp4"
    assert bench.join(clips, reel, form), "pictures are copied"
    assert len(sample_entries(reel)) == 2, "one for pictures, one for sound"
    if codec is not Codec.AV1:
        assert not any(kinds(codec, found) & PARAMETER_SETS[codec] for _, _, found in units(reel))
    assert b"x265" not in reel.read_bytes(), "its options name the threads"


# --- quality -------------------------------------------------------------------------------------


def form_with(**quality: object) -> TargetForm:
    """The form of a small reel with these encoder settings."""
    settings = QualitySettings(**quality)  # type: ignore[arg-type]
    form = form_of()
    encoder = CodecOptimizer().get_optimal_settings(settings, frame_rate=form.frame_rate, threads=1)
    return replace(form, encoder=encoder)


def coded_bytes(path: Path) -> int:
    """Bytes of all coded pictures."""
    return sum(packet.size for packet in reader.track(path).packets)


def distance(path: Path, source: Path) -> float:
    """Mean absolute difference of luma between a reel and its clip of the same size and rate."""
    pairs = zip(reader.frames(path), reader.frames(source), strict=True)
    return float(np.mean([np.abs(a.to_ndarray()[:90].astype(int) - b.to_ndarray()[:90]).mean() for a, b in pairs]))


@pytest.mark.anchor("T007")
@pytest.mark.parametrize("codec", Codec)
def test_better_quality_is_larger_and_nearer_to_the_clip(media: MediaFolder, tmp_path: Path, codec: Codec) -> None:
    clip, sizes, distances = media.make(BUSY), [], []
    for quality in (QualityLevel.DRAFT, QualityLevel.BALANCED, QualityLevel.HIGH):
        reel = finished_reel(tmp_path / f"{quality}.mp4", [clip], config_of(codec=codec, quality=quality))
        sizes.append(coded_bytes(reel))
        distances.append(distance(reel, clip))
    assert sizes[2] > 1.3 * sizes[0]
    assert distances == sorted(distances, reverse=True)
    assert distances[2] < 0.8 * distances[0]


@pytest.mark.anchor("T048")
@pytest.mark.core
def test_crf_and_preset_reach_the_encoder(media: MediaFolder, tmp_path: Path) -> None:
    clip, bench = media.make(BUSY), Bench(tmp_path)

    def coded(**quality: object) -> Path:
        return bench.clip(clip, form_with(**quality)).processed_path

    fine, coarse = coded(crf=15), coded(crf=40)
    assert coded_bytes(fine) > 3 * coded_bytes(coarse)
    assert distance(fine, clip) < distance(coarse, clip) / 3
    reordered = {}
    for preset in ("ultrafast", "medium"):
        times = [packet.pts for packet in reader.track(coded(preset=preset)).packets]
        reordered[preset] = times != sorted(time for time in times if time is not None)
    assert reordered == {"ultrafast": False, "medium": True}, "only the slower one has B pictures"
