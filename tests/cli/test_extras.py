"""``--contact-sheet`` and ``--poster`` from outside: each cell shows its clip, and no failure costs the reel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from mpt_cli.model.clips import Dimensions
from mpt_cli.reporting.sheet import layout_for
from tests.cli.conftest import SMALL, everything_in
from tests.media import Color, Recipe, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

COLORS = ((200, 40, 40), (40, 160, 60), (50, 70, 200), (210, 200, 60), (160, 60, 170), (60, 180, 190), (230, 230, 230))
NAMES = ("a.mp4", "b\n\x1b[31m.mp4", "-o.mp4", "日本.mp4", "<b>&.mp4", f"{'l' * 240}.mp4", "% 'q'.mp4")
PORTRAIT = ("--size", "90x160", "--quality", "draft")


def flat_clip(media: MediaFolder, color: tuple[int, int, int], *, size: str = "160x90") -> Path:
    """A clip of one colour that is black before and after its middle third."""
    source = f"color=c=0x{''.join(f'{part:02x}' for part in color)}"
    dark = "drawbox=enable='not(between(t,0.25,0.6))':color=black:thickness=fill"
    return media.make(Recipe(0.8, source=source, size=size, color=Color(), sound=None, filters=(dark,)))


@pytest.fixture
def clips(here: Path, media: MediaFolder) -> list[str]:
    """Clips of flat colours under hostile names, in this folder."""
    (here / "clips").mkdir()
    for color, name in zip(COLORS, NAMES, strict=True):
        (here / "clips" / name).write_bytes(flat_clip(media, color).read_bytes())
    return [f"clips/{name}" for name in NAMES]


def colors_of(sheet: Path, count: int, reel: Dimensions) -> list[tuple[int, ...]]:
    """The colour in the middle of each cell."""
    picture, layout = Image.open(sheet).convert("RGB"), layout_for(count, reel)
    assert picture.size == (layout.size.width, layout.size.height)
    found = []
    for place in range(count):
        x, y = layout.corner(place)
        pixel = picture.getpixel((x + layout.picture.width // 2, y + layout.picture.height // 2))
        assert isinstance(pixel, tuple)
        found.append(pixel)
    return found


def is_near(color: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 8 for a, b in zip(color, wanted, strict=True))


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize(("options", "reel"), [(SMALL, Dimensions(160, 90)), (PORTRAIT, Dimensions(90, 160))])
@pytest.mark.core(1)
def test_each_cell_shows_the_middle_of_its_own_clip(
    mpt: Mpt, here: Path, clips: list[str], count: int, options: tuple[str, ...], reel: Dimensions
) -> None:
    done = mpt("process", *clips[:count], "-o", "reel.mp4", *options, "--contact-sheet", "sheet.png", "--json")
    assert done.code == 0, done.out
    assert done.data["output"]["contact_sheet"] == str(here / "sheet.png")
    assert done.data["output"]["poster"] is None
    assert done.document["warnings"] == []
    assert done.data["metrics"]["milestones"][-1]["name"] == "pictured"
    for color, wanted in zip(colors_of(here / "sheet.png", count, reel), COLORS, strict=False):
        assert is_near(color, wanted)


def test_sixty_clips_in_another_order_have_a_cell_each(mpt: Mpt, here: Path, clips: list[str]) -> None:
    named = [clips[n % 7] for n in range(60)]
    options = (*SMALL, "--mode", "random", "--seed", "4", "--contact-sheet", "sheet.jpg")
    done = mpt("concat", *named, "-o", "reel.mkv", *options, "--json")
    assert done.code == 0, done.out
    in_reel = sorted(done.data["clips"], key=lambda clip: clip["start_seconds"])
    assert [clip["index"] for clip in in_reel] != list(range(60))
    for color, clip in zip(colors_of(here / "sheet.jpg", 60, Dimensions(160, 90)), in_reel, strict=True):
        assert is_near(color, COLORS[clip["index"] % 7])


def test_the_poster_is_the_most_telling_frame_at_full_size(
    mpt: Mpt, here: Path, clips: list[str], media: MediaFolder
) -> None:
    telling = media.numbered(numbered(71, seconds=0.8))
    done = mpt("process", clips[0], telling, clips[1], "-o", "reel.mp4", *SMALL, "--poster", "deep/poster.png")
    assert done.code == 0, done.err
    assert f"poster   {here / 'deep' / 'poster.png'}" in done.out
    poster = Image.open(here / "deep" / "poster.png")
    assert (poster.size, poster.format) == ((160, 90), "PNG")
    assert len(set(poster.convert("L").resize((32, 18)).tobytes())) > 10, "a flat clip was chosen"


def test_a_job_names_them_in_its_file(mpt: Mpt, here: Path, clips: list[str]) -> None:
    (here / "jobs").mkdir()
    jobs = [
        {"name": name, "output": f"{name}.mp4", "clips": [str(here / clips[0])], "contact_sheet": f"{name}.png"}
        | {"poster": f"{name}.jpg", "video": {"size": "160x90"}}
        for name in ("one", "two")
    ]
    text = "\n".join(f"[[job]]\n{lines}" for lines in map(_toml, jobs))
    (here / "jobs" / "batch.toml").write_text(text)
    done = mpt("batch", "jobs/batch.toml", "--json")
    assert done.code == 0, done.out
    for job, name in zip(done.data["jobs"], ("one", "two"), strict=True):
        assert job["output"]["contact_sheet"] == str(here / "jobs" / f"{name}.png")
        assert (here / "jobs" / f"{name}.jpg").stat().st_size > 0
    jobs[1]["contact_sheet"] = "one.png"
    (here / "jobs" / "batch.toml").write_text("\n".join(f"[[job]]\n{lines}" for lines in map(_toml, jobs)))
    assert mpt("batch", "jobs/batch.toml", "-y", "--json").codes == ["duplicate_output"]


def _toml(job: dict[str, Any]) -> str:
    """A job in TOML, which has JSON's text and lists, and dots for what lies deeper."""
    flat = {key: value for key, value in job.items() if key != "video"}
    return "\n".join(
        f"{key} = {json.dumps(value)}" for key, value in {**flat, "video.size": job["video"]["size"]}.items()
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--contact-sheet", "sheet.mp4"), "usage"),
        (("--poster", "poster"), "usage"),
        (("--contact-sheet", "there.png"), "output_exists"),
        (("--poster", "input.png"), "output_is_input"),
        (("--poster", "input.png", "-y"), "output_is_input"),
        (("--contact-sheet", "same.png", "--poster", "same.png"), "duplicate_output"),
        (("--poster", "folder.png", "-y"), "output_not_writable"),
        (("--poster", "there.png/poster.png"), "output_not_writable"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(
    mpt: Mpt, here: Path, clips: list[str], options: tuple[str, ...], code: str
) -> None:
    (here / "there.png").write_text("mine")
    (here / "folder.png").mkdir()
    (here / "input.png").symlink_to(here / clips[0])
    before = everything_in(here)
    done = mpt("process", *clips[:2], "-o", "reel.mp4", *SMALL, *options, "--json")
    assert (done.code, done.codes[0]) == (2 if code == "usage" else 3, code)
    assert everything_in(here) == before
    assert mpt("process", *clips[:2], "-o", "reel.mp4", *SMALL, *options, "-n", "--json").codes[0] == code


def test_they_are_replaced_only_where_that_was_said(mpt: Mpt, here: Path, clips: list[str]) -> None:
    options = ("-o", "reel.mp4", *SMALL, "--contact-sheet", "sheet.png", "--json")
    assert mpt("process", clips[0], *options).code == 0
    first = (here / "sheet.png").read_bytes()
    assert mpt("process", clips[1], *options).code == 3
    assert (here / "sheet.png").read_bytes() == first
    assert mpt("process", clips[1], *options, "-y").code == 0
    (color,) = colors_of(here / "sheet.png", 1, Dimensions(160, 90))
    assert is_near(color, COLORS[1])


def test_a_dry_run_makes_none(mpt: Mpt, here: Path, clips: list[str]) -> None:
    assert mpt("process", clips[0], "-o", "reel.mp4", *SMALL, "--contact-sheet", "sheet.png", "-n").code == 0
    assert not (here / "sheet.png").exists()
