"""The join: when pictures are copied, what comes out, what is left behind, and how it fails."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.concatenation.ffmpeg import FFmpegConcatenator
from mpt_cli.config.sections import Config, MemoryConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action, Codec, Container, CopyPolicy
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Cancelled, ConcatenationError, ExitCode, IssueCode, ResourceError, VerificationError
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.runtime.events import ConcatProgress, RunContext
from tests import reader
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel, make_reel, of, problems
from tests.integration.segments import Bench, LyingFfmpeg, other_encoder, prove
from tests.media import Signature, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from tests.fakes import ListEmit
    from tests.media import MediaFolder

OTHER_SETTINGS = {Codec.H264: "medium", Codec.HEVC: "fast", Codec.AV1: "7"}
"""Presets whose parameter sets differ from the draft's."""
KINDS = [(codec, container) for codec in Codec for container in Container if (codec, container) != ("av1", "mov")]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A run folder of its own."""
    (tmp_path / "run").mkdir()
    return Bench(tmp_path / "run")


def pieces(
    bench: Bench, media: MediaFolder, form: TargetForm, *, mixed: bool = False, seconds: float = 0.4
) -> list[ProcessedClip]:
    """Three segments; ``mixed`` gives the middle one the parameter sets of another encoder setting."""
    sources = [media.numbered(numbered(number, seconds=seconds)) for number in (1, 2, 3)]
    other = other_encoder(form, preset=OTHER_SETTINGS[form.encoder.codec]) if mixed else form
    return [bench.clip(source, wanted) for source, wanted in zip(sources, (form, other, form), strict=True)]


def faults(reel: Path, *, seconds: float = 0.4, rate: str = "30") -> list[str]:
    """What is wrong with a reel of the three clips, looked at without the product."""
    return problems(reel, of(*(numbered(number, seconds=seconds) for number in (1, 2, 3))), Fraction(rate))


@pytest.mark.anchor("T064")
@pytest.mark.parametrize(
    ("changes", "alone", "mixed"),
    [
        ({}, True, True),
        ({"extradata": b"other text around the same sets"}, True, True),
        ({"parameter_sets": "others"}, False, True),
        ({"dimensions": Dimensions(90, 160)}, False, False),
    ],
    ids=["the same", "other extradata", "other sets", "another size"],
)
@pytest.mark.core(2)
def test_copying_is_decided_by_sizes_and_parameter_sets(
    bench: Bench, media: MediaFolder, changes: dict[str, Any], *, alone: bool, mixed: bool
) -> None:
    engine = FFmpegConcatenator(Ffmpeg(), ResourcePool(1, MemoryManager(MemoryConfig())))
    clip = bench.clip(media.numbered(numbered(1, seconds=0.4)), form_of())
    two = [clip, replace(clip, **changes)]
    assert engine.check_stream_copy_compatibility(two, allow_mixed=False) is alone
    assert engine.check_stream_copy_compatibility(two, allow_mixed=True) is mixed


@pytest.mark.anchor("T061")
@pytest.mark.parametrize(("codec", "container"), KINDS)
@pytest.mark.core(1)
def test_uniform_clips_are_copied_and_the_reel_is_right(
    bench: Bench, media: MediaFolder, tmp_path: Path, codec: Codec, container: Container
) -> None:
    form = form_of(codec=codec, container=container)
    clips = pieces(bench, media, form)
    reel = tmp_path / f"reel.{container}"
    assert bench.join(clips, reel, form)
    assert faults(reel) == []
    prove(reel, form, clips)
    sizes = [packet.size for clip in clips for packet in reader.track(clip.processed_path).packets]
    assert sorted(packet.size for packet in reader.track(reel).packets) == sorted(sizes) or codec is Codec.AV1


@pytest.mark.anchor("T061", "T064")
@pytest.mark.parametrize(("codec", "container"), KINDS)
@pytest.mark.core(1)
def test_the_same_codec_with_other_parameter_sets_is_encoded_again(
    bench: Bench, media: MediaFolder, tmp_path: Path, codec: Codec, container: Container
) -> None:
    form = form_of(codec=codec, container=container)
    clips = pieces(bench, media, form, mixed=True)
    assert len({clip.parameter_sets for clip in clips}) == 2
    reel = tmp_path / f"reel.{container}"
    assert not bench.join(clips, reel, form)
    assert faults(reel) == []
    prove(reel, form, clips, copied=False)
    with pytest.raises(VerificationError):
        prove(reel, form, clips)


@pytest.mark.parametrize(("codec", "container"), KINDS)
def test_mixed_parameter_sets_are_copied_on_wish_and_every_picture_decodes(
    bench: Bench, media: MediaFolder, tmp_path: Path, codec: Codec, container: Container
) -> None:
    form = form_of(codec=codec, container=container)
    clips = pieces(bench, media, form, mixed=True)
    reel = tmp_path / f"reel.{container}"
    copied = bench.join(clips, reel, form, allow_mixed=True)
    assert copied is (codec is not Codec.HEVC or container is Container.MKV)  # sets stand among the frames there
    assert faults(reel) == []
    prove(reel, form, clips, copied=copied)


@pytest.mark.anchor("T064")
@pytest.mark.parametrize("allow_mixed", [False, True])
@pytest.mark.core(1)
def test_other_sizes_are_never_copied(bench: Bench, media: MediaFolder, tmp_path: Path, *, allow_mixed: bool) -> None:
    form, wide = form_of(), form_of(size="128x72")
    clips = [bench.clip(media.numbered(numbered(number, seconds=0.4)), f) for number, f in [(1, form), (2, wide)]]
    reel = tmp_path / "reel.mp4"
    with pytest.raises(ConcatenationError):  # no clip of another size comes this far, and none passes
        bench.join(clips, reel, form, allow_mixed=allow_mixed)


@pytest.mark.parametrize("rate", ["24", "30000/1001", "50"])
def test_a_join_that_encodes_again_keeps_every_time(
    bench: Bench, media: MediaFolder, tmp_path: Path, rate: str
) -> None:
    form = form_of(rate=rate)
    clips = pieces(bench, media, form, mixed=True)
    reel = tmp_path / "reel.mp4"
    assert not bench.join(clips, reel, form)
    assert faults(reel, rate=rate) == []
    prove(reel, form, clips, copied=False)


def test_many_clips_at_an_uneven_rate_stay_on_the_grid(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    form = form_of(rate="30000/1001")
    clips = [replace(clip, index=index) for index, clip in enumerate(pieces(bench, media, form) * 30)]
    for container in Container:
        reel, wanted = tmp_path / f"reel.{container}", replace(form, container=container)
        assert bench.join(clips, reel, wanted)
        assert prove(reel, wanted, clips).frames == 1080


# --- the user's own clips -----------------------------------------------------------------------


@pytest.mark.parametrize(("codec", "container"), KINDS)
def test_finished_reels_of_one_form_are_copied_into_another(
    media: MediaFolder, tmp_path: Path, codec: Codec, container: Container
) -> None:
    sources = [numbered(number, seconds=0.5) for number in (1, 2)]
    first, second = (
        finished_reel(tmp_path / f"{clip.clip_id}.mp4", [media.numbered(clip)], config_of(codec=codec))
        for clip in sources
    )
    config = Config(video=config_of().video, encode=config_of(codec=codec).encode)
    result = make_reel(tmp_path / f"reel.{container}", [first, second], config)
    assert [clip.action for clip in result.clips] == [Action.COPY, Action.COPY], [c.reasons for c in result.clips]
    assert problems(tmp_path / f"reel.{container}", of(*sources), Fraction(30)) == []


@pytest.mark.parametrize("codec", list(Codec))
def test_finished_reels_of_other_settings_are_copied_only_on_wish(
    media: MediaFolder, tmp_path: Path, codec: Codec
) -> None:
    sources = [replace(numbered(number, seconds=0.5), sound=Signature(codec="aac")) for number in (1, 2)]
    reels = []
    for clip, preset in zip(sources, (None, OTHER_SETTINGS[codec]), strict=True):
        config = config_of(codec=codec)
        config = config.model_copy(update={"encode": config.encode.model_copy(update={"preset": preset})})
        reels.append(finished_reel(tmp_path / f"{clip.clip_id}.mp4", [media.numbered(clip)], config))
    for policy in (CopyPolicy.IDENTICAL, CopyPolicy.COMPATIBLE):
        copied = policy is CopyPolicy.COMPATIBLE and codec is not Codec.HEVC
        config = config_of(codec=codec)
        config = config.model_copy(update={"concat": config.concat.model_copy(update={"copy_policy": policy})})
        result = make_reel(tmp_path / f"{policy}.mp4", reels, config)
        assert result.success, result.errors
        actions = [clip.action is Action.COPY for clip in result.clips]
        assert actions == [copied, copied], [clip.reasons for clip in result.clips]
        assert problems(tmp_path / f"{policy}.mp4", of(*sources), Fraction(30)) == []
        assert [warning.message for warning in result.warnings if "different parameter sets" in warning.message] == (
            ["clips with different parameter sets were copied: some players show black after the first one"]
            if copied
            else []
        )


@pytest.mark.parametrize("name", ["a #1 film", "what?", "it's\na folder", os.fsdecode(b"\xff bytes"), "100%25"])
def test_folders_and_clips_of_any_name_are_joined(media: MediaFolder, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    clip = folder / f"{name}.mp4 (копия)"
    clip.write_bytes(media.numbered(numbered(1, seconds=0.4)).read_bytes())
    reel = finished_reel(folder / f"{name}.mp4", [clip], config_of())
    copied = make_reel(folder / "copied.mkv", [reel, reel], Config(video=config_of().video, encode=config_of().encode))
    assert copied.success, copied.errors
    assert copied.concatenation is not None
    assert copied.concatenation.stream_copy
    assert problems(folder / "copied.mkv", of(numbered(1, seconds=0.4)) * 2, Fraction(30)) == []


# --- temporary files and failures ---------------------------------------------------------------


@pytest.mark.anchor("T063")
@pytest.mark.core
def test_a_join_leaves_only_the_segments(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    form = form_of()
    clips = pieces(bench, media, form)
    own = replace(clips[1], owned=False)
    assert bench.join([clips[0], own, clips[2]], tmp_path / "reel.mp4", form)
    assert bench.leftovers() == set()
    assert own.processed_path.exists()
    assert len(list(bench.files.folder.iterdir())) == 6
    assert faults(tmp_path / "reel.mp4") == []


@pytest.mark.anchor("T063")
@pytest.mark.parametrize("obstacle", ["sound-0.aac", "sound.aac", "reel.mp4"])
@pytest.mark.core(1)
def test_a_join_that_fails_leaves_only_the_segments(bench: Bench, media: MediaFolder, obstacle: str) -> None:
    form = form_of()
    clips = [replace(clip, owned=False) for clip in pieces(bench, media, form)]
    before = {path.name for path in bench.files.folder.iterdir()}
    bench.files.path(obstacle).symlink_to("/dev/full")
    with pytest.raises(ResourceError) as failed:
        bench.join(clips, bench.files.path("reel.mp4"), form)
    assert (failed.value.code, failed.value.exit_code) == (IssueCode.DISK_FULL, ExitCode.RESOURCES)
    bench.files.path("reel.mp4").unlink(missing_ok=True)
    assert {path.name for path in bench.files.folder.iterdir()} == before


def test_a_segment_that_is_gone_fails_the_join(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = pieces(bench, media, form_of()), tmp_path / "reel.mp4"
    clips[2].processed_path.unlink()
    bench.join(clips, reel, form_of())  # all that ffmpeg does is to leave it out
    with pytest.raises(VerificationError, match="has 24 pictures, 36 were planned"):
        prove(reel, form_of(), clips)
    clips[0].processed_path.unlink()
    with pytest.raises(ConcatenationError, match="ffmpeg failed") as failed:
        bench.join(clips, reel, form_of())
    assert (failed.value.code, failed.value.exit_code) == (IssueCode.CONCAT_FAILED, ExitCode.FAILED)
    assert bench.leftovers() == set()


def test_a_join_ends_at_its_time_limit(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    clips = pieces(bench, media, form_of())
    with pytest.raises(ConcatenationError, match="the join took longer than") as failed:
        bench.join(clips, tmp_path / "reel.mp4", form_of(), timeout_seconds=0)
    assert failed.value.code is IssueCode.CONCAT_TIMEOUT
    assert bench.leftovers() == set()


@pytest.mark.core
def test_a_join_that_is_cancelled_says_so(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    clips = pieces(bench, media, form_of())
    bench.context.cancel.cancel()
    with pytest.raises(Cancelled):
        bench.join(clips, tmp_path / "reel.mp4", form_of())
    assert bench.leftovers() == set()


@pytest.mark.parametrize("cut", [-3000, 3], ids=["cut off", "no packets"])
@pytest.mark.core(1)
def test_sound_that_was_written_wrong_fails_the_join(
    bench: Bench, media: MediaFolder, tmp_path: Path, cut: int
) -> None:
    def spoil(_first: Path, last: Path) -> None:
        if last.suffix == ".aac":
            content = last.read_bytes()
            last.write_bytes(content[:cut] if cut < 0 else content[cut:])

    clips = pieces(bench, media, form_of(), seconds=1.0)
    bench.ffmpeg = LyingFfmpeg(spoil)
    with pytest.raises(ConcatenationError, match="ffmpeg wrote audio that cannot be read") as failed:
        bench.join(clips, tmp_path / "reel.mp4", form_of())
    assert failed.value.code is IssueCode.CONCAT_FAILED
    assert bench.leftovers() == set()


def test_a_clip_without_sound_is_silent_in_its_place(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    clips = pieces(bench, media, form_of())
    clips[1] = replace(clips[1], audio_path=None)
    bench.join(clips, tmp_path / "reel.mp4", form_of())
    parts = of(*(numbered(number, seconds=0.4) for number in (1, 2, 3)))
    assert problems(tmp_path / "reel.mp4", [parts[0], replace(parts[1], mute=True), parts[2]], Fraction(30)) == []


def test_progress_runs_to_the_end_of_the_reel_and_not_beyond(
    bench: Bench, media: MediaFolder, tmp_path: Path, emit: ListEmit
) -> None:
    bench.context = RunContext("bench", emit)
    bench.join(pieces(bench, media, form_of()), tmp_path / "reel.mp4", form_of())
    done = [event.done_seconds for event in emit.of(ConcatProgress)]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.2, abs=0.1)
    assert 0 <= done[0] <= done[-1] <= 1.2 + 0.01
