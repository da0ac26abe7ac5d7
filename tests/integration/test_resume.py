"""What was finished is used again: by the same recipe only, never damaged, and whatever ended the run before."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import CacheConfig, Config, FfmpegConfig, ProcessingConfig, ValidationConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.probe_cache import ProbeCache
from mpt_cli.model.choices import Action, Container, QualityLevel
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import Notice, RunContext
from tests.fakes import FakeClock, ListEmit, stand_in
from tests.integration.reels import Part, config_of, of, problems
from tests.integration.test_damage import spoiled
from tests.looks import probe_here
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.model.results import CacheInfo, VideoResult
    from tests.media import MediaFolder

ONE, TWO = numbered(21, seconds=0.5), replace(numbered(22, seconds=0.4), sound=None)
RATE = Fraction(30)
PLAIN = config_of()
ENCODE, REUSE = Action.ENCODE, Action.REUSE


def with_cache(config: Config = PLAIN, **cache: object) -> Config:
    return config.model_copy(update={"cache": CacheConfig(**cache)})  # type: ignore[arg-type]


def with_ffmpeg(binary: Path, config: Config = PLAIN) -> Config:
    return config.model_copy(update={"ffmpeg": FfmpegConfig(binary=binary)})


@dataclass
class Desk:
    """Two clips; each run of them is a new one, with nothing in memory from the last."""

    folder: Path
    one: Path
    two: Path

    def run(
        self, clips: Sequence[VideoClip | Path], config: Config = PLAIN, emit: ListEmit | None = None
    ) -> VideoResult:
        """How a run of these clips ended; its reel is right where there is one."""
        params = VideoParams(clips, self.reel, overwrite=True)
        context = RunContext(os.urandom(16).hex(), emit) if emit else None
        return ModuleFactory(config).create_video_orchestrator().process_video_request(params, context=context)

    def actions(self, clips: Sequence[VideoClip | Path], config: Config = PLAIN) -> list[Action | None]:
        """What was done with each clip of a run that ended well."""
        result = self.run(clips, config)
        assert (result.status, result.warnings) == (RunStatus.SUCCESS, ()), result.errors
        return [clip.action for clip in result.clips]

    @property
    def reel(self) -> Path:
        return self.folder / "reel.mp4"

    def stored(self) -> CacheInfo:
        return ModuleFactory(PLAIN).clip_store.info()

    def entries(self, name: str) -> list[Path]:
        """The stored files of this name."""
        return sorted(self.stored().folder.rglob(name))


@pytest.fixture
def desk(media: MediaFolder, tmp_path: Path) -> Desk:
    return Desk(tmp_path, media.numbered(ONE), media.numbered(TWO))


@pytest.mark.core
def test_a_second_run_reuses_what_the_first_one_made(desk: Desk) -> None:
    assert desk.actions([desk.one, desk.two]) == [ENCODE, ENCODE]
    assert desk.actions([desk.two, desk.one]) == [REUSE, REUSE]
    assert problems(desk.reel, of(TWO, ONE), RATE) == []
    assert desk.stored().entries == 2


def test_a_clip_that_comes_twice_is_encoded_once(desk: Desk) -> None:
    result = desk.run([desk.one, desk.two, desk.one])
    assert [(clip.action, clip.reasons) for clip in result.clips[::2]] == [
        (ENCODE, result.clips[0].reasons),
        (REUSE, ("the same as clip 1",)),
    ]
    assert problems(desk.reel, of(ONE, TWO, ONE), RATE) == []


def test_another_name_and_another_time_are_the_same_content(desk: Desk) -> None:
    desk.actions([desk.one])
    copy = desk.folder / "copy.mp4"
    shutil.copyfile(desk.one, copy)
    os.utime(copy, (1e9, 1e9))
    assert desk.actions([copy]) == [REUSE]


def _other_build(desk: Desk) -> Config:
    return with_ffmpeg(stand_in(desk.folder, 'if [ "$1" = -version ]; then echo "ffmpeg version 9.8-other"; exit; fi'))


CHANGES: dict[str, Callable[[Desk], Config]] = {
    "size": lambda _: config_of(size="128x72"),
    "rate": lambda _: config_of(fps="25"),
    "quality": lambda _: config_of(quality=QualityLevel.HIGH),
    "crf": lambda _: config_of(crf=40),
    "sound": lambda _: PLAIN.model_copy(update={"audio": PLAIN.audio.model_copy(update={"sample_rate": 44_100})}),
    "threads that were asked for": lambda _: PLAIN.model_copy(
        update={"encode": PLAIN.encode.model_copy(update={"threads": 2})}
    ),
    "build": _other_build,
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_recipe_is_encoded(desk: Desk, change: str) -> None:
    desk.actions([desk.one])
    config = CHANGES[change](desk)
    assert desk.actions([desk.one], config) == [ENCODE]
    assert desk.actions([desk.one], config) == [REUSE]
    assert desk.actions([desk.one]) == [REUSE]


@pytest.mark.parametrize(
    "part",
    [Part(ONE, start=Fraction(1, 5)), Part(ONE, end=Fraction(3, 10)), Part(ONE, mute=True)],
    ids=["start", "end", "mute"],
)
def test_another_part_of_a_clip_is_encoded(desk: Desk, media: MediaFolder, part: Part) -> None:
    desk.actions([desk.one])
    assert desk.actions([part.request(media), desk.one]) == [ENCODE, REUSE]
    assert problems(desk.reel, [part, Part(ONE)], RATE) == []
    assert desk.actions([part.request(media)]) == [REUSE]


def test_how_many_threads_there_were_does_not_matter(desk: Desk) -> None:
    """A nightly run has other clips beside it, and so other threads, than the one before."""
    auto = PLAIN.model_copy(update={"encode": PLAIN.encode.model_copy(update={"threads": None})})
    threads = list[int]()
    for clips in ([desk.one], [desk.one, desk.two]):
        params = VideoParams(clips, desk.folder / "plan.mp4")
        plan = (
            ModuleFactory(with_cache(auto, enabled=False)).create_video_orchestrator().plan_video_request(params).plan
        )
        assert plan is not None
        threads.append(plan.threads)
    assert threads[0] != threads[1]
    assert desk.actions([desk.one], auto) == [ENCODE]
    assert desk.actions([desk.one, desk.two], auto) == [REUSE, ENCODE]
    assert problems(desk.reel, of(ONE, TWO), RATE) == []


def test_without_the_cache_nothing_is_reused_or_kept_not_even_within_the_run(desk: Desk) -> None:
    off = with_cache(enabled=False)
    assert desk.actions([desk.one, desk.one], off) == [ENCODE, ENCODE]
    assert desk.stored().entries == 0
    desk.actions([desk.one])
    assert desk.actions([desk.one], off) == [ENCODE]


def test_a_request_may_do_without_the_cache_of_its_orchestrator(desk: Desk) -> None:
    params = VideoParams([desk.one, desk.one], desk.reel, config=with_cache(enabled=False))
    result = ModuleFactory(PLAIN).create_video_orchestrator().process_video_request(params)
    assert [clip.action for clip in result.clips] == [ENCODE, ENCODE]
    assert desk.stored().entries == 0


def test_a_known_file_is_not_read_again_unless_a_run_is_paranoid(desk: Desk) -> None:
    desk.actions([desk.one])
    folder = desk.stored().folder.parent / "files"
    known = ProbeCache(folder, probe_here, clock=FakeClock(time.time() + 60))
    known.probe(desk.one, scan=True, limits=ValidationConfig())
    (record,) = (path for path in folder.rglob("*.json") if path.is_file())
    head, _, rest = record.read_text().partition('"content":"')
    record.write_text(f'{head}"content":"{"0" * 64}{rest[64:]}')  # only who believes it takes this for the content
    assert desk.actions([desk.one]) == [ENCODE]
    assert desk.actions([desk.one], with_cache(paranoid=True)) == [REUSE]


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a bit of the pictures": ("pictures.mp4", lambda old: old[:-9] + bytes([old[-9] ^ 1]) + old[-8:]),
    "half of the sound": ("sound.pcm", lambda old: old[: len(old) // 2]),
    "a digit of the proof": ("note.json", lambda old: old.replace(b'\\"vcl_crc\\":', b'\\"vcl_crc\\":1')),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_made_again_and_said(desk: Desk, damage: str) -> None:
    desk.actions([desk.one])
    name, change = DAMAGES[damage]
    (stored,) = desk.entries(name)
    stored.write_bytes(change(stored.read_bytes()))
    emit = ListEmit()
    result = desk.run([desk.one], emit=emit)
    assert (result.status, [clip.action for clip in result.clips]) == (RunStatus.SUCCESS, [ENCODE])
    assert result.clips[0].reasons == ("no finished one was found",)
    (warning,) = result.warnings
    assert (warning.code, warning.path) == (IssueCode.VERIFY_FAILED, desk.one)
    assert "has a damaged segment in the cache" in warning.message
    assert warning.message in emit.of(Notice)[0].message
    assert problems(desk.reel, of(ONE), RATE) == []
    assert desk.actions([desk.one]) == [REUSE]


def test_an_entry_without_its_note_is_made_again(desk: Desk) -> None:
    desk.actions([desk.one])
    desk.entries("note.json")[0].unlink()
    assert [desk.actions([desk.one]) for _ in range(2)] == [[ENCODE], [REUSE]]


def test_a_damaged_clip_is_not_kept_so_that_its_damage_is_said_each_time(desk: Desk, media: MediaFolder) -> None:
    whole = media.make(seconds=2.0, sound=None, keyframe_interval=12, size="320x180")
    hurt = spoiled(whole, desk.folder / "hurt.mp4", 0.4, 0.6)
    for _ in range(2):
        result = desk.run([hurt])
        assert [(clip.action, *(issue.code for issue in result.warnings)) for clip in result.clips] == [
            (ENCODE, IssueCode.DAMAGED)
        ]
    assert desk.stored().entries == 0


def test_what_others_became_is_kept_when_a_clip_fails(desk: Desk) -> None:
    broken = desk.folder / "broken.mp4"
    shutil.copyfile(desk.two, broken)
    refusing = stand_in(desk.folder, 'case "$*" in *broken.mp4*) echo "cannot" >&2; exit 1;; esac')
    failed = desk.run([desk.one, broken], with_ffmpeg(refusing))
    assert (failed.status, failed.code) == (RunStatus.ERROR, IssueCode.PROCESSING_FAILED)
    assert desk.actions([desk.one, broken]) == [REUSE, ENCODE]
    assert problems(desk.reel, of(ONE, TWO), RATE) == []


def test_a_file_that_becomes_another_one_of_the_same_size_is_not_kept_under_its_name(
    desk: Desk, media: MediaFolder
) -> None:
    """Else the old content, when it comes back, would show the new one's pictures."""
    first, second = (media.numbered(numbered(number, seconds=0.4)).read_bytes() for number in (31, 32))
    size = max(len(first), len(second)) + 8
    contents = [
        old + (size - len(old)).to_bytes(4, "big") + b"free" + bytes(size - len(old) - 8) for old in (first, second)
    ]
    clip, other = desk.folder / "clip.mp4", desk.folder / "other.mp4"
    clip.write_bytes(contents[0])
    other.write_bytes(contents[1])
    swapping = stand_in(desk.folder, f'case "$*" in *clip.mp4*) cp "{other}" "{clip}";; esac')
    result = desk.run([clip], with_ffmpeg(swapping))
    assert [issue.code for issue in result.errors] == [IssueCode.CLIP_FAILED, IssueCode.PROCESSING_FAILED]
    assert "changed while it was processed" in result.errors[0].message
    assert desk.stored().entries == 0
    clip.write_bytes(contents[0])
    assert desk.actions([clip]) == [ENCODE]
    assert problems(desk.reel, of(numbered(31, seconds=0.4)), RATE) == []


def test_a_store_that_takes_nothing_does_not_fail_a_run(desk: Desk) -> None:
    (desk.folder / "file").write_text("not a folder")
    blocked = with_cache(dir=desk.folder / "file" / "cache")
    for _ in range(2):
        result = desk.run([desk.one], blocked)
        assert [clip.action for clip in result.clips] == [ENCODE]
        assert [issue.code for issue in result.warnings] == [IssueCode.CACHE_UNAVAILABLE]
    tiny = with_cache(dir=desk.folder / "tiny", max_size=1)
    assert [desk.actions([desk.one], tiny) for _ in range(2)] == [[ENCODE], [ENCODE]]
    assert ModuleFactory(tiny).clip_store.info().entries == 0


def test_a_reel_of_reused_clips_joins_with_new_ones_in_any_container(desk: Desk) -> None:
    desk.actions([desk.one], PLAIN)
    mkv = VideoParams([desk.one, desk.two], desk.folder / "reel.mkv", dimensions=Dimensions(160, 90))
    result = ModuleFactory(PLAIN).create_video_orchestrator().process_video_request(mkv)
    assert [clip.action for clip in result.clips] == [REUSE, ENCODE]
    assert result.output is not None
    assert result.output.container is Container.MKV
    assert problems(desk.folder / "reel.mkv", of(ONE, TWO), RATE) == []


def test_a_dry_run_tells_what_would_be_reused_and_touches_nothing(desk: Desk) -> None:
    desk.actions([desk.one])
    one_at_a_time = PLAIN.model_copy(update={"processing": ProcessingConfig(jobs=1)})
    before = [(path, path.stat().st_mtime_ns) for path in sorted(desk.stored().folder.rglob("*"))]
    params = VideoParams([desk.one, desk.two], desk.folder / "plan.mp4")
    plan = ModuleFactory(one_at_a_time).create_video_orchestrator().plan_video_request(params).plan
    assert plan is not None
    assert [(step.action, bool(step.argv)) for step in plan.steps] == [(REUSE, False), (ENCODE, True)]
    assert [(path, path.stat().st_mtime_ns) for path in sorted(desk.stored().folder.rglob("*"))] == before
