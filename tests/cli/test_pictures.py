"""The pictures of README are those of a real run, show what mpt shows now, and load nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import LIMIT_SECONDS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = ROOT / "examples" / "pictures"
QUICK = ("--size", "320x568", "--quality", "high")
"""Makes a run short, but not so short that nothing is seen of it."""


def lines_of(svg: Path) -> list[str]:
    """What can be read in a picture, line by line."""
    found = [each for each in ET.parse(svg).iter() if each.tag.endswith("}text")]
    found.sort(key=lambda each: (float(each.get("y", "0")), float(each.get("x", "0"))))
    rows = groupby(found, key=lambda each: each.get("y"))
    lines = [" ".join("".join(part.text or "" for part in parts).split()) for _, parts in rows]
    return [line for line in lines if line]


def shape_of(line: str) -> str:
    """A line without what is different in each run."""
    line = re.sub(r"[━╸─]+", "bar", line)
    line = re.sub(r"\d+(:\d+)+|\d+x\d+|\d+(\.\d+)?( ?(KiB|MiB|GiB|TiB|s|x)\b|%)?", "#", line)
    return line.removesuffix(" # left")


def structure(svg: Path) -> list[str]:
    """What kinds of lines there are: of clips at work and of facts as many as the moment has."""
    shapes = []
    for line in lines_of(svg):
        if re.match(r"[▸✓] ", line):
            shape = "clip"
        elif " so far" in line:
            shape = "facts"
        elif re.match(r"\d \d\d_", line):  # its reasons, and where they are cut, are those of the size
            shape = line.split(" size ")[0].split(" profile ")[0]
        else:
            shape = shape_of(line)
        shapes.append(shape)
    return [shape for shape, _ in groupby(shapes)]


def test_a_run_now_looks_like_the_picture(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "examples" / "make_pictures.py"), str(tmp_path), *QUICK]
    done = subprocess.run(script, capture_output=True, check=False, timeout=2 * LIMIT_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    now = structure(tmp_path / "panel.svg")
    assert now == structure(PICTURES / "panel.svg")
    assert now[:5] == [
        shape_of("$ mpt process clips -o reel.mp4 --preset tiktok --contact-sheet sheet.jpg"),
        "clip",
        "encoding # of # clips bar #",
        "memory # bar # of #",
        "facts",
    ]
    assert (tmp_path / "sheet.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_picture_was_taken_in_the_midst_of_a_run() -> None:
    lines = lines_of(PICTURES / "panel.svg")
    assert sum(line.startswith("▸ ") for line in lines) == 2
    assert any(line.startswith("✓ ") for line in lines)
    assert lines[-1].startswith("joined by FFmpeg")


def test_the_picture_loads_nothing_and_tells_nothing_of_a_machine() -> None:
    text = (PICTURES / "panel.svg").read_text(encoding="utf-8")
    assert not re.findall(r"@font-face|@import|href|<script|<image", text)
    assert set(re.findall(r"https?:[^\"]*", text)) == {"http://www.w3.org/2000/svg"}
    assert all(target.startswith("#") for target in re.findall(r"url\((.*?)\)", text))
    shown = "\n".join(lines_of(PICTURES / "panel.svg"))
    assert not re.findall(r"\d{4}-\d\d|\d\d:\d\d:\d\d|(?<!~)/(?!\d)", shown)
    assert len(text) < 40_000


@pytest.mark.parametrize("name", ["panel.svg", "sheet.jpg"])
def test_readme_shows_it_near_its_top(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"](examples/pictures/{name})" in readme.partition("\n## ")[0]


def test_the_sheet_is_small() -> None:
    sheet = (PICTURES / "sheet.jpg").read_bytes()
    assert sheet.startswith(b"\xff\xd8")
    assert len(sheet) < 160_000
