"""Health checks: each thing is really tried, what is broken fails alone and with a hint, nothing is left."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.concatenation.service import ConcatenationService
from mpt_cli.config.sections import CacheConfig, Config, FfmpegConfig, MemoryConfig, PathsConfig, QualitySettings
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.encoders.smoke_test import encode_gray
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Codec
from mpt_cli.model.errors import Issue, IssueCode, VerificationError
from mpt_cli.model.results import RunStatus, VideoResult
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.processing.clip import ClipProcessor
from mpt_cli.processing.pipeline import ProcessingPipeline
from mpt_cli.workflow.health import HealthChecks
from tests.builders import form_of
from tests.checks import CHECKS, ENCODERS
from tests.fakes import leave_trap, stand_in
from tests.looks import AudioHere, share_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.config.request import VideoParams
    from mpt_cli.model.health import CurrentMetrics, HealthStatus
    from mpt_cli.monitoring.pool import ResourceRequest
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import RunContext

OPTIONAL = {"encoder:libx265", "encoder:libsvtav1", "hardware_encoders", "moviepy", "cache", "state"}
NEED_ENCODER = {"validation_engine", "encoder:libx264"}


def health(config: Config, *, deep: bool = False) -> HealthStatus:
    """How everything stands with this configuration."""
    return ModuleFactory(config).create_video_orchestrator().health_check(deep=deep)


def failing(status: HealthStatus) -> set[str]:
    """The names of the checks that failed; fails where one of them has no hint, or blames mpt."""
    bad = [check for check in status.checks if not check.healthy]
    assert all(check.detail and check.hint and "report this" not in check.hint for check in bad), bad
    return {check.name for check in bad}


def detail(status: HealthStatus, name: str) -> str:
    return next(check.detail for check in status.checks if check.name == name)


def files_in(folder: Path, home: Path) -> list[Path]:
    """All files but what every run may leave: what mpt knows of encoders and inputs, what drivers leave beside it."""
    found = [path for root in (folder, *home.glob("*/mpt")) for path in root.rglob("*") if path.is_file()]
    return [path for path in found if not {"encoders", "files"} & set(path.parts)]


@pytest.mark.anchor("T017")
@pytest.mark.core
def test_where_everything_works_every_check_says_what_it_found(tmp_path: Path, own_home: Path) -> None:
    status = health(Config(paths=PathsConfig(temp=tmp_path)))
    assert tuple(check.name for check in status.checks) == CHECKS
    assert {check.name for check in status.checks if not check.required} == OPTIONAL
    assert (status.healthy, failing(status)) == (True, set())
    assert status.ffmpeg == Ffmpeg().build
    assert str(status.ffmpeg) in detail(status, "ffmpeg")
    assert detail(status, "temp") == f"{tmp_path} can be written"
    assert "0 clips" in detail(status, "cache")
    assert 0 < status.memory_usage_percent < 100
    assert status.performance.active_workflows == 0
    assert status.performance.memory_percent is not None
    assert files_in(tmp_path, own_home) == []


@pytest.mark.anchor("T017")
def test_deep_makes_and_proves_a_reel_and_leaves_nothing(tmp_path: Path, own_home: Path) -> None:
    orchestrator = ModuleFactory(Config(paths=PathsConfig(temp=tmp_path))).create_video_orchestrator()
    for _ in range(2):  # the second time nothing finished may be found
        status = orchestrator.health_check(deep=True)
        assert [check.name for check in status.checks] == [*CHECKS, "job"]
        assert status.healthy, failing(status)
        assert detail(status, "job") == "a reel of 24 frames was made and proven"
        assert files_in(tmp_path, own_home) == []


def lame(folder: Path, *lines: str) -> Config:
    """A configuration with an ffmpeg that does these lines first."""
    return Config(ffmpeg=FfmpegConfig(binary=stand_in(folder, *lines)), paths=PathsConfig(temp=folder))


def _fails(name: str) -> str:
    return f'case "$*" in *" -c:v {name} "*) echo "Error while opening encoder" >&2; exit 1;; esac'


def _writes(name: str, rubbish: str) -> str:
    """Says that all is well, and leaves this as the last argument's file."""
    return f'case "$*" in *" -c:v {name} "*) for last; do :; done; cat >/dev/null; {rubbish}; exit 0;; esac'


def _unwritable(folder: Path) -> Config:
    (folder / "file").write_text("not a folder")
    return Config(paths=PathsConfig(temp=folder / "file" / "temp"))


def _old(folder: Path) -> Config:
    return lame(folder, 'if [ "$1" = -version ]; then echo "ffmpeg version 4.4.2 Copyright"; exit; fi')


def _no_cache_folder(folder: Path) -> Config:
    (folder / "file").write_text("not a folder")
    return Config(cache=CacheConfig(dir=folder / "file" / "cache"))


BREAKS: dict[str, tuple[Callable[[Path], Config], set[str]]] = {
    "no binary": (
        lambda folder: Config(ffmpeg=FfmpegConfig(binary=folder / "none")),
        {"ffmpeg", "validation_engine", "concatenation_service", "hardware_encoders", *ENCODERS},
    ),
    "an old ffmpeg": (_old, {"ffmpeg", "concatenation_service"}),
    "an encoder that is listed and fails": (lambda folder: lame(folder, _fails("libx264")), NEED_ENCODER),
    "an encoder that writes nothing": (lambda folder: lame(folder, _writes("libx264", ":")), NEED_ENCODER),
    "an encoder that writes rubbish": (
        lambda folder: lame(folder, _writes("libx264", 'echo rubbish > "${last#file:}"')),
        NEED_ENCODER,
    ),
    "an encoder that is not wanted": (lambda folder: lame(folder, _fails("libx265")), {"encoder:libx265"}),
    "a folder that cannot be written": (_unwritable, {"temp", "validation_engine", "moviepy", *ENCODERS}),
    "a budget too small": (lambda _: Config(memory=MemoryConfig(max=200 << 20)), {"memory"}),
    "a store that cannot be written": (_no_cache_folder, {"cache"}),
}


@pytest.mark.anchor("T018")
@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.core(1)
def test_what_is_taken_away_fails_alone_and_with_a_hint(tmp_path: Path, what: str) -> None:
    config_in, expected = BREAKS[what]
    status = health(config_in(tmp_path))
    assert failing(status) == expected
    assert status.healthy is expected.issubset(OPTIONAL)
    assert (status.ffmpeg is None) is ("ffmpeg" in expected)


@pytest.mark.anchor("T018")
def test_an_encoder_is_required_when_the_configuration_wants_it(tmp_path: Path) -> None:
    broken = lame(tmp_path, _fails("libx265"))
    for encode in (QualitySettings(codec=Codec.HEVC), QualitySettings(codec=Codec.HEVC, encoder="libx265")):
        status = health(broken.model_copy(update={"encode": encode}))
        assert failing(status) == {"encoder:libx265", "validation_engine"}
        assert not status.healthy


@pytest.mark.anchor("T018")
def test_an_encoder_that_mpt_cannot_drive_is_named(tmp_path: Path) -> None:
    status = health(Config(encode=QualitySettings(encoder="h264_magic"), paths=PathsConfig(temp=tmp_path)))
    assert failing(status) == {"encoder:h264_magic", "validation_engine"}
    assert "h264_magic is not one that mpt can drive" in detail(status, "encoder:h264_magic")


@pytest.mark.anchor("T018")
@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system without room")
@pytest.mark.core
def test_a_disk_without_room_is_said() -> None:
    assert {"disk", "temp"} <= failing(health(Config(paths=PathsConfig(temp=Path("/proc")))))


@pytest.mark.anchor("T018")
def test_a_moviepy_that_cannot_be_imported_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moviepy").mkdir()
    (tmp_path / "moviepy" / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    status = health(Config())
    assert (status.healthy, failing(status)) == (True, {"moviepy"})


def test_a_program_that_a_file_in_the_working_folder_names_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = leave_trap(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert failing(health(Config(paths=PathsConfig(temp=tmp_path)))) == set()
    assert not mark.exists()


def test_a_cache_that_is_switched_off_is_no_fault() -> None:
    status = health(Config(cache=CacheConfig(enabled=False)))
    assert (failing(status), detail(status, "cache")) == (set(), "switched off")


def test_it_works_in_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    folder = tmp_path / "read only"
    folder.mkdir()
    folder.chmod(0o555)
    monkeypatch.chdir(folder)
    try:
        status = health(Config(), deep=True)
    finally:
        folder.chmod(0o755)
    assert status.healthy, failing(status)
    assert files_in(folder, own_home) == []


class ShutPool(ResourcePool):
    """A pool that gives nothing out."""

    def acquire_resource(
        self,
        request: ResourceRequest | None = None,
        *,
        timeout_seconds: float | None = 30,
        cancel: CancelToken | None = None,
    ) -> int | None:
        return None


@dataclass
class Parts:
    """Real parts of a factory, of which each can be given another."""

    factory: ModuleFactory

    def checks(
        self,
        *,
        pipeline: ProcessingPipeline | None = None,
        service: ConcatenationService | None = None,
        performance: PerformanceMonitor | None = None,
    ) -> HealthChecks:
        factory = self.factory
        memory, performance = factory.memory_manager, performance or PerformanceMonitor()
        processor = ClipProcessor(factory.ffmpeg, share_here, audio=AudioHere(), clock=lambda: 0.0)
        pool = ResourcePool(slots=1, memory=memory)
        return HealthChecks(
            config=Config(),
            validation=factory.create_validation_engine(),
            pipeline=pipeline or ProcessingPipeline(processor, pool, memory, performance),
            service=service or ConcatenationService([], memory, performance),
            ffmpeg=factory.ffmpeg,
            optimizer=factory.codec_optimizer,
            memory=memory,
            performance=performance,
            cache=factory.clip_cache,
            history=factory.history,
        )


class Processor:
    """Processes a request as the test says, and keeps no record of it."""

    def __init__(self, process: Callable[[VideoParams], VideoResult]) -> None:
        self._process = process

    def process_video_request(
        self, params: VideoParams, *, context: RunContext | None = None, recorded: bool = True
    ) -> VideoResult:
        assert context is not None
        assert not recorded
        return self._process(params)


@pytest.fixture
def parts() -> Parts:
    return Parts(ModuleFactory(Config()))


@pytest.mark.anchor("T018")
def test_a_service_without_an_engine_is_not_healthy(parts: Parts) -> None:
    status = parts.checks().status()
    assert (status.healthy, failing(status)) == (False, {"concatenation_service"})


@pytest.mark.anchor("T018")
def test_a_pipeline_that_takes_no_clip_is_not_healthy(parts: Parts) -> None:
    memory = parts.factory.memory_manager
    processor = ClipProcessor(parts.factory.ffmpeg, share_here, audio=AudioHere(), clock=lambda: 0.0)
    shut = ProcessingPipeline(processor, ShutPool(slots=1, memory=memory), memory, PerformanceMonitor())
    assert failing(parts.checks(pipeline=shut).status()) == {"processing_pipeline", "concatenation_service"}


@pytest.mark.anchor("T018")
@pytest.mark.parametrize("hint", ["mend the join", None])
def test_a_reel_that_cannot_be_made_is_said_in_its_own_words(parts: Parts, hint: str | None) -> None:
    asked: list[VideoParams] = []

    def fail(params: VideoParams) -> VideoResult:
        asked.append(params)
        issue = Issue(IssueCode.CONCAT_FAILED, "did not join", hint=hint)
        return VideoResult("w", RunStatus.ERROR, errors=(issue,), code=issue.code)

    status = parts.checks().status(Processor(fail))
    assert failing(status) == {"job", "concatenation_service"}
    job = status.checks[-1]
    assert (job.name, job.detail, job.required) == ("job", "did not join", True)
    assert hint is None or job.hint == hint
    assert len(asked[0].clips) == 2
    assert not asked[0].output_path.parent.exists()


def test_a_bug_in_a_check_fails_that_check_alone(parts: Parts) -> None:
    def stumble(_params: VideoParams) -> VideoResult:
        raise ValueError("what is this?")

    job = parts.checks().status(Processor(stumble)).checks[-1]
    assert (job.healthy, job.detail) == (False, "ValueError: what is this?")
    assert job.hint is not None
    assert "report this" in job.hint


class Blind(PerformanceMonitor):
    """Cannot look at what is used."""

    def get_current_metrics(self) -> CurrentMetrics:
        raise OSError("nothing to be seen")


def test_an_error_beside_the_checks_stays_what_it_is(parts: Parts) -> None:
    with pytest.raises(OSError, match="nothing to be seen"):
        parts.checks(performance=Blind()).status()


def test_a_folder_that_cannot_be_removed_takes_nobody_the_answer(parts: Parts) -> None:
    places = list[Path]()

    def spoil(params: VideoParams) -> VideoResult:
        places.append(params.output_path.parent)
        params.output_path.parent.rename(params.output_path.parent.with_suffix(".moved"))
        params.output_path.parent.touch()
        raise ValueError("spoiled")

    assert parts.checks().status(Processor(spoil)).checks[-1].detail == "ValueError: spoiled"
    (place,) = places
    place.unlink()
    shutil.rmtree(place.with_suffix(".moved"))


@pytest.mark.parametrize("luma", [16, 60, 120, 160, 235])
def test_a_trial_knows_each_shade_again(tmp_path: Path, luma: int) -> None:
    encode_gray(Ffmpeg(), form_of().encoder, tmp_path / "gray.mp4", luma=luma, frames=3)


@pytest.mark.parametrize(
    "wrong",
    ["s#setsar#lutyuv=y=200,setsar#", "s# file:# -frames:v 2 file:#"],
    ids=["another shade", "a picture missing"],
)
def test_a_trial_does_not_believe_an_exit_code(tmp_path: Path, wrong: str) -> None:
    """An ffmpeg that ends well and wrote other pictures than it was given."""
    ffmpeg = Ffmpeg(stand_in(tmp_path, f'set -- $(echo "$*" | sed "{wrong}")'))
    with pytest.raises(VerificationError, match=r"wrote . pictures of luma .* where 3 of luma 120 were given"):
        encode_gray(ffmpeg, form_of().encoder, tmp_path / "gray.mp4", frames=3)
