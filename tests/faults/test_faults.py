"""After any fault the reels are right, the answer is true, and the next run leaves nothing behind.

One fault follows from one seed: ``FAULTS_FROM=1234 FAULTS_COUNT=1 pytest -m faults`` runs the fault of seed 1234
again, as far as time, which no seed can fix, allows.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults import places
from tests.faults.kinds import KINDS, STOPS
from tests.faults.orders import LEAST_STOP_SECONDS, Order, choose, faults_of_answer, faults_of_reels, wrong
from tests.faults.places import Place, Run
from tests.integration.reels import NAMES, PARTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.fault import Fault
    from tests.media import MediaFolder

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="signals, limits and /proc of Linux"),
    pytest.mark.timeout(900),  # three runs, each of which may be given up
]

FROM, COUNT = int(os.environ.get("FAULTS_FROM", "0")), int(os.environ.get("FAULTS_COUNT", "200"))
GRACE_SECONDS = 15.0
"""Time for children of a killed run to end."""
MOST_BYTES = 1 << 30
"""Memory of mpt itself, whatever lies in its folders."""


@pytest.fixture(scope="session")
def template(media: MediaFolder, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where nothing has happened yet."""
    return places.build(media, tmp_path_factory.mktemp("template"))


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(FROM, FROM + COUNT))
def test_fault_costs_nothing(seed: int, template: Place, media: MediaFolder, tmp_path: Path) -> None:
    kind = list(KINDS)[seed % len(KINDS)]
    said, found = one_fault(seed, kind, template, media, tmp_path)
    assert not found, f"seed {seed} of {kind}:\n" + "\n".join(found) + f"\nafter {said}"


@pytest.mark.parametrize(("kind", "seed"), [("kill", 2), ("lie", 3)])
@pytest.mark.core(0)
def test_fault_of_each_run_of_ci_costs_nothing(
    kind: str, seed: int, template: Place, media: MediaFolder, tmp_path: Path
) -> None:
    said, found = one_fault(seed, kind, template, media, tmp_path)
    assert not found, f"seed {seed} of {kind}:\n" + "\n".join(found) + f"\nafter {said}"


def one_fault(seed: int, kind: str, template: Place, media: MediaFolder, folder: Path) -> tuple[str, list[str]]:
    """Let one fault happen; return what was done and everything that is wrong afterwards."""
    dice = random.Random(f"{kind} {seed}")
    place = places.copy(template, folder / "place", warm=dice.random() < 0.5)
    order = choose(dice, place)
    fault = KINDS[kind](dice, place, order, media)
    said = f"{kind}: {fault.said}; mpt {' '.join(order.line)}"
    print(said)
    try:
        before = place.users_files()
        run = Run(place, order.line, fault.environment, fault.prefix, fault.stdout, leaves=fault.leaves)
        fault.during(run)
        run.wait()
        found = _after_the_fault(run, order, fault, before)
        fault.heal()
        found += _after_the_next_run(place, order, fault, before)
        return (
            f"{said}\nexit {run.code}\n{run.out[-2000:]}\n{run.err[-3000 if run.code is not None else -20000 :]}",
            found,
        )
    finally:
        _end(place, fault)
        fault.after()


def _after_the_fault(run: Run, order: Order, fault: Fault, before: dict[Path, bytes]) -> list[str]:
    found = faults_of_answer(run, killed=fault.may_die)
    found += faults_of_reels(run, order, changed=fault.changed, foreign=fault.foreign)
    found += [f"{path.name} of the user is not as it was" for path in _lost(run.place, before, fault.spoils)]
    if run.peak_bytes > MOST_BYTES:
        found.append(f"mpt took {run.peak_bytes >> 20} MiB")
    stopped = run.signalled if fault.said.startswith(tuple(each.name for each in STOPS)) else None
    if stopped is not None and time.monotonic() - stopped > LEAST_STOP_SECONDS:
        found.append(f"the stop took {time.monotonic() - stopped:.0f} s")
    return found + [f"left {process}" for process in _living(run.place)]


def _after_the_next_run(place: Place, order: Order, fault: Fault, before: dict[Path, bytes]) -> list[str]:
    _age(place)
    reels = order.reels or {place.out / "next.mp4": PARTS}
    lines = [order.next_line]
    if not order.reels:
        lines.append(
            ("process", *NAMES, "-o", str(place.out / "next.mp4"), "--size", "160x90", "--fps", "30", "--json")
        )
    found = []
    for line in lines:
        run = Run(place, line)
        run.wait()
        if run.code != 0:
            found.append(
                f"the next run ends with {run.code}: mpt {' '.join(line)}\n{run.out[-2000:]}\n{run.err[-2000:]}"
            )
        found += [f"the next run: {fault}" for fault in faults_of_answer(run, killed=False)]
    found += [
        f"the next reel {path.name}: {fault}" for path, parts in reels.items() for fault in wrong(path, parts, {})
    ]
    found += [f"left {path}" for path in place.remains() if not _is_planted(path, fault)]
    found += [f"left {process}" for process in _living(place)]
    return found + [f"{path.name} of the user is lost" for path in _lost(place, before, set())]


def _lost(place: Place, before: dict[Path, bytes], spoiled: set[Path]) -> list[Path]:
    now = place.users_files()
    return [path for path in {*before, *now} - spoiled if before.get(path) != now.get(path)]


def _is_planted(path: Path, fault: Fault) -> bool:
    return bool({path, *path.parents} & fault.planted)


def _age(place: Place) -> None:
    """Let a day pass: what is in use is told from what was left by its age."""
    then = time.time() - 2 * 86400
    for path in places.walk(place.folder):
        if path.name.startswith((".mpt-unfinished-", "unfinished-")):
            os.utime(path, (then, then), follow_symlinks=False)


def _living(place: Place) -> list[str]:
    """Processes of a place that are still there after a time of grace."""
    end = time.monotonic() + GRACE_SECONDS
    while (found := place.processes()) and time.monotonic() < end:
        time.sleep(0.02)
    return [str(process) for process in found]


def _end(place: Place, fault: Fault) -> None:
    for run in place.runs:
        run.end()
    for process in place.processes():
        with suppress(psutil.Error):
            process.kill()
    for path in fault.planted:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink()
