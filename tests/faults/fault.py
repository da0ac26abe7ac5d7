"""A fault, and the moment of a run in which it happens."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.faults.places import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from tests.faults.orders import Order
    from tests.faults.places import Place, Run
    from tests.integration.reels import Part


def _nothing(_run: Run) -> None:
    """Do nothing."""


@dataclass
class Fault:
    """One fault: what is different for the run, what happens during it, and what takes it away."""

    said: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    stdout: Path | None = None
    leaves: bool = False
    during: Callable[[Run], object] = _nothing
    heal: Callable[[], object] = lambda: None
    """Takes away what a user would take away before the next run."""
    after: Callable[[], object] = lambda: None
    """Clears up for good."""
    may_die: bool = False
    """Whether mpt itself may be killed."""
    changed: Mapping[int, Sequence[Part]] = field(default_factory=dict)
    """Clips that may be another one in the reel."""
    spoils: set[Path] = field(default_factory=set)
    """Files of the user that the fault itself changes."""
    foreign: set[Path] = field(default_factory=set)
    """Outputs that the fault itself writes or removes."""
    planted: set[Path] = field(default_factory=set)
    """Temporary files that are not mpt's to remove."""


def moment(dice: Random, place: Place, order: Order) -> tuple[str, Callable[[Run], None]]:
    """Return a random moment of a run, and what waits for it."""
    late = dice.random() ** 2 * 0.3
    at = dice.random() * place.warm_seconds * 1.2
    count = dice.randint(1, 6)
    outputs = list(order.reels)

    def settle() -> None:
        time.sleep(late * dice.random())

    def child(run: Run) -> None:
        seen = set[int]()

        def enough() -> bool:
            seen.update(each.pid for each in run.descendants())
            return len(seen) >= count

        run.until(enough)
        settle()

    def file(run: Run) -> None:
        run.until(lambda: any(path.name.startswith((".mpt-", "unfinished-")) for path in walk(place.folder)))
        settle()

    def output(run: Run) -> None:
        before = [_status(path) for path in outputs]
        run.until(lambda: [_status(path) for path in outputs] != before)

    choices: list[tuple[str, Callable[[Run], None]]] = [
        (f"after {at:.2f} s", lambda run: time.sleep(at) if not run.over else None),
        ("in its first moment", lambda run: time.sleep(late)),
        (f"at child {count}", child),
        (f"{late:.3f} s after its first hidden file", file),
    ]
    if outputs:
        choices.append(("when a reel gets its name", output))
    return dice.choice(choices)


def _status(path: Path) -> tuple[int, ...]:
    try:
        status = path.lstat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
