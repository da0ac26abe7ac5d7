"""A process that is killed before any of its operations on files: the next one removes what it left."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.children import killed

if TYPE_CHECKING:
    from pathlib import Path


QUICK = ("record", "run folder", "scratch folder", "writable records", "writable store")
"""Operations with few steps; the others take long on a busy machine."""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="locks of folders, and forks, as Linux has them")
@pytest.mark.parametrize(
    "operation",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.thorough) for name in killed.OPERATIONS],
)
@pytest.mark.core(0)
def test_next_process_removes_what_a_killed_one_left(tmp_path: Path, operation: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    argv = [sys.executable, "-m", killed.__name__, operation, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert len(found["after"]) > 7
    assert any(left != found["whole"] for left, _ in found["after"].values()), "nothing was ever left"
    assert {event: after for event, (_, after) in found["after"].items() if after != found["whole"]} == {}
