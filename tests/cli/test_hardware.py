"""Encoders in hardware from outside: what takes their place is said once, and a program can read why."""

from __future__ import annotations

import json
import shutil
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import SMALL, events_of, everything_in
from tests.hardware import MARK, NO_DRIVER, NO_GPU, NO_SESSION, NVENC, SOFTWARE_MARK, Machine, asked, trials
from tests.integration.reels import of, problems
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Done, Mpt
    from tests.media import MediaFolder

    Have = Callable[[Machine], None]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are scripts")

PARTS = of(*(numbered(number, seconds=0.2 * number) for number in (1, 2)))
DOES_NOT_WORK = f"{NVENC} does not work here: {NO_DRIVER}"
SAID = f"{DOES_NOT_WORK}; libx264 is used instead, at balanced quality"
REEL = ("clips", "-o", "reel.mp4", *SMALL, "--copy", "never", "--fps", "30")


@pytest.fixture
def clips(media: MediaFolder, here: Path) -> Path:
    """A folder with two clips."""
    folder = here / "clips"
    folder.mkdir()
    for name, part in zip(("a.mp4", "b.mp4"), PARTS, strict=True):
        shutil.copyfile(media.numbered(part.clip), folder / name)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Where the stand-in lies."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def have(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Have:
    """Gives mpt a machine."""

    def have(machine: Machine) -> None:
        monkeypatch.setenv("MPT_FFMPEG__BINARY", str(machine.build(programs)))

    return have


def marks(reel: Path) -> tuple[int, int]:
    """How many clips of a reel are by hardware and by software."""
    content = reel.read_bytes()
    return content.count(MARK), content.count(SOFTWARE_MARK)


def warnings(done: Done) -> list[str]:
    assert {issue["code"] for issue in done.document["warnings"]} <= {"encoder_unavailable"}
    return [issue["message"] for issue in done.document["warnings"]]


@pytest.mark.usefixtures("clips")
def test_a_named_encoder_without_a_device_gives_a_reel_and_one_warning(mpt: Mpt, here: Path, have: Have) -> None:
    have(NO_GPU)
    done = mpt("process", *REEL, "--encoder", NVENC)
    assert done.code == 0, done.err
    told, _, summary = done.err.partition("finished: success")
    assert [text.count(f"warning: {SAID} (encoder_unavailable)\n") for text in (told, summary)] == [1, 0]
    assert (done.out + done.err).count(NO_DRIVER) == 1
    assert "None" not in done.out + done.err
    assert problems(here / "reel.mp4", PARTS, Fraction(30)) == []
    assert marks(here / "reel.mp4") == (0, 2)


@pytest.mark.usefixtures("clips")
def test_programs_read_why(mpt: Mpt, here: Path, have: Have) -> None:
    have(NO_GPU)
    done = mpt("process", *REEL, "--encoder", NVENC, "--json")
    assert (done.code, done.document["status"], warnings(done)) == (0, "success", [SAID])
    assert done.document["warnings"][0]["path"] is None
    assert mpt("report", "--json").document["data"]["warnings"] == done.document["warnings"]
    assert marks(here / "reel.mp4") == (0, 2)


@pytest.mark.usefixtures("clips")
def test_without_fallback_it_is_exit_3_and_nothing_is_written(
    mpt: Mpt, here: Path, have: Have, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(NO_GPU)
    monkeypatch.setenv("MPT_ENCODE__FALLBACK", "false")
    before = everything_in(here)
    done = mpt("process", *REEL, "--encoder", NVENC, "--json")
    assert (done.code, done.codes[0], warnings(done)) == (3, "encoder_unavailable", [])
    assert done.document["errors"][0]["message"] == DOES_NOT_WORK
    assert done.document["errors"][0]["hint"] == "choose --encoder auto or libx264, or leave out --no-fallback"
    text = mpt("process", *REEL, "--encoder", NVENC)
    assert (text.code, text.err.count(DOES_NOT_WORK)) == (3, 1)
    assert "choose --encoder auto or libx264" in text.err
    concat = mpt("concat", "clips", "-o", "reel.mp4", "--method", "reencode", "--encoder", NVENC, "--json")
    assert (concat.code, concat.codes[-1]) == (3, "encoder_unavailable")
    assert everything_in(here) == before


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize(
    ("machine", "options", "encoder"),
    [
        (Machine(), (), NVENC),
        (Machine(), ("--crf", "23"), "libx264"),
        (Machine(), ("--encoder-preset", "fast"), "libx264"),
        (Machine(), ("--encoder", NVENC, "--crf", "30", "--encoder-preset", "p3"), NVENC),
        (Machine(), ("--encoder", "libx264"), "libx264"),
        (NO_GPU, (), "libx264"),
        (NO_GPU, ("--encoder", NVENC, "--crf", "30"), "libx264"),
    ],
)
def test_a_dry_run_shows_the_encoder_that_would_be_used(
    mpt: Mpt, have: Have, machine: Machine, options: tuple[str, ...], encoder: str
) -> None:
    have(machine)
    plan = mpt("process", *REEL, *options, "-n", "--json").plan
    assert plan["encoder"].startswith(f"{encoder} ")
    assert len(plan["clips"]) == len(PARTS)
    for step in plan["clips"]:
        assert step["argv"][step["argv"].index("-c:v") + 1] == encoder
    if "30" in options and encoder == NVENC:
        assert "-cq 30" in plan["encoder"]
        assert "-preset p3" in plan["encoder"]


@pytest.mark.usefixtures("clips")
def test_a_device_that_fails_at_work_is_replaced_and_each_event_fits(
    mpt: Mpt, here: Path, have: Have, programs: Path
) -> None:
    have(Machine(at=("a.mp4",)))
    done = mpt("process", *REEL, "--encoder", NVENC, "--jobs", "1", "--jsonl")
    lines = events_of(done.out, 0)
    assert done.code == 0
    (again,) = (line for line in lines if line["type"] == "clips-restarted")
    assert (again["finished"], again["failed"]) == (2, 0)
    starts = [line["index"] for line in lines if line["type"] == "clip-started"]
    ends = [line["index"] for line in lines if line["type"] in ("clip-finished", "clip-failed")]
    assert sorted(starts) == sorted(ends) == [0, 0, 1, 1]
    (notice,) = (line for line in lines if line["type"] == "notice" and line["level"] == "warning")
    assert notice["code"] == "encoder_unavailable"
    assert f"ffmpeg failed: [{NVENC}] {NO_SESSION}; libx264 is used instead" in notice["message"]
    last = json.loads(done.out.splitlines()[-1])
    assert [issue["message"] for issue in last["warnings"]] == [notice["message"]]
    assert problems(here / "reel.mp4", PARTS, Fraction(30)) == []
    assert marks(here / "reel.mp4") == (0, 2)
    assert [what for _, what in asked(programs)] == ["trial", "b.mp4", "a.mp4"]


def test_jobs_of_a_batch_share_a_device_and_each_has_its_reel(
    mpt: Mpt, here: Path, have: Have, clips: Path, programs: Path
) -> None:
    have(Machine(at=("a.mp4",)))
    shutil.copyfile(clips / "b.mp4", clips / "c.mp4")
    jobs = [
        {"output": f"{name}.mp4", "clips": [str(clips / clip) for clip in names]}
        for name, names in {"one": ["a.mp4", "b.mp4"], "two": ["b.mp4"], "three": ["c.mp4", "a.mp4"]}.items()
    ]
    (here / "mpt.toml").write_text(
        '[video]\nsize = "160x90"\nfps = 30\n[encode]\nquality = "draft"\n'
        f'encoder = "{NVENC}"\n[concat]\ncopy = "never"\n'
    )
    done = mpt("batch", "-", "--json", stdin="\n".join(map(json.dumps, jobs)).encode())
    assert done.code == 0, done.out
    assert [job["status"] for job in done.data["jobs"]] == ["success"] * 3
    assert marks(here / "two.mp4")[0] + marks(here / "two.mp4")[1] == 1
    assert {marks(here / f"{name}.mp4") for name in ("one", "three")} == {(0, 2)}
    assert trials(programs) <= 3


@pytest.mark.usefixtures("clips")
def test_clearing_the_cache_forgets_what_works(mpt: Mpt, have: Have, programs: Path, own_home: Path) -> None:
    have(Machine())
    for options in ((), ("--overwrite",), ("--overwrite", "-n")):
        assert mpt("process", *REEL, *options).code == 0
    assert trials(programs) == 1
    assert len([path for path in everything_in(own_home) if path.parent.name == "encoders"]) == 1
    assert mpt("cache", "clear").code == 0
    assert [path for path in everything_in(own_home) if "encoders" in path.parts] == []


@pytest.mark.usefixtures("clips")
def test_a_dry_run_and_a_run_without_cache_remember_nothing(mpt: Mpt, have: Have, own_home: Path) -> None:
    have(Machine())
    for option in ("-n", "--no-cache"):
        assert mpt("process", *REEL, option).code == 0
    assert [path for path in everything_in(own_home) if "encoders" in path.parts] == []


def test_health_says_which_hardware_works_and_why_not(mpt: Mpt, have: Have) -> None:
    for machine, said in (
        (Machine(works=(NVENC, "hevc_nvenc")), f"{NVENC}, hevc_nvenc work"),
        (Machine(), f"{NVENC} works"),
        (NO_GPU, f"none of the 1 that ffmpeg has works here ({NVENC}: {NO_DRIVER})"),
        (Machine(works=()), "ffmpeg has none"),
    ):
        have(machine)
        checks = {check["name"]: check for check in mpt("health", "--json").data["checks"]}
        assert checks["hardware_encoders"]["detail"] == said
        assert checks["hardware_encoders"]["healthy"]
