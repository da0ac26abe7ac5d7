"""Completion scripts and the man page: not stale, and asked in the shells themselves where these are there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.cli.catalog import COMMANDS, NAMES
from mpt_cli.cli.commands.completions import Shell
from mpt_cli.cli.shell.command_tree import Kind, commands, encoders
from mpt_cli.cli.shell.contract_parts import Table, blocks, contract_section
from mpt_cli.config.presets import PRESETS
from mpt_cli.model.errors import IssueCode
from mpt_cli.settings.layers import FIELDS, dotted
from tests.cli.conftest import LIMIT_SECONDS, ROOT, Mpt
from tests.generated import SCRIPTS, generated

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core

TOOLS = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
CAPTURE = ROOT / "tests/children/complete.zsh"


@pytest.mark.parametrize("name", generated())
def test_what_is_generated_is_not_stale(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == generated()[name], "run python -m tests.generated"


@pytest.mark.parametrize("shell", Shell)
def test_mpt_prints_the_committed_script(mpt: Mpt, shell: Shell) -> None:
    done = mpt("completions", shell)
    assert (done.code, done.err) == (0, "")
    assert done.out == (ROOT / "completions" / SCRIPTS[shell]).read_text(encoding="utf-8")


def test_an_unknown_shell_is_a_usage_error(mpt: Mpt) -> None:
    done = mpt("completions", "bsh")
    assert done.code == 2
    assert "'bsh' is not one of bash, zsh, fish, powershell; did you mean bash or zsh?" in done.err


def test_the_wheel_installs_what_is_generated() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert set(shared) <= set(generated())
    assert set(shared.values()) == {
        "share/bash-completion/completions/mpt",
        "share/zsh/site-functions/_mpt",
        "share/fish/vendor_completions.d/mpt.fish",
        "share/man/man1/mpt.1",
    }


# --- what is completed --------------------------------------------------------------------------


@pytest.fixture
def folder(here: Path) -> Path:
    """A folder with a job file, a clip and another folder."""
    (here / "week.toml").write_text(
        '[[job]]\nname = "monday"\noutput = "a.mp4"\nclips = ["c.mp4"]\n'
        '[[job]]\nname = "tue day"\noutput = "b.mp4"\nclips = ["c.mp4"]\n'
    )
    (here / "clip.mp4").touch()
    (here / "dir").mkdir()
    return here


def run(*argv: str) -> list[str]:
    """The lines that a shell prints, its errors among them."""
    done = subprocess.run(
        argv,
        env={"PATH": TOOLS, "HOME": str(Path.cwd()), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def in_bash(line: str) -> list[str]:
    """What bash offers; it breaks words at ``=`` as well."""
    words = re.sub(r"(--[\w-]+)=", r"\1 = ", line).split(" ")
    call = f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}; _mpt mpt"
    return run("bash", "-c", f'source {ROOT}/completions/mpt.bash; {call}; printf "%s\\n" "${{COMPREPLY[@]}}"')


def in_zsh(line: str) -> list[str]:
    """What zsh offers."""
    return run("zsh", "-f", str(CAPTURE), str(ROOT / "completions"), line)


def in_fish(line: str) -> list[str]:
    """What fish offers, without its explanations."""
    script = f"source {ROOT}/completions/mpt.fish; complete -C {shlex.quote(line)}"
    return [found.split("\t")[0] for found in run("fish", "--no-config", "-c", script)]


SHELLS = [
    pytest.param(ask, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell}"), id=shell)
    for shell, ask in (("bash", in_bash), ("zsh", in_zsh), ("fish", in_fish))
]
HEVC = ["auto", *encoders()["hevc"]]
LINES = [
    ("mpt ", list(NAMES)),
    ("mpt pro", ["process"]),
    ("mpt config ", ["show", "init", "schema"]),
    ("mpt process --fi", ["--fit"]),
    ("mpt process --log", ["--log-file", "--log-format"]),
    ("mpt process --fit co", ["contain", "cover"]),
    ("mpt concat --background bl", ["black", "blue"]),
    ("mpt process --preset ", list(PRESETS)),
    ("mpt process --codec hevc --encoder ", HEVC),
    ("mpt process --encoder libx", ["libx264", "libx265"]),
    ("mpt config show video.f", [key for key in map(dotted, FIELDS) if key.startswith("video.f")]),
    ("mpt cache ", ["info", "prune", "clear"]),
    ("mpt completions ", list(Shell)),
    ("mpt batch week.toml --only ", ["monday", "tue day"]),
    ("mpt batch ", ["week.toml", "dir"]),
    ("mpt report la", ["last"]),
]


def plain(offered: list[str]) -> list[str]:
    """Offers without the quotes, and the mark of a folder, that shells add."""
    return sorted(word.replace("\\ ", " ").strip("'").rstrip("/") for word in offered)


@pytest.mark.parametrize("ask", SHELLS)
@pytest.mark.parametrize(("line", "expected"), LINES)
@pytest.mark.core(12)
def test_shells_complete(folder: Path, ask: Callable[[str], list[str]], line: str, expected: list[str]) -> None:
    offered = plain(ask(line))
    if ask is in_fish and line == "mpt batch ":  # fish puts other files last
        offered.remove("clip.mp4")
    assert offered == sorted(expected)


@pytest.mark.parametrize("ask", SHELLS)
def test_a_value_may_follow_an_equals_sign(ask: Callable[[str], list[str]]) -> None:
    assert [word.removeprefix("--fit=") for word in plain(ask("mpt process --fit=co"))] == ["contain", "cover"]


@pytest.mark.parametrize("ask", SHELLS)
def test_every_option_of_every_command_is_offered(ask: Callable[[str], list[str]]) -> None:
    for command in commands():
        long = {name for option in command.options for name in option.names if name.startswith("--")}
        offered = {word.rstrip("=") for word in plain(ask(f"mpt {command.name} --"))}
        assert offered - {"--version"} == long, command.name


def test_bash_leaves_files_to_itself_and_offers_none_where_none_can_stand(folder: Path) -> None:
    assert in_bash("mpt process ") == in_bash("mpt process -o ") == in_bash("mpt process --seed ") == []


# --- names --------------------------------------------------------------------------------------


def test_names_of_jobs_and_runs_are_quick_and_silent(mpt: Mpt, folder: Path) -> None:
    assert mpt("completions", "jobs", "--of", "week.toml", "--of", "gone.toml").out.split("\n") == [
        "monday",
        "tue day",
        "",
    ]
    (folder / "broken.toml").write_text("[[job")
    for done in (
        mpt("completions", "jobs"),
        mpt("completions", "jobs", "--of", "broken.toml"),
        mpt("completions", "jobs", "--of", "dir"),
    ):
        assert (done.code, done.out.strip(), done.err) == (0, "", "")
    assert mpt("completions", "workflows").out.split() == ["last", "list", "batch"]
    (folder / "mpt.toml").write_text("[video]\nbogus = 1\n")
    assert mpt("completions", "workflows").err == ""


def test_the_tree_knows_what_is_wanted_everywhere() -> None:
    found = {command.name: command for command in commands()}
    assert list(found) == [entry.name for entry in COMMANDS]
    for command in found.values():
        for option in command.options:
            assert option.help
            assert option.value is None or option.value.kind is not Kind.WORDS or option.value.words
    (key,) = found["config show"].arguments
    assert set(map(dotted, FIELDS)) < set(key.value.words)


# --- the man page -------------------------------------------------------------------------------

PAGE = ROOT / "mpt_cli/share/man/mpt.1"


def test_the_man_page_has_every_part_and_every_option() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\.SH (.*)", text, re.MULTILINE) == [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDS",
        "CONFIGURATION",
        "JOB FILES",
        "INPUTS",
        "EXIT STATUS",
        "ISSUE CODES",
        "FILES",
        "ENVIRONMENT",
        "EXAMPLES",
        "LIMITS",
        "SEE ALSO",
    ]
    read = text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\(aq", "'")
    for command in commands():
        part = read.split(f".SS mpt {command.name}\n")[1].split("\n.SH")[0]
        assert [name for option in command.options for name in option.names if name not in part] == []
    assert [dotted(key) for key in FIELDS if f"\n{dotted(key)} = " not in read] == []
    assert [code for code in IssueCode if f"\n{code}\n" not in read] == []
    inputs = [block for block in blocks(contract_section("Inputs")) if isinstance(block, Table)]
    assert [row for table in inputs for row, _ in table.rows if f"\n{row}\n".replace("…", "...") not in read] == []
    assert not re.search(r"`|\]\(", read.split(".SH JOB FILES")[1]), "Markdown"


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_the_man_page_is_set_without_a_warning() -> None:
    assert run("groff", "-man", "-ww", "-Tascii", "-P-c", str(PAGE))
