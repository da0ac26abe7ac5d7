"""Help names every option and fits a terminal, completions work, and what is generated is not stale."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mpt_cli import __version__
from mpt_cli.cli.app import app
from mpt_cli.cli.completions import Shell, script
from mpt_cli.config import PRESETS
from tests.cli.conftest import LIMIT_SECONDS, ROOT, Mpt, run_program

COMMON = "--config -c --json --jsonl --quiet -q --verbose -v --log-file --color --help -h"
INPUT = "--null -0"
REEL = (
    "--output -o --preset --form --size --fps --fit --codec --encoder --quality --encoder-threads --crf"
    " --encoder-preset --mode --seed --max-clip-duration --on-error --min-success-rate --jobs -j --clip-timeout"
    " --stall-timeout --max-memory --overwrite -y --dry-run -n --copy --no-fallback --no-cache --paranoid --keep-temp"
)
OF_JOBS = set(REEL.split()) - {"--output", "-o"}
OPTIONS = {
    "batch": f"{COMMON} {' '.join(OF_JOBS)} --fail-fast",
    "health": f"{COMMON} --deep",
    "cache": COMMON,
    "report": COMMON,
    "validate": f"{COMMON} {INPUT} --deep --strict",
    "process": f"{COMMON} {INPUT} {REEL} --job",
    "concat": f"{COMMON} {INPUT} {REEL} --method",
    "completions": "--help -h",
}
"""What each command must have, from the contract."""


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")


def words(text: str) -> set[str]:
    """All options that a text names."""
    return set(re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", text))


@pytest.mark.parametrize("command", OPTIONS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_option_at_80_columns(mpt: Mpt, command: str, option: str) -> None:
    done = mpt(command, option)
    assert (done.code, done.err) == (0, "")
    rows = [re.split(r" {2,}", line.strip("│ ")) for line in done.out.splitlines() if line.startswith("│ -")]
    named = {name for row in rows for name in row[:2] if name.startswith("-")}
    assert named == set(OPTIONS[command].split())
    assert all(row[-1][0].isalpha() for row in rows), "an option without an explanation"
    assert max(map(len, done.out.splitlines())) <= 80
    assert "…" not in done.out
    assert f"Usage: mpt {command}" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--preset", " ".join(PRESETS)),
        ("--fit", "contain cover stretch blur (contain)"),
        ("--form", "given auto (auto)"),
        ("--codec", "h264 hevc av1 (that of the clips)"),
        ("--quality", "draft balanced high (balanced)"),
        ("--mode", "sequential random (sequential)"),
        ("--copy", "identical compatible never (identical)"),
        ("--on-error", "fail skip (fail)"),
        ("--method", "auto copy reencode moviepy (auto)"),
        ("--color", "auto always never (auto)"),
        ("--size", "(that of the clips)"),
        ("--fps", "auto 30 30000/1001 (auto)"),
        ("--jobs", "(auto)"),
    ],
)
def test_help_names_choices_and_default(mpt: Mpt, option: str, choices: str) -> None:
    row = mpt("concat", "-h").out.split(f"│ {option} ")[1].split("│ -")[0]
    explained = " ".join(re.sub(r"[│╭╮╰╯─]", " ", row).split())
    assert [choice for choice in choices.split() if choice not in explained] == []


def test_process_and_concat_differ_in_the_default_form(mpt: Mpt) -> None:
    assert "Picture size (1080x1920)." in mpt("process", "-h").out
    assert "(h264)" in mpt("process", "-h").out
    assert "1080x1920" not in mpt("concat", "-h").out


def test_mpt_alone_is_the_help(mpt: Mpt) -> None:
    alone, asked = mpt(), mpt("--help")
    assert (alone.code, alone.err) == (0, "")
    assert (asked.code, asked.out.strip()) == (0, alone.out.strip())
    assert all(f" {command} " in alone.out for command in OPTIONS)
    assert max(map(len, alone.out.splitlines())) <= 80
    assert "130 and 143 stopped" in alone.out


def test_python_m_is_the_same(mpt: Mpt) -> None:
    assert run_program("--version").out == mpt("--version").out == f"mpt {__version__}\n"
    assert run_program("process", "-h") == mpt("process", "-h")


def test_help_starts_quickly_because_nothing_heavy_is_loaded() -> None:
    code = "import sys; from mpt_cli.__main__ import main; sys.argv = ['mpt', '--version']\ntry: main()\nfinally:"
    code += " print(sorted({'av', 'moviepy', 'numpy', 'pydantic_settings'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# --- completions --------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", Shell)
def test_the_committed_script_is_what_mpt_prints(mpt: Mpt, shell: Shell) -> None:
    file = ROOT / f"completions/mpt.{shell}"
    assert mpt("completions", shell).out == file.read_text(), f"stale: mpt completions {shell} > {file.name}"
    assert script(shell) in file.read_text()


def completed(*line: str) -> list[str]:
    """What bash offers for the last word of a command line."""
    tools = f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    call = f"COMP_WORDS=({shlex.join(line)}) COMP_CWORD={len(line) - 1}; _mpt_completion mpt"
    lines = f'{tools}; source {ROOT}/completions/mpt.bash; {call}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mpt ''", ["validate", "process", "batch", "concat", "health", "cache", "report", "completions"]),
        ("mpt pro", ["process"]),
        ("mpt process --fi", ["--fit"]),
        ("mpt process --fit ''", ["contain", "cover", "stretch", "blur"]),
        ("mpt process --fit co", ["contain", "cover"]),
        ("mpt concat --method c", ["copy"]),
        ("mpt completions ''", ["bash"]),
        ("mpt process -o ''", []),
    ],
)
def test_bash_completes(line: str, expected: list[str]) -> None:
    assert completed(*shlex.split(line)) == expected


def test_mpt_answers_the_script_in_place_of_running(mpt: Mpt, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"_MPT_COMPLETE": "complete_bash", "COMP_WORDS": "mpt validate --de", "COMP_CWORD": "2"}
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    done = mpt("validate", "--bogus")
    assert (done.code, done.out.split(), done.err) == (0, ["--deep"], "")


# --- README -------------------------------------------------------------------------------------

README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part of README below a heading."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_readme_has_two_commands_of_one_line_each() -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", section("Two commands"), re.DOTALL | re.MULTILINE)
    first, second = block.splitlines()
    assert not first.endswith("\\")
    assert ".venv/bin/mpt process examples/clips -o reel.mp4" in first
    assert "-e '.[dev]'" in second
    assert "-m pytest" in second
    assert "reel.mp4" in (ROOT / ".gitignore").read_text()


def test_readme_names_only_what_exists() -> None:
    prose = README.replace(section("Two commands"), "")
    commands = {callback.__name__ for command in app.registered_commands if (callback := command.callback)}
    assert set(re.findall(r"\bmpt ([a-z]+) [^|]", "\n".join(re.findall(r"^\$ .*|`mpt .*?`", prose, re.M)))) <= commands
    known = {option for options in OPTIONS.values() for option in options.split()} | {"--version"}
    code = " ".join(re.findall(r"`[^`]+`|^\$ .*", prose, re.MULTILINE))
    ours = re.sub(r"python3? -m json\.tool|jq -r", "", code)
    assert words(ours) - known == set()


def test_readme_explains_every_exit_code() -> None:
    table = re.findall(r"^\| ([\d, ]+) \|", section("For programs"), re.MULTILINE)
    assert sorted(int(code) for row in table for code in row.split(",")) == [*range(8), 130, 143]
