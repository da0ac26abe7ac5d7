"""ConcatenationService: a finished file is copied, everything else joined by the first engine that is right."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.concatenation.ffmpeg import FFmpegConcatenator
from mpt_cli.concatenation.moviepy import MoviePyConcatenator
from mpt_cli.config.sections import MemoryConfig
from mpt_cli.media import proof
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action, Container
from mpt_cli.model.errors import Cancelled, ConcatenationError, IssueCode, MptError, OutputError, ResourceError
from mpt_cli.model.samples import HLG
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatFinished, ConcatStarted
from tests.builders import form_of
from tests.integration.segments import Bench, duplicate
from tests.media import numbered, run_ffmpeg
from tests.unit.concatenation.joining import Desk, FakeEngine, Judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.results import OutputInfo
    from tests.fakes import FakeClock, ListEmit
    from tests.media import MediaFolder

REEL_OPTIONS = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets", "-map_metadata", "-1")


@pytest.fixture
def clips(finished: ProcessedClip) -> list[ProcessedClip]:
    """Two processed clips; the fake engines never open them."""
    return [replace(finished, index=index, owned=True) for index in (0, 1)]


@pytest.fixture(scope="module")
def finished(media: MediaFolder, tmp_path_factory: pytest.TempPathFactory) -> ProcessedClip:
    """A user's own clip that already is a whole reel."""
    bench = Bench(tmp_path_factory.mktemp("finished"))
    form = form_of()
    made = bench.clip(media.numbered(numbered(1, seconds=0.5)), form)
    reel = bench.files.path("finished.mp4")
    assert bench.join([made], reel, form)
    return bench.clip(reel, form, action=Action.COPY)


def verifier(clip: ProcessedClip, form: TargetForm | None = None) -> Callable[..., OutputInfo]:
    """The real proof that a reel holds this clip."""

    def verify(path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
        return proof.prove_reel(path, form or form_of(), [clip], target=path, chapters=(), frames_copied=frames_copied)

    return verify


# --- engines ------------------------------------------------------------------------------------


@pytest.mark.anchor("T052")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 1, 0)])
def test_clips_are_joined_in_the_order_that_the_mode_gave_them(
    tmp_path: Path, clips: list[ProcessedClip], emit: ListEmit, order: tuple[int, ...]
) -> None:
    engine, never, judge = FakeEngine("FFmpeg"), FakeEngine("MoviePy"), Judge()
    result = Desk(tmp_path, engine, never, emit=emit).join([replace(clips[0], index=index) for index in order], judge)
    assert (engine.orders, never.orders) == ([(order, False, 7.0)], [])
    assert judge.asked == [("FFmpeg", True)]
    assert (result.method, result.stream_copy, result.fallback_reason) == ("FFmpeg", True, None)
    assert emit.events == [ConcatStarted(1.5), ConcatFinished("FFmpeg")]


def test_moviepy_is_no_second_engine_for_hdr(tmp_path: Path, clips: list[ProcessedClip]) -> None:
    usual = form_of()
    hdr = replace(usual, encoder=replace(usual.encoder, color=HLG))
    for form, reason in ((hdr, "no engine is left"), (usual, "it failed")):
        engine = FakeEngine("MoviePy", ConcatenationError(IssueCode.CONCAT_FAILED, "it failed"))
        with pytest.raises(ConcatenationError, match=reason):
            Desk(tmp_path, engine).join(clips, Judge(), form)
        assert bool(engine.orders) is (form is usual)


def test_nothing_is_joined_without_a_clip_or_without_an_engine(
    tmp_path: Path, clips: list[ProcessedClip], emit: ListEmit
) -> None:
    desk = Desk(tmp_path, emit=emit)
    with pytest.raises(ConcatenationError, match="there is no clip to join"):
        desk.join([], Judge())
    assert emit.events == []
    with pytest.raises(ConcatenationError, match="no engine is left"):
        desk.join(clips, Judge())
    assert not desk.service.is_healthy()


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True), (False, False)])
def test_service_is_healthy_if_an_engine_is_available(tmp_path: Path, *, first: bool, second: bool) -> None:
    engines = FakeEngine("FFmpeg", available=first), FakeEngine("MoviePy", available=second)
    assert Desk(tmp_path, *engines).service.is_healthy() is (first or second)


def test_question_for_an_engine_is_stopped(tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        Desk(tmp_path, FakeEngine("FFmpeg")).service.is_healthy(token)


@pytest.mark.heavy
def test_engines_without_their_programs_are_not_available(tmp_path: Path) -> None:
    pool = ResourcePool(1, MemoryManager(MemoryConfig()))
    token, gone = CancelToken(), Ffmpeg(tmp_path / "gone")
    assert FFmpegConcatenator(Ffmpeg(), pool).is_available(token)
    assert not FFmpegConcatenator(gone, pool).is_available(token)
    assert MoviePyConcatenator(Ffmpeg(), pool).is_available(token)
    assert not MoviePyConcatenator(gone, pool).is_available(token)
    assert not MoviePyConcatenator(Ffmpeg(), pool, package="no_such_package").is_available(token)


def test_the_cost_of_a_join_is_measured_and_logged(
    tmp_path: Path, clips: list[ProcessedClip], clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    class SlowEngine(FakeEngine):
        def concatenate(self, *arguments: Any, **options: Any) -> bool:
            clock.advance(2.5)
            return super().concatenate(*arguments, **options)

    caplog.set_level(logging.INFO, "mpt_cli.concatenation.service")
    desk = Desk(tmp_path, SlowEngine("FFmpeg"), monitor=PerformanceMonitor(clock=clock))
    result = desk.join(clips, Judge())
    assert result.duration_seconds == 2.5
    assert result.memory_used_bytes is not None
    assert result.memory_used_bytes >= 0
    assert caplog.messages == [
        f"FFmpeg concatenation completed in 2.50 s, memory used: {result.memory_used_bytes} bytes"
    ]


@pytest.mark.parametrize(("copied", "warned"), [(True, True), (False, False)])
def test_copies_of_mixed_parameter_sets_come_with_a_warning(
    tmp_path: Path, clips: list[ProcessedClip], *, copied: bool, warned: bool
) -> None:
    mixed = [clips[0], replace(clips[1], parameter_sets="others")]
    result = Desk(tmp_path, FakeEngine("FFmpeg", copied=copied)).join(mixed, Judge())
    assert [warning.hint is not None for warning in result.warnings] == ([True] if warned else [])


# --- a single clip ------------------------------------------------------------------------------


@pytest.mark.anchor("T057")
def test_a_clip_that_already_is_the_reel_is_copied_byte_for_byte(
    tmp_path: Path, finished: ProcessedClip, emit: ListEmit
) -> None:
    engine = FakeEngine("FFmpeg")
    desk = Desk(tmp_path, engine, emit=emit)
    before = finished.processed_path.stat()
    result = desk.join([finished], verifier(finished))
    assert (result.method, result.stream_copy) == ("DirectCopy", True)
    assert desk.output.read_bytes() == finished.processed_path.read_bytes()
    assert finished.processed_path.stat().st_mtime_ns == before.st_mtime_ns
    assert engine.orders == []
    assert emit.events == [ConcatStarted(0.5), ConcatFinished("DirectCopy")]


def shot(clip: ProcessedClip, target: Path, *options: str) -> ProcessedClip:
    """The same clip as another file, written with these options."""
    source = clip.processed_path
    run_ffmpeg("-i", source, "-c", "copy", "-video_track_timescale", "15360", *REEL_OPTIONS, *options, target)
    return replace(clip, processed_path=target)


FOREIGN = (16 + 8).to_bytes(4, "big") + b"uuid" + b"0123456789abcdef"
UNLIKE: dict[str, Callable[[ProcessedClip, Path], ProcessedClip]] = {
    "muted": lambda clip, folder: replace(clip, audio_path=None),
    "processed by us": lambda clip, folder: replace(clip, owned=True),
    "a title": lambda clip, folder: shot(clip, folder / "a.mp4", "-metadata", "title=Home"),
    "a place": lambda clip, folder: shot(clip, folder / "a.mp4", "-metadata", "location=+52.5+013.4/"),
    "an edit list": lambda clip, folder: shot(clip, folder / "a.mp4", "-use_editlist", "1"),
    "index behind": lambda clip, folder: shot(clip, folder / "a.mp4", "-movflags", "negative_cts_offsets"),
    "another container": lambda clip, folder: shot(clip, folder / "a.mov"),
    "another container in disguise": lambda clip, folder: shot(clip, folder / "a.mp4", "-f", "mov"),
    "fragments": lambda clip, folder: shot(clip, folder / "a.mp4", "-movflags", "+empty_moov+default_base_moof"),
    "a second sound": lambda clip, folder: shot(clip, folder / "a.mp4", "-map", "0:v", "-map", "0:a", "-map", "0:a"),
    "mono": lambda clip, folder: shot(clip, folder / "a.mp4", "-c:a", "aac", "-ac", "1"),
    "XMP": lambda clip, folder: with_box(clip, folder / "a.mp4"),
}


ONLY_PROOF_TELLS = ("a second sound", "mono")


def with_box(clip: ProcessedClip, target: Path) -> ProcessedClip:
    """The same clip with a box at its end that only a camera's maker understands."""
    target.write_bytes(clip.processed_path.read_bytes() + FOREIGN)
    return replace(clip, processed_path=target)


@pytest.mark.anchor("T057")
@pytest.mark.parametrize("kind", UNLIKE)
def test_a_clip_that_is_not_quite_the_reel_is_joined(tmp_path: Path, finished: ProcessedClip, kind: str) -> None:
    clip, engine = UNLIKE[kind](finished, tmp_path), FakeEngine("FFmpeg")
    copies: list[Path] = []
    desk = Desk(tmp_path, engine, copy_file=lambda source, target: copies.append(duplicate(source, target)))
    judge, real = Judge(), verifier(clip)

    def verify(path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
        written = path.read_bytes() == b"FFmpeg"
        return (judge if written else real)(path, frames_copied=frames_copied)

    assert desk.join([clip], verify).method == "FFmpeg"
    assert len(engine.orders) == 1
    assert desk.output.read_text() == "FFmpeg"
    assert clip.processed_path.exists()
    assert len(copies) == (kind in ONLY_PROOF_TELLS), "a whole file was copied in vain"


@pytest.mark.parametrize("container", [Container.MOV, Container.MKV])
def test_a_finished_clip_of_another_container_is_copied_into_its_own_kind(
    media: MediaFolder, tmp_path: Path, container: Container
) -> None:
    (tmp_path / "run").mkdir()
    bench, form = Bench(tmp_path / "run"), form_of(container=container)
    reel = bench.files.path(f"REEL.{container.upper()}")
    bench.join([bench.clip(media.numbered(numbered(1, seconds=0.5)), form)], reel, form)
    clip = bench.clip(reel, form, action=Action.COPY)
    desk = Desk(tmp_path, FakeEngine("FFmpeg"))
    desk.output = tmp_path / f"out.{container}"
    assert desk.join([clip], verifier(clip, form), form).method == "DirectCopy"
    assert desk.output.read_bytes() == reel.read_bytes()
    words, chaptered = tmp_path / "words.txt", bench.files.path(f"chapters.{container}")
    words.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=Home\n")
    run_ffmpeg("-i", reel, "-i", words, "-map_chapters", "1", "-map", "0", "-c", "copy", chaptered)
    assert not proof.carries_metadata(reel)
    assert proof.carries_metadata(chaptered)


@pytest.mark.anchor("T058")
@pytest.mark.parametrize(
    ("error", "raised", "code"),
    [
        (OSError(28, "No space left on device"), ResourceError, IssueCode.DISK_FULL),
        (PermissionError(13, "Permission denied"), OutputError, IssueCode.OUTPUT_NOT_WRITABLE),
        (OSError(5, "Input/output error"), OutputError, IssueCode.OUTPUT_NOT_WRITABLE),
    ],
    ids=["disk full", "not allowed", "broken disk"],
)
def test_a_copy_that_fails_is_an_error_and_leaves_nothing(
    tmp_path: Path, finished: ProcessedClip, error: OSError, raised: type[MptError], code: IssueCode
) -> None:
    def half(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise error

    engine = FakeEngine("FFmpeg")
    with pytest.raises(raised) as failed:
        Desk(tmp_path, engine, copy_file=half).join([finished], Judge())
    assert failed.value.code is code
    assert engine.orders == []
    assert list(tmp_path.iterdir()) == []
    assert finished.processed_path.exists()


@pytest.mark.anchor("T059")
@pytest.mark.parametrize("damage", ["half", "another"])
def test_a_copy_that_does_not_prove_right_is_cleaned_up_and_joined_instead(
    tmp_path: Path, finished: ProcessedClip, damage: str
) -> None:
    left: list[bool] = []

    def badly(source: Path, target: Path) -> None:
        content = source.read_bytes()
        target.write_bytes(content[: len(content) // 2] if damage == "half" else b"another")

    class Witness(FakeEngine):
        def concatenate(self, order: JoinOrder, output: Path, **_options: Any) -> bool:
            left.append(output.exists())
            duplicate(order.clips[0].processed_path, output)
            return True

    desk = Desk(tmp_path, Witness("FFmpeg"), copy_file=badly)
    assert desk.join([finished], verifier(finished)).method == "FFmpeg"
    assert left == [False]
    assert finished.processed_path.read_bytes() == desk.output.read_bytes()


@pytest.mark.anchor("T059")
@pytest.mark.parametrize("name", ["it's \n #1?.mp4", "-y.mp4", "UPPER.MP4", "\udcff.mp4"])
def test_a_copy_is_made_from_any_path_and_through_links(tmp_path: Path, finished: ProcessedClip, name: str) -> None:
    source = tmp_path / "folder" / name
    source.parent.mkdir()
    source.symlink_to(finished.processed_path)
    desk = Desk(tmp_path, FakeEngine("FFmpeg"))
    clip = replace(finished, processed_path=source)
    assert desk.join([clip], verifier(clip)).method == "DirectCopy"
    assert desk.output.read_bytes() == finished.processed_path.read_bytes()
    assert not desk.output.is_symlink()
    assert source.is_symlink()
