"""Taking an entry that another process clears and stores again while it is looked at."""

from __future__ import annotations

from collections import UserDict
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.errors import VerificationError
from mpt_cli.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView
    from pathlib import Path

KEY = "0" * 64


class Targets(UserDict[str, "Path"]):
    """Names to take files under; what happens meanwhile happens when they are asked for, after the note was read."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def items(self) -> ItemsView[str, Path]:
        act, self.meanwhile = self.meanwhile, lambda: None
        act()
        return super().items()


def stored(store: Store, folder: Path, text: str) -> None:
    source = folder / f"{text}.nut"
    source.write_text(text)
    store.put(KEY, {"a": source}, facts=text)


def test_entry_stored_again_between_two_looks_is_taken_whole(tmp_path: Path) -> None:
    store, other = (Store(tmp_path / "store", limit_bytes=2**30) for _ in range(2))
    stored(store, tmp_path, "before")
    targets = Targets(a=tmp_path / "taken")

    def replace_entry() -> None:
        other.clear()
        stored(other, tmp_path, "afterwards")

    targets.meanwhile = replace_entry
    assert store.take(KEY, targets) == "afterwards"
    assert (tmp_path / "taken").read_text() == "afterwards"


def test_entry_cleared_between_two_looks_is_none(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", limit_bytes=2**30)
    stored(store, tmp_path, "before")
    targets = Targets(a=tmp_path / "taken")
    targets.meanwhile = Store(tmp_path / "store", limit_bytes=2**30).clear
    assert store.take(KEY, targets) is None
    assert not (tmp_path / "taken").exists()


def test_damaged_entry_is_refused_and_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", limit_bytes=2**30)
    stored(store, tmp_path, "before")
    (tmp_path / "store" / KEY[:2] / KEY[2:] / "a").write_text("broken")
    with pytest.raises(VerificationError):
        store.take(KEY, {"a": tmp_path / "taken"})
    assert not store.has(KEY)
