"""A folder of a creator: what is a clip of it in the next run, and in which order."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import SMALL, Done, Mpt, events_of
from tests.integration.test_tags import tagged

if TYPE_CHECKING:
    from tests.media import MediaFolder

TIMES = {"IMG_0001.MOV": "12:00", "IMG_9998.MOV": "10:00", "IMG_9999.MOV": "11:00"}
BY_TIME = ["IMG_9998.MOV", "IMG_9999.MOV", "IMG_0001.MOV"]


@pytest.fixture
def folder(media: MediaFolder, here: Path) -> Path:
    """A folder with two clips."""
    clip = media.make(seconds=0.2)
    (here / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, here / "in" / name)
    return here / "in"


@pytest.fixture
def phone(media: MediaFolder, here: Path) -> Path:
    """The clips of a phone whose numbers began again."""
    clip = media.make(seconds=0.2)
    (here / "phone").mkdir()
    for name, at in TIMES.items():
        tagged(clip, here / "phone" / name, creation_time=f"2024-05-01T{at}:00Z")
    return here / "phone"


def clips(done: Done) -> list[str]:
    """Names of the clips of a run."""
    return [Path(clip["path"]).name for clip in done.data["clips"]]


def left_out(done: Done) -> dict[str, list[str]]:
    """Names of what is left out, by kind."""
    return {entry["kind"]: entry["names"] for entry in done.data["left_out"]}


def codes(done: Done) -> list[str]:
    return [issue["code"] for issue in done.document["warnings"]]


def order(done: Done) -> list[str]:
    """Names of the clips of a plan in the order of the reel."""
    return [Path(clip["path"]).name for clip in done.plan["clips"]]


def test_reel_in_the_folder_is_no_clip_of_the_next_run(mpt: Mpt, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    first = mpt("process", ".", "-o", "one.mp4", "--contact-sheet", "one.png", *SMALL, "--json")
    assert (first.code, clips(first), left_out(first)) == (0, ["a.mp4", "b.mp4"], {})
    second = mpt("process", ".", "-o", "two.mp4", *SMALL, "--json")
    assert (second.code, clips(second)) == (0, ["a.mp4", "b.mp4"])
    assert left_out(second) == {"reel": ["one.mp4"], "image": ["one.png"]}
    assert codes(second) == []
    again = mpt("process", ".", "-o", "one.mp4", *SMALL, "--overwrite", "--json")
    assert (again.code, clips(again), left_out(again)["reel"]) == (0, ["a.mp4", "b.mp4"], ["one.mp4", "two.mp4"])
    planned = mpt("process", ".", "-o", "three.mp4", *SMALL, "--dry-run")
    assert "2 reels made by mpt (one.mp4, two.mp4)" in planned.out


def test_reel_in_the_folder_stays_up_to_date(mpt: Mpt, folder: Path) -> None:
    arguments = ("process", folder, "-o", folder / "reel.mp4", *SMALL, "--if-changed", "--json")
    assert mpt(*arguments).data["unchanged"] is False
    done = mpt(*arguments)
    assert (done.data["unchanged"], left_out(done)) == (True, {"reel": ["reel.mp4"]})


def test_reels_of_parts_are_clips_of_the_whole(mpt: Mpt, folder: Path, here: Path) -> None:
    (here / "parts").mkdir()
    for name in ("a.mp4", "b.mp4"):
        assert mpt("process", folder / name, "-o", here / "parts" / name, *SMALL).code == 0
    done = mpt("process", "parts", "-o", "whole.mp4", *SMALL, "--dry-run", "--json")
    assert (clips(done), left_out(done), codes(done)) == (["a.mp4", "b.mp4"], {}, [])


@pytest.mark.parametrize("how", ["named", "moved", "forgotten"])
def test_reel_that_is_a_clip_is_reported(mpt: Mpt, folder: Path, here: Path, how: str, own_home: Path) -> None:
    reel, inputs = folder / "reel.mp4", ["in"]
    assert mpt("process", folder, "-o", reel, *SMALL).code == 0
    if how == "named":
        inputs = ["in/a.mp4", "in/b.mp4", "in/reel.mp4"]
    elif how == "moved":
        reel.rename(folder / "reel2.mp4")
    else:
        shutil.rmtree(own_home)
        own_home.mkdir()
    done = mpt("process", *inputs, "-o", "other.mp4", *SMALL, "--dry-run", "--json")
    assert (len(clips(done)), left_out(done), codes(done)) == (3, {}, ["reel_among_clips"])


def test_job_file_leaves_out_the_same(mpt: Mpt, folder: Path, here: Path) -> None:
    (folder / "x.jpg").touch()
    (folder / "y.mp4.part").touch()
    (here / "jobs.toml").write_text('[[job]]\noutput = "in/reel.mp4"\nclips = ["in"]\nvideo.size = "160x90"\n')
    assert mpt("batch", "jobs.toml").code == 0
    done = mpt("batch", "jobs.toml", "--overwrite", "--dry-run", "--json")
    (job,) = done.data["jobs"]
    assert [(entry["kind"], entry["names"]) for entry in job["left_out"]] == [
        ("photo", ["x.jpg"]),
        ("download", ["y.mp4.part"]),
        ("reel", ["reel.mp4"]),
    ]
    assert [issue["code"] for issue in job["warnings"]] == ["download_unfinished"]
    single = mpt("process", "--job", "jobs.toml", "--overwrite", "--dry-run", "--json")
    assert left_out(single)["reel"] == ["reel.mp4"]


def test_events_tell_what_a_folder_leaves_out(mpt: Mpt, folder: Path) -> None:
    (folder / "x.jpg").touch()
    (folder / "y.mp4.part").touch()
    events: list[dict[str, Any]] = events_of(mpt("process", folder, "-o", "r.mp4", *SMALL, "-n", "--jsonl").out, 0)
    told = [(event["level"], event["code"], event["path"]) for event in events if event["type"] == "notice"]
    assert told == [("info", "files_left_out", str(folder)), ("warning", "download_unfinished", str(folder))]


def test_order_that_differs_from_times_is_reported_and_can_be_chosen(mpt: Mpt, phone: Path) -> None:
    plan = ("process", phone, "-o", "r.mp4", *SMALL, "--dry-run", "--json")
    done = mpt(*plan)
    assert (order(done), codes(done)) == (sorted(TIMES), ["order_differs"])
    named = mpt(*plan, "--order", "name")
    assert (order(named), codes(named)) == (sorted(TIMES), [])
    timed = mpt(*plan, "--order", "time")
    assert (order(timed), codes(timed)) == (BY_TIME, [])


def test_reel_has_the_order_that_was_chosen(mpt: Mpt, phone: Path) -> None:
    done = mpt("process", phone, "-o", "r.mp4", *SMALL, "--order", "time", "--json")
    starts = {Path(clip["path"]).name: clip["start_seconds"] for clip in done.data["clips"]}
    assert sorted(starts, key=lambda name: starts[name]) == BY_TIME
    assert list(starts) == sorted(TIMES)


def test_order_of_a_setting_and_of_a_job(mpt: Mpt, phone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (phone.parent / "job.toml").write_text('[[job]]\noutput = "r.mp4"\nclips = ["phone"]\nconcat.order = "time"\n')
    assert order(mpt("process", "--job", "job.toml", *SMALL, "-n", "--json")) == BY_TIME
    monkeypatch.setenv("MPT_CONCAT__ORDER", "time")
    assert order(mpt("concat", *sorted(phone.iterdir()), "-o", "r.mp4", "-n", "--json")) == BY_TIME


def test_seed_of_an_order_by_name_gives_one_reel(mpt: Mpt, phone: Path) -> None:
    options = ("-o", "r.mp4", "-n", "--json", *SMALL, "--mode", "random", "--seed", "4", "--order", "name")
    paths = sorted(phone.iterdir())
    assert order(mpt("process", *paths, *options)) == order(mpt("process", *paths[::-1], *options))
