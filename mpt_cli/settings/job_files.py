"""Read jobs: many requests in a TOML file or as JSON Lines, all checked before the first one starts.

Inputs stay as they were written (``inputs`` expands them), and options stay a layer of settings (``merged`` merges
them). Every fault is a UsageError of one line.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from mpt_cli.config.request import NO_EXTRAS, Extras
from mpt_cli.config.sections import Config
from mpt_cli.model.arguments import parse_seconds, parse_volume
from mpt_cli.model.errors import Issue, UsageError
from mpt_cli.model.limits import MAX_FILE_BYTES
from mpt_cli.settings.encodings import as_utf8
from mpt_cli.settings.layers import (
    FIELDS,
    Layer,
    LayerKind,
    dotted,
    one_line,
    raise_faults,
    read_toml,
    shown,
    text_fault,
)
from mpt_cli.settings.suggestions import CLIP_KEYS, JOB_KEYS, unknown_key
from mpt_cli.settings.user_folders import HOMELESS, is_homeless

_FILE_KEYS = (
    "job",
    "defaults",
    "defaults.overwrite",
    "defaults.preset",
    *(f"defaults.{section}" for section in Config.model_fields),
    *(f"defaults.{dotted(key)}" for key in FIELDS),
)
"""Keys to offer for an unknown key of the file; options outside of ``[defaults]`` are a likely mistake."""
_STDIN = Path("stdin")


@dataclass(frozen=True, slots=True)
class JobInput:
    """One entry of ``clips``: an INPUT as on the command line, the part to use in seconds, and its gain in dB."""

    text: str
    start: Fraction = Fraction(0)
    end: Fraction | None = None
    mute: bool = False
    volume: float = 0.0

    @property
    def is_trimmed(self) -> bool:
        """Return whether only a part is used, which is possible only for a single file."""
        return self.start > 0 or self.end is not None


@dataclass(frozen=True, slots=True)
class Job:
    """One request. ``output`` and ``extras`` are absolute, ``inputs`` are relative to ``base``."""

    name: str
    output: Path
    inputs: tuple[JobInput, ...]
    base: Path
    overwrite: bool
    layer: Layer
    extras: Extras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class RefusedJob:
    """A job that cannot be requested, which fails alone; ``output`` is None where it is not known."""

    name: str
    errors: tuple[Issue, ...]
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class JobFile:
    """Jobs of a TOML file, in order, and the layer of its ``[defaults]``."""

    path: Path
    defaults: Layer
    jobs: tuple[Job, ...]

    def single(self) -> Job:
        """Return the only job, for ``mpt process --job``.

        Raises:
            UsageError: The file holds more jobs.
        """
        if len(self.jobs) != 1:
            _refuse(self.path, f"holds {len(self.jobs)} jobs, but must hold exactly one; mpt batch runs many")
        return self.jobs[0]


@dataclass(frozen=True, slots=True)
class JobLines:
    """Jobs of a stream of JSON Lines, in order; a line with a fault is a refused job."""

    path: Path
    defaults: Layer
    jobs: tuple[Job | RefusedJob, ...]


def load_jobs(path: Path) -> JobFile:
    """Return the jobs of a TOML file.

    Raises:
        UsageError: The file cannot be read or has faults; names the first, and carries the others.
    """
    path = path.absolute()
    try:
        document = read_toml(path, error=UsageError)
    except (FileNotFoundError, NotADirectoryError):
        _refuse(path, "does not exist")
    faults: list[str] = []
    file = _Part(path, "", faults)
    file.refuse_unknown(document, _FILE_KEYS)
    defaults = _Part(path, "defaults", faults)
    table = document.get("defaults", {})
    if not isinstance(table, dict):
        file.fault("defaults", table, "must be a table")
        table = {}
    layer = defaults.options(table, ("overwrite",), path.parent)
    overwrite = defaults.flag("overwrite", table)
    tables = enumerate(_tables(file, document), 1)
    jobs = {number: _job(file, table, number, path.parent, overwrite=overwrite) for number, table in tables}
    return _checked(file, layer, jobs)


def read_job_lines(stream: BinaryIO, *, base: Path) -> JobLines:
    """Return the jobs of a stream of JSON Lines, each with the keys of a ``[[job]]`` table.

    Empty lines are skipped; the number of a job is the number of its line. A program writes each line for itself, so
    that one with a fault is a job that fails. A TOML file is one text, which is corrected before anything runs.

    Args:
        stream: The lines.
        base: Directory that relative paths start from.

    Raises:
        UsageError: The stream holds no line, or is not text.
    """
    try:
        lines = io.BytesIO(as_utf8(stream.read()))
    except UnicodeDecodeError:
        _refuse(_STDIN, "begins as UTF-16, but is damaged; write it as UTF-8")
    jobs, names = list[Job | RefusedJob](), dict[str, int]()
    for number, line in enumerate(lines, 1):
        if line.strip():
            jobs.append(_job_of_line(line, number, base, names))
    if not jobs:
        _refuse(_STDIN, "holds no job; write one JSON object a line")
    return JobLines(_STDIN, Layer(LayerKind.FILE, {}, path=_STDIN, base=base, trusted=False), tuple(jobs))


def _job_of_line(line: bytes, number: int, base: Path, names: dict[str, int]) -> Job | RefusedJob:
    """Return the job of a line, and note its name, which no other line may have."""
    part = _Part(Path(f"{_STDIN}:{number}"), "", [])
    table = _table_of_line(part, line)
    job = None if table is None else _job(part, table, number, base, part=part)
    if job is not None and (first := names.get(job.name)):
        part.fault("name", job.name, f"the job of line {first} has this name")
    if job is not None and not part.faults:
        names[job.name] = number
        return job
    name = table["name"] if table is not None and _is_name(table.get("name")) else f"job {number}"
    if name in names:
        name = f"line {number}"
    names[name] = number
    issues = tuple(UsageError(fault, path=part.path).issue for fault in part.faults)
    known = table is not None and isinstance(table.get("output"), str) and not text_fault(table["output"])
    return RefusedJob(name, issues, job.output if job is not None and known else None)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not text_fault(value)


def holds_json(path: Path) -> bool:
    """Return whether a file begins with a brace, as a JSON object does and no TOML file."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return as_utf8(file.read(64)).lstrip().startswith(b"{")
    except (OSError, UnicodeDecodeError):
        return False


def _table_of_line(part: _Part, line: bytes) -> dict[str, Any] | None:
    if len(line) > MAX_FILE_BYTES:
        part.say(f"the line is larger than {MAX_FILE_BYTES >> 20} MiB, which is the limit")
        return None
    try:
        table = json.loads(line.rstrip(), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        part.say(f"is not JSON: {error.msg} (column {error.colno})")
        return None
    except (UnicodeDecodeError, RecursionError) as error:
        part.say(f"is not JSON: {error}")
        return None
    except ValueError as error:
        part.say(str(error))
        return None
    if not isinstance(table, dict):
        part.say('must be a JSON object, such as {"output": "a.mp4", "clips": ["b.mov"]}')
        return None
    return table


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; raise ValueError for a duplicate key, which TOML does not allow either."""
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return table


def _checked(file: _Part, defaults: Layer, jobs: dict[int, Job]) -> JobFile:
    """Return the file of these jobs; raise UsageError for its faults, or for two jobs with one name."""
    first: dict[str, int] = {}
    for number, job in jobs.items():
        if first.setdefault(job.name, number) != number:
            file.fault(f"job {number}: name", job.name, f"job {first[job.name]} has this name")
    if file.faults:
        raise_faults(file.faults, UsageError, file.path)
    return JobFile(file.path, defaults, tuple(jobs.values()))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file, and the list that collects its faults; its results are valid only without faults."""

    path: Path
    name: str
    faults: list[str]

    def fault(self, key: str, value: object, wrong: str) -> None:
        self.say(f"{key} = {shown(value)}: {wrong}")

    def say(self, text: str) -> None:
        self.faults.append(one_line(": ".join(part for part in (self.name, text) if part)))

    def refuse_unknown(self, table: dict[str, Any], known: tuple[str, ...]) -> None:
        own = {key.partition(".")[0] for key in known if not key.startswith("defaults.")}
        for key, value in table.items():
            if key not in own:
                self.fault(dotted((key,)), value, unknown_key(dotted((key,)), known))

    def options(self, table: dict[str, Any], own: tuple[str, ...], base: Path) -> Layer:
        """Return the layer of all keys that are not the table's own."""
        layer = Layer(
            LayerKind.FILE,
            {key: value for key, value in table.items() if key not in own},
            path=self.path,
            part=self.name,
            base=base,
            trusted=False,
            siblings=own,
        )
        self.faults.extend(layer.check())
        return layer

    def flag(self, key: str, table: dict[str, Any], *, default: bool = False) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self.fault(key, value, "must be true or false")
        return bool(value)

    def text(self, key: str, value: object) -> str:
        if value is None:
            self.say(f"{key} is missing")
        elif wrong := text_fault(value) if isinstance(value, str) else "must be text":
            self.fault(key, value, wrong)
        return str(value)

    def file(self, key: str, value: object) -> str:
        """Return a path with ``~`` expanded, since no shell has done that."""
        if isinstance(value, str) and is_homeless(value):
            self.fault(key, value, HOMELESS)
        return os.path.expanduser(self.text(key, value))  # noqa: PTH111 - leaves an unknown user as it is

    def path_of(self, key: str, table: dict[str, Any], base: Path) -> Path | None:
        return base / self.file(key, table[key]) if key in table else None

    def seconds(self, key: str, value: object) -> Fraction:
        try:
            seconds = parse_seconds(value)
        except ValueError as error:
            self.fault(key, value, str(error))
            return Fraction(0)
        if seconds < 0:
            self.fault(key, value, "must be at least 0")
        return seconds

    def decibels(self, key: str, value: object) -> float:
        try:
            return parse_volume(value)
        except ValueError as error:
            self.fault(key, value, str(error))
            return 0.0


def _tables(file: _Part, document: dict[str, Any]) -> list[dict[str, Any]]:
    tables = document.get("job", [])
    if isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables):
        return tables
    file.say("job: write at least one job, each as a [[job]] table")
    return []


def _job(
    file: _Part, table: dict[str, Any], number: int, base: Path, *, overwrite: bool = False, part: _Part | None = None
) -> Job:
    """Return a job; its faults name it, unless they belong to a part of its own."""
    name = table.get("name", f"job {number}")
    shown_name = f"job {shown(name)}" if "name" in table and isinstance(name, str) else f"job {number}"
    part = part or _Part(file.path, shown_name, file.faults)
    return Job(
        name=part.text("name", name),
        output=base / part.file("output", table.get("output")),
        inputs=_inputs(part, table.get("clips")),
        base=base,
        overwrite=part.flag("overwrite", table, default=overwrite),
        layer=part.options(table, JOB_KEYS, base),
        extras=Extras(part.path_of("contact_sheet", table, base), part.path_of("poster", table, base)),
    )


def _inputs(part: _Part, clips: object) -> tuple[JobInput, ...]:
    if clips is None:
        part.say("clips is missing")
        return ()
    if not isinstance(clips, list) or not clips:
        part.fault("clips", clips, "must be a list of paths, or of tables with a path")
        return ()
    return tuple(
        _input(_Part(part.path, f"{part.name}: clip {number}".removeprefix(": "), part.faults), clip)
        for number, clip in enumerate(clips, 1)
    )


def _input(part: _Part, clip: object) -> JobInput:
    if not isinstance(clip, dict):
        return JobInput(part.file("path", clip))
    part.refuse_unknown(clip, CLIP_KEYS)
    before = len(part.faults)
    start = part.seconds("start", clip.get("start", 0))
    end = part.seconds("end", clip["end"]) if "end" in clip else None
    if end is not None and end <= start and len(part.faults) == before:
        part.fault("end", clip["end"], f"must be above 0 and above start, which is {float(start):g}")
    volume = part.decibels("volume", clip.get("volume", 0))
    return JobInput(part.file("path", clip.get("path")), start, end, part.flag("mute", clip), volume)


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(one_line(why), path=path)
