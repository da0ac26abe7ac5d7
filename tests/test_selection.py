"""The marks that select tests, and the guard of the fast ones."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import GUARD

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
NOTHING = (sys.executable, "-I", "-S", "-c", "")


def _calls() -> None:
    subprocess.run(NOTHING, check=True)


def _forgets() -> None:
    try:
        _calls()
    except RuntimeError:
        return


def _multiprocesses() -> None:
    process = multiprocessing.get_context("spawn").Process()
    process.start()
    process.join()
    process.close()


@pytest.mark.heavy
@pytest.mark.parametrize("start", [_calls, _forgets, _multiprocesses])
def test_guard_fails_a_fast_test_that_starts_a_process(tmp_path: Path, start: Callable[[], None]) -> None:
    with pytest.raises((AssertionError, RuntimeError), match="starts"), GUARD.watch("t", tmp_path):
        start()


@pytest.mark.heavy
@pytest.mark.parametrize("head", [b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3", b"RIFF"])
def test_guard_fails_a_fast_test_that_writes_media(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(AssertionError, match="writes media"), GUARD.watch("t", tmp_path):
        (tmp_path / "a.bin").write_bytes(head.ljust(5000, b"\0"))


def test_guard_allows_files_that_are_no_media(tmp_path: Path) -> None:
    with GUARD.watch("t", tmp_path):
        (tmp_path / "a.mp4").write_text("no media" * 1000)
        (tmp_path / "b.mp4").write_bytes(b"\0\0\0\x08ftyp")


def test_this_test_is_fast(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("fast") is not None
    assert request.node.get_closest_marker("thorough") is None


def test_ci_runs_what_the_default_run_leaves_out() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    left_out = set(re.findall(r"not (\w+)", options["addopts"]))
    (rest,) = re.findall(r"^rest='(.*)'$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert left_out == set(rest.split(" or ")) | {"slow", "browser", "faults"}, "these do not fit into its time"
    assert left_out <= {line.partition(":")[0].partition("(")[0] for line in options["markers"]}
