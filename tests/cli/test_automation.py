"""The examples for cron and CI, run as far as a machine without either can."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import LIMIT_SECONDS, ROOT, SMALL
from tests.unit.reporting.test_prometheus import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(not shutil.which("flock"), reason="the wrapper needs flock of util-linux")

EXAMPLES = ROOT / "examples"
WRAPPER = EXAMPLES / "mpt-nightly.sh"
STEP = re.compile(r"^      - (?:name: (.*)|uses: .*)$", re.MULTILINE)
RUN = re.compile(r"^        run: (?:\|\n((?:(?: {10}.*)?\n)+)|(.+)\n)", re.MULTILINE)


@pytest.fixture
def clips(media: MediaFolder, here: Path) -> Path:
    """A folder of two clips, below which everything of a test lies."""
    folder = here / "clips"
    folder.mkdir()
    for number, seconds in enumerate((0.2, 0.4)):
        shutil.copyfile(media.make(seconds=seconds), folder / f"clip {number}.mp4")
    return folder


@pytest.fixture
def surroundings(here: Path) -> dict[str, str]:
    """What cron gives a command, and where mpt is installed; all that mpt keeps lies in the test's folder."""
    programs = here / "bin"
    programs.mkdir()
    (programs / "mpt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m mpt_cli "$@"\n')
    (programs / "mpt").chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    (programs / "mpt-nightly.sh").symlink_to(WRAPPER)
    kept = {name: value for name, value in os.environ.items() if name.startswith("XDG_") or name == "HOME"}
    return kept | {"PATH": f"{programs}:/usr/bin:/bin", "LOGNAME": "video", "STATE": str(here / "state")}


def shell(command: str, environment: Mapping[str, str], here: Path, *, program: str = "/bin/sh") -> tuple[int, str]:
    """Exit code and everything that a command printed."""
    done = subprocess.run(
        [program, "-c", command],
        env=dict(environment),
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def metric(path: Path, name: str) -> float:
    """The first sample of a metric."""
    return next(value for (found, _), value in parsed(path.read_text(encoding="utf-8")).items() if found == name)


# --- cron ---------------------------------------------------------------------------------------


def crontab() -> tuple[dict[str, str], str]:
    """Variables and the one command of the crontab; fails where cron would not read it."""
    variables, commands = {}, []
    for line in (EXAMPLES / "mpt-nightly.cron").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"([A-Z]+)=(\S+)", line):
            variables[match[1]] = match[2]
            continue
        match = re.fullmatch(r"(\d+|\*)\s+(\d+|\*)\s+(\d+|\*)\s+(\d+|\*)\s+([0-7]|\*)\s+(\S.*)", line)
        assert match, line
        assert int(match[1]) < 60
        assert int(match[2]) < 24
        assert "%" not in match[6], "cron makes line breaks of it"
        commands.append(match[6])
    (command,) = commands
    return variables, command


def test_the_crontab_makes_a_reel_and_is_silent(clips: Path, here: Path, surroundings: dict[str, str]) -> None:
    variables, command = crontab()
    assert set(variables) >= {"MAILTO", "PATH", "CLIPS", "REEL", "STATE"}
    environment = variables | surroundings | {"CLIPS": str(clips), "REEL": str(here / "the reel.mp4")}
    command = command.replace("--preset youtube", " ".join(SMALL))
    assert shell(command, environment, here) == (0, "")
    reel, told = here / "the reel.mp4", here / "state" / "the reel.prom"
    before = reel.stat()
    assert metric(told, "mpt_run_success") == 1
    assert metric(told, "mpt_output_unchanged") == 0
    assert shell(command, environment, here) == (0, ""), "the second night"
    assert reel.stat() == before
    assert metric(told, "mpt_output_unchanged") == 1


def test_a_night_that_fails_is_mailed(clips: Path, here: Path, surroundings: dict[str, str]) -> None:
    (clips / "clip 2.mp4").write_text("no clip")
    code, printed = shell(f'mpt-nightly.sh "{clips}" reel.mp4 {" ".join(SMALL)}', surroundings, here)
    assert code == 3
    assert printed.startswith("mpt-nightly: reel.mp4: clips or options cannot be used; nothing was written (exit 3)\n")
    assert "clip 2.mp4" in printed
    assert "not_media" in printed
    assert metric(here / "state" / "reel.prom", "mpt_run_exit_code") == 3
    code, printed = shell(f'mpt-nightly.sh "{clips}" reel.mp4 --on-error skip {" ".join(SMALL)}', surroundings, here)
    assert (code, "without some of its clips (exit 5)" in printed) == (5, True)


def test_a_night_that_takes_too_long_goes_on_in_the_next(clips: Path, here: Path, surroundings: dict[str, str]) -> None:
    late = surroundings | {"DEADLINE": "0.001"}
    code, printed = shell(f'mpt-nightly.sh "{clips}" reel.mp4 {" ".join(SMALL)}', late, here)
    assert (code, "deadline_reached" in printed) == (4, True)
    assert not (here / "reel.mp4").exists()


def test_a_night_that_is_still_at_work_is_left_alone(clips: Path, here: Path, surroundings: dict[str, str]) -> None:
    (here / "state").mkdir()
    with (here / "state" / "reel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, printed = shell(f'mpt-nightly.sh "{clips}" reel.mp4', surroundings, here)
        assert (code, printed) == (4, "mpt-nightly: the last run is still at work on reel.mp4\n")
        other = shell(f'mpt-nightly.sh "{clips}" other.mp4 {" ".join(SMALL)}', surroundings, here)
    assert (other, (here / "other.mp4").exists(), (here / "reel.mp4").exists()) == ((0, ""), True, False)


@pytest.mark.core
def test_the_wrapper_says_how_it_is_used(here: Path, surroundings: dict[str, str]) -> None:
    assert shell("mpt-nightly.sh clips", surroundings, here)[0] == 2


@pytest.mark.parametrize(
    ("change", "option", "code", "said"),
    [({}, "--fit crop", 2, "cannot be read"), ({"MPT": "no-such-mpt"}, "", 127, "mpt was not found")],
)
def test_the_wrapper_says_what_is_wrong_with_how_it_was_called(
    clips: Path, here: Path, surroundings: dict[str, str], change: dict[str, str], option: str, code: int, said: str
) -> None:
    ended, printed = shell(f'mpt-nightly.sh "{clips}" reel.mp4 {option}', surroundings | change, here)
    assert (ended, said in printed.splitlines()[0]) == (code, True), printed


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_wrapper_is_clean() -> None:
    assert subprocess.run(["shellcheck", WRAPPER], check=False).returncode == 0


# --- CI -----------------------------------------------------------------------------------------


def steps() -> dict[str, str]:
    """The commands of the workflow by the names of their steps."""
    text = (EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8")
    found = {}
    places = [*STEP.finditer(text), None]
    for step, after in pairwise(places):
        assert step is not None
        body = text[step.start() : after.start() if after else len(text)]
        if match := RUN.search(body):
            lines = match[1].splitlines() if match[1] else [match[2]]
            found[step[1]] = "\n".join(line.removeprefix(" " * 10) for line in lines)
    return found


@pytest.mark.core
def test_the_workflow_is_read_as_yaml_reads_it() -> None:
    yaml = pytest.importorskip("yaml")
    document = yaml.safe_load((EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8"))
    (job,) = document["jobs"].values()
    assert {step["name"]: step["run"].rstrip("\n") for step in job["steps"] if "run" in step} == steps()


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_steps_of_the_workflow_work(clips: Path, here: Path, surroundings: dict[str, str]) -> None:
    assert clips.is_dir()
    summary = here / "summary.md"
    environment = surroundings | {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    (here / "mpt.toml").write_text('video.size = "160x90"\nencode.quality = "draft"\n')
    commands = steps()
    install = commands.pop("install mpt")
    assert "pip install" in install
    assert "git+https://" in install, "mpt is not on PyPI"
    for name, command in commands.items():
        assert shell(f"set -eo pipefail\n{command}", environment, here, program="bash")[0] == 0, name
    report = here / "report"
    assert sorted(path.name for path in report.iterdir()) == ["clips.xml", "manifest.json", "result.json"]
    assert ElementTree.parse(report / "clips.xml").getroot().get("tests") == "2"
    output = json.loads((report / "result.json").read_bytes())["data"]["output"]
    assert summary.read_text() == f"reel.mp4: {output['duration_seconds']} s, {output['size_bytes']} bytes\n"
