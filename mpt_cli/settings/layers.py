"""Layers of settings: what a flag, the environment or a TOML file says, each checked on its own.

Merges nothing (that is ``settings``) and imports nothing heavier than ``config``. A fault is one
line that names the place, the key, the value, and what is allowed there.
"""

from __future__ import annotations

import os
import re
import reprlib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import platformdirs
from pydantic import BaseModel, ValidationError

from mpt_cli.config.colors import COLORS
from mpt_cli.config.sections import PRESETS, Config
from mpt_cli.model.errors import ConfigError, UsageError
from mpt_cli.model.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    Key = tuple[str, ...]

ENV_PREFIX = "MPT_"

_SECTIONS = {name: field.annotation for name, field in Config.model_fields.items()}
FIELDS: dict[Key, FieldInfo] = {
    (section, field.alias or name): field
    for section, model in _SECTIONS.items()
    if isinstance(model, type) and issubclass(model, BaseModel)
    for name, field in model.model_fields.items()
}
"""Every key by its path, such as ``("encode", "crf")``."""

PRESET = ("preset",)
_PROGRAM = ("ffmpeg", "binary")
_PATHS = {("cache", "dir"), ("paths", "temp"), ("paths", "state"), _PROGRAM}
_OPTIONS: dict[Key, str] = {
    ("encode", "threads"): "--encoder-threads",
    ("encode", "preset"): "--encoder-preset",
    ("audio", "tracks"): "--audio-tracks",
    ("memory", "max"): "--max-memory",
    ("cache", "enabled"): "--no-cache",
    ("concat", "chapters"): "--no-chapters",
    ("encode", "fallback"): "--no-fallback",
    ("concat", "fallback"): "--no-fallback",
}
_NOTHING = {("video", "max_clip_duration"), ("concat", "seed"), ("processing", "deadline")}
_NAMES: dict[Key, frozenset[str]] = {("video", "background"): COLORS}
"""What a value may be called, where a complaint would be too long with all of it."""
_TYPES = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "text", "path": "a path"}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


class LayerKind(StrEnum):
    """Where a layer comes from; decides how its keys are called."""

    FLAG = "flag"
    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    FILE = "file"
    USER_FILE = "user file"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a key comes from: a layer, or nowhere, which is the default.

    ``name`` is that of the flag, of the variable, or of the part of the file at ``path``.
    """

    kind: LayerKind | None = None
    name: str = ""
    path: Path | None = None
    preset: str | None = None
    """The preset that stands for the value, where the layer names only that."""

    def __str__(self) -> str:
        """One line, such as ``flag --preset (preset reels)``."""
        place = ": ".join(part for part in (str(self.path or ""), self.name) if part)
        if self.kind is LayerKind.FLAG:
            place = f"flag {place}"
        return (place or str(self.kind or "default")) + (f" (preset {self.preset})" if self.preset else "")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says: nested values by TOML key, as they were written.

    ``path`` and ``part`` name the place, ``base`` is what relative paths are relative to,
    ``faults`` are those found while reading. ``siblings`` are keys that may stand beside the
    sections without being settings; they are only offered as the nearest key.
    """

    kind: LayerKind
    values: Mapping[str, Any]
    path: Path | None = None
    part: str = ""
    base: Path | None = None
    trusted: bool = True
    """Whether it may name the program to run: a downloaded folder must not."""
    faults: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[Key, Any]]:
        """Paths and values of all keys that stand in the layer, known or not."""
        for section, table in self.values.items():
            if section in _SECTIONS and isinstance(table, Mapping):
                yield from (((section, name), value) for name, value in table.items())
            else:
                yield (section,), table

    def name_of(self, key: Key) -> str:
        """What the user calls this key: ``--crf``, ``MPT_ENCODE__CRF`` or ``/a/mpt.toml: encode.crf``."""
        if self.kind is LayerKind.FLAG:
            return _OPTIONS.get(key, "--" + key[-1].replace("_", "-"))
        if self.kind is LayerKind.ENVIRONMENT:
            return variable_of(key)
        return ": ".join(part for part in (str(self.path or ""), self.part, dotted(key)) if part)

    def origin_of(self, key: Key) -> Origin:
        """Where the value of this key comes from, for ``mpt config show``."""
        by_preset = key[-1] not in self.values.get(key[0], {})
        named = self.kind in (LayerKind.FLAG, LayerKind.ENVIRONMENT)
        name = self.name_of(PRESET if by_preset else key) if named else self.part
        return Origin(self.kind, name, self.path, self.values["preset"] if by_preset else None)

    def expanded(self) -> dict[str, dict[str, Any]]:
        """The values with the preset below them and paths made absolute; only for a layer without faults."""
        tables = {section: dict(table) for section, table in PRESETS.get(self.values.get("preset", ""), {}).items()}
        for key, value in self.items():
            if key != PRESET:
                tables.setdefault(key[0], {})[key[1]] = self._rooted(key, value) if key in _PATHS else value
        return tables

    def _rooted(self, key: Key, value: Any) -> Any:
        """A path from here; a bare program name stays one, and so does ``auto``."""
        if self.base is None or not isinstance(value, str):
            return value
        if value in ("auto", "none") or (key == _PROGRAM and "/" not in value):
            return value
        return Path(self.base, os.path.expanduser(value))  # noqa: PTH111 - leaves an unknown user as it is

    def check(self) -> list[str]:
        """Every fault of the layer, first those of keys; empty if it is right."""
        faults = list(self.faults)
        accepted: dict[str, dict[str, Any]] = {}
        for key, value in self.items():
            wrong = self._wrong(key, value)
            if wrong:
                faults.append(self.fault(key, value, wrong))
            elif key != PRESET:
                accepted.setdefault(key[0], {})[key[1]] = value
        for key, wrong in _wrong_values(accepted).items():
            faults.append(self.fault(key, accepted[key[0]][key[1]], wrong))
        return faults

    def _wrong(self, key: Key, value: Any) -> str | None:
        """What is wrong about a key or a value apart from type and range."""
        if key == PRESET:
            if isinstance(value, str) and value in PRESETS:
                return None
            return f"must be one of {', '.join(PRESETS)}{meant(value, PRESETS)}"
        if len(key) == 1 and key[0] in _SECTIONS:
            return "must be a table"
        if key not in FIELDS:
            known = ["preset", *_SECTIONS, *map(dotted, FIELDS), *self.siblings]
            return unknown_key(dotted(key), known)
        if key == _PROGRAM and not self.trusted:
            return f"is taken only from {variable_of(_PROGRAM)} and {user_config_file()}"
        if isinstance(value, bool) and not isinstance(FIELDS[key].default, bool):
            return f"must not be true or false{_bounds(FIELDS[key], ', but ')}"
        return None

    def fault(self, key: Key, value: object, wrong: str) -> str:
        """One line about a key."""
        joint = " " if self.kind is LayerKind.FLAG else " = "
        return one_line(f"{self.name_of(key)}{joint}{shown(value)}: {wrong}")


def _wrong_values(tables: dict[str, dict[str, Any]]) -> dict[Key, str]:
    """What is wrong about the values of known keys."""
    wrong: dict[Key, str] = {}
    for section, table in tables.items():
        for name, value in table.items():
            if fault := text_fault(value):
                wrong[section, name] = fault
    try:
        Config.model_validate(tables)
    except ValidationError as error:
        for part in error.errors():
            key = (str(part["loc"][0]), str(part["loc"][1]))
            wrong[key] = _allowed(key, part)
    return wrong


def _allowed(key: Key, error: ErrorDetails) -> str:
    """What pydantic's complaint allows, in our words."""
    field = FIELDS[key]
    kind = error["type"].partition("_")[0]
    if kind == "value":
        return str(error["ctx"]["error"]) + meant(error["input"], _NAMES.get(key, frozenset()))
    if kind in _TYPES:
        text = f"must be {_TYPES[kind]}{_bounds(field, ', ')}"
    elif kind in ("greater", "less"):
        text = f"must be {_bounds(field, '')}"
    else:
        text = error["msg"].replace("Input should be", "must be")
        text += meant(error["input"], re.findall(r"'([^']+)'", text))
    return text + (f" (or {word_of_none(key)})" if field.default is None else "")


def word_of_none(key: Key) -> str:
    """What a key without a value is called: ``none`` where there is nothing, else ``auto``."""
    return "none" if key in _NOTHING else "auto"


def _bounds(field: FieldInfo, joint: str) -> str:
    """The range of a field after the joint; empty if it has none."""
    limits = [
        f"{word} {getattr(limit, name)}"
        for limit in field.metadata
        for name, word in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return joint + " and ".join(limits) if limits else ""


def text_fault(value: object) -> str | None:
    """What no text may be: empty, or holding a NUL, which no path, name or program argument can."""
    if not isinstance(value, str) or (value and "\0" not in value):
        return None
    return "must not hold a NUL" if value else "must not be empty"


def shown(value: object) -> str:
    """A value as it is shown in one line: bounded, with control characters escaped."""
    return str(value).lower() if isinstance(value, bool) else _short.repr(value)


def one_line(text: str) -> str:
    """The text without line breaks, which a file name or a quoted key may hold."""
    return " ".join(text.splitlines())


def dotted(key: Key) -> str:
    """``encode.crf``; parts that are no bare TOML keys are quoted, so that the line stays unambiguous."""
    return ".".join(part if re.fullmatch(r"[\w-]{1,80}", part) else shown(part) for part in key)


def variable_of(key: Key) -> str:
    """``MPT_ENCODE__CRF``."""
    return ENV_PREFIX + "__".join(key).upper()


def nearest(key: str, known: Sequence[str]) -> str:
    """The known dotted key that was most likely meant.

    A slip of the pen here, else the same name elsewhere, else something similar here, else anywhere.
    """
    section, _, name = key.rpartition(".")
    here = {other.rpartition(".")[2]: other for other in known if other.rpartition(".")[0] == section}
    elsewhere = {other.rpartition(".")[2]: other for other in reversed(known)}
    if slip := get_close_matches(name, here, n=1, cutoff=0.8):
        return here[slip[0]]
    if name in elsewhere:
        return elsewhere[name]
    if similar := get_close_matches(name, here, n=1):
        return here[similar[0]]
    return get_close_matches(key, known, n=1, cutoff=0)[0]


def meant(value: object, known: Iterable[str]) -> str:
    """What was most likely meant, to be added to an error; empty where nothing is like it."""
    near = get_close_matches(str(value).lower(), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def unknown_key(key: str, known: Sequence[str]) -> str:
    """What is said about an unknown key."""
    return f"unknown key; nearest known key: {nearest(key, known)}"


def raise_faults(faults: Sequence[str], error: type[ConfigError] | type[UsageError], path: Path | None) -> NoReturn:
    """Raise the first fault, with the others beside it."""
    first, *others = [error(fault, path=path) for fault in faults]
    raise first.beside(others)


def read_toml(path: Path, *, error: type[ConfigError] | type[UsageError] = ConfigError) -> dict[str, Any]:
    """What a TOML file holds; FileNotFoundError if there is none, ``error`` if it cannot be read."""

    def refuse(why: object) -> NoReturn:
        raise error(one_line(f"{path}: {why}"), path=path)

    try:
        if stat.S_ISFIFO(mode := path.stat().st_mode) or stat.S_ISSOCK(mode):
            refuse("is a pipe, not a file")  # which may never answer
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            refuse(f"is larger than {MAX_FILE_BYTES >> 20} MiB, which is the limit")
        return tomllib.loads(data.decode())
    except FileNotFoundError:
        raise
    except OSError as failure:
        refuse(f"cannot be read: {failure.strerror}")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        refuse(f"is not UTF-8 text (line {line})")
    except (ValueError, RecursionError) as failure:  # tomllib lets int() and deep nesting through
        end = f"at line {len(data.splitlines())}, the end of the file"
        refuse(f"is not valid TOML: {str(failure).replace('at end of document', end)}")


def holds_settings(path: Path) -> bool:
    """Whether a TOML file is one of settings, and nothing else."""
    try:
        keys = read_toml(path).keys()
    except (ConfigError, FileNotFoundError):
        return False
    return bool(keys) and keys <= {*_SECTIONS, *PRESET}


def user_config_file() -> Path:
    """The user's own file; it need not exist."""
    return platformdirs.user_config_path("mpt") / "config.toml"
