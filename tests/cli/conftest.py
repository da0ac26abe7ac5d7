"""Runs mpt as users and programs do, and reads its answers."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from jsonschema import Draft202012Validator

from mpt_cli.cli.stop_signals import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_console_scripts import ScriptRunner

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = (sys.executable, "-P", "-m", "mpt_cli")
LIMIT_SECONDS = 60
"""No run of these tests takes longer, on the slowest machine."""

SMALL = ("--size", "160x90")
"""Options that make a run quick."""

_DATA_SCHEMAS = {
    "concat": "process",
    "report list": "report",
    **{name: name for name in ("process", "validate", "batch", "health", "cache", "report", "config", "work")},
}

FAKE_FFMPEG = """#!/bin/sh
case "$1" in -version) echo "ffmpeg version 9.9-fake"; exit 0;; esac
case "$2" in -encoders) exit 0;; esac
{body}
"""
"""An ffmpeg that says what it is, and then does something else."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a run of mpt ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document that stdout holds; fails where there is anything else."""
        document: dict[str, Any] = json.loads(self.out)
        check_envelope(document, self.code)
        return document

    @property
    def data(self) -> dict[str, Any]:
        """``data`` of the document."""
        found: dict[str, Any] = self.document["data"]
        return found

    @property
    def plan(self) -> dict[str, Any]:
        """``data.plan`` of a dry run that went well."""
        assert self.code == 0, self.out
        found: dict[str, Any] = self.data["plan"]
        return found

    @property
    def codes(self) -> list[str]:
        """Codes of all errors of the document."""
        return [issue["code"] for issue in self.document["errors"]]


class Mpt(Protocol):
    """Runs a command line."""

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Done:
        """How it ended."""
        ...


@cache
def schema(name: str) -> Draft202012Validator:
    """A schema that mpt ships."""
    text = files("mpt_cli").joinpath(f"share/schemas/{name}.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def check_envelope(document: dict[str, Any], code: int) -> None:
    """Fail unless a document keeps its schemas and says the exit code of its process."""
    schema("envelope").validate(document)
    assert document["exit_code"] == code
    if document["command"] in _DATA_SCHEMAS:
        schema(_DATA_SCHEMAS[document["command"]]).validate(document["data"])


@pytest.fixture(autouse=True)
def here(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in its own empty folder."""
    assert own_home.is_dir()
    folder = tmp_path / "here"  # beside the folder that script_runner makes
    folder.mkdir()
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def signals_are_heard_again() -> Iterator[None]:
    """Undo what the end of the console script does to the signals of this process."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def mpt(script_runner: ScriptRunner) -> Mpt:
    """The console script, inside of this process."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Done:
        script_input = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        done = script_runner.run(["mpt", *map(str, arguments)], stdin=script_input)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """mpt as a process of its own, with pipes unless told otherwise."""
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started: subprocess.Popen[bytes] = subprocess.Popen([*PROGRAM, *map(str, arguments)], **(pipes | options))
    return started


def run_program(*arguments: str | Path, stdin: bytes = b"") -> Done:
    """How a process of its own ended."""
    with start(*arguments, stdin=subprocess.PIPE) as process:
        out, err = process.communicate(stdin, timeout=LIMIT_SECONDS)
    return Done(process.returncode, out.decode(), err.decode())


def fake_ffmpeg(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make mpt use a script in place of ffmpeg."""
    script = folder / "fake-ffmpeg"
    script.write_text(FAKE_FFMPEG.format(body=body), encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(script))
    return script


def everything_in(*folders: Path) -> dict[Path, bytes | None]:
    """Content of every file below some folders, None for a folder."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return {path: path.read_bytes() if path.is_file() else None for path in found}


def events_of(text: str, code: int) -> list[dict[str, Any]]:
    """The events of ``--jsonl``; fails unless every line keeps its schema and the envelope is the last."""
    *lines, last = [json.loads(line) for line in text.splitlines()]
    check_envelope(last, code)
    for line in lines:
        schema("events").validate(line)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    return lines


def without_run_id(text: str) -> str:
    """The text with the name of the run's folder made the same in all runs."""
    parts = text.split(f"{os.sep}.mpt-run-")
    return f"{os.sep}RUN".join([parts[0], *(part[12:] for part in parts[1:])])
