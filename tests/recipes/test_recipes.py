"""Every ``sh`` block of README runs word for word, in a copy of the checkout, with mpt installed from it.

Run it with ``pytest -m recipes``. It needs a network for what pip installs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_SHELL = "bash"
_SECONDS = 280
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", "reel.mp4")

pytestmark = [
    pytest.mark.recipes,
    pytest.mark.xdist_group("recipes"),  # installs once
    pytest.mark.skipif(shutil.which(_SHELL) is None, reason="there is no bash"),
    pytest.mark.timeout(_SECONDS + 20),
]


def blocks() -> dict[str, list[str]]:
    """The ``sh`` blocks of README by the heading above them, in order."""
    found: dict[str, list[str]] = {}
    heading = ""
    for part in re.finditer(r"^#+ (?P<heading>[^\n]+)$|^```sh\n(?P<block>.*?)^```$", README, re.MULTILINE | re.DOTALL):
        if part["heading"]:
            heading = part["heading"]
        else:
            found.setdefault(heading, []).append(part["block"])
    return found


FIRST, *_REST = [line for block in blocks()["Two commands"] for line in block.splitlines()]
RECIPES = {
    f"{heading} {number}": block
    for heading, several in blocks().items()
    if heading != "Two commands"
    for number, block in enumerate(several, 1)
}


def run(commands: str, folder: Path) -> str:
    """What the commands wrote to stdout, in one shell that stops at the first that fails."""
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder / "home")}
    done = subprocess.run(
        [_SHELL, "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\nexit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout after the first command of README."""
    folder = tmp_path_factory.mktemp("recipes") / "mpt"
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    (folder / "home").mkdir()
    run(FIRST, folder)
    return folder


def test_the_first_command_makes_a_reel(checkout: Path) -> None:
    assert (checkout / "reel.mp4").stat().st_size > 100_000


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_runs_word_for_word(checkout: Path, name: str) -> None:
    run(RECIPES[name], checkout)
