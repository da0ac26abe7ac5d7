"""What people read when something is wrong, where settings come from, and what the reporting options do."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, ROOT, SMALL, Mpt, everything_in, fake_ffmpeg, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

ESCAPE = "\x1b"


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """An ordinary clip."""
    return media.make(seconds=0.2)


# --- errors for people --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ("proces a.mp4", "did you mean process?", "see mpt --help"),
        ("process a.mp4 --overwrit", "did you mean --overwrite?", "see mpt process --help"),
        ("process a.mp4 --timeout 9", "did you mean --clip-timeout or --stall-timeout?", "see mpt process --help"),
        ("process a.mp4 --crop", "use --fit cover", "see mpt process --help"),
        ("process -i a.mp4", "-i; inputs are named without an option", "see mpt process --help"),
        ("process -ss 3 a.mp4", "-ss; start and end of a clip in a job file trim it", "see mpt process --help"),
        ("process a.mp4 -preset tiktok", "-preset; did you mean --preset?", "see mpt process --help"),
        ("process a.mp4 --volume 2", "volume of a clip in a job file is its gain in dB", "see mpt process --help"),
        ("process a.mp4 --normalize", "use --loudness", "see mpt process --help"),
        ("validate a.mp4 --fit cover", "only mpt process, mpt concat, mpt batch, mpt config show have it", "validate"),
        ("merge a.mp4 b.mp4", "use mpt concat", "see mpt --help"),
        ("a.mp4 b.mp4 -o c.mp4", "name a command first: mpt process", "see mpt --help"),
        ("process a.mp4 -o", "requires an argument", "see mpt process --help"),
        ("process a.mp4 -o -n", "'-n' is an option, so the value is missing", "see mpt process --help"),
        ("process a.mp4", "no output was named", "add -o reel.mp4"),
        ("process -o b.mp4", "no clips were named", "or - for paths on stdin"),
        ("validate", "no clips were named", "name files"),
        ("process a.mp4 -o b.mp4 --min-success-rate 0.9", "processing.on_error = skip", "--on-error skip"),
        ("process a.mp4 -o b.mp4 --seed 3", "--seed 3: needs concat.mode = random", "--mode random"),
        ("concat a.mp4 -o b.mp4 --seed 3 --mode sequential", "--seed 3: needs concat.mode = random", "--mode random"),
        ("process a.mp4 -o b.mp4 -0", "--null is for paths on stdin, which no input is", "- among the inputs"),
        ("process -o b.mp4 --job j.toml -0", "--null is for paths on stdin, which no input is", "leave out --null"),
        ("validate a.mp4 --null", "--null is for paths on stdin, which no input is", "- among the inputs"),
        ("validate a.mp4 --color blue", "'blue' is not one of auto, always, never", "see mpt validate --help"),
        ("validate a.mp4 --color alway", "did you mean always?", "see mpt validate --help"),
        ("cache inf", "did you mean info?", "see mpt cache --help"),
        ("config shwo", "did you mean show?", "see mpt config --help"),
        ("batch - -", "stdin was named twice", "name - once"),
    ],
)
@pytest.mark.core(6)
def test_a_usage_error_is_one_line_and_a_hint(mpt: Mpt, here: Path, arguments: str, said: str, hint: str) -> None:
    done = mpt(*arguments.split())
    assert (done.code, done.out) == (2, "")
    error, hinted = done.err.splitlines()
    assert re.fullmatch(r"error: .+ \(usage\)", error)
    assert said in error
    assert hinted.startswith("  hint: ")
    assert hint in hinted
    assert not list(here.iterdir())


@pytest.mark.parametrize("option", ["--logo", "--brightness", "--frobnicate", "-z"])
@pytest.mark.core
def test_option_that_is_like_no_other_gets_no_suggestion(mpt: Mpt, option: str) -> None:
    error = mpt("process", "a.mp4", option).err.splitlines()[0]
    assert "did you mean" not in error
    assert not re.search(r"--(mode|color|form)\b(?!-)", error)


def test_names_that_cannot_be_written_are_usage_beside_all_that_is_wrong(mpt: Mpt, here: Path, clip: Path) -> None:
    done = mpt("process", clip, "-o", "b.mp4", "--contact-sheet", "s.gif", "--poster", "p", "-n", "--json")
    assert (done.code, done.codes) == (2, ["usage", "usage", "validation_failed"])
    done = mpt("process", clip, "-o", "b.avi", *SMALL)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-2:] == [
        "error: b.avi: has the extension .avi, which is no container that mpt writes (usage)",
        "  hint: use one of .mp4, .mov, .mkv",
    ]
    done = mpt("concat", clip, "none.mp4", "-o", "b", "--poster", "p.gif", "--json")
    assert (done.code, done.codes) == (2, ["usage", "usage", "file_not_found", "validation_failed"])
    (here / "j.toml").write_text('[[job]]\noutput = "b.avi"\nclips = ["none.mp4"]\n')
    done = mpt("batch", "j.toml", "--json")
    assert (done.code, done.data["jobs"][0]["exit_code"]) == (5, 2)
    assert not [path for path in here.iterdir() if path.name != "j.toml"]


@pytest.mark.parametrize("command", ["process --job", "batch"])
@pytest.mark.core
def test_a_file_of_settings_is_not_taken_for_jobs(mpt: Mpt, here: Path, command: str) -> None:
    mpt("config", "init", "own.toml")
    for file in ("own.toml", ROOT / "examples" / "mpt.toml"):
        done = mpt(*command.split(), file)
        assert (done.code, done.err.count("\n")) == (2, 2)
        assert done.err.startswith(f"error: {here / file}: is a file of settings, not of jobs (usage)")
        assert f"use it as --config {file}" in done.err


def test_a_file_of_jobs_is_not_taken_for_settings(mpt: Mpt, here: Path) -> None:
    file = ROOT / "examples" / "reel.toml"
    done = mpt("process", "a.mp4", "-o", "b.mp4", "--config", file)
    assert (done.code, done.err.count("\n")) == (2, 2)
    assert done.err.startswith(f"error: {file}: is a file of jobs, not of settings (config_invalid)")
    assert f"mpt process --job {file}" in done.err
    (here / "jobs.toml").write_text("[[job]]\noutput = 1\n")
    assert "output = 1: must be text" in mpt("process", "--job", "jobs.toml").err


def test_a_seed_needs_a_random_order_somewhere(mpt: Mpt, here: Path, clip: Path) -> None:
    (here / "mpt.toml").write_text('[concat]\nmode = "random"\n')
    assert mpt("process", clip, "-o", "a.mp4", "--seed", "3", "-n").code == 0
    (here / "mpt.toml").unlink()
    job = f'[[job]]\noutput = "{{0}}.mp4"\nclips = ["{clip}"]\nconcat.mode = "{{0}}"\n'
    (here / "both.toml").write_text(job.format("random") + job.format("sequential"))
    (here / "none.toml").write_text(job.format("sequential"))
    assert mpt("batch", "both.toml", "--seed", "3", "-n").code == 0
    assert mpt("batch", "none.toml", "--seed", "3", "-n").code == 2
    assert mpt("process", "--job", "none.toml", "--seed", "3", "-n").code == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--fps 29.97", "--fps '29.97': write the fraction: 30000/1001"),
        ("--fps 25.0", "write the fraction: 25"),
        ("--fps 240001/2000", "its numerator is above 240000, which is the limit; write 120"),
        ("--size 1080", "--size '1080': '1080' is not a size like 1080x1920"),
        ("--background blakc", "--background 'blakc': give a colour name or #rrggbb; did you mean black?"),
        ("--crf 64", "--crf '64': must be at least 0 and at most 63 (or auto)"),
        ("--crf x", "must be a whole number"),
        ("--jobs 0", "--jobs '0': must be at least 1"),
        ("--encoder-threads 0", "--encoder-threads '0': must be at least 1 and at most 128"),
        ("--fit round", "--fit 'round': must be 'contain', 'cover', 'stretch' or 'blur'"),
        ("--codec vp9", "must be 'h264', 'hevc' or 'av1'"),
        ("--quality best", "must be 'draft', 'balanced' or 'high'"),
        ("--mode shuffled", "must be 'sequential' or 'random'"),
        ("--copy always", "must be 'identical', 'compatible' or 'never'"),
        ("--on-error ignore", "must be 'fail' or 'skip'"),
        ("--preset vimeo", "must be one of tiktok, reels, shorts, youtube, square"),
        ("--preset tictok", "youtube, square; did you mean tiktok?"),
        ("--fit cotain", "'stretch' or 'blur'; did you mean contain?"),
        ("--max-memory much", "--max-memory 'much': give a size such as 2GiB"),
        ("--clip-timeout 0", "--clip-timeout '0': must be above 0"),
        ("--max-clip-duration -1", "--max-clip-duration '-1': must be above 0 (or none)"),
        ("--seed -1", "--seed '-1': must be at least 0"),
        ("--loudness 14", "--loudness '14': loudness is below full scale: write -14"),
        ("--min-success-rate 2", "--min-success-rate '2': must be at least 0 and at most 1"),
    ],
)
@pytest.mark.core(6)
def test_a_wrong_value_is_one_line_that_says_what_is_allowed(mpt: Mpt, option: str, said: str) -> None:
    done = mpt("process", "a.mp4", "-o", "b.mp4", *option.split())
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert said in line
    assert line.endswith(" (config_invalid)")


@pytest.mark.parametrize(
    ("options", "code", "hint"),
    [
        ("--size 101x101", "odd_dimensions", "use 100x100"),
        ("--size 8x8", "dimensions_too_small", None),
        ("--size 20000x100", "dimensions_too_large", None),
        ("--encoder x264", "encoder_unavailable", "did you mean libx264?"),
        ("--encoder libx265", "encoder_unavailable", "add --codec hevc"),
        ("--crf 60", "quality_out_of_range", "lower"),
        ("--encoder-preset fastest", "quality_out_of_range", "ultrafast"),
    ],
)
@pytest.mark.core(1)
def test_what_cannot_be_made_is_refused_with_its_code(
    mpt: Mpt, clip: Path, options: str, code: str, hint: str | None
) -> None:
    done = mpt("process", clip, "-o", "b.mp4", *options.split())
    assert done.code == 3
    assert f"({code})" in done.err
    assert hint is None or hint in done.err
    assert "Traceback" not in done.err


def test_a_missing_clip_is_named_also_if_its_name_is_a_part_of_the_message(mpt: Mpt, here: Path) -> None:
    done = mpt("process", "x", "-o", "b.mp4", "-q")
    assert done.err.splitlines()[0] == f"error: {here}/x: does not exist (file_not_found)"


@pytest.mark.core
def test_a_failure_names_the_clip_and_what_ffmpeg_said(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(here, 'echo "out of luck" >&2; exit 1', monkeypatch)
    done = mpt("process", clip, "-o", "b.mp4")
    assert done.code == 4
    assert f"[1/1] {clip.name}: FAILED" in done.err
    assert f"error: {clip}: ffmpeg failed: out of luck (clip_failed)" in done.err
    assert done.out.startswith("no reel was made")
    assert "Traceback" not in done.err


@pytest.mark.core
def test_hostile_names_are_shown_escaped(mpt: Mpt, here: Path) -> None:
    (here / "evil\x1b[31m\n.mp4").touch()
    for arguments in (("validate", "."), ("process", ".", "-o", "b.mkv")):
        done = mpt(*arguments)
        assert ESCAPE not in done.out + done.err
        assert r"evil\x1b[31m\n.mp4" in done.out + done.err


def on_a_terminal(clip: Path, *options: str) -> bytes:
    """What a run sends to a terminal on stderr."""
    master, slave = os.openpty()
    fixed = ("-o", "reel.mp4", "-y", *SMALL)
    with start("process", clip, *fixed, *options, stderr=slave, stdout=subprocess.DEVNULL) as process:
        os.close(slave)
        sent = b""
        with suppress(OSError):  # how a terminal ends
            while block := os.read(master, 65536):
                sent += block
        assert process.wait(LIMIT_SECONDS) == 0
    os.close(master)
    return sent


def test_a_panel_is_drawn_on_a_terminal_only(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    hide_cursor = b"\x1b[?25l"
    assert hide_cursor in on_a_terminal(clip)
    assert on_a_terminal(clip, "-q") == b""
    for name, value in (("CI", "true"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        sent = on_a_terminal(clip)
        assert hide_cursor not in sent
        assert b"finished: success" in sent
        monkeypatch.delenv(name)
        monkeypatch.setenv("TERM", "xterm")


# --- where settings come from -------------------------------------------------------------------


def crf(mpt: Mpt, clip: Path, *options: str) -> str:
    """The CRF that holds."""
    plan = mpt("process", clip, "-o", "reel.mp4", "-n", "--json", *options).plan
    words: list[str] = plan["encoder"].split()
    return words[words.index("-crf") + 1]


def test_each_layer_wins_over_those_below(
    mpt: Mpt, clip: Path, here: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crf(mpt, clip) == "22"
    user = own_home / "config/mpt/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("[encode]\ncrf = 11\n")
    assert crf(mpt, clip) == "11"
    (here / "pyproject.toml").write_text("[tool.mpt.encode]\ncrf = 12\n")
    assert crf(mpt, clip) == "12"
    (here / "mpt.toml").write_text("encode.crf = 13\n")
    assert crf(mpt, clip) == "13"
    (here / "other.toml").write_text("encode.crf = 14\n")
    assert crf(mpt, clip, "--config", "other.toml") == "14"
    monkeypatch.setenv("MPT_ENCODE__CRF", "15")
    assert crf(mpt, clip, "-c", "other.toml") == "15"
    job = f'[defaults]\nencode.crf = 16\n[[job]]\noutput = "reel.mp4"\nclips = ["{clip}"]\n'
    (here / "job.toml").write_text(job)
    plan = mpt("process", "--job", "job.toml", "-n", "--json").plan
    assert "-crf 16 " in plan["encoder"]
    (here / "job.toml").write_text(f"{job}encode.crf = 17\n")
    plan = mpt("process", "--job", "job.toml", "-n", "--json").plan
    assert "-crf 17 " in plan["encoder"]
    plan = mpt("process", "--job", "job.toml", "-n", "--json", "--crf", "18").plan
    assert "-crf 18 " in plan["encoder"]


def test_a_preset_stands_below_the_explicit_keys_of_its_layer(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "mpt.toml").write_text('preset = "youtube"\nvideo.size = "64x64"\n')
    arguments = ("process", clip, "-o", "reel.mp4", "-n", "--json")
    assert mpt(*arguments).plan["width"] == 64
    assert mpt(*arguments, "--preset", "square").plan["width"] == 1080


@pytest.mark.parametrize("command", ["process a.mp4 -o b.mp4", "concat a.mp4 -o b.mp4", "validate a.mp4"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("encode.cfr = 20", "encode.cfr = 20: unknown key; nearest known key: encode.crf"),
        ("[vidoe]\nfit = 'blur'", "vidoe = {'fit': 'blur'}: unknown key; nearest known key: video"),
        ("video.fps = 29.97", "video.fps = 29.97: write the fraction: 30000/1001"),
        ("video.background = 'blakc'", "'blakc': give a colour name or #rrggbb; did you mean black?"),
        ("video.background = '#12345'", "'#12345': give a colour name or #rrggbb ("),
        ("ffmpeg.binary = '/bin/true'", "ffmpeg.binary = '/bin/true': is taken only from MPT_FFMPEG__BINARY"),
        ("= 3", "mpt.toml"),
    ],
)
@pytest.mark.core(6)
def test_a_wrong_file_is_named_with_key_and_value(mpt: Mpt, here: Path, command: str, content: str, said: str) -> None:
    (here / "mpt.toml").write_text(content)
    done = mpt(*command.split())
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {here}/mpt.toml: ")
    assert said in line


@pytest.mark.core
def test_an_unknown_variable_names_the_nearest(mpt: Mpt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_ENCODE_CRF", "20")
    done = mpt("validate", "a.mp4")
    assert done.code == 2
    said = "MPT_ENCODE_CRF = '20': unknown variable; nearest known variable: MPT_ENCODE__CRF"
    assert done.err.splitlines() == [f"error: {said} (config_invalid)"]


@pytest.mark.core
def test_a_configuration_that_is_not_there_is_an_error(mpt: Mpt, here: Path) -> None:
    assert f"error: {here / 'missing.toml'}: does not exist" in mpt("validate", "a.mp4", "--config", "missing.toml").err
    (here / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert "has no table [tool.mpt]" in mpt("validate", "a.mp4", "--config", "pyproject.toml").err
    assert mpt("validate", "a.mp4").code == 3


# --- reporting ----------------------------------------------------------------------------------


@pytest.mark.core
def test_quiet_is_silent_when_all_is_well(mpt: Mpt, clip: Path, here: Path) -> None:
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (here / "reel.mp4").is_file()


def test_quiet_still_says_what_is_wrong(mpt: Mpt, clip: Path) -> None:
    done = mpt("process", clip, "missing.mp4", "-o", "reel.mp4", *SMALL, "-q", "--on-error", "skip")
    assert (done.code, done.out) == (5, "")
    assert done.err.splitlines()[0].endswith("missing.mp4: does not exist (file_not_found)")


def test_verbose_shows_the_log(mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, "exit 1", monkeypatch)
    record = rf"\d{{4}}-\S+ \S+ WARNING mpt_cli\S+: Clip {re.escape(str(clip))} failed: "
    arguments = ("process", clip, "-o", "reel.mp4", "--log-file", "run.log")
    assert not re.search(record, mpt(*arguments).err)
    verbose = mpt(*arguments, "-v").err
    assert re.search(record, verbose)
    assert verbose.count("finished: error") == 1
    assert verbose.count(f"error: {clip}: ffmpeg failed") == 1
    assert [type(handler) for handler in logging.getLogger("mpt_cli").handlers] == [logging.NullHandler]


def test_a_log_that_cannot_be_written_is_a_usage_error(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "file").touch()
    before = everything_in(here)
    done = mpt("process", clip, "-o", "reel.mp4", "--log-file", "file/run.log")
    assert done.code == 2
    assert "file/run.log: the log cannot be written (" in done.err
    assert "  hint: choose another folder" in done.err
    assert everything_in(here) == before


def test_the_folder_of_a_log_is_made_as_that_of_a_reel_is(mpt: Mpt, here: Path) -> None:
    assert mpt("validate", "missing.mp4", "--log-file", "new/deep/run.log").code == 3
    assert (here / "new" / "deep" / "run.log").exists()


def test_colours_are_sent_only_where_they_are_wanted(mpt: Mpt, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("validate", clip, "missing.mp4")
    for options in ((), ("--color", "auto"), ("--color", "never")):
        done = mpt(*arguments, *options)
        assert ESCAPE not in done.out + done.err
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in mpt(*arguments).out
    assert ESCAPE in mpt(*arguments, "--color", "always").out
    assert ESCAPE not in mpt(*arguments, "--color", "always", "--json").out
