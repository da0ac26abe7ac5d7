"""Untrusted files are opened in processes: what goes wrong there costs one file, and no run."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.inspect.damage import decoded_share
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.sandbox import Workers
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Cancelled, IssueCode, ProbeError
from mpt_cli.runtime.cancel import CancelToken
from tests.conftest import living_children
from tests.media import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.media import MediaFolder

OPENER = (sys.executable, str(Path(__file__).parents[2] / "children/opener.py"))
LIMITS = ValidationConfig()
MIB = 2**20


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Real ones, with patience."""
    with Workers(most=2, timeout_seconds=20, memory_bytes=1024 * MIB) as made:
        yield made


def strange(*, timeout_seconds: float = 20, most: int = 2) -> Workers:
    """Workers that do what the names of files say."""
    return Workers(most=most, timeout_seconds=timeout_seconds, memory_bytes=200 * MIB, program=OPENER)


def named(folder: Path, name: str, like: Path) -> Path:
    path = folder / f"{name}.mp4"
    path.write_bytes(like.read_bytes())
    return path


def refusal(workers: Workers, path: Path) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        workers.probe(path, scan=True, limits=LIMITS)
    assert caught.value.issue.path == path
    assert caught.value.issue.hint
    return caught.value


@pytest.mark.parametrize("scan", [True, False])
@pytest.mark.parametrize("recipe", [Recipe(seconds=0.4), Recipe(seconds=0.3, codec="hevc", suffix=".mkv", sound=None)])
@pytest.mark.core(1)
def test_a_worker_finds_what_the_probe_finds(workers: Workers, media: MediaFolder, recipe: Recipe, scan: bool) -> None:
    path = media.make(recipe)
    assert workers.probe(path, scan=scan, limits=LIMITS) == probe(path, scan=scan)


@pytest.mark.heavy
def test_what_is_wrong_with_a_file_is_said_as_by_the_probe(workers: Workers, tmp_path: Path) -> None:
    text = tmp_path / os.fsdecode(b"a \xff text\n.mp4")
    text.write_text("no clip at all" * 50)
    with pytest.raises(ProbeError) as said:
        probe(text, scan=True)
    assert refusal(workers, text).issue == said.value.issue


def test_warnings_of_a_file_name_it(workers: Workers, media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(Recipe(seconds=4, suffix=".mkv"))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = workers.probe(cut, scan=True, limits=LIMITS)
    assert [warning.path for warning in found.warnings] == [cut]
    assert found == probe(cut, scan=True)


def test_the_share_that_decodes_is_counted_there_too(workers: Workers, media: MediaFolder) -> None:
    path = media.make(Recipe(seconds=0.5))
    found = probe(path, scan=True)
    span = Fraction(0), Fraction(1, 4)
    for part in (None, span):
        expected = decoded_share(path, found.video.index, part, interlaced=False)
        assert workers.decoded_share(path, found, part) == expected


def test_a_file_that_is_another_by_now_costs_no_worker(workers: Workers, media: MediaFolder, tmp_path: Path) -> None:
    film = media.make(Recipe(seconds=0.3))
    found = probe(film, scan=True)
    (cut := tmp_path / "cut.ogg").write_bytes(b"OggS\0\2")  # its end is an error of PyAV that is no other of Python's
    for path, index in ((cut, 0), (film, 1), (film, 9)):  # nothing to open, sound, no stream
        video = replace(found.video, index=index)
        with pytest.raises(ProbeError) as refused:
            workers.decoded_share(path, replace(found, video=video))
        assert (refused.value.code, refused.value.issue.path) == (IssueCode.PROBE_FAILED, path)
    with pytest.raises(ProbeError) as refused:
        workers.stills(cut, [Fraction(0)], Dimensions(16, 16))
    assert refused.value.code is IssueCode.PROBE_FAILED
    assert len(living_children(grace_seconds=0)) == 1


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("crash", IssueCode.PROBE_CRASHED, "SIGSEGV"),
        ("leave", IssueCode.PROBE_CRASHED, "lost its mind"),
        ("grow", IssueCode.PROBE_FAILED, "200 MiB"),
    ],
)
@pytest.mark.core(1)
def test_what_happens_to_a_worker_costs_its_file_alone(
    media: MediaFolder, tmp_path: Path, name: str, code: IssueCode, said: str
) -> None:
    good = media.make(Recipe(seconds=0.3))
    with strange() as workers:
        error = refusal(workers, named(tmp_path, name, good))
        assert error.code is code
        assert said in error.issue.message
        assert workers.probe(good, scan=True, limits=LIMITS) == probe(good, scan=True)


def test_a_worker_that_hangs_is_given_up_and_replaced(media: MediaFolder, tmp_path: Path) -> None:
    good = media.make(Recipe(seconds=0.3))
    with strange(timeout_seconds=2) as workers:
        assert refusal(workers, named(tmp_path, "hang", good)).code is IssueCode.PROBE_TIMEOUT
        assert workers.probe(good, scan=True, limits=LIMITS).duration > 0


def test_a_stop_ends_a_worker_that_hangs(media: MediaFolder, tmp_path: Path) -> None:
    path, cancel = named(tmp_path, "hang", media.make(Recipe(seconds=0.3))), CancelToken()
    with strange() as workers:
        timer = threading.Timer(0.3, cancel.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            workers.probe(path, scan=True, limits=LIMITS, cancel=cancel)
        timer.join()
        assert living_children() == []


def test_who_waits_for_a_worker_can_be_stopped(media: MediaFolder, tmp_path: Path) -> None:
    path, cancel = named(tmp_path, "hang", media.make(Recipe(seconds=0.3))), CancelToken()
    alone = strange(most=1)

    def ask() -> None:
        with pytest.raises(Cancelled):
            alone.probe(path, scan=True, limits=LIMITS, cancel=cancel)

    with alone, ThreadPoolExecutor(2) as executor:
        asked = [executor.submit(ask) for _ in range(2)]  # one has the only worker, the other none
        timer = threading.Timer(0.3, cancel.cancel)
        timer.start()
        for each in asked:
            each.result()
        timer.join()
    assert living_children() == []


def test_workers_are_used_again_end_with_their_last_user_and_are_no_more_than_may_be(
    media: MediaFolder,
) -> None:
    paths = [media.make(Recipe(seconds=0.2 + number / 10)) for number in range(3)] * 8
    workers = Workers(most=2, timeout_seconds=20, memory_bytes=1024 * MIB)
    with workers:
        with workers, ThreadPoolExecutor(8) as executor:
            found = list(executor.map(lambda path: workers.probe(path, scan=True, limits=LIMITS), paths))
        assert 1 <= len(living_children(0)) <= 2
    assert living_children() == []
    assert [info.duration for info in found] == [probe(path, scan=True).duration for path in paths]


@pytest.mark.core(0)
@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="only glibc gives memory back when it is told to")
def test_a_worker_needs_no_more_memory_after_many_files_than_after_a_few(media: MediaFolder) -> None:
    path = media.make(Recipe(seconds=0.1, size="1920x1080"))
    with Workers(most=1, timeout_seconds=20, memory_bytes=1024 * MIB) as workers:

        def memory_after(files: int) -> int:
            for _ in range(files):
                workers.probe(path, scan=True, limits=LIMITS)
            (worker,) = living_children(0)
            return int(worker.memory_info().rss)

        few = memory_after(4)
        assert memory_after(24) < few + 8 * MIB


def test_without_a_user_a_worker_ends_with_its_answer(media: MediaFolder) -> None:
    workers = Workers(most=2, timeout_seconds=20, memory_bytes=1024 * MIB)
    assert workers.probe(media.make(Recipe(seconds=0.2)), scan=True, limits=LIMITS).scanned
    assert living_children() == []


def test_a_header_that_claims_giant_pictures_is_refused_before_they_are_decoded(
    workers: Workers, media: MediaFolder
) -> None:
    path = media.make(Recipe(seconds=0.2))
    small = replace_limit(100 * 50)
    with pytest.raises(ProbeError) as caught:
        workers.probe(path, scan=True, limits=small)
    assert caught.value.code is IssueCode.DIMENSIONS_TOO_LARGE


def replace_limit(pixels: int) -> ValidationConfig:
    return LIMITS.model_copy(update={"max_pixels": pixels})


def test_a_worker_that_is_killed_from_outside_costs_no_file(media: MediaFolder, tmp_path: Path) -> None:
    """The system kills for memory, and takes whom it likes."""
    path = named(tmp_path, "once", media.make(Recipe(seconds=0.3)))
    with strange() as workers:
        assert workers.probe(path, scan=True, limits=LIMITS) == probe(path, scan=True)
    assert path.with_suffix(".seen").exists()


def test_user_that_leaves_ends_idle_workers_beyond_the_other_users(workers: Workers, media: MediaFolder) -> None:
    clips = [media.make(Recipe(seconds=seconds)) for seconds in (0.2, 0.3)]
    with workers:
        together = threading.Barrier(2)

        def ask(clip: Path) -> None:
            together.wait()
            workers.probe(clip, scan=True, limits=LIMITS)

        while len(living_children(0)) < 2:
            with ThreadPoolExecutor(2) as executor:
                list(executor.map(ask, clips))
    (kept,) = living_children(0)
    workers.probe(clips[0], scan=True, limits=LIMITS)
    assert living_children(0) == [kept]


@pytest.mark.core(0)
def test_idle_worker_outlives_its_time_limit(media: MediaFolder) -> None:
    clip = media.make(Recipe(seconds=0.2))
    with strange(timeout_seconds=3) as workers:
        workers.probe(clip, scan=False, limits=LIMITS)
        (worker,) = living_children(0)
        time.sleep(3.5)  # what is tested, and no wait for it
        workers.probe(clip, scan=False, limits=LIMITS)
        assert living_children(0) == [worker]
