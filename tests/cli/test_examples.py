"""The examples do what they say: a job, every key of the configuration, and four clips of four kinds."""

from __future__ import annotations

import re
import shutil
import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mpt_cli.config.sections import Config
from mpt_cli.settings.layers import FIELDS, Layer, LayerKind
from mpt_cli.settings.merged import Settings
from tests import reader
from tests.cli.conftest import ROOT, Mpt, everything_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.marks import Samples

EXAMPLES = ROOT / "examples"
CLIPS = sorted((EXAMPLES / "clips").iterdir())
KEY = re.compile(r"# (\w+) = (.+)")


def lines() -> list[str]:
    """The lines of the example configuration."""
    return (EXAMPLES / "mpt.toml").read_text(encoding="utf-8").splitlines()


def written_out() -> dict[str, Any]:
    """The example configuration with every key switched on."""
    text = "\n".join(line.removeprefix("# ") if KEY.fullmatch(line) else line for line in lines())
    return tomllib.loads(text)


# --- mpt.toml -----------------------------------------------------------------------------------


@pytest.mark.core
def test_every_key_is_there_once_with_its_default_switched_off() -> None:
    document = written_out()
    assert document.pop("preset") == "tiktok"
    found = {(section, key) for section, table in document.items() for key in table}
    assert found == set(FIELDS)
    assert list(document) == list(Config.model_fields)
    assert not [line for line in lines() if line and not line.startswith(("#", "["))]
    layer = Layer(LayerKind.FILE, document)
    assert layer.check() == []
    # Values are compared, not their text: 0.25 may be written in many ways.
    assert Settings.of((layer,)).model_dump() == Settings.of(()).model_dump()


@pytest.mark.core
def test_every_key_has_a_comment_of_its_own() -> None:
    text = lines()
    for number, line in enumerate(text):
        if KEY.fullmatch(line):
            group = number
            while KEY.fullmatch(text[group - 1]):
                group -= 1
            assert re.fullmatch(r"# .*[.,]", text[group - 1]), f"{line}: {text[group - 1]}"


def test_it_can_be_used_as_it_is(mpt: Mpt, here: Path) -> None:
    (here / "mpt.toml").write_bytes((EXAMPLES / "mpt.toml").read_bytes())
    assert mpt("validate", CLIPS[0]).code == 0
    plan = mpt("process", CLIPS[1], "-o", "reel.mp4", "-n", "--json").plan
    assert (plan["width"], plan["height"]) == (1080, 1920)


# --- reel.toml ----------------------------------------------------------------------------------


def is_silent(sound: Samples, begin: float, end: float) -> bool:
    """Whether nothing is heard between two times, a tenth of a second of their edges aside."""
    return float(np.abs(sound[0][round((begin + 0.1) * 48_000) : round((end - 0.1) * 48_000)]).max()) < 0.01


def test_the_job_makes_the_reel_that_it_describes(mpt: Mpt, here: Path) -> None:
    before = everything_in(EXAMPLES)
    quick = ("--encoder-preset", "ultrafast")
    done = mpt("process", "--job", EXAMPLES / "reel.toml", "-o", "reel.mp4", *quick, "--json")
    assert done.code == 0, done.out
    assert [clip["start_seconds"] for clip in done.data["clips"]] == pytest.approx([0.0, 1.5, 4.0, 6.0], abs=0.05)
    pictures = [(picture.width, picture.height) for picture in reader.frames(here / "reel.mp4")]
    assert set(pictures) == {(1080, 1920)}
    assert len(pictures) == done.data["output"]["frames"] == round(8.0 * 30)
    sound = reader.samples(here / "reel.mp4")
    assert [is_silent(sound, *span) for span in ((0.0, 1.5), (1.5, 4.0), (4.0, 6.0), (6.0, 8.0))] == [
        False,
        False,
        True,
        True,
    ]
    assert everything_in(EXAMPLES) == before


@pytest.mark.slow
def test_the_batch_makes_the_reels_that_it_describes(mpt: Mpt, here: Path) -> None:
    shutil.copytree(EXAMPLES, here / "examples")
    quick = ("--encoder-preset", "ultrafast")
    done = mpt("batch", "examples/batch.toml", *quick, "--json")
    assert done.code == 0, done.out
    outputs = [(job["name"], job["output"]["width"], len(job["clips"])) for job in done.data["jobs"]]
    assert outputs == [("portrait", 1080, 2), ("landscape", 1920, 5)]
    for job in done.data["jobs"]:
        assert len(list(reader.frames(here / f"examples/{job['name']}.mp4"))) == job["output"]["frames"]


@pytest.mark.core
def test_the_comments_name_only_commands_that_exist(mpt: Mpt) -> None:
    for file in ("reel.toml", "batch.toml", "mpt.toml"):
        for command in re.findall(r"\bmpt ([a-z]+)\b", "\n".join(lines_of_code(EXAMPLES / file))):
            assert mpt(command, "--help").code == 0


def lines_of_code(path: Path) -> list[str]:
    """What a file quotes: lines that are indented in a comment, and words in backticks."""
    text = path.read_text(encoding="utf-8")
    return [*re.findall(r"^#     (.*)$", text, re.MULTILINE), *re.findall(r"`([^`]+)`", text)]


# --- the clips ----------------------------------------------------------------------------------


def test_the_clips_are_small_and_lie_in_the_order_of_the_job() -> None:
    assert [path.name for path in CLIPS] == [
        "01_landscape.mp4",
        "02_phone.mp4",
        "03_silent_60fps.mp4",
        "04_old_camera.mp4",
    ]
    assert sum(path.stat().st_size for path in CLIPS) < 400_000


def test_the_clips_are_of_four_kinds(mpt: Mpt) -> None:
    landscape, phone, silent, old = [
        entry["media"] for entry in mpt("validate", *CLIPS, "--json", "--deep").data["clips"]
    ]
    assert landscape["video"]["display_width"] * 9 == landscape["video"]["display_height"] * 16
    assert landscape["audio"]["layout"] == "stereo"
    assert phone["video"]["rotation"] in (90, 270)
    assert phone["video"]["width"] > phone["video"]["height"]
    assert phone["video"]["display_width"] < phone["video"]["display_height"]
    assert (silent["video"]["fps"], silent["audio"]) == ("60", None)
    sides = old["video"]["width"], old["video"]["height"]
    assert all(side % 2 for side in sides)
    assert sides[0] / sides[1] == pytest.approx(4 / 3, abs=0.01)


def test_the_landscape_has_another_tone_on_each_side() -> None:
    left, right = reader.samples(CLIPS[0])
    levels = [[reader.tone_level(side, hertz) for hertz in (440, 660)] for side in (left, right)]
    assert levels[0][0] > levels[0][1] + 20
    assert levels[1][1] > levels[1][0] + 20
