"""The proof of segments: what ffmpeg made of a clip is what was planned, whatever ffmpeg says of it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.sections import MemoryConfig, ProcessingConfig
from mpt_cli.media import proof
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.choices import Codec
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.processing.clip import ClipProcessor
from mpt_cli.processing.pipeline import ProcessingPipeline
from mpt_cli.runtime.events import RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of
from tests.integration.segments import Bench, LyingFfmpeg, other_encoder, plan_of, planned, prove
from tests.looks import AudioHere, share_here
from tests.media import numbered, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from tests.media import MediaFolder

REEL_FLAGS = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A place to make segments."""
    return Bench(tmp_path)


def segment(bench: Bench, media: MediaFolder, form: TargetForm, number: int = 1) -> ProcessedClip:
    """A segment of nine pictures."""
    return bench.clip(media.numbered(numbered(number, seconds=0.3)), form)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.core(1)
def test_a_segment_is_known_by_its_pictures_and_sets(bench: Bench, media: MediaFolder, codec: Codec) -> None:
    form = form_of(codec=codec)
    clips = [segment(bench, media, form, number) for number in (1, 2, 3)]
    proofs = [proof.prove_segment(clip.processed_path, form, 9) for clip in clips]
    assert len({found.vcl_crc for found in proofs}) == 3
    assert len({found.parameter_sets for found in proofs}) == 1
    assert all(found.parameter_sets for found in proofs)
    assert [found.frames for found in proofs] == [9, 9, 9]


@pytest.mark.parametrize(("codec", "preset"), [(Codec.H264, "medium"), (Codec.HEVC, "fast"), (Codec.AV1, "7")])
def test_segments_by_other_settings_have_other_sets(
    bench: Bench, media: MediaFolder, codec: Codec, preset: str
) -> None:
    form = form_of(codec=codec)
    plain, other = (segment(bench, media, wanted) for wanted in (form, other_encoder(form, preset=preset)))
    assert plain.parameter_sets
    assert plain.parameter_sets != other.parameter_sets


def test_sets_that_stand_among_the_pictures_count_too(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    form = form_of()
    clips = [segment(bench, media, form), segment(bench, media, other_encoder(form, preset="medium"), 2)]
    mixed = tmp_path / "mixed.mp4"
    assert bench.join(clips, mixed, form, allow_mixed=True)
    found = proof.prove_segment(mixed, form, 18)
    assert found.parameter_sets not in {clip.parameter_sets for clip in clips}


@pytest.mark.parametrize(
    ("frames", "form", "because"),
    [
        (8, form_of(), "has 9 pictures, 8 were planned"),
        (10, form_of(), "has 9 pictures, 10 were planned"),
        (9, form_of(rate="25"), "picture 1 is -6.667 ms off its time"),
        (9, form_of(size="90x160"), "a picture is 160x90, not 90x160"),
    ],
)
@pytest.mark.core(2)
def test_a_segment_that_is_not_as_planned_is_refused(
    bench: Bench, media: MediaFolder, frames: int, form: TargetForm, because: str
) -> None:
    clip = segment(bench, media, form_of())
    with pytest.raises(VerificationError, match=because):
        proof.prove_segment(clip.processed_path, form, frames)


def test_a_segment_whose_pictures_have_no_times_is_refused(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    bare = tmp_path / "bare.h264"
    run_ffmpeg("-i", segment(bench, media, form_of()).processed_path, "-c", "copy", bare)
    with pytest.raises(VerificationError, match="a packet has no timestamp"):
        proof.prove_segment(bare, form_of(), 9)


def test_a_segment_that_begins_within_a_group_of_pictures_is_refused(
    bench: Bench, media: MediaFolder, tmp_path: Path
) -> None:
    whole, headless = segment(bench, media, form_of()).processed_path, tmp_path / "headless.mp4"
    with av.open(str(whole)) as source, av.open(str(headless), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in [packet for packet in source.demux(source.streams.video[0]) if packet.size][1:]:
            packet.stream = stream
            output.mux(packet)
    with pytest.raises(VerificationError, match="decode"):
        proof.prove_segment(headless, form_of(), 8)


def test_sound_is_counted_to_the_sample(tmp_path: Path) -> None:
    sound = tmp_path / "sound.pcm"
    for size, right in [(4 * 480, True), (4 * 480 - 2, False), (4 * 480 + 4, False), (0, False)]:
        sound.write_bytes(bytes(size))
        if right:
            proof.prove_audio(sound, 480, AudioForm())
        else:
            with pytest.raises(VerificationError, match=f"has {size // 4} samples, 480 were planned"):
                proof.prove_audio(sound, 480, AudioForm())
    with pytest.raises(VerificationError, match="has 0 samples"):
        proof.prove_audio(tmp_path / "none.pcm", 480, AudioForm())


@pytest.mark.anchor("T051")
@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        (lambda pictures, sound: pictures.unlink(), "cannot be opened"),
        (lambda pictures, sound: pictures.write_bytes(pictures.read_bytes()[:-2000]), "pictures|read|opened"),
        (lambda pictures, sound: shorten(pictures), "has 4 pictures, 9 were planned"),
        (lambda pictures, sound: sound.write_bytes(sound.read_bytes()[:-4]), "has 14400 samples, 14401 were planned"),
        (lambda pictures, sound: sound.unlink(), "has 0 samples"),
    ],
    ids=["no pictures", "cut off", "too few pictures", "a sample short", "no sound"],
)
@pytest.mark.core(2)
def test_what_ffmpeg_wrote_wrong_fails_the_clip_though_it_says_all_is_well(
    media: MediaFolder, tmp_path: Path, spoil: Callable[[Path, Path], object], because: str
) -> None:
    form, source = form_of(), media.numbered(numbered(1, seconds=0.3))
    memory, ffmpeg, files = MemoryManager(MemoryConfig()), LyingFfmpeg(spoil), TempFileManager(tmp_path)
    processor = ClipProcessor(ffmpeg, share_here, audio=AudioHere(), clock=time.monotonic)
    pipeline = ProcessingPipeline(processor, ResourcePool(1, memory), memory, PerformanceMonitor())
    plan = plan_of([planned(source, form)], form)
    result = pipeline.process_single_clip(
        plan.clips[0], plan, ProcessingConfig(), files=files, context=RunContext("test")
    )
    assert ffmpeg.runs == (2 if "samples" in because else 1)  # audio of a wrong length is decoded anew, once
    assert not result.success
    assert result.error is not None
    assert result.error.code is IssueCode.CLIP_FAILED
    assert re.search(because, result.error.message)
    assert result.error.path == source
    assert list(tmp_path.iterdir()) == []


def shorten(pictures: Path) -> None:
    """Keep the first pictures of a segment."""
    whole = pictures.rename(pictures.with_name("whole.mp4"))
    run_ffmpeg("-i", whole, "-c", "copy", "-frames:v", "4", pictures)
    whole.unlink()


def turned(path: Path, target: Path) -> Path:
    """The same file, said to be shown turned."""
    run_ffmpeg("-display_rotation", "90", "-i", path, "-map", "0", "-c", "copy", *REEL_FLAGS, target)
    return target


def test_what_ffmpeg_keeps_of_a_rotation_turns_no_reel(media: MediaFolder, tmp_path: Path) -> None:
    def keep(pictures: Path, _sound: Path) -> None:
        turned(pictures, tmp_path / "turned.mp4").replace(pictures)

    form, reel = form_of(), tmp_path / "reel.mp4"
    bench = Bench(tmp_path)
    lying = Bench(tmp_path, ffmpeg=LyingFfmpeg(keep))
    clips = [segment(lying, media, form)]
    assert bench.join(clips, reel, form)
    prove(reel, form, clips)
    with pytest.raises(VerificationError, match="it is shown turned"):
        prove(turned(reel, tmp_path / "other.mp4"), form, clips)
