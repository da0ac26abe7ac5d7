"""Damaged state: records, cache entries and locks that are not what mpt wrote."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.faults.fault import Fault
from tests.faults.places import walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from tests.faults.orders import Order
    from tests.faults.places import Place
    from tests.media import MediaFolder

LOCKS = (".mpt-run-0123456789ab.lock", ".mpt-0123456789ab.lock", ".mpt-run-0123456789ab")


def damage(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """Records, cache entries and locks that are not what mpt wrote."""
    del media
    how = dice.choice(list(_DAMAGES))
    if dice.random() < 0.25:
        path = place.out / dice.choice(
            [".mpt-run-0123456789ab.lock", ".mpt-0123456789ab.lock", ".mpt-run-0123456789ab"]
        )
        _DAMAGES[how](path)
        return Fault(f"{path.name} is {how}", planted={path})
    files = sorted(path for folder in (place.cache, place.state) for path in walk(folder) if path.is_file())
    if not files:
        files = [dice.choice([place.cache, place.state, place.state / "reports", place.cache / "clips"])]
    several = dice.sample(files, min(len(files), dice.choice([1, 1, 3, 30])))
    for path in several:
        path.parent.mkdir(parents=True, exist_ok=True)
        _DAMAGES[how](path)
    return Fault(f"{', '.join(str(path.relative_to(place.home)) for path in several[:3])} {how}")


def _fifo(path: Path) -> None:
    _gone(path)
    os.mkfifo(path)


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _written(data: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        _gone(path)
        path.write_bytes(data)

    return damage


def _huge(path: Path) -> None:
    _gone(path)
    path.touch()
    os.truncate(path, 3 << 30)


def _cut(path: Path) -> None:
    if path.is_file():
        os.truncate(path, path.stat().st_size // 2)


def _flipped(path: Path) -> None:
    if path.is_file() and (data := bytearray(path.read_bytes())):
        data[len(data) // 2] ^= 255
        path.write_bytes(data)


def _folder(path: Path) -> None:
    _gone(path)
    path.mkdir()


def _loop(path: Path) -> None:
    _gone(path)
    path.symlink_to(path)


_DAMAGES: dict[str, Callable[[Path], None]] = {
    "a pipe": _fifo,
    "gone": _gone,
    "empty": _written(b""),
    "garbage": _written(bytes(range(256)) * 40),
    "other JSON": _written(b'[{"v": 1, "file": null}]'),
    "deep JSON": _written(b"[" * 200_000),
    "huge": _huge,
    "cut": _cut,
    "flipped": _flipped,
    "a folder": _folder,
    "a link to itself": _loop,
}
