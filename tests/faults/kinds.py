"""The kinds of faults; each function lays one out for a seed and says what it does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.faults.damages import damage
from tests.faults.fault import Fault, moment
from tests.faults.lies import LIES, QUESTIONS, liar
from tests.faults.places import can_mount, walk
from tests.faults.races import race

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.faults.orders import Order
    from tests.faults.places import Place, Run
    from tests.media import MediaFolder

    Wait = Callable[[Run], object]

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# --- 1. kills


def kill(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """Signals to mpt or to its children, and a reader that goes away."""
    del media
    when, wait = moment(dice, place, order)
    how = dice.choice(["kill", "stop", "stop", "twice", "child", "children", "pause", "reader", "hang"])
    number, times = dice.choice(STOPS), dice.choice([2, 2, 3])
    faults: dict[str, Callable[[], Fault]] = {
        "kill": lambda: Fault(f"SIGKILL {when}", during=_killing(wait), may_die=True),
        "stop": lambda: Fault(f"{number.name} {when}", during=_stopping(dice, wait, number, 1)),
        "twice": lambda: Fault(f"{number.name} {when}, {times} times", during=_stopping(dice, wait, number, times)),
        "child": lambda: Fault(f"a signal to a child {when}", during=_striking(dice, wait, 1)),
        "children": lambda: Fault(f"a signal to all children {when}", during=_striking(dice, wait, 99)),
        "pause": lambda: Fault(f"a pause {when}", during=_pausing(dice, wait)),
        "reader": lambda: _leaving(dice, order),
        "hang": lambda: _hanging(dice, place, number),
    }
    return faults[how]()


def _killing(wait: Wait) -> Wait:
    def during(run: Run) -> None:
        wait(run)
        run.send(signal.SIGKILL)

    return during


def _stopping(dice: Random, wait: Wait, number: int, times: int) -> Wait:
    def during(run: Run) -> None:
        run.until(lambda: run.handles(signal.SIGTERM))  # before, Python has not come to mpt
        wait(run)
        for _ in range(times):
            run.send(number)
            time.sleep(dice.random() * 0.2)

    return during


def _striking(dice: Random, wait: Wait, most: int) -> Wait:
    hit = dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGINT])

    def during(run: Run) -> None:
        wait(run)
        children = run.descendants()
        for child in dice.sample(children, min(most, len(children))):
            with suppress(psutil.Error):
                child.send_signal(hit)

    return during


def _pausing(dice: Random, wait: Wait) -> Wait:
    def during(run: Run) -> None:
        wait(run)
        paused = [run.pid] if dice.random() < 0.5 else [child.pid for child in run.descendants()]
        for each in (signal.SIGSTOP, signal.SIGCONT):
            for pid in paused:
                with suppress(OSError):
                    os.kill(pid, each)
            time.sleep(0.7)

    return during


def _leaving(dice: Random, order: Order) -> Fault:
    lines = dice.choice([0, 1, 3]) if order.form == "--jsonl" else 0
    return Fault(f"the reader of stdout leaves after {lines} lines", leaves=True, during=lambda run: run.leave(lines))


def _hanging(dice: Random, place: Place, number: signal.Signals) -> Fault:
    question = dice.choice(QUESTIONS)
    script = liar(place, question, "hang", 1)
    stop = _stopping(dice, lambda run: run.until((place.folder / "lied").exists), number, 1)
    said = f"{number.name} while ffmpeg hangs at {question}"
    return Fault(said, {"MPT_FFMPEG__BINARY": str(script)}, during=stop)


# --- 2. full disks


def full(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """A disk that has room for nothing, for little, or for nearly all."""
    del order, media
    left = dice.choice([0, 4, 16, 60, 150, 400, 1000]) * 1024
    name = dice.choice(["out", "out", "tmp", "home", "stdout"])
    if name == "stdout":
        return Fault("stdout is full", stdout=Path("/dev/full"))
    if not can_mount():
        return Fault(f"files of at most {left} bytes", prefix=("prlimit", f"--fsize={left}", "--"))
    folder = place.folder / name
    before = {path: path.read_bytes() for path in walk(folder) if path.is_file()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "mpt-faults", folder], check=True)
    for path, data in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - left))

    def after() -> None:
        for flags in ([], [], ["-l"]):
            if subprocess.run(["umount", *flags, folder], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.5)

    return Fault(f"{left} bytes are free at {name}", heal=ballast.unlink, after=after)


# --- 3. ffmpegs that lie, hang or fail


def lie(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """An ffmpeg that says one thing and does another."""
    del order, media
    question, how, count = dice.choice([*QUESTIONS, "encode", "join"]), dice.choice(LIES), dice.choice([1, 1, 2, 3])
    script = liar(place, question, how, count)
    patience = {
        f"MPT_{key}": "4" for key in ("PROCESSING__STALL_TIMEOUT", "CONCAT__TIMEOUT", "PROCESSING__CLIP_TIMEOUT")
    }
    always = "from" if count == 1 else "at"
    return Fault(f"ffmpeg: {how} {always} {question} {count}", {"MPT_FFMPEG__BINARY": str(script), **patience})


# --- 6. limits


def limit(dice: Random, place: Place, order: Order, media: MediaFolder) -> Fault:
    """Limits of the system, too narrow for some of the work."""
    del place, order, media
    name, values, unit = dice.choice(_LIMITS)
    value = dice.randint(*values) * unit
    return Fault(f"prlimit --{name}={value}", prefix=("prlimit", f"--{name}={value}", "--"), may_die=name == "cpu")


_LIMITS = (
    ("as", (600, 3000), 1 << 20),
    ("as", (600, 1200), 1 << 20),
    ("nofile", (24, 120), 1),
    ("fsize", (0, 300), 1 << 10),
    ("fsize", (0, 30), 1 << 10),
    ("cpu", (1, 4), 1),
    ("stack", (1, 8), 1 << 20),
    ("data", (100, 900), 1 << 20),
)

KINDS = {"kill": kill, "full": full, "lie": lie, "race": race, "damage": damage, "limit": limit}
