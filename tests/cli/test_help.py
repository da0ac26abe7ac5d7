"""Help names every option and fits a terminal, and README names what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from mpt_cli.cli import options
from mpt_cli.cli.catalog import COMMANDS, NAMES
from mpt_cli.cli.overview import EXITS
from mpt_cli.config.presets import PRESETS
from mpt_cli.model.errors import ExitCode
from mpt_cli.model.version import __version__
from tests.cli.conftest import ROOT, Mpt, run_program

pytestmark = pytest.mark.core

COMMON = "--config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h"
INPUT = "--null -0"
REEL = (
    "--output -o --preset --form --size --fps --fit --background --codec --encoder --quality --encoder-threads --crf"
    " --encoder-preset --order --mode --seed --dynamic-range --max-clip-duration --on-error --min-success-rate --jobs"
    " -j --clip-timeout"
    " --stall-timeout --max-memory --overwrite -y --dry-run -n --copy --no-chapters --no-fallback --no-cache --paranoid"
    " --keep-temp --contact-sheet --poster --if-changed --deadline --metrics-file --manifest --audio-tracks"
    " --audio-codec --audio-rate --audio-channels --loudness --even-out"
)
OF_JOBS = set(REEL.split()) - {"--output", "-o", "--contact-sheet", "--poster"}
OF_A_RUN = "--overwrite -y --dry-run -n --keep-temp --if-changed --metrics-file --manifest"
SETTINGS = OF_JOBS - set(OF_A_RUN.split())
OPTIONS = {
    "batch": f"{COMMON} {' '.join(OF_JOBS)} --fail-fast --only --junit",
    "config show": f"{COMMON} {' '.join(SETTINGS)}",
    "config init": f"{COMMON} --user --overwrite -y",
    "config schema": COMMON,
    "health": f"{COMMON} --deep",
    "cache": COMMON,
    "work": f"{COMMON} --cache-dir",
    "report": f"{COMMON} --html --limit --overwrite -y",
    "validate": f"{COMMON} {INPUT} --deep --strict --audio-tracks --junit --metrics-file",
    "process": f"{COMMON} {INPUT} {REEL} --job --tasks",
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
@pytest.mark.core(6)
def test_help_names_every_option_at_80_columns(mpt: Mpt, command: str, option: str) -> None:
    done = mpt(*command.split(), option)
    assert (done.code, done.err) == (0, "")
    rows = [re.split(r" {2,}", line.strip("│ ")) for line in done.out.splitlines() if line.startswith("│ -")]
    named = {name for row in rows for name in row[:2] if name.startswith("-")}
    assert named == set(OPTIONS[command].split())
    assert all(row[-1][0].isalpha() for row in rows), "an option without an explanation"
    assert max(map(len, done.out.splitlines())) <= 80
    assert "…" not in done.out
    assert f"Usage: mpt {command}" in done.out
    assert "\x1b" not in done.out
    assert not re.search(r"<\w+", done.out), "a Python type"


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--preset", " ".join(PRESETS)),
        ("--fit", "contain cover stretch blur (contain)"),
        ("--background", "#rrggbb (black)"),
        ("--form", "given auto (auto)"),
        ("--codec", "h264 hevc av1 (that of the clips)"),
        ("--quality", "draft balanced high (balanced)"),
        ("--order", "given name time (given)"),
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
@pytest.mark.core(5)
def test_help_names_choices_and_default(mpt: Mpt, option: str, choices: str) -> None:
    row = mpt("concat", "-h").out.split(f"│ {option} ")[1].split("│ -")[0]
    explained = " ".join(re.sub(r"[│╭╮╰╯─]", " ", row).split())
    assert [choice for choice in choices.split() if choice not in explained] == []


@pytest.mark.parametrize("flag", options.REEL, ids=lambda flag: flag.names[0])
def test_every_option_has_a_help_that_begins_a_sentence(flag: options.Flag) -> None:
    assert re.match(r"[A-Z]|auto,", flag.help), flag


def test_process_and_concat_differ_in_the_default_form(mpt: Mpt) -> None:
    assert "Frame size (1080x1920; " in mpt("process", "-h").out
    assert "(h264)" in mpt("process", "-h").out
    assert "1080x1920" not in mpt("concat", "-h").out


def test_every_command_has_examples_that_fit_a_line(mpt: Mpt) -> None:
    for entry in COMMANDS:
        shown = mpt(*entry.words, "-h").out.split("Examples")[1].splitlines()
        for line, text in entry.examples:
            assert any(f" {line} " in row and text in row for row in shown), line


def test_examples_are_command_lines_that_mpt_understands(mpt: Mpt) -> None:
    known = {option for options in OPTIONS.values() for option in options.split()}
    for entry in COMMANDS:
        for line, _ in entry.examples:
            words = shlex.split(line.split("| ")[-1].split(" > ")[0].split(" >> ")[0])
            assert words[: 1 + len(entry.words)] == ["mpt", *entry.words]
            assert {word for word in words if word.startswith("--")} <= known


def test_mpt_alone_shows_in_one_screen_what_it_can_do(mpt: Mpt) -> None:
    done = mpt()
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if re.match(r"  [a-z]+  ", line)] == list(NAMES)
    assert "mpt process clips/ -o reel.mp4" in done.out
    assert "\x1b" not in done.out


def test_help_adds_options_and_exit_codes(mpt: Mpt) -> None:
    long, short = mpt("--help"), mpt("-h")
    assert (long.code, long.err) == (0, "")
    assert long == short
    assert all(f"  {name} " in long.out for name in (*NAMES, "-h, --help", "--version"))
    assert max(map(len, long.out.splitlines())) <= 80
    codes = re.findall(r"^  (\d[\d, ]*) ", long.out, re.MULTILINE)
    assert [int(code) for row in codes for code in row.split(",")] == [int(code) for code in ExitCode]
    assert [code for codes, _ in EXITS for code in codes] == list(ExitCode)


def test_a_group_alone_is_its_help(mpt: Mpt) -> None:
    assert mpt("config") == mpt("config", "--help")
    assert mpt("config").code == 0
    assert all(f"│ {name} " in mpt("config").out for name in ("show", "init", "schema"))


@pytest.mark.core(0)
def test_python_m_is_the_same(mpt: Mpt) -> None:
    assert run_program("--version").out == mpt("--version").out == f"mpt {__version__}\n"
    assert run_program("process", "-h") == mpt("process", "-h")


def test_help_starts_quickly_because_nothing_heavy_is_loaded() -> None:
    code = "import sys; from mpt_cli.__main__ import main; sys.argv = ['mpt', '--version']\ntry: main()\nfinally:"
    heavy = {"av", "moviepy", "numpy", "pydantic_settings", "rich", "logging", "mpt_cli.model.errors"}
    code += f" print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


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
    prose = re.sub(r"^```sh\n.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)  # which run: tests/recipes
    assert set(re.findall(r"\bmpt ([a-z]+) [^|]", "\n".join(re.findall(r"^\$ .*|`mpt .*?`", prose, re.M)))) <= set(
        NAMES
    )
    known = {option for options in OPTIONS.values() for option in options.split()} | {"--version"}
    code = " ".join(re.findall(r"`[^`]+`|^\$ .*", prose, re.MULTILINE))
    ours = re.sub(r"python3? -m json\.tool|jq -r|pytest -m|mkdir -p", "", code)
    assert words(ours) - known == set()


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.encode()) <= 10_000
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", README)}
    assert len(targets) > 10
    assert {target for target in targets if not (ROOT / target).is_file()} == set()


def test_readme_lists_every_command() -> None:
    listed = re.findall(r"^\| `mpt (\w+)", section("Commands"), re.MULTILINE)
    assert sorted(listed) == sorted(NAMES)


def test_readme_explains_every_exit_code() -> None:
    table = re.findall(r"^\| ([\d, ]+) \|", section("Exit codes"), re.MULTILINE)
    assert sorted(int(code) for row in table for code in row.split(",")) == [*range(8), 130, 143]
