"""Encoders in hardware: used where they work, replaced by software with the reason where they do not."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import CacheConfig, Config, FfmpegConfig, ProcessingConfig, QualitySettings
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action, CopyPolicy, FormSource, JoinMethod, OnError, QualityLevel
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import ConcatenationError, IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import (
    ClipFailed,
    ClipFinished,
    ClipsRestarted,
    ClipStarted,
    ConcatStarted,
    Notice,
    RunContext,
)
from tests.builders import form_of
from tests.fakes import ListEmit
from tests.hardware import (
    MARK,
    NO_DRIVER,
    NO_GPU,
    NO_SESSION,
    NVENC,
    SOFTWARE_MARK,
    Machine,
    asked,
    trials,
)
from tests.integration import segments
from tests.integration.reels import NAMES, PARTS, assert_well_told, config_of, finished_reel, problems, three_clips
from tests.integration.segments import prove

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.results import ValidationResult, VideoResult
    from mpt_cli.runtime.events import Event
    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are scripts")

DOES_NOT_WORK = f"{NVENC} does not work here: {NO_DRIVER}"
INSTEAD = "libx264 is used instead, at draft quality"


class Bench:
    """Three clips of the user's, and a machine with hardware."""

    def __init__(self, media: MediaFolder, folder: Path) -> None:
        self.folder, self.programs, self.emit = folder / "work", folder, ListEmit()
        self.folder.mkdir()
        self.clips = three_clips(media, self.folder)
        self.output = self.folder / "reel.mp4"
        self.context = RunContext("w", self.emit)
        self.cache = True

    def config(self, machine: Machine, *, encoder: str = NVENC, fallback: bool = True, **processing: object) -> Config:
        """A configuration with this machine's ffmpeg."""
        quality = QualitySettings(encoder=encoder, fallback=fallback, quality=QualityLevel.DRAFT, threads=1)
        return config_of().model_copy(
            update={
                "encode": quality,
                "ffmpeg": FfmpegConfig(binary=machine.build(self.programs)),
                "processing": ProcessingConfig(**{"jobs": 1, **processing}),  # type: ignore[arg-type]
                "cache": CacheConfig(enabled=self.cache),
            }
        )

    def run(self, machine: Machine, **wishes: object) -> VideoResult:
        """The end of a run with this machine."""
        self.emit.events.clear()
        factory = ModuleFactory(self.config(machine, **wishes))  # type: ignore[arg-type]
        params = VideoParams(self.clips, self.output, overwrite=True)
        result = factory.create_video_orchestrator().process_video_request(params, context=self.context)
        assert_well_told(self.emit, result.status)
        assert factory.memory_manager.reserved_bytes == 0
        return result

    @property
    def started(self) -> list[int]:
        return [event.index for event in self.emit.of(ClipStarted)]

    @property
    def notices(self) -> list[tuple[str, str]]:
        return [(event.code, event.message) for event in self.emit.of(Notice) if event.level == "warning"]


@pytest.fixture
def bench(media: MediaFolder, tmp_path: Path) -> Bench:
    return Bench(media, tmp_path)


def assert_whole(path: Path, *, hardware: bool) -> None:
    """The reel holds every picture and sound, made by one encoder from the first to the last."""
    assert problems(path, PARTS, Fraction(30)) == []
    content = path.read_bytes()
    mine, other = (MARK, SOFTWARE_MARK) if hardware else (SOFTWARE_MARK, MARK)
    assert (content.count(mine), content.count(other)) == (len(PARTS), 0)


def warned(result: VideoResult) -> list[str]:
    assert {issue.code for issue in result.warnings} <= {IssueCode.ENCODER_UNAVAILABLE}
    return [issue.message for issue in result.warnings]


def actions(result: VideoResult) -> list[Action | None]:
    return [clip.action for clip in result.clips]


# --- what works, and what does not from the start


@pytest.mark.parametrize("encoder", ["auto", NVENC])
def test_hardware_that_works_makes_the_reel(bench: Bench, encoder: str) -> None:
    result = bench.run(Machine(), encoder=encoder)
    assert (result.status, warned(result)) == (RunStatus.SUCCESS, [])
    assert_whole(bench.output, hardware=True)
    assert [what for _, what in asked(bench.programs)] == ["trial", "c.mp4", "b.mp4", "a.mp4"]
    assert bench.emit.of(ClipsRestarted) == []


@pytest.mark.anchor("T062")
@pytest.mark.core
def test_an_ffmpeg_that_lists_nvenc_and_fails_gives_a_reel_by_software_and_the_reason(bench: Bench) -> None:
    result = bench.run(NO_GPU)
    assert (result.status, result.code) == (RunStatus.SUCCESS, None)
    assert warned(result) == [f"{DOES_NOT_WORK}; {INSTEAD}"]
    assert bench.notices == [("encoder_unavailable", f"{DOES_NOT_WORK}; {INSTEAD}")]
    assert_whole(bench.output, hardware=False)
    assert asked(bench.programs) == [(NVENC, "trial")]


@pytest.mark.anchor("T062")
def test_with_no_other_allowed_it_ends_before_any_work(bench: Bench) -> None:
    result = bench.run(NO_GPU, fallback=False)
    assert (result.status, result.output, bench.started) == (RunStatus.ERROR, None, [])
    issue = result.errors[0]
    assert (issue.code, issue.message) == (IssueCode.ENCODER_UNAVAILABLE, DOES_NOT_WORK)
    assert issue.hint == "choose --encoder auto or libx264, or leave out --no-fallback"
    assert not bench.output.exists()


@pytest.mark.parametrize("machine", [NO_GPU, Machine(wrong="shade"), Machine(wrong="rubbish")])
def test_auto_says_nothing_of_hardware_that_it_does_not_take(bench: Bench, machine: Machine) -> None:
    result = bench.run(machine, encoder="auto")
    assert (result.status, warned(result), bench.notices) == (RunStatus.SUCCESS, [], [])
    assert_whole(bench.output, hardware=False)
    bench.run(machine, encoder="auto")
    assert trials(bench.programs) == 1


def test_a_device_that_pictures_are_loaded_into_makes_the_reel_too(bench: Bench) -> None:
    result = bench.run(Machine(works=("h264_vaapi",)), encoder="auto")
    assert (result.status, warned(result)) == (RunStatus.SUCCESS, [])
    assert_whole(bench.output, hardware=True)
    assert {name for name, _ in asked(bench.programs)} == {"h264_vaapi"}


# --- what is said of a request


def validated(
    bench: Bench, machine: Machine, *, join: bool = False, form: FormSource = FormSource.GIVEN, **wishes: Any
) -> ValidationResult:
    config = bench.config(machine, **wishes)
    config = config.model_copy(update={"video": config.video.model_copy(update={"form": form})})
    params = VideoParams(bench.clips, bench.output, join=JoinMethod.AUTO if join else None)
    return ModuleFactory(config).create_validation_engine().validate_inputs(params, config, cancel=CancelToken())


@pytest.mark.anchor("T027")
@pytest.mark.parametrize(
    ("wishes", "errors", "warnings"),
    [
        ({}, [], [f"{DOES_NOT_WORK}; {INSTEAD}"]),
        ({"fallback": False}, [DOES_NOT_WORK], []),
        ({"encoder": "auto"}, [], []),
        ({"encoder": "auto", "fallback": False}, [], []),
        ({"encoder": "libx264", "fallback": False}, [], []),
    ],
    ids=str,
)
@pytest.mark.core(1)
def test_a_named_encoder_that_does_not_work_is_said_while_the_request_is_checked(
    bench: Bench, wishes: dict[str, Any], errors: list[str], warnings: list[str]
) -> None:
    found = validated(bench, NO_GPU, **wishes)
    assert [issue.message for issue in found.errors] == errors
    assert [issue.message for issue in found.warnings] == warnings
    assert {issue.code for issue in (*found.errors, *found.warnings)} <= {IssueCode.ENCODER_UNAVAILABLE}
    assert found.is_valid is not bool(errors)
    assert all(file.is_valid for file in found.files)


@pytest.mark.anchor("T027")
def test_a_named_encoder_that_works_is_nothing_to_speak_of(bench: Bench) -> None:
    found = validated(bench, Machine(), fallback=False)
    assert (found.errors, found.warnings) == ((), ())
    assert trials(bench.programs) == 1


def test_an_encoder_that_cannot_be_driven_is_not_tried(bench: Bench) -> None:
    for encoder in ("hevc_nvenc", "h264_magic"):
        found = validated(bench, Machine(works=("hevc_nvenc",)), encoder=encoder)
        assert [issue.code for issue in found.errors] == [IssueCode.ENCODER_UNAVAILABLE]
    assert trials(bench.programs) == 0


def test_where_the_clips_choose_the_size_it_is_tried_when_that_is_known(bench: Bench) -> None:
    assert validated(bench, NO_GPU, join=True).warnings == ()
    assert validated(bench, NO_GPU, form=FormSource.AUTO).warnings == ()
    assert trials(bench.programs) == 0


# --- what fails at work


FAILURES = {
    "at the first clip": (Machine(at_numbers=(1,)), "c.mp4", (0, 1)),
    "at the third clip": (Machine(at_numbers=(3,)), "a.mp4", (3, 0)),
    "at one clip": (Machine(at=("b.mp4",)), "b.mp4", (2, 0)),
    "at all clips": (Machine(at=NAMES), "c.mp4", (1, 0)),
}


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("case", FAILURES)
def test_where_it_fails_at_work_all_clips_are_made_again_by_software(bench: Bench, case: str, *, cache: bool) -> None:
    machine, at, _ = FAILURES[case]
    bench.cache = cache
    result = bench.run(machine)
    assert (result.status, result.code) == (RunStatus.SUCCESS, None)
    said = f"{NVENC} failed at clip {'abc'.index(at[0]) + 1} ({at}): ffmpeg failed: [{NVENC}] {NO_SESSION}; {INSTEAD}"
    assert (warned(result), bench.notices) == ([said], [("encoder_unavailable", said)])
    assert_whole(bench.output, hardware=False)
    (restart,) = bench.emit.of(ClipsRestarted)
    ended = bench.emit.events[: bench.emit.events.index(restart)]
    again = sum(isinstance(event, ClipFinished) for event in ended)
    assert (restart.finished, restart.failed) == (again, 0)
    frames = sum(PARTS[event.index].frames(Fraction(30)) for event in ended if isinstance(event, ClipFinished))
    assert restart.total_seconds == pytest.approx(frames / 30)
    assert sorted(bench.started[again:]) == [0, 1, 2]
    assert bench.emit.of(ClipFailed) == []
    failed_and_found = actions(result)[NAMES.index(at)]
    assert failed_and_found is (Action.REUSE if cache else Action.ENCODE)  # software made it once already


def test_several_that_fail_at_once_are_told_once(bench: Bench) -> None:
    result = bench.run(Machine(at=NAMES), jobs=3)
    assert result.status is RunStatus.SUCCESS
    assert len(warned(result)) == len(bench.emit.of(ClipsRestarted)) == 1
    assert_whole(bench.output, hardware=False)


def test_auto_whose_choice_fails_at_work_says_so(bench: Bench) -> None:
    (said,) = warned(bench.run(Machine(at=("a.mp4",)), encoder="auto"))
    assert said.startswith(f"{NVENC} failed at clip 1 (a.mp4)")
    assert_whole(bench.output, hardware=False)


def test_an_encoder_that_failed_at_work_is_tried_again_the_next_time(bench: Bench) -> None:
    bench.run(Machine())
    bench.run(Machine())
    assert trials(bench.programs) == 1
    ModuleFactory(Config()).clip_store.clear()
    bench.run(Machine(at=("b.mp4",)))
    before = trials(bench.programs)
    bench.run(Machine(at=("b.mp4",)))
    assert trials(bench.programs) == before + 1


def test_what_software_made_is_not_taken_for_what_hardware_makes(bench: Bench) -> None:
    machine = Machine(at=("b.mp4",))
    assert bench.run(machine).status is RunStatus.SUCCESS
    result = bench.run(Machine())
    assert (result.status, warned(result)) == (RunStatus.SUCCESS, [])
    assert_whole(bench.output, hardware=True)
    assert actions(result) == [Action.ENCODE, Action.ENCODE, Action.REUSE]  # c was finished when b failed
    result = bench.run(Machine(), encoder="libx264")
    assert actions(result) == [Action.REUSE] * 3
    assert_whole(bench.output, hardware=False)


def test_with_no_other_allowed_the_clip_fails_with_its_reason(bench: Bench) -> None:
    result = bench.run(Machine(at=("b.mp4",)), fallback=False)
    assert (result.status, result.code, warned(result)) == (RunStatus.ERROR, IssueCode.PROCESSING_FAILED, [])
    assert result.errors[0].message == f"ffmpeg failed: [{NVENC}] {NO_SESSION}"
    assert [(event.index, event.code) for event in bench.emit.of(ClipFailed)] == [(1, "clip_failed")]
    assert bench.emit.of(ClipsRestarted) == []
    assert [name for _, name in asked(bench.programs)].count("b.mp4") == 1


def test_a_clip_that_fails_in_software_too_is_its_own_fault(bench: Bench) -> None:
    path = bench.clips[1].path

    def listen(event: Event) -> None:
        bench.emit(event)
        if isinstance(event, ClipStarted) and event.index == 2:
            path.unlink()

    bench.context = RunContext("w", listen)
    result = bench.run(Machine(), on_error=OnError.SKIP)
    assert (result.status, warned(result)) == (RunStatus.PARTIAL, [])
    assert [(event.index, event.code) for event in bench.emit.of(ClipFailed)] == [(1, "clip_failed")]
    assert bench.emit.of(ClipsRestarted) == []
    content = bench.output.read_bytes()
    assert (content.count(MARK), content.count(SOFTWARE_MARK)) == (2, 0)
    assert problems(bench.output, [PARTS[0], PARTS[2]], Fraction(30)) == []


def test_a_stop_while_software_takes_over_is_a_stop(bench: Bench) -> None:
    def listen(event: Event) -> None:
        bench.emit(event)
        if isinstance(event, ClipsRestarted):
            bench.context.cancel.cancel()

    bench.context = RunContext("w", listen)
    result = bench.run(Machine(at=("b.mp4",)))
    assert (result.status, bench.emit.of(ConcatStarted)) == (RunStatus.CANCELLED, [])
    assert not bench.output.exists()


# --- joins


def test_a_join_of_clips_is_encoded_by_hardware_of_its_own_size(bench: Bench) -> None:
    config = bench.config(Machine())
    without_size = config.model_copy(update={"video": Config().video})
    params = VideoParams(bench.clips, bench.output, join=JoinMethod.AUTO)
    result = ModuleFactory(without_size).create_video_orchestrator().process_video_request(params)
    assert (result.status, warned(result)) == (RunStatus.SUCCESS, [])
    assert_whole(bench.output, hardware=True)


def test_a_join_of_clips_says_once_what_took_the_encoders_place(bench: Bench) -> None:
    params = VideoParams(bench.clips, bench.output, join=JoinMethod.AUTO)
    config = bench.config(NO_GPU)
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    result = orchestrator.process_video_request(params, context=bench.context)
    assert (result.status, warned(result)) == (RunStatus.SUCCESS, [f"{DOES_NOT_WORK}; {INSTEAD}"])
    assert bench.notices == [("encoder_unavailable", f"{DOES_NOT_WORK}; {INSTEAD}")]
    assert_whole(bench.output, hardware=False)


def test_where_all_is_copied_a_broken_encoder_is_not_what_stands_behind_the_join(bench: Bench, tmp_path: Path) -> None:
    sources = [finished_reel(tmp_path / f"{clip.path.name}", [clip], config_of()) for clip in bench.clips]
    config = bench.config(NO_GPU)
    concat = config.concat.model_copy(update={"copy_policy": CopyPolicy.IDENTICAL})
    copying = config.model_copy(update={"concat": concat})
    params = VideoParams(tuple(map(VideoClip, sources)), bench.output)
    result = ModuleFactory(copying).create_video_orchestrator().plan_video_request(params)
    assert result.plan is not None
    assert [step.action for step in result.plan.steps] == [Action.COPY] * 3
    assert result.plan.encoder.startswith("libx264 ")


def with_hardware(form: TargetForm) -> TargetForm:
    """The same form by NVENC."""
    quality = QualitySettings(encoder=NVENC, quality=QualityLevel.DRAFT)
    settings = CodecOptimizer().get_optimal_settings(quality, frame_rate=form.frame_rate, threads=1)
    return replace(form, encoder=settings)


@pytest.mark.anchor("T062")
@pytest.mark.parametrize("fails", [False, True])
def test_a_join_that_encodes_again_does_so_in_hardware(media: MediaFolder, tmp_path: Path, *, fails: bool) -> None:
    folder, reel = tmp_path / "run", tmp_path / "reel.mp4"
    folder.mkdir()
    machine = Machine(at=("join",) if fails else ())
    bench = segments.Bench(folder, ffmpeg=Ffmpeg(machine.build(tmp_path)))
    forms = [form_of(), with_hardware(form_of())]  # whose parameter sets differ
    clips = [bench.clip(media.numbered(part.clip), form) for part, form in zip(PARTS, forms, strict=False)]
    if fails:
        with pytest.raises(ConcatenationError, match=r"OpenEncodeSessionEx failed: out of memory"):
            bench.join(clips, reel, forms[1])
        return
    assert not bench.join(clips, reel, forms[1])
    prove(reel, forms[1], clips, copied=False)
    assert problems(reel, PARTS[:2], Fraction(30)) == []
    assert reel.read_bytes().count(MARK) == 1
    assert asked(tmp_path)[-1] == (NVENC, "join")
