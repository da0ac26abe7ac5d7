"""Memory of whole runs: the peaks that are reported, what a budget does to a run, and what many clips cost."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import FfmpegConfig, ProcessingConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import ConcatStarted, ResourceSample, RunContext
from mpt_cli.storage.temp_files import run_folder
from tests.cli.conftest import LIMIT_SECONDS, run_program, start
from tests.conftest import leftovers
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import assert_well_told, config_of, of, problems
from tests.media import Recipe, ffmpeg, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.runtime.events import Event
    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stand-ins are scripts, and exec keeps a peak on Linux")

MIB = 2**20
LOAD = 400 * MIB
"""What the stand-in holds: much more than ffmpeg needs for such pictures."""
ROOM = 300 * MIB
NEAR = LOAD // 10
"""Bytes within which two agree who look at different moments."""
PARTS = of(numbered(1, seconds=0.4), numbered(2, seconds=0.3))
HOLD = """import os, sys, time
open({seen!r} + "-" + str(os.getpid()), "w").close()
held = b"x" * {load}
open({full!r}, "w").close()
end = time.monotonic() + 60  # a test that comes so far has failed
while not os.path.exists({go!r}) and time.monotonic() < end:
    time.sleep(0.01)
os.execv({ffmpeg!r}, [{ffmpeg!r}, *sys.argv[1:]])
"""


class Outside:
    """Looks at the process tree without mpt, in a thread of its own, fifty times a second."""

    def __init__(self, pid: int | None = None) -> None:
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self.start, self.most = self.tree(), 0
        self.most_child, self.most_own, self.most_handles, self.most_threads, self.most_children = 0, 0, 0, 0, 0

    def tree(self) -> int:
        """Resident bytes of the process and of all below it."""
        return sum(self._sizes())

    def _sizes(self) -> list[int]:
        own = self._root.memory_info()
        sizes = [own.rss]
        for process in self._root.children(recursive=True):
            with suppress(psutil.Error):
                child = process.memory_info()
                if child.vms != own.vms:  # else it is being started, and the memory is still ours
                    sizes.append(child.rss)
        return sizes

    def look(self) -> None:
        own, *children = self._sizes()
        self.most = max(self.most, own + sum(children))
        self.most_own, self.most_child = max(self.most_own, own), max([self.most_child, *children])
        self.most_children = max(self.most_children, len(children))
        with suppress(psutil.Error):
            self.most_handles = max(self.most_handles, self._root.num_fds())
            self.most_threads = max(self.most_threads, self._root.num_threads())

    def _run(self) -> None:
        with suppress(psutil.Error, ValueError):  # it has ended
            while not self._over.wait(0.02):
                self.look()

    def __enter__(self) -> Outside:
        self._thread = threading.Thread(target=self._run, name="outside")
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()


class Laden:
    """An ffmpeg that holds a load where its arguments name a file, until mpt has sampled all of it, or for good."""

    def __init__(self, folder: Path, name: str, *, load: int = LOAD, lets_go: bool = True) -> None:
        self.folder, self.emit, self._go, self._lets_go = folder, ListEmit(), folder / "go", lets_go
        self._full, self._was_full = folder / "full", False
        folder.mkdir()
        hold = folder / "hold.py"
        names = {"seen": str(folder / "seen"), "full": str(self._full), "go": str(self._go)}
        hold.write_text(HOLD.format(load=load, ffmpeg=ffmpeg(), **names))
        command = f'exec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(hold))} "$@"'
        self.program = stand_in(folder, f'case "$*" in *"{name}"*) {command};; esac')
        self._load = load

    def __call__(self, event: Event) -> None:
        """Receive an event; a sample that began when the load was whole, and shows it, lets the stand-in go on."""
        self.emit(event)
        if not isinstance(event, ResourceSample):
            return
        shown = self._was_full and event.memory_bytes >= self._others() + self._load - NEAR
        self._was_full = self._full.exists()
        if shown and self._lets_go:
            self._go.touch()

    def _others(self) -> int:
        """Resident bytes of this process and of its children that hold no load."""
        others = Outside().tree()
        for pid in self.pids:
            with suppress(psutil.Error):
                others -= psutil.Process(pid).memory_info().rss
        return others

    @property
    def pids(self) -> list[int]:
        """The children that held the load, or were about to."""
        return [int(path.name.partition("-")[2]) for path in self.folder.glob("seen-*")]

    def config(self, **changed: Any) -> Config:
        return config_of().model_copy(update={"ffmpeg": FfmpegConfig(binary=self.program), **changed})


def sampling() -> bool:
    """Whether a thread of ours measures memory."""
    return "mpt-memory" in {thread.name for thread in threading.enumerate()}


# --- what is reported


@pytest.mark.anchor("T003", "T042")
def test_the_peaks_of_clips_and_of_the_run_are_those_that_others_see(media: MediaFolder, tmp_path: Path) -> None:
    clips = [part.request(media) for part in PARTS]
    laden, output = Laden(tmp_path / "programs", clips[0].path.name), tmp_path / "reel.mp4"
    factory = ModuleFactory(laden.config(processing=ProcessingConfig(jobs=2)))
    orchestrator = factory.create_video_orchestrator()
    with Outside() as outside:
        result = orchestrator.process_video_request(VideoParams(clips, output), context=RunContext("w", laden))
    assert result.success, result.errors
    assert problems(output, PARTS, Fraction(30)) == []
    assert_well_told(laden.emit, RunStatus.SUCCESS)
    loaded, other = (clip.peak_memory_bytes for clip in result.clips)
    assert loaded is not None
    assert abs(loaded - outside.most_child) < NEAR
    assert abs(loaded - LOAD) < NEAR
    assert (other or 0) < LOAD - NEAR  # None where it was too quick to be seen
    assert result.metrics is not None
    peak = result.metrics.memory_peak_bytes
    assert peak is not None
    assert abs(peak - outside.most) < NEAR
    assert peak >= max(sample.memory_bytes for sample in laden.emit.of(ResourceSample))
    assert (peak, 0) == (factory.memory_manager.peak_bytes("w"), factory.memory_manager.reserved_bytes)
    assert not sampling()


@pytest.mark.anchor("T055")
def test_the_memory_of_the_join_is_what_the_tree_grew_by_while_it_ran(media: MediaFolder, tmp_path: Path) -> None:
    laden, before = Laden(tmp_path / "programs", "concat.txt"), list[int]()

    def hear(event: Event) -> None:
        if isinstance(event, ConcatStarted):
            before.append(outside.tree())
        laden(event)

    orchestrator = ModuleFactory(laden.config()).create_video_orchestrator()
    params = VideoParams([part.request(media) for part in PARTS], tmp_path / "reel.mp4")
    with Outside() as outside:
        result = orchestrator.process_video_request(params, context=RunContext("w", hear))
    assert result.success, result.errors
    assert result.concatenation is not None
    used = result.concatenation.memory_used_bytes
    assert used is not None
    assert abs(used - (outside.most - before[0])) < NEAR
    assert used > LOAD - NEAR
    assert all((clip.peak_memory_bytes or 0) < LOAD - NEAR for clip in result.clips)


# --- a budget


@pytest.mark.anchor("T012")
def test_a_run_that_is_out_of_memory_ends_alone_and_its_neighbour_ends_well(
    media: MediaFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [part.request(media).path for part in PARTS]
    laden = Laden(tmp_path / "programs", clips[0].name, lets_go=False)
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(laden.program))
    outputs = [tmp_path / name / "reel.mp4" for name in ("large", "small")]
    for output in outputs:
        output.parent.mkdir()
    jobs = [{"output": str(output), "clips": [str(clip)]} for clip, output in zip(clips, outputs, strict=True)]
    lines = "".join(f"{json.dumps(job)}\n" for job in jobs)
    with run_folder(outputs[0].parent, "another") as others:
        (others.folder / "precious").touch()
        options = ("--size", "160x90", "--jsonl", "--max-memory", f"{(LOAD + NEAR) >> 20}MiB")
        done = run_program("batch", "-", *options, stdin=lines.encode())
        assert (others.folder / "precious").exists()
        assert [path for path in leftovers(tmp_path) if not path.name.startswith(others.folder.name)] == []
    *events, document = map(json.loads, done.out.splitlines())
    large, small = document["data"]["jobs"]
    assert (done.code, large["status"], large["errors"][0]["code"]) == (5, "error", "memory_exhausted")
    assert (small["status"], problems(outputs[1], PARTS[1:], Fraction(30))) == ("success", [])
    assert not outputs[0].exists()
    assert len(laden.pids) == 2  # it was tried again, alone
    assert not any(psutil.pid_exists(pid) for pid in laden.pids)
    # A slow machine may add a notice without a clip: that a job did not wait for memory any longer.
    notices = [event for event in events if event["type"] == "notice" and event["index"] is not None]
    (notice,) = [notice for notice in notices if notice["job"] == large["name"]]
    assert (notice["job"], notice["code"], notice["index"]) == (large["name"], "memory_exhausted", 0)


@pytest.mark.anchor("T012")
@pytest.mark.parametrize("budget", ["4MiB", "300MiB"])
def test_a_budget_that_is_too_small_ends_the_program_with_its_own_code(
    media: MediaFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: str
) -> None:
    clip = PARTS[0].request(media).path
    laden, output = Laden(tmp_path / "programs", clip.name, lets_go=False), tmp_path / "reel.mp4"
    output.write_bytes(b"mine")
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(laden.program))
    options = ("--size", "160x90", "--overwrite", "--json", "--max-memory", budget)
    done = run_program("process", clip, "-o", output, *options)
    assert (done.code, done.codes[-1]) == (7, "memory_exhausted")
    assert "--max-memory" in done.document["errors"][0]["hint"]
    assert output.read_bytes() == b"mine"
    assert leftovers(tmp_path) == []
    assert not any(psutil.pid_exists(pid) for pid in laden.pids)


# --- many clips


def cost_of(count: int, clip: Path, folder: Path) -> Outside:
    """What a run of mpt needs for so many clips."""
    options = ("--size", "64x36", "--quality", "draft", "--jobs", "2", "--no-cache", "--quiet")
    process = start("process", *[clip] * count, "-o", folder / f"{count}.mp4", *options)
    with process, Outside(process.pid) as outside:
        _, said = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, said
    return outside


@pytest.mark.anchor("T045")
def test_ten_times_the_clips_need_no_more_memory_handles_or_threads(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(Recipe(seconds=0.1, size="64x36"))
    few, many = cost_of(6, clip, tmp_path), cost_of(60, clip, tmp_path)
    assert many.most_own < few.most_own + 16 * MIB
    assert many.most_handles <= few.most_handles + 8
    assert many.most_threads <= few.most_threads + 8  # those that live for a moment are not always seen
    assert many.most_children <= few.most_children + 2
