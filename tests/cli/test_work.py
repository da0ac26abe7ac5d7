"""mpt work: the steps of a reel, done one by one in other processes, and the run that only joins them."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import LIMIT_SECONDS, ROOT, SMALL, Mpt, start
from tests.media import MediaFolder, Recipe, Tone, ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

CLUSTER = ROOT / "examples" / "cluster"
SHORT = Recipe(seconds=0.4, size="160x90", fps="25")
LONG = Recipe(seconds=30.0, size="96x54", fps="10", keyframe_interval=20, sound=Tone())
"""Is processed in two segments, and its audio by itself."""
COUNTING = """#!/bin/sh
case "$*" in *libx264*) echo encode >> "{encodes}";; esac
exec "{ffmpeg}" "$@"
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def task_of(mpt: Mpt, clip: Path, here: Path) -> Path:
    """The file of the only task of a reel."""
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--tasks", "todo").code == 0
    assert names(here / "todo") == ["task-000000.json"]
    return here / "todo" / "task-000000.json"


def changed(task: Path, **values: Any) -> Path:
    """The same task with other values."""
    task.write_text(json.dumps(json.loads(task.read_text(encoding="utf-8")) | values), encoding="utf-8")
    return task


@pytest.mark.core
def test_run_encodes_nothing_that_two_workers_finished(
    mpt: Mpt, media: MediaFolder, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, encodes = [media.make(SHORT), media.make(LONG)], here / "encodes"
    (here / "ffmpeg").write_text(COUNTING.format(ffmpeg=ffmpeg(), encodes=encodes), encoding="utf-8")
    (here / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(here / "ffmpeg"))
    reel: tuple[str | Path, ...] = ("process", *clips, *SMALL, "-o")
    planned = mpt(*reel, "reel.mp4", "--tasks", "todo", "--json")
    assert planned.document["exit_code"] == 0
    tasks = sorted((here / "todo").iterdir())
    assert len(tasks) == 4
    assert not encodes.exists()
    for pair in (tasks[:2], tasks[2:]):
        workers = [start("work", task, "--jsonl") for task in pair]
        for worker in workers:
            out, err = worker.communicate(timeout=LIMIT_SECONDS)
            lines = [json.loads(line) for line in out.splitlines()]
            assert lines[-1]["errors"] == []
            assert (worker.returncode, err) == (0, b"")
            assert lines[-1]["data"]["stored"]
            assert [line["command"] for line in lines if line.get("type") == "run-started"] == ["work"]
    done = len(encodes.read_text(encoding="utf-8").split())
    assert done == 3
    assert mpt("work", tasks[0], "--json").document["data"]["created"] is False
    assert mpt("work", tasks[0]).out.endswith(": is in the cache already\n")
    joined = mpt(*reel, "reel.mp4", "--json")
    assert {clip["action"] for clip in joined.document["data"]["clips"]} == {"reuse"}
    assert len(encodes.read_text(encoding="utf-8").split()) == done
    assert names(here) == ["encodes", "ffmpeg", "reel.mp4", "todo"]
    monkeypatch.setenv("MPT_CACHE__DIR", str(here / "other"))
    assert mpt(*reel, "alone.mp4").code == 0
    assert (here / "alone.mp4").read_bytes() == (here / "reel.mp4").read_bytes()


WRONG = {
    "another mpt": ({"mpt": "0.0.9"}, 6, "dependency_missing", "planned for mpt 0.0.9"),
    "another ffmpeg": ({"ffmpeg": "n4"}, 6, "dependency_missing", "planned for ffmpeg n4"),
    "another cache format": ({"recipe": 0}, 6, "dependency_missing", "planned for the cache format 0"),
    "another document": ({"schema": "mpt.task/0"}, 6, "dependency_missing", "planned for the format mpt.task/0"),
    "other fields of another mpt": ({"mpt": "9.0.0", "media": {}}, 6, "dependency_missing", "planned for mpt 9.0.0"),
    "another key": ({"key": "0" * 64}, 2, "usage", "is not as mpt wrote it"),
    "other frames": ({"segment": {"clip_index": 0, "first_frame": 0, "frames": 2}}, 2, "usage", "is not as mpt wrote"),
    "no number": ({"index": "one"}, 2, "usage", "index: Input should be a valid integer"),
}


@pytest.mark.parametrize(("values", "code", "issue", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.core(1)
def test_task_of_other_work_is_refused(
    mpt: Mpt, media: MediaFolder, here: Path, values: dict[str, Any], code: int, issue: str, message: str
) -> None:
    task = changed(task_of(mpt, media.make(SHORT), here), **values)
    done = mpt("work", task, "--json")
    (error,) = done.document["errors"]
    assert (done.code, error["code"]) == (code, issue)
    assert message in error["message"]


@pytest.mark.core
def test_source_that_is_gone_or_changed_has_its_own_code(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = here / "clip.mp4"
    shutil.copy(media.make(SHORT), clip)
    task = task_of(mpt, clip, here)
    data = bytearray(clip.read_bytes())
    data[-1] ^= 1
    clip.write_bytes(data)
    done = mpt("work", task, "--json")
    assert (done.code, [error["code"] for error in done.document["errors"]]) == (3, ["input_changed"])
    clip.unlink()
    done = mpt("work", task, "--json")
    assert (done.code, [error["code"] for error in done.document["errors"]]) == (3, ["not_visible_on_worker"])
    assert done.document["errors"][0]["path"] == str(clip)


def test_cache_that_cannot_be_written_is_an_error(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    task = task_of(mpt, media.make(SHORT), here)
    (here / "file").write_bytes(b"")
    done = mpt("work", task, "--cache-dir", here / "file", "--json")
    assert (done.code, done.document["errors"][0]["code"]) == (3, "cache_unavailable")


def test_tasks_are_not_written_over_others(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = media.make(SHORT)
    before = task_of(mpt, clip, here).read_bytes()
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--tasks", "todo", "--json")
    assert (done.code, done.document["errors"][0]["code"]) == (3, "output_exists")
    assert (here / "todo" / "task-000000.json").read_bytes() == before


@pytest.mark.parametrize("option", ["--dry-run", "--no-cache"])
def test_tasks_need_a_folder_and_the_cache(mpt: Mpt, media: MediaFolder, here: Path, option: str) -> None:
    done = mpt("process", media.make(SHORT), "-o", "reel.mp4", "--tasks", "todo", option, "--json")
    assert (done.code, done.document["errors"][0]["code"]) == (2, "usage")
    assert names(here) == []


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.core
def test_script_for_slurm_starts_the_task_of_its_index(here: Path) -> None:
    script = CLUSTER / "slurm-array.sh"
    subprocess.run(["bash", "-n", script], check=True, timeout=LIMIT_SECONDS)
    environment = {"PATH": "/usr/bin:/bin", "MPT": "echo", "SLURM_ARRAY_TASK_ID": "12"}
    done = subprocess.run(
        ["bash", script, "todo"], env=environment, capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS
    )
    assert done.stdout == "work todo/task-000012.json\n"


def test_job_for_kubernetes_is_an_indexed_job() -> None:
    job = pytest.importorskip("yaml").safe_load((CLUSTER / "kubernetes-job.yaml").read_text(encoding="utf-8"))
    assert (job["kind"], job["spec"]["completionMode"]) == ("Job", "Indexed")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert "mpt work" in container["command"][-1]
