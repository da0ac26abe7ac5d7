"""State that is no plain small file is refused at once, whatever was put in its place."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.storage.bounded_folder import Records
from mpt_cli.storage.small_files import read_beginning, read_small
from tests.traps import SPARSE_BYTES, TRAPS

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.timeout(20)
every_trap = pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)


@every_trap
def test_trap_is_refused(tmp_path: Path, trap: Callable[[Path], object]) -> None:
    trap(tmp_path / "state.json")
    with pytest.raises(OSError, match=r"regular|larger|link|device"):
        read_small(tmp_path / "state.json", 1 << 20)


def test_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"four")
    assert read_small(path, 4) == b"four"
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read_small(path, 3)
    assert read_beginning(path, 2) == b"fo"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that does not tell its size")
def test_file_that_is_larger_than_it_says_is_refused() -> None:
    assert Path("/proc/self/status").stat().st_size == 0
    with pytest.raises(OSError, match="larger than 0 bytes"):
        read_small(Path("/proc/self/status"), 0)


def test_beginning_is_read_through_a_link_but_not_of_a_pipe(tmp_path: Path) -> None:
    big = tmp_path / "big"
    TRAPS["gigabytes"](big)
    (tmp_path / "link").symlink_to(big)
    assert read_beginning(tmp_path / "link", 400) == bytes(400)
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="regular"):
            read_beginning(tmp_path / "pipe", 400)


@every_trap
def test_record_takes_the_place_of_a_trap(tmp_path: Path, trap: Callable[[Path], object]) -> None:
    records = Records(tmp_path, r"[a-z]+\.json")
    trap(tmp_path / "record.json")
    with pytest.raises(OSError, match=r"regular|larger|link|device"):
        records.read("record.json")
    if (tmp_path / "record.json").is_dir():
        with pytest.raises(OSError, match="directory"):
            records.write("record.json", b"content")
        assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    else:
        records.write("record.json", b"content")
        assert records.read("record.json") == b"content"


def test_traps_are_what_they_say(tmp_path: Path) -> None:
    before = threading.active_count()  # other tests may have left the thread that starts processes
    for number, (name, trap) in enumerate(TRAPS.items()):
        path = tmp_path / str(number)
        trap(path)
        is_plain = stat.S_ISREG(path.lstat().st_mode)
        assert is_plain is (name == "gigabytes")
        assert not is_plain or path.stat().st_size == SPARSE_BYTES
    assert threading.active_count() == before
