"""Layers of settings: the values of the flags, of the environment or of one TOML file, each checked on its own.

Merges nothing (see :mod:`mpt_cli.settings.merged`) and imports nothing heavier than ``config``. A fault is one line
with the source, the key, the value and the allowed values.
"""

from __future__ import annotations

import os
import re
import reprlib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mpt_cli.config.presets import PRESETS
from mpt_cli.config.quantities import InToml
from mpt_cli.config.sections import Config
from mpt_cli.model.errors import ConfigError, UsageError
from mpt_cli.model.limits import MAX_FILE_BYTES
from mpt_cli.settings.encodings import as_utf8
from mpt_cli.settings.suggestions import meant_value, unknown_key
from mpt_cli.settings.user_folders import HOMELESS, is_homeless, settings_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
"""Field of every setting by its key, such as ``("encode", "crf")``."""

PRESET = ("preset",)
_PROGRAM = ("ffmpeg", "binary")
_PATHS = {key for key, field in FIELDS.items() if Path in get_args(field.annotation)}
_OPTIONS: dict[Key, str] = {
    ("encode", "threads"): "--encoder-threads",
    ("encode", "preset"): "--encoder-preset",
    ("audio", "codec"): "--audio-codec",
    ("audio", "sample_rate"): "--audio-rate",
    ("audio", "channels"): "--audio-channels",
    ("audio", "tracks"): "--audio-tracks",
    ("memory", "max"): "--max-memory",
    ("cache", "enabled"): "--no-cache",
    ("concat", "chapters"): "--no-chapters",
    ("encode", "fallback"): "--no-fallback",
    ("concat", "fallback"): "--no-fallback",
}
_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_unicode": "text",
    "path_type": "a path",
}
"""The expected type by pydantic's type of error."""
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlist = 2
_MOST_SHOWN = 60


class LayerKind(StrEnum):
    """Kind of source of a layer; decides how messages name its keys."""

    FLAG = "flag"
    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    FILE = "file"
    USER_FILE = "user file"


@dataclass(frozen=True, slots=True)
class Origin:
    """Source of the value of a key.

    Args:
        kind: Kind of the layer; None for the default.
        name: Name of the flag, of the variable, or of the part of the file.
        path: The file.
        preset: The preset that sets the value, if the layer names only the preset.
    """

    kind: LayerKind | None = None
    name: str = ""
    path: Path | None = None
    preset: str | None = None

    def __str__(self) -> str:
        """Return one line, such as ``flag --preset (preset reels)``."""
        place = ": ".join(part for part in (str(self.path or ""), self.name) if part)
        if self.kind is LayerKind.FLAG:
            place = f"flag {place}"
        return (place or str(self.kind or "default")) + (f" (preset {self.preset})" if self.preset else "")


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one source, as they were written.

    Args:
        kind: Kind of the source.
        values: Values nested by TOML key.
        path: The file of the source.
        part: Part of the file.
        base: Directory that relative paths start from.
        trusted: Whether the source may set the program to run; a downloaded folder must not.
        faults: Faults found while the source was read.
        siblings: Keys beside the sections that are no settings; offered only as the nearest key.
    """

    kind: LayerKind
    values: Mapping[str, Any]
    path: Path | None = None
    part: str = ""
    base: Path | None = None
    trusted: bool = True
    faults: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[Key, Any]]:
        """Yield the path and the value of each key of the layer, known or not."""
        for section, table in self.values.items():
            if section in _SECTIONS and isinstance(table, Mapping):
                yield from (((section, name), value) for name, value in table.items())
            else:
                yield (section,), table

    def name_of(self, key: Key) -> str:
        """Return the user's name of a key: ``--crf``, ``MPT_ENCODE__CRF`` or ``encode.crf`` in a file."""
        if self.kind is LayerKind.FLAG:
            return _OPTIONS.get(key, "--" + key[-1].replace("_", "-"))
        if self.kind is LayerKind.ENVIRONMENT:
            return variable_of(key)
        return ": ".join(part for part in (self.part, dotted(key)) if part)

    def origin_of(self, key: Key) -> Origin:
        """Return the source of the value of a key, for ``mpt config show``."""
        by_preset = key[-1] not in self.values.get(key[0], {})
        named = self.kind in (LayerKind.FLAG, LayerKind.ENVIRONMENT)
        name = self.name_of(PRESET if by_preset else key) if named else self.part
        return Origin(self.kind, name, self.path, self.values["preset"] if by_preset else None)

    def expanded(self) -> dict[str, dict[str, Any]]:
        """Return the values, completed by the preset and with absolute paths; only for a layer without faults."""
        tables = {section: dict(table) for section, table in PRESETS.get(self.values.get("preset", ""), {}).items()}
        for key, value in self.items():
            if key != PRESET:
                tables.setdefault(key[0], {})[key[1]] = self._rooted(key, value) if key in _PATHS else value
        return tables

    def _rooted(self, key: Key, value: Any) -> Any:
        """Return an absolute path; a bare program name and ``auto`` stay as they are."""
        if self.base is None or not isinstance(value, str):
            return value
        if value in ("auto", "none") or (key == _PROGRAM and "/" not in value):
            return value
        return Path(self.base, os.path.expanduser(value))  # noqa: PTH111 - leaves an unknown user as it is

    def check(self) -> list[str]:
        """Return every fault of the layer, faults of keys first; empty if the layer is valid."""
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
        """Return the fault of a key or a value, apart from type and range."""
        if key == PRESET:
            if isinstance(value, str) and value in PRESETS:
                return None
            return f"must be one of {', '.join(PRESETS)}{meant_value(PRESET, value, PRESETS)}"
        if len(key) == 1 and key[0] in _SECTIONS:
            return "must be a table"
        if key not in FIELDS:
            known = ["preset", *_SECTIONS, *map(dotted, FIELDS), *self.siblings]
            return unknown_key(dotted(key), known)
        if key == _PROGRAM and not self.trusted:
            trusted = (variable_of(_PROGRAM), *filter(None, [user_config_file()]))
            return f"is taken only from {' and '.join(map(str, trusted))}"
        if key in _PATHS and isinstance(value, str) and is_homeless(value):
            return HOMELESS
        if isinstance(value, bool) and not isinstance(FIELDS[key].default, bool):
            return f"must not be true or false{_bounds(FIELDS[key], ', but ')}"
        return None

    def fault(self, key: Key, value: object, wrong: str) -> str:
        """Return one line about a key."""
        joint = " " if self.kind is LayerKind.FLAG else " = "
        return one_line(f"{self.name_of(key)}{joint}{shown(value)}: {wrong}")


def _wrong_values(tables: dict[str, dict[str, Any]]) -> dict[Key, str]:
    """Return the faults of the values of known keys."""
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
    """Return what is allowed for a key instead of the refused value."""
    field = FIELDS[key]
    match error["type"]:
        case "value_error":
            names = frozenset[str]().union(*(mark.names for mark in _marks(key)))
            return str(error["ctx"]["error"]) + meant_value(key, error["input"], names)
        case "enum" | "literal_error":
            text = f"must be {error['ctx']['expected']}{meant_value(key, error['input'], words_of(key))}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            text = f"must be {_bounds(field, '')}"
        case kind if kind in _TYPES:
            text = f"must be {_TYPES[kind]}{_bounds(field, ', ')}"
        case _:
            text = error["msg"]
    return text + (f" (or {word_of_none(key)})" if field.default is None else "")


def words_of(key: Key) -> tuple[str, ...]:
    """Return the words among which a setting chooses; empty for one that takes any text or a number."""
    kind = FIELDS[key].annotation
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(kind)
    literals = [one for one in (kind, *get_args(kind)) if get_origin(one) is Literal]
    return tuple(word for one in literals for word in get_args(one) if isinstance(word, str))


def word_of_none(key: Key) -> str:
    """Return the word for a setting without a value: ``none``, or ``auto`` if mpt chooses one."""
    return next((mark.nothing for mark in _marks(key)), "auto")


def written(key: Key, value: Any) -> Any:
    """Return a value in its TOML form, such as ``1TiB`` for a size, from its JSON form."""
    if value is None:
        return word_of_none(key)
    if isinstance(value, int) and (texts := [mark.text for mark in _marks(key) if mark.text]):
        return texts[0](value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _marks(key: Key) -> list[InToml]:
    return [mark for mark in FIELDS[key].metadata if isinstance(mark, InToml)]


def _bounds(field: FieldInfo, joint: str) -> str:
    """Return the bounds of a field after the joint; empty if it has none."""
    limits = [
        f"{word} {getattr(limit, name)}"
        for limit in field.metadata
        for name, word in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return joint + " and ".join(limits) if limits else ""


def text_fault(value: object) -> str | None:
    """Return the fault of an empty text or of one with a NUL, which no path, name or argument can hold."""
    if not isinstance(value, str) or (value and "\0" not in value):
        return None
    return "must not hold a NUL" if value else "must not be empty"


def shown(value: object) -> str:
    """Return a value for one line of a message: bounded, with control characters escaped."""
    text = str(value).lower() if isinstance(value, bool) else _short.repr(value)
    if isinstance(value, list) and len(text) > _MOST_SHOWN:
        return f"[{len(value)} entries]"
    return text


def one_line(text: str) -> str:
    """Return the text without line breaks, which a file name or a quoted key may hold."""
    return " ".join(text.splitlines())


def dotted(key: Key) -> str:
    """Return a key as ``encode.crf``; parts that are no bare TOML keys are quoted, to stay unambiguous."""
    return ".".join(part if re.fullmatch(r"[\w-]{1,80}", part) else shown(part) for part in key)


def variable_of(key: Key) -> str:
    """Return the environment variable of a key, such as ``MPT_ENCODE__CRF``."""
    return ENV_PREFIX + "__".join(key).upper()


def raise_faults(faults: Sequence[str], error: type[ConfigError] | type[UsageError], path: Path | None) -> NoReturn:
    """Raise the first fault, which carries the others."""
    first, *others = [error(fault, path=path) for fault in faults]
    raise first.beside(others)


def read_toml(path: Path, *, error: type[ConfigError] | type[UsageError] = ConfigError) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        FileNotFoundError: The file does not exist.
        MptError: The file cannot be read; of the class ``error``.
    """

    def refuse(why: object, hint: str | None = None) -> NoReturn:
        raise error(one_line(str(why)), path=path, hint=hint)

    data = b""
    try:
        if stat.S_ISFIFO(mode := path.stat().st_mode) or stat.S_ISSOCK(mode):
            refuse("is a pipe, not a file")  # which may never answer
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            refuse(f"is larger than {MAX_FILE_BYTES >> 20} MiB, which is the limit")
        return tomllib.loads(as_utf8(data).decode())
    except FileNotFoundError:
        raise
    except OSError as failure:
        refuse(f"cannot be read: {failure.strerror}")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        refuse(f"is not UTF-8 text (line {line})")
    except (ValueError, RecursionError) as failure:  # tomllib lets int() and deep nesting through
        end = f"at line {len(data.splitlines())}, the end of the file"
        hint = 'in "..." a backslash begins an escape: write / between folders' if b"\\" in data else None
        refuse(f"is not valid TOML: {str(failure).replace('at end of document', end)}", hint)


def holds_settings(path: Path) -> bool:
    """Return whether a TOML file holds settings and nothing else."""
    try:
        keys = read_toml(path).keys()
    except (ConfigError, FileNotFoundError):
        return False
    return bool(keys) and keys <= {*_SECTIONS, *PRESET}


def user_config_file() -> Path | None:
    """Return the path of the user's own file, which need not exist; None for a user without a home folder."""
    folder = settings_folder()
    return None if folder is None else folder / "config.toml"
