"""A file that another program creates at a name of mpt's, in the moment before it gets that name, stays."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, SMALL, Done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

THEIRS = "put there by another program"

PROGRAM = """
import os, sys
from pathlib import Path
from mpt_cli.cli.entry import run

target, place = Path(sys.argv[1]).absolute(), sys.argv[2]
linked = done = False

def act():
    global done
    done = True
    target.with_name("theirs").write_text("put there by another program")
    target.with_name("theirs").replace(target)

def hear(event, arguments):
    global linked
    if done:
        return
    if event == "os.link" and Path(os.fsdecode(arguments[1])) == target:
        linked = True
        if place == "link":
            act()
    elif place == "look" and linked and event == "open" and os.fsdecode(arguments[0]).endswith(sys.argv[3]):
        act()

sys.addaudithook(hear)
code = run(sys.argv[4:])
assert done, "the moment never came"
sys.exit(code)
"""
"""mpt, beside another program that acts when the name is about to be given, or when what is there was looked at."""


def mpt_beside_another(target: str, *arguments: str | Path, place: str = "link", looked: str = "") -> Done:
    """How mpt ended while a file took the place of this one in the last moment."""
    argv = [sys.executable, "-P", "-c", PROGRAM, target, place, looked, *map(str, arguments)]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
    )
    return Done(done.returncode, done.stdout, done.stderr)


def hidden_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".mpt")]


@pytest.fixture
def clip(media: MediaFolder, here: Path) -> Path:
    return shutil.copyfile(media.make(seconds=0.2), here / "a.mp4")


def test_reel_does_not_replace_a_file_of_the_last_moment(clip: Path, here: Path) -> None:
    done = mpt_beside_another("reel.mp4", "process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (done.code, done.codes) == (3, ["output_exists"])
    assert (here / "reel.mp4").read_text() == THEIRS
    assert hidden_in(here) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges names")
@pytest.mark.parametrize("place", ["look", "link"])
def test_newer_reel_does_not_replace_a_file_of_the_last_moment(clip: Path, here: Path, place: str) -> None:
    request = ("process", clip, clip, "-o", "reel.mp4", "--if-changed", "--json")
    assert mpt_beside_another("none", *request, *SMALL).err.endswith("the moment never came\n")
    assert (here / "reel.mp4").exists()
    done = mpt_beside_another("reel.mp4", *request, "--size", "320x180", place=place, looked=".json")
    assert (done.code, done.codes) == (3, ["output_exists"])
    assert (here / "reel.mp4").read_text() == THEIRS
    assert hidden_in(here) == []


def test_picture_does_not_replace_a_file_of_the_last_moment(clip: Path, here: Path) -> None:
    request = ("process", clip, "-o", "reel.mp4", *SMALL, "--contact-sheet", "sheet.png", "--json")
    done = mpt_beside_another("sheet.png", *request)
    assert (done.code, [issue["code"] for issue in done.document["warnings"]]) == (0, ["contact_sheet_failed"])
    assert (here / "sheet.png").read_text() == THEIRS
    assert hidden_in(here) == []


@pytest.mark.parametrize("option", ["--manifest", "--metrics-file"])
def test_side_file_does_not_replace_a_file_of_the_last_moment(clip: Path, here: Path, option: str) -> None:
    done = mpt_beside_another("side.txt", "process", clip, "-o", "reel.mp4", *SMALL, option, "side.txt", "--json")
    assert (done.code, [issue["code"] for issue in done.document["warnings"]]) == (0, ["output_not_writable"])
    assert "another file has this name now" in done.document["warnings"][0]["message"]
    assert (here / "side.txt").read_text() == THEIRS
    assert hidden_in(here) == []


def test_page_does_not_replace_a_file_of_the_last_moment(clip: Path, here: Path) -> None:
    assert mpt_beside_another("none", "process", clip, "-o", "reel.mp4", *SMALL).err.endswith("never came\n")
    done = mpt_beside_another("page.html", "report", "last", "--html", "page.html", "--json")
    assert (done.code, done.codes) == (3, ["output_exists"])
    assert (here / "page.html").read_text() == THEIRS
    assert hidden_in(here) == []


def test_starter_file_does_not_replace_a_file_of_the_last_moment(here: Path) -> None:
    done = mpt_beside_another("mpt.toml", "config", "init", "--json")
    assert (done.code, [issue["code"] for issue in json.loads(done.out)["errors"]]) == (3, ["output_exists"])
    assert (here / "mpt.toml").read_text() == THEIRS
    assert hidden_in(here) == []
