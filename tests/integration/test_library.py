"""Programs that use the library: receivers that raise, threads, asyncio, Ctrl-C, and a host that stays as it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import psutil
import pytest

import mpt_cli
from mpt_cli import CancelToken, ModuleFactory, RunContext, RunStatus, VideoParams
from mpt_cli.model.errors import IssueCode
from tests.fakes import PATIENCE, ListEmit
from tests.generated import ROOT
from tests.integration.reels import assert_well_told, config_of
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mpt_cli import Event, VideoResult
    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

HOST = ROOT / "tests" / "children" / "host.py"
EXAMPLE = ROOT / "examples" / "library.py"
LIMIT_SECONDS = 120


@pytest.fixture
def clips(media: MediaFolder) -> list[Path]:
    """Two short clips."""
    return [media.numbered(numbered(number, seconds=0.4)) for number in (1, 2)]


class RaisesAt(ListEmit):
    """A receiver that raises at the first event of a type."""

    def __init__(self, kind: str, error: BaseException) -> None:
        super().__init__()
        self.kind, self.error = kind, error

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if event.type == self.kind:
            raise self.error


def orchestrator() -> Any:
    return ModuleFactory(config_of(size="64x36")).create_video_orchestrator()


def ended(clips: list[Path], folder: Path, emit: ListEmit) -> VideoResult:
    result: VideoResult = orchestrator().process_video_request(
        VideoParams(clips, folder / "reel.mp4"), context=RunContext(emit=emit)
    )
    return result


# --- receivers that raise -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "clip-progress",
        "run-started",
        "validation-finished",
        "resource-sample",
        "clip-started",
        "clip-finished",
        "concat-started",
        "concat-progress",
        "concat-finished",
    ],
)
@pytest.mark.core(1)
def test_receiver_that_raises_ends_the_run_as_an_error_and_leaves_nothing(
    clips: list[Path], tmp_path: Path, kind: str
) -> None:
    emit = RaisesAt(kind, ValueError("a bug of the host"))
    result = ended(clips, tmp_path, emit)
    assert (result.status, result.code, result.output) == (RunStatus.ERROR, IssueCode.CALLBACK_FAILED, None)
    assert [issue.code for issue in result.errors] == [IssueCode.CALLBACK_FAILED]
    assert "ValueError: a bug of the host" in result.errors[0].message
    assert emit.types[-1] == kind
    assert list(tmp_path.iterdir()) == []


def test_receiver_that_raises_after_the_reel_is_published_costs_only_a_warning(
    clips: list[Path], tmp_path: Path
) -> None:
    result = ended(clips, tmp_path, RaisesAt("run-finished", ValueError()))
    assert (result.status, result.code) == (RunStatus.SUCCESS, None)
    assert [issue.code for issue in result.warnings] == [IssueCode.CALLBACK_FAILED]
    assert [path.name for path in tmp_path.iterdir()] == ["reel.mp4"]


def test_receiver_of_one_job_that_raises_does_not_stop_the_others(clips: list[Path], tmp_path: Path) -> None:
    emits = [ListEmit(), RaisesAt("clip-started", KeyError("job")), ListEmit()]
    token = CancelToken()
    results = orchestrator().process_batch_requests(
        (VideoParams(clips, tmp_path / f"{number}.mp4") for number in range(3)),
        contexts=[RunContext(emit=emit, cancel=token) for emit in emits],
    )
    assert [result.code for result in results] == [None, IssueCode.CALLBACK_FAILED, None]
    assert not token.cancelled
    assert_well_told(emits[0], RunStatus.SUCCESS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "2.mp4"]


def test_plan_for_a_receiver_that_raises_is_an_error(clips: list[Path], tmp_path: Path) -> None:
    params = VideoParams(clips, tmp_path / "reel.mp4")
    emit = RaisesAt("validation-finished", ValueError())
    result = orchestrator().plan_video_request(params, context=RunContext(emit=emit))
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.CALLBACK_FAILED)


# --- threads and asyncio ------------------------------------------------------------------------


def test_cancelled_task_of_asyncio_ends_its_run(media: MediaFolder, tmp_path: Path) -> None:
    clip, token, started = media.make(seconds=10.0), CancelToken(), threading.Event()
    config = mpt_cli.Settings(encode={"preset": "placebo"}, video={"size": (1280, 720), "fps": 60})
    results: list[VideoResult] = []

    def hear(event: Event) -> None:
        if event.type == "clip-started":
            started.set()

    def work() -> None:
        one = ModuleFactory(config).create_video_orchestrator()
        params = VideoParams(clip, tmp_path / "reel.mp4")
        results.append(one.process_video_request(params, context=RunContext(emit=hear, cancel=token)))

    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(work))
        assert await asyncio.to_thread(started.wait, LIMIT_SECONDS)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            token.cancel()

    asyncio.run(main())  # which waits for the thread
    assert [result.status for result in results] == [RunStatus.CANCELLED]
    assert list(tmp_path.iterdir()) == []


def test_two_runs_in_threads_change_nothing_of_the_host(clips: list[Path], tmp_path: Path) -> None:
    with host("quiet", tmp_path / "reel.mp4", *clips) as (process, report):
        told = report.read()
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    statuses, changed, threads = json.loads(told)
    assert statuses == ["success", "error"]
    assert changed == {}
    assert threads == ["spawner"]  # children end with the thread that started them, so this one stays
    assert (out, err) == (b"", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["reel-0.mp4"]


@pytest.mark.core
def test_ctrl_c_in_a_host_that_handles_no_signal_leaves_nothing(media: MediaFolder, tmp_path: Path) -> None:
    with host("interrupted", tmp_path / "reel.mp4", media.make(seconds=10.0)) as (process, report):
        assert report.readline() == "clip-started\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGINT)
        told = report.read()
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    assert told == "run-finished cancelled\ninterrupted False\n"  # the token is the host's, who did not cancel it
    assert (process.returncode, out, err) == (0, b"", b"")
    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []
    assert list(tmp_path.iterdir()) == []


@contextmanager
def host(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], TextIO]]:
    """A host program, and what it reports through a pipe of its own, because its other streams must stay empty."""
    read, write = os.pipe()
    command = [sys.executable, "-W", "error", HOST, str(write), *arguments]
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with os.fdopen(read) as report, subprocess.Popen(command, pass_fds=[write], **streams) as process:
        os.close(write)
        try:
            yield process, report
        finally:
            process.kill()


# --- the example --------------------------------------------------------------------------------


def test_example_makes_the_reel_and_shows_progress(media: MediaFolder, tmp_path: Path) -> None:
    long, output = media.make(seconds=2.0), tmp_path / "reel.mp4"
    done = example(output, long, long)
    assert (done.returncode, done.stderr) == (0, "")
    assert "clip 1: " in done.stdout
    assert output.exists()
    refused = example(output, long)
    assert (refused.returncode, refused.stderr) == (1, "")
    assert refused.stdout.splitlines()[0].startswith("output_exists ")


def test_example_ends_with_ctrl_c(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(seconds=60.0, size="640x360")
    command = [sys.executable, "-u", str(EXAMPLE), str(tmp_path / "reel.mp4"), str(clip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("clip 1: ")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert out.splitlines()[-1] == "cancelled stopped"
    assert list(tmp_path.iterdir()) == []


def example(*arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
