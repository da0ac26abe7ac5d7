"""Strange surroundings: a user without a home, folders that cannot be written, a working folder out of reach."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, PROGRAM, SMALL, Done, Mpt, everything_in
from tests.fakes import stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

AS_NOBODY = ("unshare", "--user", "--map-user=12345", "--map-group=12345")
"""Runs a program under a user id without an account, as containers do."""
JOBS = '[[job]]\nname = "{0}"\noutput = "{0}.mp4"\nclips = ["{1}"]\n'


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    return media.make(size="64x36", seconds=0.2)


@cache
def can_be_nobody() -> bool:
    try:
        return subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def nobody(*arguments: str | Path, **variables: str) -> Done:
    """mpt as a user without an account, a home or a terminal, and with these variables alone."""
    if not can_be_nobody():
        pytest.skip("this machine maps no other user")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    done = subprocess.run(
        [*AS_NOBODY, *PROGRAM, *map(str, arguments)],
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_python(script: str) -> Done:
    """A script that sets the scene and then is mpt."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def toml(folder: Path, text: str) -> Path:
    path = folder / "mpt-test.toml"
    path.write_text(text)
    return path


def warnings_of(done: Done) -> list[str]:
    return [issue["code"] for issue in done.document["warnings"]]


@pytest.mark.core(1)
@pytest.mark.parametrize("variables", [{}, {"HOME": ""}, {"HOME": "relative"}], ids=["unset", "empty", "relative"])
def test_user_without_home_makes_a_reel_with_one_warning(here: Path, clip: Path, variables: dict[str, str]) -> None:
    done = nobody("process", clip, "-o", "reel.mp4", *SMALL, "--if-changed", "--json", **variables)
    assert (done.code, warnings_of(done)) == (0, ["state_unavailable"])
    assert [path.name for path in here.iterdir()] == ["reel.mp4"]


def test_user_without_home_sees_the_warning_once(here: Path, clip: Path) -> None:
    (here / "jobs.toml").write_text(JOBS.format("a", clip) + JOBS.format("b", clip))
    done = nobody("batch", "jobs.toml", *SMALL)
    assert (done.code, done.err.count("no home folder is known")) == (0, 1)
    assert nobody("batch", "jobs.toml", *SMALL, "-y", "--json").document["status"] == "success"


@pytest.mark.parametrize(
    ("arguments", "code", "codes"),
    [
        (("health", "--json"), 0, []),
        (("validate", "CLIP", "--json"), 0, []),
        (("process", "CLIP", "-o", "reel.mp4", "--dry-run", "--json"), 0, []),
        (("concat", "CLIP", "-o", "reel.mp4", "--json"), 0, []),
        (("config", "show", "--json"), 0, []),
        (("config", "init", "--user", "--json"), 2, ["config_invalid"]),
        (("cache", "--json"), 2, ["config_invalid"]),
        (("report", "--json"), 2, ["config_invalid"]),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_each_command_works_without_home_or_says_why(
    clip: Path, arguments: tuple[str, ...], code: int, codes: list[str]
) -> None:
    done = nobody(*(clip if argument == "CLIP" else argument for argument in arguments))
    assert (done.code, done.codes) == (code, codes)


def test_folders_that_are_named_need_no_home(here: Path, clip: Path) -> None:
    folders = {"MPT_CACHE__DIR": f"{here}/cache", "MPT_PATHS__STATE": f"{here}/state"}
    for unchanged in (False, True):
        done = nobody("process", clip, "-o", "reel.mp4", *SMALL, "--if-changed", "--json", **folders)
        assert (done.code, warnings_of(done), done.data["unchanged"]) == (0, [], unchanged)
    assert nobody("report", "--json", **folders).code == 0


def test_home_that_is_not_known_is_no_folder_in_a_path(here: Path, clip: Path) -> None:
    done = nobody("process", clip, "-o", "reel.mp4", "--json", MPT_PATHS__TEMP="~/temp")
    assert (done.code, done.codes) == (2, ["config_invalid"])
    (here / "job.toml").write_text(JOBS.format("~/a", clip))
    done = nobody("process", "--job", "job.toml", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert [path.name for path in here.iterdir()] == ["job.toml"]


# --- a cache or records that cannot be written ---------------------------------------------------


@pytest.fixture
def unwritable(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "file").touch()
    monkeypatch.setenv("MPT_CACHE__DIR", str(here / "file" / "cache"))
    monkeypatch.setenv("MPT_PATHS__STATE", str(here / "file" / "state"))


@pytest.mark.usefixtures("unwritable")
def test_cache_and_records_that_cannot_be_written_are_reported_once(mpt: Mpt, clip: Path, here: Path) -> None:
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--if-changed", "--json")
    assert (done.code, sorted(warnings_of(done))) == (0, ["cache_unavailable", "state_unavailable"])
    (here / "jobs.toml").write_text("".join(JOBS.format(name, clip) for name in "abc"))
    done = mpt("batch", "jobs.toml", *SMALL, "--json")
    assert (done.code, sorted(warnings_of(done))) == (0, ["cache_unavailable", "state_unavailable"])
    plain = mpt("batch", "jobs.toml", *SMALL, "-y")
    assert (plain.code, plain.err.count("_unavailable")) == (0, 2)


@pytest.mark.usefixtures("unwritable")
def test_what_is_not_asked_for_is_not_missed(mpt: Mpt, clip: Path, here: Path) -> None:
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--no-cache", "--json")
    assert (done.code, warnings_of(done)) == (0, ["state_unavailable"])
    before = everything_in(here)
    done = mpt("process", clip, "-o", "other.mp4", *SMALL, "--dry-run", "--json")
    assert (done.code, warnings_of(done), everything_in(here)) == (0, [], before)


@pytest.mark.usefixtures("unwritable")
def test_health_names_folders_that_cannot_be_written(mpt: Mpt) -> None:
    done = mpt("health", "--json")
    failed = [check["name"] for check in done.data["checks"] if not check["healthy"]]
    assert (done.code, [name for name in failed if name in ("cache", "state")]) == (0, ["cache", "state"])


# --- folders out of reach ------------------------------------------------------------------------


@pytest.mark.core
def test_health_without_a_temporary_folder_says_so(mpt: Mpt, here: Path) -> None:
    (here / "file").touch()
    done = mpt("health", "--json", "--config", toml(here, "[paths]\ntemp = 'file/temp'\n"))
    assert (done.code, {issue["code"] for issue in done.document["errors"]}) == (6, {"dependency_missing"})
    assert any(issue["message"].startswith("temp: ") for issue in done.document["errors"])


def test_health_where_the_system_has_no_temporary_folder(here: Path) -> None:
    script = "import tempfile, sys; tempfile._candidate_tempdir_list = lambda: ['/nowhere']"
    script += "; from mpt_cli.cli.entry import run; sys.exit(run(['health', '--json']))"
    done = run_python(script)
    assert done.code == 6
    hints = [issue["hint"] for issue in done.document["errors"] if issue["message"].startswith("temp: ")]
    assert hints == ["set TMPDIR or paths.temp to a folder that can be written"]


@pytest.mark.parametrize("way", ["too long", "gone"])
def test_working_folder_that_has_no_path_is_refused(here: Path, clip: Path, way: str) -> None:
    name = "d" * 200
    deep = f"d = '{name}'\nfor _ in range(25):\n    os.mkdir(d)\n    os.chdir(d)\n"
    gone = "os.mkdir('g')\nos.chdir('g')\nos.rmdir('../g')\n"
    script = "import os, sys\n" + (deep if way == "too long" else gone)
    script += f"os.execv(sys.executable, [*{PROGRAM!r}, 'process', {str(clip)!r}, '-o', 'reel.mp4', '--json'])\n"
    done = run_python(script)
    assert (done.code, done.codes) == (2, ["usage"])
    subprocess.run(["rm", "-rf", str(here / name)], check=True)  # beyond what Python's own rmtree reaches by name


def test_working_folder_that_vanishes_during_the_run_is_no_bug(here: Path, clip: Path, tmp_path: Path) -> None:
    program = stand_in(tmp_path, f'rm -rf "{here}/gone"')
    (here / "gone").mkdir()
    script = f"import os, sys\nos.environ['MPT_FFMPEG__BINARY'] = {str(program)!r}\nos.chdir('gone')\n"
    script += f"os.execv(sys.executable, [*{PROGRAM!r}, 'process', {str(clip)!r}, '-o', 'reel.mp4', '--json'])\n"
    done = run_python(script)
    assert (done.code, done.codes) == (2, ["usage"])
    assert everything_in(here) == {}
