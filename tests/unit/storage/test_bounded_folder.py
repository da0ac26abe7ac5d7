"""Folders of records: what each write costs, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.storage.bounded_folder import Records

if TYPE_CHECKING:
    from pathlib import Path

NAMES = r"[0-9]{4}\.json"


class Listed(Records):
    """Counts how often the folder is read."""

    lists = 0

    def paths(self) -> list[Path]:
        self.lists += 1
        return super().paths()


def write(records: Records, first: int, last: int) -> list[int]:
    """Write records with these numbers, keep the newest 10, and return how many there are after each."""
    there = []
    for number in range(first, last):
        records.write(f"{number:04}.json", b"{}")
        records.keep_newest(10, spare=5, age=lambda path: path.name)
        there.append(len(Records.paths(records)))
    return there


@pytest.mark.heavy
def test_there_are_never_more_records_than_wanted_and_spare(tmp_path: Path) -> None:
    records = Listed(tmp_path, NAMES)
    there = write(records, 0, 200)
    assert max(there) <= 15
    assert min(there[10:]) >= 10
    assert max(path.name for path in records.paths()) == "0199.json"
    assert records.lists <= 200 / 5 + 2


@pytest.mark.heavy
def test_room_that_other_processes_have_filled_is_made_by_the_next(tmp_path: Path) -> None:
    first = Records(tmp_path, NAMES)
    write(first, 0, 12)
    write(Records(tmp_path, NAMES), 12, 100)
    assert write(Records(tmp_path, NAMES), 100, 101)[0] <= 15
    assert write(first, 101, 200)[-1] <= 15
