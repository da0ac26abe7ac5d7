"""ClipCache: what it gives back is what was stored, whoever stores, breaks or clears it meanwhile."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.clips import Dimensions, ProcessedClip, Segment
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.processing.cache import ClipCache
from mpt_cli.storage.store import recipe_key
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

KEY, OTHER, THIRD = (recipe_key(name, "build", ["-i"]) for name in "abc")
PICTURES, SOUND = b"pictures " * 100, b"sound " * 50
SIZE = len(PICTURES) + len(SOUND)
DAY = 24 * 3600
ROOMY = 2**40
READS_ALL = hasattr(os, "geteuid") and os.geteuid() == 0


def segment(folder: Path, *, pictures: bytes = PICTURES, sound: bytes | None = SOUND) -> ProcessedClip:
    """A finished clip of these bytes."""
    folder.mkdir(exist_ok=True)
    (folder / "p.mp4").write_bytes(pictures)
    if sound is not None:
        (folder / "s.pcm").write_bytes(sound)
    return ProcessedClip(
        index=0,
        original_path=folder / "a.mp4",
        processed_path=folder / "p.mp4",
        audio_path=None if sound is None else folder / "s.pcm",
        dimensions=Dimensions(160, 90),
        segment=Segment(0, 0, 30),
        duration=Fraction(1),
        vcl_crc=123456789,
        parameter_sets="sets",
        extradata=b"\x00\xff",
        owned=True,
    )


class Store:
    """A cache with a clock and a disk of the test's own, and a folder for what is taken out."""

    def __init__(self, folder: Path, *, limit_bytes: int = ROOMY) -> None:
        self.clock, self.free, self.walks = FakeClock(1e9), 2**50, 0
        self.folder, self.out = folder / "clips", folder / "out"
        self.out.mkdir()
        self.clip = segment(folder / "run")
        self.cache = ClipCache(self.folder, limit_bytes=limit_bytes, clock=self.clock, free=self._ask)

    def _ask(self, _path: Path) -> int:
        self.walks += 1
        return self.free

    @property
    def pictures(self) -> Path:
        return self.out / "p"

    @property
    def sound(self) -> Path:
        return self.out / "s"

    def taken(self, key: str = KEY) -> tuple[bytes, bytes] | None:
        """What the entry gives, or None where there is none."""
        if self.cache.fetch(key, self.pictures, self.sound) is None:
            assert not list(self.out.iterdir())
            return None
        return self.pictures.read_bytes(), self.sound.read_bytes()

    def place(self, key: str = KEY) -> Path:
        return self.folder / key[:2] / key[2:]

    def keep(self, *keys: str) -> None:
        """Store under these keys, each a minute after the other."""
        for key in keys:
            self.cache.store(key, self.clip)
            os.utime(self.place(key), (self.clock(), self.clock()))
            self.clock.advance(60)

    def unfinished(self) -> list[Path]:
        return list(self.folder.glob("unfinished-*"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def flip(path: Path, at: int) -> None:
    """Change one bit; the note's and the run's names of the same bytes stay as they are."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.unlink()
    path.write_bytes(content)


def test_what_was_stored_comes_back_with_its_proof(store: Store) -> None:
    assert not store.cache.has(KEY)
    store.cache.store(KEY, store.clip)
    shutil.rmtree(store.clip.processed_path.parent)
    note = store.cache.fetch(KEY, store.pictures, store.sound)
    assert note is not None
    assert (note.vcl_crc, note.parameter_sets, note.extradata) == (123456789, "sets", b"\x00\xff")
    assert store.taken() == (PICTURES, SOUND)
    assert (store.cache.has(KEY), store.cache.has(OTHER), store.taken(OTHER) is None) == (True, False, True)


def test_a_silent_clip_has_no_sound_and_a_muted_use_takes_none(store: Store, tmp_path: Path) -> None:
    store.cache.store(KEY, segment(tmp_path / "silent", sound=None))
    store.cache.store(OTHER, store.clip)
    for key in (KEY, OTHER):
        assert store.cache.fetch(key, store.pictures, None) is not None
        assert [path.name for path in store.out.iterdir()] == ["p"]
    with pytest.raises(VerificationError):  # what is to sound must not come back silent
        store.cache.fetch(KEY, store.pictures, store.sound)


def test_the_files_are_further_names_of_the_same_bytes(store: Store) -> None:
    store.keep(KEY)
    assert store.taken() is not None
    assert store.pictures.samefile(store.clip.processed_path)
    assert store.sound.samefile(store.place() / "sound.pcm")


def test_what_was_taken_stays_when_the_store_is_cleared(store: Store) -> None:
    store.keep(KEY)
    assert store.taken() is not None
    store.cache.clear()
    assert (store.pictures.read_bytes(), store.sound.read_bytes()) == (PICTURES, SOUND)
    assert not store.folder.exists()
    store.cache.clear()
    store.keep(KEY)
    assert store.cache.info().entries == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs two file systems")
def test_a_file_is_copied_where_links_cannot_be(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs two file systems")
    folder = other / f"mpt-cache-{tmp_path.name}-{os.getpid()}"
    try:
        cache = ClipCache(folder, limit_bytes=ROOMY)
        cache.store(KEY, segment(tmp_path / "run"))
        assert cache.fetch(KEY, tmp_path / "p", tmp_path / "s") is not None
        assert (tmp_path / "p").read_bytes() == PICTURES
        assert (tmp_path / "p").stat().st_nlink == 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit in the pictures": lambda place: flip(place / "pictures.mp4", 300),
    "a flipped bit in the sound": lambda place: flip(place / "sound.pcm", -1),
    "cut-off pictures": lambda place: (place / "pictures.mp4").write_bytes(PICTURES[:-1]),
    "empty sound": lambda place: (place / "sound.pcm").write_bytes(b""),
    "no pictures": lambda place: (place / "pictures.mp4").unlink(),
    "no sound": lambda place: (place / "sound.pcm").unlink(),
    "an empty note": lambda place: (place / "note.json").write_bytes(b""),
    "half a note": lambda place: (place / "note.json").write_bytes((place / "note.json").read_bytes()[:60]),
    "a note of rubbish": lambda place: (place / "note.json").write_bytes(b"\xff\xfe{}"),
    "another digit in the note": lambda place: flip(
        place / "note.json", (place / "note.json").read_bytes().index(b"23456789")
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_never_trusted(store: Store, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    store.keep(KEY)
    DAMAGES[damage](store.place())
    with caplog.at_level(logging.WARNING), pytest.raises(VerificationError) as told:
        store.taken()
    assert told.value.code is IssueCode.VERIFY_FAILED
    assert "is damaged and was removed" in caplog.text
    assert not list(store.out.iterdir())
    assert (store.cache.has(KEY), store.taken(), store.cache.info().entries) == (False, None, 0)
    shutil.rmtree(store.clip.processed_path.parent)
    store.clip = segment(store.out.parent / "again")
    store.keep(KEY)
    assert store.taken() == (PICTURES, SOUND)


def test_a_rest_without_its_note_does_not_bar_the_place(store: Store) -> None:
    store.keep(KEY)
    (store.place() / "note.json").unlink()
    assert not store.cache.has(KEY)
    store.keep(KEY)
    assert store.taken() == (PICTURES, SOUND)
    assert not store.unfinished()


def test_a_note_that_cannot_be_looked_at_is_none(store: Store) -> None:
    store.keep(KEY)
    shutil.rmtree(store.place())
    store.place().write_text("a file where a folder should be")
    assert not store.cache.has(KEY)
    with pytest.raises(VerificationError):
        store.taken()
    store.keep(KEY)
    assert store.taken() == (PICTURES, SOUND)


def test_the_first_of_two_that_store_the_same_is_kept(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.keep(KEY)
    first = (store.place() / "pictures.mp4").stat().st_ino
    store.clip = segment(store.out.parent / "second")
    with caplog.at_level(logging.WARNING):
        store.cache.store(KEY, store.clip)
    assert (store.place() / "pictures.mp4").stat().st_ino == first
    assert not caplog.records
    assert (store.cache.info().entries, store.unfinished()) == (1, [])


def _store_many(folder: str, run: str) -> None:
    """In a process of its own: the same keys as the others, again and again."""
    cache, clip = ClipCache(Path(folder), limit_bytes=ROOMY), segment(Path(run))
    for _ in range(20):
        for key in (KEY, OTHER):
            cache.store(key, clip)
            cache.fetch(key, Path(run) / "out-p", Path(run) / "out-s")
        cache.clear()
    cache.store(KEY, clip)


@pytest.mark.core(0)
@pytest.mark.heavy
def test_processes_that_store_fetch_and_clear_at_once_leave_whole_entries(store: Store, tmp_path: Path) -> None:
    processes = [
        get_context("spawn").Process(target=_store_many, args=(str(store.folder), str(tmp_path / f"run{number}")))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(200)  # a disk that others keep busy makes it wait
        assert process.exitcode == 0
        process.close()
    store.cache.store(KEY, store.clip)
    assert store.taken() == (PICTURES, SOUND)
    assert {path.name for path in store.place().iterdir()} == {"note.json", "pictures.mp4", "sound.pcm"}
    assert not store.unfinished()


def test_a_store_that_cannot_be_written_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = ClipCache(tmp_path / "file" / "clips", limit_bytes=ROOMY)
    with caplog.at_level(logging.WARNING):
        cache.store(KEY, segment(tmp_path / "run"))
    assert "was not kept" in caplog.text
    assert not cache.has(KEY)
    assert cache.fetch(KEY, tmp_path / "p", None) is None
    assert (cache.info().entries, cache.prune().entries) == (0, 0)
    cache.clear()
    with pytest.raises(OSError, match="file"):
        cache.require_writable()


@pytest.mark.skipif(READS_ALL, reason="the superuser may write everywhere")
def test_a_read_only_store_still_gives_what_it_has(store: Store) -> None:
    store.keep(KEY)
    store.folder.chmod(0o555)
    try:
        store.cache.store(OTHER, store.clip)
        assert store.taken() == (PICTURES, SOUND)
        assert not store.cache.has(OTHER)
    finally:
        store.folder.chmod(0o755)


def test_a_clip_that_is_gone_is_not_kept(store: Store) -> None:
    store.cache.store(KEY, replace(store.clip, processed_path=store.out / "gone"))
    assert (store.cache.has(KEY), store.unfinished()) == (False, [])


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(KEY, OTHER, THIRD)
    size = store.cache.info().size_bytes
    assert store.taken(KEY) is not None  # now the youngest
    tight = ClipCache(store.folder, limit_bytes=size - 1, clock=store.clock, free=lambda _path: 2**50)
    left = tight.prune()
    assert [tight.has(key) for key in (KEY, OTHER, THIRD)] == [True, False, True]
    assert (left.entries, left.size_bytes, left.limit_bytes) == (2, size * 2 // 3, size - 1)
    assert tight.info() == left
    tightest = ClipCache(store.folder, limit_bytes=size // 3, clock=store.clock, free=lambda _path: 2**50)
    assert tightest.prune().entries == 1
    assert [tightest.has(key) for key in (KEY, OTHER, THIRD)] == [True, False, False]


def test_the_store_takes_at_most_half_of_what_the_disk_could_give(store: Store) -> None:
    store.keep(KEY, OTHER)
    size = store.cache.info().size_bytes
    store.free = size
    assert store.cache.info().limit_bytes == size
    assert store.cache.prune().entries == 2
    store.free = size - 2
    assert store.cache.prune().entries == 1
    assert [store.cache.has(key) for key in (KEY, OTHER)] == [False, True]


def test_a_disk_that_does_not_answer_leaves_the_limit(tmp_path: Path) -> None:
    def fail(_path: Path) -> int:
        raise OSError("gone")

    assert ClipCache(tmp_path, limit_bytes=77, free=fail).info().limit_bytes == 77


def test_the_limit_of_a_store_that_is_not_there_yet_knows_the_disk(tmp_path: Path) -> None:
    half = shutil.disk_usage(tmp_path).free // 2
    limit = ClipCache(tmp_path / "a" / "b", limit_bytes=2**60).info().limit_bytes
    assert half * 0.8 < limit < half * 1.2


def test_what_dead_runs_left_goes_after_a_day_and_not_before(store: Store) -> None:
    store.keep(KEY)
    ages = {f"unfinished-{'a' * 32}": DAY - 1, f"unfinished-{'b' * 32}": DAY + 1}
    for name, age in ages.items():
        (store.folder / name).mkdir()
        (store.folder / name / "pictures.mp4").write_bytes(b"half")
        os.utime(store.folder / name, (store.clock() - age, store.clock() - age))
    assert store.cache.info().entries == 1  # they are no entries
    store.cache.prune()
    assert [path.name for path in store.unfinished()] == [f"unfinished-{'a' * 32}"]
    assert store.cache.has(KEY)


def test_the_store_is_only_walked_through_when_its_room_is_used_up(tmp_path: Path) -> None:
    store = Store(tmp_path, limit_bytes=10 * SIZE)
    store.cache.keep_to_limit()
    assert store.walks == 0  # nothing was stored
    store.keep(KEY)
    store.cache.keep_to_limit()
    assert store.walks == 1  # what room there is, is not known before
    for name in "defg":
        store.keep(recipe_key(name, "", []))
        store.cache.keep_to_limit()
    assert store.walks == 1
    for number in range(8):
        store.keep(recipe_key(str(number), "", []))
    assert store.cache.info().entries == 13
    store.cache.keep_to_limit()
    left = store.cache.info()
    assert left.entries < 10
    assert left.size_bytes <= left.limit_bytes


def test_only_what_was_stored_counts_against_the_room(tmp_path: Path) -> None:
    store = Store(tmp_path, limit_bytes=3 * SIZE)
    store.keep(KEY)
    store.cache.keep_to_limit()
    for _ in range(5):
        store.cache.store(KEY, store.clip)  # is there already
        store.cache.keep_to_limit()
    assert store.walks == 1


def test_foreign_files_are_left_alone_and_not_counted(store: Store) -> None:
    store.keep(KEY)
    (store.folder / "README").write_text("mine")
    (store.folder / "ab").mkdir(exist_ok=True)
    (store.folder / "ab" / "file").write_text("mine")
    assert store.cache.info().entries == 1
    store.cache.prune()
    assert (store.folder / "README").exists()


def test_trying_whether_a_store_can_be_written_leaves_nothing(store: Store) -> None:
    store.cache.require_writable()
    assert not list(store.folder.iterdir())


def test_each_part_of_a_recipe_names_another_segment() -> None:
    parts = [("a", "b", ["c"]), ("x", "b", ["c"]), ("a", "x", ["c"]), ("a", "b", ["x"]), ("a", "b", ["c", ""])]
    keys = {recipe_key(*part) for part in parts}
    assert len(keys) == len(parts)
    assert recipe_key(*parts[0]) in keys
    assert recipe_key("a", "b", [os.fsdecode(b"\xff")])  # a name need not be UTF-8


def test_a_note_says_what_the_files_are(store: Store) -> None:
    store.keep(KEY)
    note = json.loads((store.place() / "note.json").read_text().splitlines()[0])
    sizes = {name: file["size"] for name, file in note["files"].items()}
    assert sizes == {"pictures.mp4": len(PICTURES), "sound.pcm": len(SOUND)}
