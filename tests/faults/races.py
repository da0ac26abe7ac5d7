"""Races: other programs that do something in the same folders at the same time."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.faults.fault import Fault, moment
from tests.faults.places import Run
from tests.integration.reels import NAMES, PARTS, of
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from tests.faults.orders import Order
    from tests.faults.places import Place
    from tests.media import MediaFolder

    Act = Callable[[Run], object]

OTHER = numbered(9, seconds=0.6)
"""A clip that takes the place of another one during a run."""


def race(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """Other programs that do something at the same time."""
    when, wait = moment(dice, place, order)
    names = list(_RACES) if order.reels else ["clear the cache", "change an input", "remove an input", "remove tmp"]
    name = dice.choice(names)
    fault = Fault(f"{name} {when}")
    act = _RACES[name](dice, place, order, media, fault)

    def during(run: Run) -> None:
        wait(run)
        act(run)

    fault.during = during
    return fault


def _input(dice: Random, place: Place, fault: Fault) -> Path:
    index = dice.randrange(len(NAMES))
    path = place.work / NAMES[index]
    fault.spoils.add(path)
    fault.changed = {index: [PARTS[index], *of(OTHER)]}
    whole = path.read_bytes()

    def heal() -> None:
        path.unlink(missing_ok=True)
        path.write_bytes(whole)

    fault.heal = heal
    return path


def _change(dice: Random, place: Place, _order: Order, media: MediaFolder, fault: Fault) -> Act:
    path, other = _input(dice, place, fault), media.numbered(OTHER)
    if dice.random() < 0.5:
        beside = path.with_name("incoming")
        return lambda _run: shutil.copyfile(other, beside).replace(path)
    if dice.random() < 0.5:
        return lambda _run: path.write_bytes(other.read_bytes())
    return lambda _run: os.truncate(path, path.stat().st_size // 2)


def _remove(dice: Random, place: Place, _order: Order, _media: MediaFolder, fault: Fault) -> Act:
    path = _input(dice, place, fault)
    return lambda _run: path.unlink(missing_ok=True)


def _create(dice: Random, place: Place, order: Order, _media: MediaFolder, fault: Fault) -> Act:
    """Create an output; without --overwrite it must stay, with it it may be replaced."""
    path, data = dice.choice(list(order.reels)), b"another program's film" * 30

    def act(_run: Run) -> None:
        with suppress(OSError):
            beside = path.with_name("theirs")
            beside.write_bytes(data)
            beside.replace(path)

    fault.foreign.add(path)
    return act


def _lose(dice: Random, _place: Place, order: Order, _media: MediaFolder, fault: Fault) -> Act:
    path = dice.choice(list(order.reels))
    fault.foreign.add(path)
    return lambda _run: path.unlink(missing_ok=True)


def _clear(dice: Random, place: Place, _order: Order, _media: MediaFolder, _fault: Fault) -> Act:
    if dice.random() < 0.4:
        return lambda _run: Run(place, ("cache", "clear", "--json")).wait()
    return lambda _run: shutil.rmtree(dice.choice([place.cache, place.home, place.state]), ignore_errors=True)


def _rival(dice: Random, place: Place, order: Order, _media: MediaFolder, fault: Fault) -> Act:
    del dice
    fault.foreign.update(order.reels)
    rivals = list[Run]()
    fault.heal = lambda: [rival.wait() for rival in rivals]
    return lambda _run: rivals.append(Run(place, order.next_line))


def _empty(_dice: Random, place: Place, _order: Order, _media: MediaFolder, _fault: Fault) -> Act:
    def act(_run: Run) -> None:
        for path in place.tmp.iterdir():
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                path.unlink()

    return act


_RACES: dict[str, Callable[..., Act]] = {
    "change an input": _change,
    "remove an input": _remove,
    "create the output": _create,
    "remove the output": _lose,
    "clear the cache": _clear,
    "run it twice": _rival,
    "remove tmp": _empty,
}
