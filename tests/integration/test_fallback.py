"""A join that ffmpeg fails in every way there is: MoviePy makes the same reel, or is not tried where it could not."""

from __future__ import annotations

import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.concatenation.ffmpeg import FFmpegConcatenator
from mpt_cli.concatenation.moviepy import MoviePyConcatenator
from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.concatenation.service import ConcatenationService
from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, FfmpegConfig, MemoryConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.process.run import Limits
from mpt_cli.model.choices import JoinMethod
from mpt_cli.model.errors import ConcatenationError, DependencyError, IssueCode, MptError, ResourceError
from mpt_cli.model.results import RunStatus
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.runtime.events import ConcatFinished, ConcatProgress, ConcatStarted, Notice, RunContext
from tests.builders import form_of
from tests.fakes import ListEmit, leave_trap, stand_in
from tests.integration.reels import assert_well_told, config_of, finished_reel, of, problems
from tests.integration.segments import Bench, prove
from tests.media import ffmpeg, numbered

if TYPE_CHECKING:
    from mpt_cli.model.clips import ProcessedClip
    from mpt_cli.model.results import OutputInfo, VideoResult
    from mpt_cli.runtime.events import Event
    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are shell scripts")

PARTS = of(*(numbered(number, seconds=0.4) for number in (1, 2, 3)))
"""Equally long, so that only the proof of pictures tells when two are swapped."""
MINE = b"something that the user had there before"


def in_join(*lines: str) -> str:
    """Shell that does these lines where clips are joined by their list, and else nothing."""
    return f'case "$*" in *concat.txt*) {"; ".join(lines)};; esac'


LAST = 'for a; do out="${a#file:}"; done'
JOIN = f'"{ffmpeg()}" "$@" || exit $?'
"""Join as asked, and go on."""
PICTURE = """$(grep -abo mdat "$out" | tail -n 1 | cut -d : -f 1)"""
"""Where the pictures of a reel begin."""
HANG = in_join("trap '' INT", "while :; do sleep 0.1; done")
SURVIVED = {
    "fails": ([in_join("echo 'x.c: no join' >&2", "exit 1")], "FFmpeg failed: x.c: no join"),
    "crashes": ([in_join("kill -SEGV $$")], "FFmpeg failed: exit code -11"),
    "hangs": ([HANG], "FFmpeg failed: the join made no progress and was stopped"),
    "cuts it off": (
        [in_join(JOIN, LAST, 'head -c "$(($(wc -c < "$out") / 2))" "$out" > "$out.x"', 'mv "$out.x" "$out"', "exit 0")],
        "FFmpeg failed: cannot be read",
    ),
    "damages it": (
        [in_join(JOIN, LAST, f'printf xxxx | dd of="$out" bs=1 seek="$(({PICTURE} + 1000))" conv=notrunc', "exit 0")],
        "FFmpeg failed: the pictures of clip 0 are not those that were made",
    ),
    "writes nothing": ([in_join("exit 0")], "FFmpeg failed: was not created"),
    "swaps clips": (
        [in_join("sed -i 's/:00000/:x/; s/:00001/:00000/; s/:x/:00001/' concat.txt")],
        "FFmpeg failed: the pictures of clip 0 are not those that were made",
    ),
    "loses a clip": ([in_join("sed -i '/:00002/,$d' concat.txt")], "FFmpeg failed: has 24 pictures, 36 were planned"),
}
"""What ffmpeg does, and the reason that is told."""
ENDED = {
    "disk full": ([in_join("echo 'No space left on device' >&2", "exit 228")], IssueCode.DISK_FULL),
    "killed": ([in_join("kill -KILL $$")], IssueCode.MEMORY_EXHAUSTED),
    "too late": ([HANG], IssueCode.CONCAT_TIMEOUT),
}


class Desk:
    """A folder with an old reel of the user's, and an orchestrator whose ffmpeg may be spoiled."""

    def __init__(self, media: MediaFolder, folder: Path) -> None:
        self.media, self.programs, self.folder, self.emit = media, folder, folder / "work", ListEmit()
        self.folder.mkdir()
        self.output = self.folder / "reel.mp4"
        self.output.write_bytes(MINE)

    def run(
        self,
        *lines: str,
        join: JoinMethod | None = None,
        fallback: bool = True,
        timeout: Fraction | None = None,
        stall_timeout: Fraction = Fraction(60),
    ) -> VideoResult:
        """The end of a request by an ffmpeg that first does these lines of shell."""
        usual = config_of()
        config = Config(
            video=usual.video,
            encode=usual.encode,
            concat=usual.concat.model_copy(update={"fallback": fallback, "timeout": timeout}),
            processing=usual.processing.model_copy(update={"stall_timeout": stall_timeout}),
            ffmpeg=FfmpegConfig(binary=stand_in(self.programs, *lines)),
        )
        orchestrator = ModuleFactory(config).create_video_orchestrator()
        params = VideoParams([part.request(self.media) for part in PARTS], self.output, overwrite=True, join=join)
        result = orchestrator.process_video_request(params, context=RunContext("w", self.emit))
        assert_well_told(self.emit, result.status)
        assert [path.name for path in self.folder.iterdir()] == ["reel.mp4"]
        return result


@pytest.fixture
def desk(media: MediaFolder, tmp_path: Path) -> Desk:
    return Desk(media, tmp_path)


@pytest.mark.anchor("T053", "T056")
@pytest.mark.parametrize("way", SURVIVED)
def test_a_join_that_ffmpeg_fails_is_made_by_moviepy(desk: Desk, way: str) -> None:
    lines, reason = SURVIVED[way]
    result = desk.run(*lines, stall_timeout=Fraction(8) if way == "hangs" else Fraction(60))
    assert result.success, result.errors
    assert result.concatenation is not None
    told = result.concatenation
    assert (told.method, told.stream_copy) == ("MoviePy", False)
    assert told.fallback_reason is not None
    assert told.fallback_reason.startswith(reason), told.fallback_reason
    assert problems(desk.output, PARTS, Fraction(30)) == []
    (notice,) = (event for event in desk.emit.of(Notice) if event.index is None)
    assert notice.level == "warning"
    assert notice.message == f"{told.fallback_reason}; joining by MoviePy instead, which takes longer"
    assert len(desk.emit.of(ConcatStarted)) == 1
    assert desk.emit.of(ConcatFinished) == [ConcatFinished("MoviePy")]


@pytest.mark.anchor("T056")
@pytest.mark.parametrize("way", ENDED)
@pytest.mark.core(1)
def test_what_moviepy_would_meet_as_well_ends_the_run(desk: Desk, way: str) -> None:
    lines, code = ENDED[way]
    result = desk.run(*lines, timeout=Fraction(3) if way == "too late" else None)
    assert (result.status, result.code) == (RunStatus.ERROR, code)
    assert (desk.emit.of(Notice), desk.emit.of(ConcatFinished)) == ([], [])
    assert desk.output.read_bytes() == MINE


def test_without_fallback_the_reason_of_ffmpeg_is_the_end(desk: Desk) -> None:
    result = desk.run(*SURVIVED["fails"][0], fallback=False)
    assert (result.code, result.errors[-1].message) == (IssueCode.CONCAT_FAILED, "ffmpeg failed: x.c: no join")
    assert desk.emit.of(Notice) == []
    assert desk.output.read_bytes() == MINE


def test_where_both_fail_both_reasons_are_told(desk: Desk) -> None:
    writes = "case \"$*\" in *'-f rawvideo'*) echo 'x.c: no pictures' >&2; exit 1;; esac"
    result = desk.run(*SURVIVED["fails"][0], writes)
    assert result.code is IssueCode.CONCAT_FAILED
    assert result.errors[-1].message == "FFmpeg failed: x.c: no join; MoviePy failed: x.c: no pictures"
    assert desk.output.read_bytes() == MINE


def test_moviepy_joins_alone_where_it_is_asked_for(desk: Desk) -> None:
    result = desk.run(in_join("exit 1"), join=JoinMethod.MOVIEPY)
    assert result.concatenation is not None, result.errors
    assert (result.concatenation.method, result.concatenation.fallback_reason) == ("MoviePy", None)
    assert problems(desk.output, PARTS, Fraction(30)) == []
    assert desk.emit.of(Notice) == []


def test_a_copy_that_was_asked_for_is_not_replaced_by_moviepy(media: MediaFolder, tmp_path: Path) -> None:
    one = finished_reel(tmp_path / "one.mp4", [media.numbered(PARTS[0].clip)], config_of())
    config = Config(ffmpeg=FfmpegConfig(binary=stand_in(tmp_path, in_join("exit 1"))))
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    for method, code in ((JoinMethod.COPY, IssueCode.CONCAT_FAILED), (JoinMethod.AUTO, None)):
        result = orchestrator.process_video_request(VideoParams([one, one], tmp_path / f"{method}.mp4", join=method))
        assert result.code is code
    assert problems(tmp_path / "auto.mp4", [PARTS[0], PARTS[0]], Fraction(30)) == []


def test_one_finished_clip_goes_through_moviepy_where_it_is_asked_for(media: MediaFolder, tmp_path: Path) -> None:
    one, output = tmp_path / "one.mp4", tmp_path / "reel.mp4"
    finished_reel(one, [media.numbered(PARTS[0].clip)], config_of())
    orchestrator = ModuleFactory(Config()).create_video_orchestrator()
    result = orchestrator.process_video_request(VideoParams([one], output, join=JoinMethod.MOVIEPY))
    assert result.concatenation is not None, result.errors
    assert result.concatenation.method == "MoviePy"
    assert problems(output, PARTS[:1], Fraction(30)) == []


# --- the child ----------------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A run folder of its own."""
    (tmp_path / "run").mkdir()
    return Bench(tmp_path / "run")


def clips_of(bench: Bench, media: MediaFolder) -> list[ProcessedClip]:
    return [bench.clip(media.numbered(part.clip), form_of()) for part in PARTS]


def join(
    bench: Bench,
    clips: list[ProcessedClip],
    output: Path,
    *,
    pool: ResourcePool | None = None,
    stall_seconds: float = 60,
    **options: Any,
) -> None:
    """Join by MoviePy alone."""
    pool = pool or ResourcePool(2, MemoryManager(MemoryConfig()))
    MoviePyConcatenator(bench.ffmpeg, pool, **options).concatenate(
        JoinOrder(tuple(clips), form_of(), allow_mixed=False, timeout_seconds=60, reuse=False),
        output,
        limits=Limits(60, stall_seconds),
        files=bench.files,
        context=bench.context,
    )


def child(*lines: str) -> tuple[str, ...]:
    """The child, after these lines of Python."""
    root = str(Path(__file__).parents[2])
    start = "from mpt_cli.concatenation.moviepy_child import main; main()"
    return (sys.executable, "-P", "-c", "\n".join([f"import sys; sys.path.append({root!r})", *lines, start]))


def test_moviepy_that_is_not_installed_is_named_beside_ffmpegs_reason(
    bench: Bench, media: MediaFolder, tmp_path: Path
) -> None:
    memory, broken = MemoryManager(MemoryConfig()), Ffmpeg(stand_in(tmp_path, *SURVIVED["fails"][0]))
    pool = ResourcePool(1, memory)
    engines = FFmpegConcatenator(broken, pool), MoviePyConcatenator(broken, pool, package="no_such_moviepy")
    service = ConcatenationService(engines, memory, PerformanceMonitor())
    order = JoinOrder(tuple(clips_of(bench, media)), form_of(), allow_mixed=False, timeout_seconds=60, reuse=False)

    def verify(path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
        raise AssertionError(path, frames_copied, levelled)

    with pytest.raises(ConcatenationError) as failed:
        service.concatenate(order, tmp_path / "r.mp4", verify=verify, files=bench.files, context=bench.context)
    assert str(failed.value) == "FFmpeg failed: x.c: no join; MoviePy is not installed"
    assert failed.value.issue.hint == "pip install moviepy"


def test_moviepy_that_cannot_be_imported_is_a_missing_dependency(
    bench: Bench, media: MediaFolder, tmp_path: Path
) -> None:
    with pytest.raises(DependencyError, match="MoviePy cannot be imported: ") as failed:
        join(bench, clips_of(bench, media), tmp_path / "r.mp4", program=child("sys.modules['moviepy'] = None"))
    assert failed.value.issue.hint == "pip install --force-reinstall moviepy"
    assert bench.leftovers() == set()


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        (child("sys.exit('the library lost its mind')"), IssueCode.CONCAT_FAILED, "MoviePy failed: the library lost"),
        (child("import time; time.sleep(600)"), IssueCode.CONCAT_FAILED, "the join made no progress and was stopped"),
        (child("import os; os.kill(os.getpid(), 9)"), IssueCode.MEMORY_EXHAUSTED, "the system killed MoviePy"),
    ],
    ids=["ends", "hangs", "is killed"],
)
def test_a_child_that_ends_otherwise_fails_the_join(
    bench: Bench, media: MediaFolder, tmp_path: Path, program: tuple[str, ...], code: IssueCode, said: str
) -> None:
    with pytest.raises(MptError, match=said) as failed:
        join(bench, clips_of(bench, media), tmp_path / "r.mp4", program=program, stall_seconds=3)
    assert failed.value.code is code
    assert bench.leftovers() == set()


@pytest.mark.parametrize("which", ["-f rawvideo", "-f s16le"])
def test_the_death_of_its_ffmpeg_is_that_of_the_child(
    bench: Bench, media: MediaFolder, tmp_path: Path, which: str
) -> None:
    clips = clips_of(bench, media)
    bench.ffmpeg = Ffmpeg(stand_in(tmp_path, f"case \"$*\" in *'{which}'*) kill -KILL $$;; esac"))
    with pytest.raises(ResourceError, match="the system killed MoviePy") as failed:
        join(bench, clips, tmp_path / "r.mp4")
    assert failed.value.code is IssueCode.MEMORY_EXHAUSTED


def test_a_configuration_file_that_lies_around_is_not_read(
    bench: Bench, media: MediaFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an older python-dotenv, that knows of no variable against it, neither."""
    mark = leave_trap(bench.files.folder, monkeypatch)
    clips, output = clips_of(bench, media), tmp_path / "r.mp4"
    join(bench, clips, output)
    assert prove(output, form_of(), clips, copied=False).frames == 36
    assert not mark.exists()


@pytest.mark.parametrize("times", [1, 2])
def test_a_join_for_which_memory_is_short_is_tried_once_more(
    bench: Bench, media: MediaFolder, tmp_path: Path, times: int
) -> None:
    pool, left, seen = ResourcePool(2, MemoryManager(MemoryConfig())), [times], list[float]()
    lock = threading.Lock()

    def listen(event: Event) -> None:
        if isinstance(event, ConcatProgress):
            with lock:
                seen.append(event.done_seconds)
                if left[0] and event.done_seconds == seen[0]:
                    left[0] -= 1
                    pool.relieve()

    bench.context = RunContext("bench", listen)
    clips, output = clips_of(bench, media) * 5, tmp_path / "r.mp4"
    if times == 1:
        join(bench, clips, output, pool=pool)
        assert prove(output, form_of(), clips, copied=False).frames == 180
    else:
        with pytest.raises(ResourceError, match="needs more memory than there is"):
            join(bench, clips, output, pool=pool)
    assert left == [0]
    assert pool.in_use == 0
