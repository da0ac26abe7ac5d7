"""ProbeCache: an unchanged file is looked at once, a changed one again, and no record is believed blindly."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.inspect.probe_cache import ProbeCache
from mpt_cli.model.errors import Cancelled, Issue, IssueCode, ProbeError
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.storage.file_identity import content_hash
from tests.builders import media_of
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.media_info import MediaInfo

DAY = 24 * 3600
WARNING = Issue(IssueCode.EXTREME_ASPECT_RATIO, "is very wide")


LIMITS = ValidationConfig(max_streams=9)


class Looks:
    """A probe that says how large a file is, and remembers what it was asked; raises what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        assert (limits, cancel) == (LIMITS, None)
        self.asked.append((path.name, scan))
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return media_of(size_bytes=path.stat().st_size, warnings=(replace(WARNING, path=path),))


class Desk:
    """A file, what looks at it, and a store; ``known`` is a new run each time."""

    def __init__(self, folder: Path) -> None:
        self.looks, self.store, self.clip = Looks(), folder / "files", folder / "a.mp4"
        self.clip.write_bytes(b"one")
        self.clock = FakeClock(self.changed_at() + 60)

    def changed_at(self) -> float:
        status = self.clip.stat()
        return max(status.st_mtime, status.st_ctime)

    def known(self, *, paranoid: bool = False) -> ProbeCache:
        return ProbeCache(self.store, self.looks, paranoid=paranoid, clock=self.clock)

    def look(self, *, paranoid: bool = False, path: Path | None = None) -> MediaInfo:
        """What a new run finds."""
        return self.known(paranoid=paranoid).probe(path or self.clip, scan=True, limits=LIMITS)

    def records(self) -> list[Path]:
        return [path for path in self.store.rglob("*") if path.is_file()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_unchanged_file_is_looked_at_once(desk: Desk) -> None:
    first = desk.look()
    assert desk.look() == first == desk.look()
    assert desk.looks.asked == [("a.mp4", True)]
    assert first.warnings == (replace(WARNING, path=desk.clip),)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _rewrite_at_the_same_time(path: Path) -> None:
    """Other bytes of the same length with the old mtime: only the ctime tells."""
    status = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replace_by_a_copy(path: Path) -> None:
    """Another file of the same size and mtime."""
    other = path.with_name("other")
    shutil.copy2(path, other)
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "size": _grow,
    "mtime": lambda path: os.utime(path, (1e9, 1e9)),
    "ctime": _rewrite_at_the_same_time,
    "inode": _replace_by_a_copy,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_in_anything_is_looked_at_again(desk: Desk, change: str) -> None:
    desk.look()
    CHANGES[change](desk.clip)
    assert desk.look().size_bytes == desk.clip.stat().st_size
    assert len(desk.looks.asked) == 2
    assert desk.known().content(desk.clip) == content_hash(desk.clip)


def test_the_content_is_known_from_the_look(desk: Desk) -> None:
    desk.look()
    (record,) = desk.records()
    told = content_hash(desk.clip)
    assert desk.known().content(desk.clip) == told
    record.write_text(record.read_text().replace(told, "0" * 64))  # so it is not read again
    assert desk.known().content(desk.clip) == "0" * 64
    assert desk.known(paranoid=True).content(desk.clip) == told


def test_a_content_is_read_where_nothing_is_known(desk: Desk, tmp_path: Path) -> None:
    assert desk.known().content(desk.clip) == content_hash(desk.clip)
    assert desk.looks.asked == []
    with pytest.raises(FileNotFoundError):
        desk.known().content(tmp_path / "gone.mp4")


def test_within_a_run_a_content_is_read_once_and_forgotten_on_demand(desk: Desk) -> None:
    known = desk.known(paranoid=True)
    known.probe(desk.clip, scan=True, limits=LIMITS)
    before = desk.clip.stat()
    told = known.content(desk.clip)
    with desk.clip.open("r+b") as file:  # the change does not show, which no test outside can bring about
        file.write(b"two")
    os.utime(desk.clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert known.content(desk.clip) != told  # its ctime shows
    known.forget()
    assert known.content(desk.clip) == content_hash(desk.clip)


def test_stop_ends_the_reading_of_a_large_file(desk: Desk) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        desk.known().probe(desk.clip, scan=True, limits=LIMITS, cancel=cancel)
    with pytest.raises(Cancelled):
        desk.known().content(desk.clip, alive=cancel.raise_if_cancelled)
    assert desk.looks.asked == []


def test_hashes_differ_by_content_alone(tmp_path: Path) -> None:
    contents = [b"", b"a", b"b", bytes(3 << 20), bytes((3 << 20) - 1) + b"\1"]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    (tmp_path / "copy").write_bytes(contents[-1])
    hashes = [content_hash(tmp_path / str(number)) for number in range(len(contents))]
    assert len(set(hashes)) == len(contents)
    assert content_hash(tmp_path / "copy") == hashes[-1]
    assert all(len(one) == 64 for one in hashes)


def test_paranoid_looks_again_whatever_is_known_and_notes_it(desk: Desk) -> None:
    desk.look()
    desk.look(paranoid=True)
    desk.look(paranoid=True)
    assert len(desk.looks.asked) == 3
    shutil.rmtree(desk.store)
    desk.look(paranoid=True)
    desk.look()
    assert len(desk.looks.asked) == 4


@pytest.mark.parametrize("rubbish", [b"", b"{", b"\xff\xfe", b'{"content": "0", "media": 5}', b"null"])
def test_a_record_that_cannot_be_read_is_written_anew(desk: Desk, rubbish: bytes) -> None:
    first = desk.look()
    (record,) = desk.records()
    record.write_bytes(rubbish)
    assert desk.look() == first == desk.look()
    assert len(desk.looks.asked) == 2
    assert desk.known().content(desk.clip) == content_hash(desk.clip)


def test_a_file_that_changed_just_now_is_not_remembered(desk: Desk) -> None:
    desk.clock.now = desk.changed_at() + 1.9
    desk.look()
    assert desk.records() == []
    desk.clock.now = desk.changed_at() + 2.1
    desk.look()
    desk.look()
    assert (len(desk.looks.asked), len(desk.records())) == (2, 1)


def test_a_file_from_the_future_is_not_remembered(desk: Desk) -> None:
    os.utime(desk.clip, (desk.clock() + DAY, desk.clock() + DAY))
    desk.look()
    assert desk.records() == []


def test_a_file_that_changes_while_it_is_looked_at_is_not_remembered(desk: Desk) -> None:
    desk.looks.meanwhile = lambda: _grow(desk.clip)
    known = desk.known()
    known.probe(desk.clip, scan=True, limits=LIMITS)
    assert desk.records() == []
    assert known.content(desk.clip) == content_hash(desk.clip)


def test_only_whole_scans_are_remembered(desk: Desk) -> None:
    for _ in range(2):
        desk.known().probe(desk.clip, scan=False, limits=LIMITS)
    assert desk.looks.asked == [("a.mp4", False)] * 2
    assert desk.records() == []


def test_what_cannot_be_probed_is_tried_each_time(desk: Desk) -> None:
    desk.looks.error = ProbeError(IssueCode.NOT_MEDIA, "is no media file", path=desk.clip)
    for _ in range(2):
        with pytest.raises(ProbeError):
            desk.look()
    assert (len(desk.looks.asked), desk.records()) == (2, [])


def test_another_name_of_the_same_file_is_known_under_its_own_name(desk: Desk, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"b\xff.mp4")
    odd.hardlink_to(desk.clip)
    assert desk.look(path=odd).warnings[0].path == odd
    assert desk.look().warnings[0].path == desk.clip
    assert len(desk.looks.asked) == 1


def test_a_store_that_cannot_be_written_is_no_error(desk: Desk) -> None:
    desk.store.write_text("a file where a folder should be")
    desk.look()
    desk.look()
    assert len(desk.looks.asked) == 2
    desk.known().prune()
    desk.known().clear()
    assert desk.store.read_text()


def test_records_go_half_a_year_after_they_were_written(desk: Desk) -> None:
    desk.look()
    (record,) = desk.records()
    for days, left in ((179, [record]), (181, [])):
        os.utime(record, (desk.clock() - days * DAY,) * 2)
        desk.known().prune()
        assert desk.records() == left


def test_clear_removes_all_records(desk: Desk) -> None:
    desk.look()
    desk.known().clear()
    desk.look()
    assert len(desk.looks.asked) == 2


def test_half_a_record_of_a_dead_run_is_not_read(desk: Desk) -> None:
    desk.look()
    (record,) = desk.records()
    unfinished = record.with_name(f"{record.name}.{'01' * 16}")
    record.rename(unfinished)
    desk.look()
    assert len(desk.looks.asked) == 2
    assert sorted(desk.records()) == sorted([record, unfinished])
    os.utime(unfinished, (desk.clock() - 181 * DAY,) * 2)
    desk.known().prune()
    assert desk.records() == [record]


def test_a_dry_run_finds_what_is_known_and_writes_nothing(desk: Desk) -> None:
    silent = ProbeCache(desk.store, desk.looks, remember=False, clock=desk.clock)
    silent.probe(desk.clip, scan=True, limits=LIMITS)
    assert not desk.store.exists()
    desk.look()
    silent.probe(desk.clip, scan=True, limits=LIMITS)
    assert len(desk.looks.asked) == 2
