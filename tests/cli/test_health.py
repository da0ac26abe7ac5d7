"""``mpt health`` from outside: a row a check, exit 6 with hints, the same for programs, and nothing left."""

from __future__ import annotations

import sys
import time
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from mpt_cli.display.answers.health import show_health
from mpt_cli.model.health import CurrentMetrics, HealthCheck, HealthStatus
from tests.checks import CHECKS
from tests.cli.conftest import LIMIT_SECONDS, everything_in, fake_ffmpeg, run_program, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Mpt

LONG = "ffmpeg failed: Error while opening encoder, maybe incorrect parameters such as bit rate, width or height"


def shown(*checks: HealthCheck, gpu: float | None = None, width: int = 80) -> list[str]:
    """The lines on a terminal of this width."""
    status = HealthStatus(checks, 12.4, CurrentMetrics(0, 33.3, 12.4, None, gpu), "9.9")
    out = StringIO()
    show_health(Console(file=out, force_terminal=True, no_color=True, width=width, highlight=False), status)
    return [_plain(line).rstrip() for line in out.getvalue().splitlines()]


def _plain(line: str) -> str:
    """Without the codes of a terminal for bold and dim."""
    return "".join(part.partition("m")[2] if at else part for at, part in enumerate(line.split("\x1b[")))


@pytest.mark.anchor("T017")
def test_every_check_has_its_row_and_nothing_is_left(mpt: Mpt, here: Path, own_home: Path) -> None:
    done = mpt("health")
    *rows, _, load, verdict = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert [row.split()[:2] for row in rows] == [["ok", name] for name in CHECKS]
    assert load.startswith("load: cpu ")
    assert verdict == "healthy: all that is required works"
    assert not [path for path, content in everything_in(here, *own_home.glob("*/mpt")).items() if content is not None]


@pytest.mark.skipif(sys.platform == "win32", reason="only the age of a folder tells there")
def test_next_check_removes_what_a_killed_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    with start("health") as process:
        end = time.monotonic() + LIMIT_SECONDS
        while not list(temp.glob(".mpt-health-*/*")) and time.monotonic() < end:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    assert list(temp.glob(".mpt-health-*"))
    assert run_program("health").code == 0
    assert list(temp.iterdir()) == []


def test_deep_makes_a_reel_and_leaves_nothing(mpt: Mpt, here: Path, own_home: Path) -> None:
    done = mpt("health", "--deep", "--json")
    assert (done.code, done.document["status"]) == (0, "success")
    assert [check["name"] for check in done.data["checks"]] == [*CHECKS, "job"]
    assert done.data["checks"][-1]["detail"] == "a reel of 24 frames was made and proven"
    left = [path for path, content in everything_in(here, *own_home.glob("*/mpt")).items() if content is not None]
    assert all({"encoders", "files"} & set(path.parts) for path in left)  # what any run remembers
    assert mpt("report").code == 2  # it is no run of the user's


@pytest.mark.anchor("T018")
def test_a_broken_ffmpeg_is_exit_6_with_hints(mpt: Mpt, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, "echo broken >&2; exit 1", monkeypatch)
    done = mpt("health", "--json")
    document = done.document
    assert (done.code, document["status"], done.data["healthy"]) == (6, "error", False)
    bad = {check["name"]: check for check in done.data["checks"] if not check["healthy"]}
    assert set(bad) == {"validation_engine", "encoder:libx264", "encoder:libx265", "encoder:libsvtav1"}
    assert all("broken" in check["detail"] and check["hint"] for check in bad.values())
    assert [issue["message"].partition(":")[0] for issue in document["errors"]] == ["validation_engine", "encoder"]
    assert {issue["code"] for issue in document["errors"]} == {"dependency_missing"}
    assert len(document["warnings"]) == 2
    text = mpt("health")
    assert (text.code, text.out.count("      hint: ")) == (6, 4)
    assert text.out.endswith("not healthy: something that is required does not work\n")
    assert [row.split()[0] for row in text.out.splitlines() if row[:1].isalpha()].count("bad") == 2


@pytest.mark.anchor("T018")
@pytest.mark.core
def test_a_missing_ffmpeg_is_named_and_unknown(mpt: Mpt, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(here / "none"))
    done = mpt("health", "--json")
    assert (done.code, done.document["tool"]["ffmpeg"]) == (6, None)
    details = {check["name"]: check["detail"] for check in done.data["checks"]}
    assert details["ffmpeg"] == f"{here / 'none'}: does not exist, but ffmpeg.binary names it"


def test_quiet_tells_only_what_is_required_and_wrong(mpt: Mpt, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = mpt("health", "-q")
    assert (fine.code, fine.out, fine.err) == (0, "", "")
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(here / "none"))
    done = mpt("health", "-q")
    assert (done.code, done.out, done.err.count("error: ")) == (6, "", 4)


def test_a_process_of_its_own_answers_with_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_MEMORY__MAX", "200MiB")
    done = run_program("health", "--json")
    assert (done.code, done.err) == (7, "")  # nothing but room is missing
    assert [check["name"] for check in done.data["checks"] if not check["healthy"]] == ["memory"]
    assert done.data["memory_usage_percent"] > 0
    assert done.data["performance"]["gpu_percent"] is None


def test_a_row_fits_the_terminal_and_what_failed_is_said_whole() -> None:
    lines = shown(
        HealthCheck("ffmpeg", True, True, f"9.9 at /opt/{'x' * 90}/ffmpeg"),
        HealthCheck("encoder:libx264", False, True, LONG, "choose another one"),
        HealthCheck("moviepy", False, False, "is not installed", "pip install moviepy"),
    )
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("ok   ffmpeg           9.9 at /opt/xxx")
    assert lines[1].startswith("bad  encoder:libx264  ffmpeg failed: Error while")
    whole = " ".join(line.strip() for line in lines[2 : lines.index("      hint: choose another one")])
    assert whole == LONG
    assert lines.count("      hint: pip install moviepy") == 1
    assert sum("is not installed" in line for line in lines) == 1
    assert lines[-1] == "not healthy: something that is required does not work"


@pytest.mark.parametrize(("gpu", "said"), [(None, "gpu -"), (0.0, "gpu 0%"), (87.4, "gpu 87%")])
def test_the_load_of_what_is_not_measured_is_not_zero(gpu: float | None, said: str) -> None:
    assert shown(gpu=gpu)[-2] == f"load: cpu 33%, {said}, memory 12% of the budget"


def test_what_a_program_said_cannot_harm_a_terminal() -> None:
    lines = shown(HealthCheck("ffmpeg", False, True, "says \x1b[2J\n", "remove \x07 it"))
    assert lines[0] == "bad  ffmpeg  says \\x1b[2J\\n"
    assert lines[1] == "      hint: remove \\x07 it"
