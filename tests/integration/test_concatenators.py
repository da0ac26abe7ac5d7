"""One suite over all engines: whatever joins, the reel is the same, and so is the way in which it fails."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.concatenation.service import ConcatenationService
from mpt_cli.config.sections import MemoryConfig
from mpt_cli.media import proof
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Codec, Container
from mpt_cli.model.errors import Cancelled, ConcatenationError, IssueCode, OutputError, ResourceError
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.runtime.events import ConcatProgress, RunContext
from tests import reader
from tests.builders import form_of
from tests.conftest import living_children
from tests.integration.reels import of, problems
from tests.integration.segments import ENGINES, Bench, flip, place_of, prove
from tests.media import Color, Recipe, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.results import ConcatenationResult, OutputInfo
    from mpt_cli.runtime.events import Event
    from tests.fakes import ListEmit
    from tests.media import MediaFolder

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("engine", ENGINES)]

KINDS = [(codec, container) for codec in Codec for container in Container if (codec, container) != ("av1", "mov")]
LENGTHS = (0.4, 0.5, 0.3)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A run folder of its own."""
    (tmp_path / "run").mkdir()
    return Bench(tmp_path / "run")


def pieces(bench: Bench, media: MediaFolder, form: TargetForm) -> list[ProcessedClip]:
    """Three segments of different lengths."""
    return [
        bench.clip(media.numbered(numbered(n, seconds=seconds)), form) for n, seconds in enumerate(LENGTHS, start=1)
    ]


def faults(reel: Path, rate: str = "30", *, order: tuple[int, ...] = (1, 2, 3)) -> list[str]:
    """What is wrong with a reel of the three clips, looked at without the product."""
    return problems(reel, of(*(numbered(n, seconds=LENGTHS[n - 1]) for n in order)), Fraction(rate))


def judged(engine: str) -> bool:
    """Whether the proof compares pictures: they can be where they were copied."""
    return engine == "FFmpeg"


# --- what comes out -----------------------------------------------------------------------------


@pytest.mark.parametrize(("codec", "container"), KINDS)
def test_pictures_and_sound_are_right_in_every_codec_and_container(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str, codec: Codec, container: Container
) -> None:
    form, reel = form_of(codec=codec, container=container), tmp_path / f"reel.{container}"
    clips = pieces(bench, media, form)
    assert bench.join(clips, reel, form, engine=engine) is judged(engine)
    assert faults(reel) == []
    assert prove(reel, form, clips, copied=judged(engine)).frames == 36
    assert not proof.carries_metadata(reel)
    assert bench.leftovers() == set()
    if container is not Container.MKV:
        assert reader.index_comes_first(reel)
        assert not reader.has_edit_list(reel)
    if codec is Codec.HEVC and container is not Container.MKV:
        assert b"hvc1" in reel.read_bytes()


@pytest.mark.parametrize("rate", ["24", "24000/1001", "30000/1001", "50", "60000/1001"])
def test_every_rate_is_kept_to_the_tick(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str, rate: str
) -> None:
    form, reel = form_of(rate=rate), tmp_path / "reel.mp4"
    clips = pieces(bench, media, form)
    bench.join(clips, reel, form, engine=engine)
    assert faults(reel, rate) == []
    prove(reel, form, clips, copied=judged(engine))


def test_clips_come_in_the_order_that_is_asked_for(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    clips, reel = pieces(bench, media, form_of()), tmp_path / "reel.mp4"
    bench.join([clips[2], clips[0], clips[2], clips[1]], reel, form_of(), engine=engine)
    assert faults(reel, order=(3, 1, 3, 2)) == []


def test_a_mute_clip_is_silent_in_its_place(bench: Bench, media: MediaFolder, tmp_path: Path, engine: str) -> None:
    clips, reel = pieces(bench, media, form_of()), tmp_path / "reel.mp4"
    clips[1] = replace(clips[1], audio_path=None)
    bench.join(clips, reel, form_of(), engine=engine)
    parts = of(*(numbered(n, seconds=seconds) for n, seconds in enumerate(LENGTHS, start=1)))
    assert problems(reel, [parts[0], replace(parts[1], mute=True), parts[2]], Fraction(30)) == []


@pytest.mark.parametrize(("rate", "frames"), [("30", 1), ("60", 1), ("60", 2), ("30", 16)])
def test_a_single_clip_of_a_moment_is_a_reel(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str, rate: str, frames: int
) -> None:
    """One frame at 60 a second has 800 samples, fewer than a packet of sound; 16 at 30 end with a packet."""
    form, reel = form_of(rate=rate), tmp_path / "reel.mp4"
    clip = numbered(1, seconds=frames / int(rate), fps=rate)
    clips = [bench.clip(media.numbered(clip), form)]
    bench.join(clips, reel, form, engine=engine)
    assert prove(reel, form, clips, copied=judged(engine)).frames == frames
    assert [(shown.clip_id, shown.number) for shown in reader.pictures(reel)] == [(1, n) for n in range(frames)]


def test_many_clips_at_an_uneven_rate_stay_in_step(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    form, reel = form_of(rate="30000/1001"), tmp_path / "reel.mp4"
    clips = pieces(bench, media, form) * 6
    bench.join(clips, reel, form, engine=engine)
    assert faults(reel, "30000/1001", order=(1, 2, 3) * 6) == []
    assert prove(reel, form, clips, copied=judged(engine)).frames == 216


def test_colours_are_those_of_the_clips_up_to_each_joint(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    form, reel = form_of(), tmp_path / "reel.mp4"
    plain = ("red", "0x3040C0", "0x10A020", "0xE0E0E0")
    sources = [media.make(Recipe(seconds=0.2, source=f"color=c={color}", color=Color(), sound=None)) for color in plain]
    clips = [bench.clip(source, form) for source in sources]
    bench.join(clips, reel, form, engine=engine)
    for place, clip in enumerate(clips):
        for number in (0, 5):
            wanted, found = (
                reader.mean_color(clip.processed_path, number),
                reader.mean_color(reel, 6 * place + number),
            )
            assert all(abs(a - b) <= 3 for a, b in zip(wanted, found, strict=True)), (place, number, wanted, found)
    assert reader.color_tags(reel) == reader.color_tags(clips[0].processed_path)


def test_a_clip_of_the_users_is_read_under_any_name_and_left_alone(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    clips, reel = pieces(bench, media, form_of()), tmp_path / "reel.mp4"
    own = tmp_path / "it's\nDuration: 01:00:00.00, 25 fps #1?.mp4"
    clips[1].processed_path.rename(own)
    clips[1] = replace(clips[1], processed_path=own, owned=False)
    bench.join(clips, reel, form_of(), engine=engine)
    assert faults(reel) == []
    assert own.exists()
    assert bench.leftovers() == set()


def test_progress_runs_to_the_end_of_the_reel(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str, emit: ListEmit
) -> None:
    bench.context = RunContext("bench", emit)
    bench.join(pieces(bench, media, form_of()), tmp_path / "reel.mp4", form_of(), engine=engine)
    done = [event.done_seconds for event in emit.of(ConcatProgress)]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.2, abs=0.11)


# --- how it fails -------------------------------------------------------------------------------


def test_a_stop_in_the_middle_leaves_nothing(bench: Bench, media: MediaFolder, tmp_path: Path, engine: str) -> None:
    seen = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, ConcatProgress):
            seen.set()
            bench.context.cancel.cancel()

    bench.context = RunContext("bench", listen)
    clips = pieces(bench, media, form_of()) * 10
    with pytest.raises(Cancelled):
        bench.join(clips, tmp_path / "reel.mp4", form_of(), engine=engine)
    assert seen.is_set()
    assert bench.leftovers() == set()
    assert living_children() == []


def test_it_ends_at_its_time_limit(bench: Bench, media: MediaFolder, tmp_path: Path, engine: str) -> None:
    clips = pieces(bench, media, form_of())
    with pytest.raises(ConcatenationError, match="the join took longer than") as failed:
        bench.join(clips, tmp_path / "reel.mp4", form_of(), timeout_seconds=0, engine=engine)
    assert failed.value.code is IssueCode.CONCAT_TIMEOUT
    assert bench.leftovers() == set()


@pytest.mark.parametrize("obstacle", ["sound-0.aac moviepy-whole.aac", "reel.mp4"], ids=["sound", "pictures"])
def test_a_full_disk_is_called_so(bench: Bench, media: MediaFolder, engine: str, obstacle: str) -> None:
    clips = pieces(bench, media, form_of())
    for name in obstacle.split():
        bench.files.path(name).symlink_to("/dev/full")
    with pytest.raises(ResourceError) as failed:
        bench.join(clips, bench.files.path("reel.mp4"), form_of(), engine=engine)
    assert failed.value.code is IssueCode.DISK_FULL
    assert bench.leftovers() <= {"reel.mp4", *obstacle.split()}


def test_an_output_folder_that_is_not_there_is_called_so(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    clips, output = pieces(bench, media, form_of()), tmp_path / "nowhere" / "reel.mp4"
    with pytest.raises(OutputError) as failed:
        served(bench, engine, clips, output)
    assert (failed.value.code, failed.value.issue.path) == (IssueCode.OUTPUT_NOT_WRITABLE, output)
    assert bench.leftovers() == set()


@pytest.mark.parametrize("damage", ["gone", "cut off", "damaged", "another length"])
def test_pictures_that_are_not_whole_never_become_a_reel(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str, damage: str
) -> None:
    clips, output = pieces(bench, media, form_of()), tmp_path / "reel.mp4"
    path = clips[1].processed_path
    if damage == "gone":
        path.unlink()
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    elif damage == "damaged":
        at, size = place_of(path, 2)
        for place in range(at + size // 4, at + size // 2):
            flip(path, place)
    else:
        segment = replace(clips[1].segment, frames=14)
        clips[1] = replace(clips[1], segment=segment)
    with pytest.raises(ConcatenationError) as failed:
        served(bench, engine, clips, output)
    assert failed.value.code in (IssueCode.CONCAT_FAILED, IssueCode.VERIFY_FAILED)
    assert not output.exists()
    assert bench.leftovers() == set()


# --- what it costs ------------------------------------------------------------------------------


def served(
    bench: Bench, engine: str, clips: list[ProcessedClip], output: Path
) -> tuple[ConcatenationResult, OutputInfo]:
    """A join by this engine with all that the service does around it."""
    memory = MemoryManager(MemoryConfig(), interval_seconds=0.02)
    service = ConcatenationService(
        [make(Ffmpeg(), ResourcePool(2, memory)) for make in ENGINES.values()], memory, PerformanceMonitor()
    )

    def verify(path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
        return prove(path, form_of(), clips, copied=frames_copied)

    order = JoinOrder(tuple(clips), form_of(), allow_mixed=False, timeout_seconds=60, reuse=False, engine=engine)
    with memory:
        return service.concatenate(order, output, verify=verify, files=bench.files, context=bench.context)


@pytest.mark.anchor("T054")
def test_time_and_memory_are_measured_for_each_method_on_the_same_list(
    bench: Bench, media: MediaFolder, tmp_path: Path, engine: str
) -> None:
    clips = pieces(bench, media, form_of())
    results = {
        name: served(bench, name, clips, tmp_path / f"{name}.mp4") for name in sorted(ENGINES, key=engine.__ne__)
    }
    assert {name: result.method for name, (result, _info) in results.items()} == {name: name for name in ENGINES}
    assert {info.frames for _result, info in results.values()} == {36}
    shown = [[(p.clip_id, p.number) for p in reader.pictures(tmp_path / f"{name}.mp4")] for name in results]
    assert shown[0] == shown[1]
    for result, _info in results.values():
        assert result.duration_seconds > 0
        assert (result.memory_used_bytes or 0) > 2**20
