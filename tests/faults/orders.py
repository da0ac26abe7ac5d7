"""What mpt is asked for while a fault happens, and what must then be true of its answer and its outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import av

from tests.cli.conftest import check_envelope
from tests.integration.reels import NAMES, PARTS, problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from tests.faults.places import Place, Run
    from tests.integration.reels import Part

RATE = Fraction(30)
FORM = ("--size", "160x90", "--fps", "30")
CODES = {0, 2, 3, 4, 5, 6, 7, 130, 143}
"""Documented exit codes but 1, which is a bug."""
STATUS = {"success": {0}, "partial": {5}, "cancelled": {130, 143}, "error": CODES - {0, 130, 143}}
LEAST_STOP_SECONDS = 30.0
"""A stop is heard in two seconds; this is for a machine on which five others work."""
FOREIGN = b"a film of the user, which mpt has not made" * 20

Reels = "Mapping[Path, Sequence[Part]]"


@dataclass(frozen=True, slots=True)
class Order:
    """A command line, and the reels that it makes."""

    arguments: tuple[str, ...]
    reels: Mapping[Path, Sequence[Part]] = field(default_factory=dict)
    form: str = ""
    """``--json``, ``--jsonl``, or nothing."""
    overwrites: bool = True
    old: Mapping[Path, bytes] = field(default_factory=dict)
    """What lies at the names of reels before."""

    @property
    def line(self) -> tuple[str, ...]:
        """The command line."""
        return (
            *self.arguments,
            *([self.form] if self.form else ()),
            *(["-y"] if self.reels and self.overwrites else ()),
        )

    @property
    def next_line(self) -> tuple[str, ...]:
        """The same for the next run, which has to go well."""
        return (*self.arguments, "--json", *(["-y"] if self.reels else ()))


def choose(dice: Random, place: Place) -> Order:
    """Return an order, and lay out what it needs."""
    command = dice.choices(list(_ORDERS), weights=[weight for weight, _ in _ORDERS.values()])[0]
    arguments, reels = _ORDERS[command][1](dice, place)
    form = dice.choice(["--json", "--json", "--jsonl", ""])
    old = {path: FOREIGN for path in reels if dice.random() < 0.5}
    for path, data in old.items():
        path.write_bytes(data)
    return Order(tuple(map(str, arguments)), reels, form, dice.random() < 0.85, old)


def _process(dice: Random, place: Place) -> tuple[list[Any], Mapping[Path, Sequence[Part]]]:
    reel = place.out / f"reel{dice.choice(['.mp4', '.mp4', '.mov', '.mkv'])}"
    options = [option for option in _OPTIONS if dice.random() < 0.15]
    sides = [[name, place.out / file] for name, file in _SIDES if dice.random() < 0.2]
    return ["process", *NAMES, "-o", reel, *FORM, *chain(*options, *sides)], {reel: PARTS}


def _concat(dice: Random, place: Place) -> tuple[list[Any], Mapping[Path, Sequence[Part]]]:
    reel = place.out / f"joined{dice.choice(['.mp4', '.mkv'])}"
    return ["concat", *NAMES, "-o", reel], {reel: PARTS}


def _batch(dice: Random, place: Place) -> tuple[list[Any], Mapping[Path, Sequence[Part]]]:
    reels = {place.out / "one.mp4": PARTS[:2], place.out / "two.mp4": PARTS[1:]}
    jobs = {place.out / "one.mp4": NAMES[:2], place.out / "two.mp4": NAMES[1:]}
    text = ['[defaults]\nvideo = { size = "160x90", fps = 30 }\n']
    text += [f'[[job]]\noutput = "{path}"\nclips = {list(names)}\n' for path, names in jobs.items()]
    (place.work / "jobs.toml").write_text("\n".join(text), encoding="utf-8")
    options = [[option] for option in ("--fail-fast", "--if-changed", "-v") if dice.random() < 0.2]
    sides = [[name, place.out / file] for name, file in _OF_BATCH if dice.random() < 0.2]
    return ["batch", "jobs.toml", *chain(*options, *sides)], reels


def _nothing(*choices: tuple[str, ...]) -> Any:
    return lambda dice, place: (list(dice.choice(choices)), {})


_OPTIONS = (["--no-cache"], ["--jobs", "1"], ["--if-changed"], ["--quiet"], ["--deadline", "20"], ["-v"])
_SIDES = (
    ("--manifest", "m.json"),
    ("--metrics-file", "m.prom"),
    ("--log-file", "night.log"),
    ("--contact-sheet", "sheet.png"),
    ("--poster", "poster.jpg"),
)
_OF_BATCH = (("--junit", "j.xml"), ("--metrics-file", "b.prom"), ("--log-file", "night.log"))
_ORDERS: dict[str, tuple[int, Any]] = {
    "process": (50, _process),
    "concat": (15, _concat),
    "batch": (15, _batch),
    "validate": (7, _nothing(("validate", *NAMES), ("validate", ".", "--deep"))),
    "health": (7, _nothing(("health",), ("health", "--deep"))),
    "plan": (3, _nothing(("process", *NAMES, "-o", "never.mp4", "-n"))),
    "cache": (3, _nothing(("cache", "prune"), ("cache", "info"), ("cache", "clear"))),
}


def faults_of_answer(run: Run, *, killed: bool) -> list[str]:
    """Return what is wrong with exit code, document and messages."""
    found = [f"{name} holds a traceback" for name in ("out", "err") if "Traceback" in getattr(run, name)]
    if run.code is None:
        return [*found, "it hangs"]
    if run.code < 0 and killed:
        return found
    if run.code not in CODES:
        return [*found, f"exit code {run.code}"]
    return found + (_faults_of_document(run) if run.is_read and {"--json", "--jsonl"} & set(run.arguments) else [])


def document_of(run: Run) -> dict[str, Any]:
    """Return the document that a run wrote; ValueError where it wrote none."""
    text = run.out if "--json" in run.arguments else "".join(run.out.splitlines()[-1:])
    document: dict[str, Any] = json.loads(text)
    if "data" not in document:
        raise ValueError(f"the last line is no document: {text[:200]}")
    return document


def _faults_of_document(run: Run) -> list[str]:
    try:
        document = document_of(run)
        check_envelope(document, run.code or 0)
    except Exception as error:
        return [f"no right document: {type(error).__name__}: {str(error)[:300]}"]
    status, codes = document["status"], [issue["code"] for issue in document["errors"]]
    found = [] if run.code in STATUS[status] else [f"status {status} with exit code {run.code}"]
    if "internal" in codes:
        found.append(f"internal error: {document['errors']}")
    if (status == "success") == bool(codes) and status != "partial":
        found.append(f"status {status} with errors {codes}")
    if status == "cancelled" and "cancelled" not in codes and document["command"] != "batch":
        found.append(f"cancelled without saying so: {codes}")
    return found


def published(run: Run, order: Order) -> set[Path] | None:
    """Return the reels that the document names; None without a document."""
    if not order.form or not run.is_read:
        return None
    try:
        data = document_of(run)["data"]
    except ValueError:
        return None
    results = [job.get("result") or job for job in data["jobs"]] if "jobs" in data else [data]
    outputs = [result.get("output") for result in results]
    return {path for path in order.reels for output in outputs if output and output["path"] == str(path)}


def faults_of_reels(run: Run, order: Order, *, changed: Mapping[int, Sequence[Part]], foreign: set[Path]) -> list[str]:
    """Return what is wrong with the outputs: each is absent, as it was, or a right reel that was answered for.

    Args:
        run: The run, which has ended.
        order: What was asked.
        changed: Parts that may stand in place of a clip, because its file was changed meanwhile.
        foreign: Outputs that another program wrote or removed meanwhile.
    """
    found, named = [], published(run, order)
    for path, parts in order.reels.items():
        old = order.old.get(path)
        data = path.read_bytes() if path.is_file() else None
        is_new = data is not None and data != old and path not in foreign
        if path not in foreign:
            if old is not None and data is None:
                found.append(f"{path.name}: the old file is gone")
            if old is not None and not order.overwrites and data != old:
                found.append(f"{path.name}: the old file was replaced")
            if run.code == 0 and not is_new:
                found.append(f"{path.name}: exit 0 without a reel")
            if named is not None and is_new != (path in named):
                found.append(f"{path.name}: is {'new' if is_new else 'not new'}, but the answer says otherwise")
        if is_new:
            found += [f"{path.name}: {fault}" for fault in wrong(path, parts, changed)]
    return found


def wrong(path: Path, parts: Sequence[Part], changed: Mapping[int, Sequence[Part]]) -> list[str]:
    """Return what is wrong with a reel of these clips, or of those that took their places."""
    choices = product(*(changed.get(PARTS.index(part), (part,)) for part in parts))
    try:
        found = [problems(path, list(choice), RATE) for choice in choices]
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        return [f"cannot be read: {error!r}"]
    return min(found, key=len)[:5]
