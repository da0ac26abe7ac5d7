"""Every option of ``mpt process`` reaches its effect: in the plan of a dry run, or in the reel itself."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import reader
from tests.cli.conftest import SMALL, Done, Mpt, events_of, everything_in, fake_ffmpeg, run_program, without_run_id
from tests.integration.reels import of, problems
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.media import MediaFolder

RED = "color=c=red"


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """An ordinary clip of 30 pictures."""
    return media.make()


@pytest.fixture
def folder(media: MediaFolder, here: Path) -> Path:
    """A folder with four clips that their order on the disk does not give away."""
    made = here / "clips"
    made.mkdir()
    for name in ("clip10.mp4", "clip2.mp4", "Clip1.MP4", "clip3.mp4"):
        shutil.copy(media.make(seconds=0.2), made / name)
    return made


def test_default_size_is_turned_for_landscape_clips_with_a_code(mpt: Mpt, clip: Path) -> None:
    (warning,) = planned(mpt, clip).document["warnings"]
    assert (warning["code"], warning["path"]) == ("size_turned", None)
    assert "--size 1080x1920" in warning["hint"]
    kept = planned(mpt, clip, "--size", "1080x1920")
    assert (kept.plan["width"], kept.plan["height"], kept.document["warnings"]) == (1080, 1920, [])


def planned(mpt: Callable[..., Done], *arguments: str | Path) -> Done:
    """The plan that ``--json`` prints."""
    return mpt("process", *arguments, "-o", "reel.mp4", "-n", "--json")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"width": 1920, "height": 1080, "fps": "30", "frames": 30, "container": "mp4"}),
        ("--size 320x180", {"width": 320, "height": 180}),
        ("--preset youtube", {"width": 1920, "height": 1080}),
        ("--preset square", {"width": 1080, "height": 1080}),
        ("--preset youtube --size 64x64", {"width": 64, "height": 64}),
        ("--fps 25", {"fps": "25", "frames": 25}),
        ("--fps 30000/1001", {"fps": "30000/1001"}),
        ("--fps auto", {"fps": "30"}),
        ("--max-clip-duration 0.5", {"frames": 15, "duration_seconds": 0.5}),
        ("--encoder-threads 3", {"threads": 3}),
        ("--jobs 1", {"jobs": 1}),
        ("-j 7", {"jobs": 7}),
    ],
)
@pytest.mark.core(1)
def test_an_option_decides_a_number_of_the_plan(
    mpt: Mpt, clip: Path, options: str, expected: dict[str, object]
) -> None:
    plan = planned(mpt, clip, *options.split()).plan
    assert {key: plan[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("options", "encoder", "parts"),
    [
        ("", "libx264", "-preset superfast -crf 22"),
        ("", "libx264", "-g 60"),
        ("--quality draft", "libx264", "-preset ultrafast -crf 32"),
        ("--quality high", "libx264", "-preset fast -crf 17"),
        ("--codec hevc", "libx265", "-preset ultrafast -crf 19"),
        ("--codec av1", "libsvtav1", "-preset 10 -crf 28"),
        ("--codec hevc --encoder libx265", "libx265", "-crf 19"),
        ("--crf 33", "libx264", "-preset superfast -crf 33"),
        ("--crf 1", "libx264", "-crf 1"),
        ("--encoder-preset slow", "libx264", "-preset slow -crf 22"),
    ],
)
@pytest.mark.core(1)
def test_an_option_decides_the_coding(mpt: Mpt, clip: Path, options: str, encoder: str, parts: str) -> None:
    plan = planned(mpt, clip, *options.split()).plan
    (argv,) = [step["argv"] for step in plan["clips"]]
    assert parts in plan["encoder"]
    words = ["-c:v", encoder, *parts.split()]
    assert all(argv[argv.index(option) + 1] == value for option, value in zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_suffix_decides_the_container(mpt: Mpt, clip: Path, here: Path, suffix: str) -> None:
    done = mpt("process", clip, "-o", f"reel.{suffix}", *SMALL, "--json")
    assert done.data["output"]["container"] == suffix
    assert len(list(reader.frames(here / f"reel.{suffix}"))) == 30


def test_auto_takes_the_rate_that_holds_the_most_seconds(mpt: Mpt, media: MediaFolder) -> None:
    clips = [media.make(seconds=0.4, fps="50"), media.make(seconds=0.8, fps="25")]
    assert planned(mpt, *clips).plan["fps"] == "25"


@pytest.mark.parametrize(("fit", "is_red"), [("contain", False), ("cover", True), ("stretch", True)])
def test_the_fit_decides_what_fills_another_shape(
    mpt: Mpt, media: MediaFolder, here: Path, fit: str, is_red: bool
) -> None:
    clip = media.make(source=RED, seconds=0.1)
    assert mpt("process", clip, "-o", "reel.mp4", "--size", "96x96", "--fit", fit).code == 0
    red, green, _ = reader.mean_color(here / "reel.mp4", region=reader.Region(0.3, 0.0, 0.7, 0.1))
    assert (red > 150) is is_red
    assert green < 60


def test_the_background_is_the_colour_of_bars(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = media.make(source=RED, seconds=0.1)
    assert mpt("process", clip, "-o", "reel.mp4", "--size", "96x96", "--background", "Lime").code == 0
    bar = reader.mean_color(here / "reel.mp4", region=reader.Region(0.0, 0.0, 1.0, 0.1))
    assert bar == pytest.approx((0, 255, 0), abs=3)


def test_blur_fills_the_border_with_the_picture(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = media.make(source=RED, seconds=0.1)
    assert mpt("process", clip, "-o", "reel.mp4", "--size", "96x96", "--fit", "blur").code == 0
    border = reader.mean_color(here / "reel.mp4", region=reader.Region(0.3, 0.0, 0.7, 0.1))
    assert border[0] > border[1] + 50


def order(done: Done) -> list[str]:
    """Names of the planned clips in the order of the reel."""
    return [Path(step["path"]).name for step in done.plan["clips"]]


def test_a_folder_is_its_clips_in_natural_order(mpt: Mpt, folder: Path) -> None:
    assert order(planned(mpt, folder)) == ["Clip1.MP4", "clip2.mp4", "clip3.mp4", "clip10.mp4"]


def test_a_seed_makes_a_random_order_repeatable(mpt: Mpt, folder: Path) -> None:
    orders = [order(planned(mpt, folder, "--mode", "random", "--seed", str(seed))) for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len({tuple(names) for names in orders}) > 1
    assert all(sorted(names) == sorted(orders[0]) for names in orders)


def test_a_random_order_tells_its_seed(mpt: Mpt, folder: Path) -> None:
    first = planned(mpt, folder, "--mode", "random")
    seed = first.plan["seed"]
    assert first.data["seed"] == seed
    assert order(planned(mpt, folder, "--mode", "random", "--seed", str(seed))) == order(first)
    assert planned(mpt, folder).plan["seed"] is None


@pytest.fixture
def two_reels(mpt: Mpt, media: MediaFolder) -> tuple[str, str]:
    """Two files in the form of a reel whose parameter sets differ."""
    clip = media.make(seconds=0.2)
    for name, quality in (("a.mp4", "draft"), ("b.mp4", "high")):
        assert mpt("process", clip, "-o", name, "--size", "160x90", "--quality", quality).code == 0
    return "a.mp4", "b.mp4"


@pytest.mark.parametrize(
    ("policy", "alone", "together"),
    [("identical", "copy", "encode"), ("compatible", "copy", "copy"), ("never", "encode", "encode")],
)
def test_the_copy_policy_decides_which_clips_are_copied(
    mpt: Mpt, two_reels: tuple[str, str], policy: str, alone: str, together: str
) -> None:
    def actions(*clips: str) -> set[str]:
        return {step["action"] for step in planned(mpt, *clips, "--size", "160x90", "--copy", policy).plan["clips"]}

    assert actions(two_reels[0]) == {alone}
    assert actions(*two_reels) == {together}


def test_a_small_budget_lets_fewer_clips_run(folder: Path) -> None:
    # A process of its own: this one has grown by all the tests before.
    plan = planned(run_program, folder, "--max-memory", "320MiB").plan
    assert plan["jobs"] == 1
    assert plan["predicted_memory_bytes"] <= 320 * 2**20


def test_a_run_says_what_its_plan_had_predicted(mpt: Mpt, folder: Path) -> None:
    plan = planned(mpt, folder, *SMALL).plan
    metrics = mpt("process", folder, "-o", "reel.mp4", *SMALL, "--json").data["metrics"]
    assert metrics["predicted"] == {
        "memory_peak_bytes": plan["predicted_memory_bytes"],
        "temporary_bytes": plan["predicted_temporary_bytes"],
        "output_bytes": plan["predicted_output_bytes"],
        "total_duration_seconds": plan["predicted_seconds"],
    }
    sound = 48_000 // 5 * 4  # of one of four clips that are the same
    assert sound < metrics["temporary_bytes"] < 2 * sound
    again = mpt("process", folder, "-o", "reel.mp4", "-y", *SMALL, "--json").data["metrics"]
    assert (again["temporary_bytes"], again["predicted"]["temporary_bytes"]) == (0, 0)


def test_where_there_was_no_plan_nothing_was_predicted(mpt: Mpt, here: Path) -> None:
    (here / "bad.mp4").write_bytes(b"no media")
    metrics = mpt("process", "bad.mp4", "-o", "reel.mp4", "--json").data["metrics"]
    assert (metrics["predicted"], metrics["temporary_bytes"]) == (None, None)


def test_samples_of_a_run_tell_the_budget(clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, "exec sleep 300", monkeypatch)
    done = run_program("process", clip, "-o", "reel.mp4", "--jsonl", "--clip-timeout", "1", "--max-memory", "300MiB")
    samples = [event for event in events_of(done.out, 4) if event["type"] == "resource-sample"]
    assert {sample["budget_bytes"] for sample in samples} == {300 * 2**20}


def test_a_bad_clip_is_left_out_and_the_result_is_partial(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "bad.mp4").write_text("no video")
    arguments = ("process", "bad.mp4", clip, "-o", "reel.mp4", *SMALL, "--json")
    refused = mpt(*arguments)
    assert refused.code == 3
    assert refused.codes[-1] == "validation_failed"
    assert "--on-error skip" in refused.document["errors"][-1]["hint"]
    assert not (here / "reel.mp4").exists()
    done = mpt(*arguments, "--on-error", "skip")
    assert (done.code, done.document["status"]) == (5, "partial")
    assert [entry["status"] for entry in done.data["clips"]] == ["skipped", "processed"]
    assert done.data["clips"][0]["error"] in done.document["errors"]
    assert len(list(reader.frames(here / "reel.mp4"))) == 30


@pytest.mark.parametrize(("rate", "code"), [("0.5", 5), ("0.6", 3)])
def test_the_success_rate_decides_whether_a_partial_reel_is_made(
    mpt: Mpt, clip: Path, here: Path, rate: str, code: int
) -> None:
    options = ("--on-error", "skip", "--min-success-rate", rate)
    assert mpt("process", "missing.mp4", clip, "-o", "reel.mp4", *SMALL, *options).code == code
    assert (here / "reel.mp4").exists() is (code == 5)


@pytest.mark.core
def test_no_usable_clip_is_a_refusal_also_with_skip(mpt: Mpt, here: Path) -> None:
    assert mpt("process", "missing.mp4", "-o", "reel.mp4", "--on-error", "skip").code == 3
    assert not list(here.iterdir())


def test_a_dry_run_tells_people_which_clip_it_leaves_out(mpt: Mpt, clip: Path) -> None:
    done = mpt("process", "missing.mp4", clip, "-o", "reel.mp4", "-n", "-q", "--on-error", "skip")
    assert "missing.mp4: does not exist (file_not_found)" in done.err


@pytest.mark.parametrize(("option", "code"), [("--clip-timeout", "clip_timeout"), ("--stall-timeout", "clip_stalled")])
def test_a_clip_that_takes_too_long_fails(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch, option: str, code: str
) -> None:
    fake_ffmpeg(here, "exec sleep 300", monkeypatch)
    done = mpt("process", clip, "-o", "reel.mp4", option, "0.2", "--json")
    assert done.code == 4
    assert code in done.codes


def test_kept_temporary_files_are_the_segments(mpt: Mpt, clip: Path, here: Path) -> None:
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--keep-temp").code == 0
    (kept,) = here.glob(".mpt-run-*")
    assert len(list(reader.frames(kept / "00000.mp4"))) == 30
    shutil.rmtree(kept)


# --- dry run and output -------------------------------------------------------------------------


def test_a_dry_run_writes_nothing(mpt: Mpt, folder: Path, here: Path, own_home: Path) -> None:
    before = everything_in(here, *own_home.glob("*/mpt"))
    for options in ((), ("--json",), ("--jsonl",), ("-v",)):
        assert mpt("process", folder, "-o", "new/reel.mp4", "-n", *options).code == 0
    assert everything_in(here, *own_home.glob("*/mpt")) == before


def test_a_dry_run_holds_the_plan_in_place_of_output_and_metrics(mpt: Mpt, clip: Path, here: Path) -> None:
    data = planned(mpt, clip).data
    assert set(data) == {"workflow_id", "seed", "clips", "concatenation", "left_out", "plan", "unchanged"}
    assert data["plan"]["output"] == str(here / "reel.mp4")
    assert data["clips"][0]["status"] == "not_run"


def test_the_printed_commands_are_those_of_the_document(mpt: Mpt, folder: Path) -> None:
    shown = mpt("process", folder, "-o", "reel.mp4", "-n", "-v", "--no-cache").out
    steps = planned(mpt, folder, "--no-cache").plan["clips"]
    wanted = [[without_run_id(part) for part in step["argv"]] for step in steps]
    assert [shlex.split(without_run_id(line)) for line in shown.splitlines()[-4:]] == wanted
    assert all(Path(argv[0]).is_file() for argv in wanted)


def test_the_plan_for_people_names_clips_actions_and_needs(mpt: Mpt, folder: Path) -> None:
    out = mpt("process", folder, "-o", "reel.mp4", "-n").out
    rows = [line.split()[:3] for line in out.splitlines() if line.split()[1:2] and line.split()[0].isdigit()]
    names = ("Clip1.MP4", "clip2.mp4", "clip3.mp4", "clip10.mp4")
    actions = ("encode", "reuse", "reuse", "reuse")
    assert rows == [[str(k + 1), names[k], actions[k]] for k in range(4)]
    assert out.startswith("would write reel.mp4")
    assert all(label in out for label in ("length", "video", "encoder", "memory", "disk", "time"))


def test_a_copied_silent_clip_needs_no_command(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    assert mpt("process", media.make(seconds=0.2, sound=None), "-o", "a.mp4", *SMALL).code == 0
    (here / "mute.toml").write_text('[[job]]\noutput = "b.mp4"\nclips = [{path = "a.mp4", mute = true}]\n')
    out = mpt("process", "--job", "mute.toml", "-n", "-v", "--size", "160x90").out
    assert out.splitlines()[-1] == "no clip needs an ffmpeg command"


def test_clips_without_a_command_are_left_out_of_the_commands(mpt: Mpt, folder: Path) -> None:
    out = mpt("process", folder, "-o", "reel.mp4", "-n", "-v").out
    commands = out.rstrip().rpartition("\n\n")[2].splitlines()
    assert [Path(shlex.split(command)[0]).is_file() for command in commands] == [True]


def test_a_plan_says_where_clips_start_to_a_tenth(mpt: Mpt, media: MediaFolder) -> None:
    clip = media.make(seconds=5.75, size="32x32")
    out = mpt("process", *[clip] * 3, "-o", "reel.mp4", *SMALL, "--fps", "24", "-n").out
    rows = [re.findall(r" ([\d.]+ s)\b", line) for line in out.splitlines() if f"  {clip.name}  " in line]
    assert rows == [["0.0 s", "5.8 s"], ["5.8 s", "5.8 s"], ["11.5 s", "5.8 s"]], out


@pytest.mark.core
def test_an_existing_file_is_replaced_only_when_asked(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "reel.mp4").write_text("dear")
    refused = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (refused.code, refused.codes) == (3, ["output_exists", "validation_failed"])
    assert (here / "reel.mp4").read_text() == "dear"
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "-y").code == 0
    assert len(list(reader.frames(here / "reel.mp4"))) == 30


def test_an_output_that_is_an_input_is_refused_also_through_a_link(mpt: Mpt, clip: Path, here: Path) -> None:
    shutil.copy(clip, here / "mine.mp4")
    (here / "soft.mp4").symlink_to("mine.mp4")
    os.link(here / "mine.mp4", here / "hard.mp4")
    before = everything_in(here)
    for output in ("mine.mp4", "soft.mp4", "hard.mp4"):
        done = mpt("process", "mine.mp4", "-o", output, "-y", *SMALL, "--json")
        assert (done.code, done.codes[0]) == (3, "output_is_input")
    assert everything_in(here) == before


def test_a_folder_that_cannot_be_written_is_named_before_any_work(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "file").write_text("not a folder")
    done = mpt("process", clip, "-o", "file/reel.mp4", "--json")
    assert (done.code, done.codes[0]) == (3, "output_not_writable")
    assert done.document["errors"][0]["path"] == str(here / "file" / "reel.mp4")


def test_the_folder_of_the_output_is_made(mpt: Mpt, clip: Path, here: Path) -> None:
    assert mpt("process", clip, "-o", "new/deep/reel.mp4", *SMALL).code == 0
    assert (here / "new/deep/reel.mp4").is_file()


# --- the workflow, and jobs ---------------------------------------------------------------------


@pytest.mark.core
def test_the_reel_holds_every_picture_of_every_clip_in_order(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clips = [numbered(1, seconds=0.5), numbered(2, seconds=0.3, fps="25")]
    paths = [media.numbered(clip) for clip in clips]
    done = mpt("process", paths[0], paths[1], paths[0], "-o", "reel.mp4", "--size", "160x90", "--fps", "30")
    assert done.code == 0, done.err
    assert problems(here / "reel.mp4", of(clips[0], clips[1], clips[0]), rate=Fraction(30)) == []
    assert done.out.startswith("reel.mp4 is ready")
    assert "3 clips: 2 encoded, 1 reused" in done.out
    assert [line for line in done.err.splitlines() if line[20:21] == "["]


def test_a_job_file_names_clips_trims_and_output_beside_itself(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "sub").mkdir()
    shutil.copy(clip, here / "sub/a.mp4")
    job = '[[job]]\noutput = "out.mp4"\nvideo.fps = 25\nclips = ["a.mp4", {path = "a.mp4", start = 0.2, end = 0.6}]\n'
    (here / "sub/job.toml").write_text(job)
    plan = mpt("process", "--job", "sub/job.toml", "-n", "--json").plan
    assert [step["frames"] for step in plan["clips"]] == [25, 10]
    assert plan["output"] == str(here / "sub/out.mp4")
    other = mpt("process", "--job", "sub/job.toml", "-n", "--json", "-o", "mine.mkv", "--fps", "30").plan
    assert (other["output"], other["fps"]) == (str(here / "mine.mkv"), "30")


@pytest.mark.parametrize(
    ("job", "arguments", "said"),
    [
        ('[[job]]\noutput = "a.mp4"\nclips = ["a"]\n' * 2, (), "holds 2 jobs"),
        ('[[job]]\noutput = "a.mp4"\nclips = ["a"]\n', ("b.mp4",), "beside a job file"),
        ('[[job]]\noutput = "a.mp4"\nclip = ["a"]\n', (), "nearest known key: clips"),
        ('[[job]]\noutput = "a.mp4"\nclips = [{path = "clips", end = 1}]\n', (), "cannot be trimmed"),
    ],
)
@pytest.mark.core
def test_a_wrong_job_is_a_usage_error(mpt: Mpt, folder: Path, job: str, arguments: tuple[str, ...], said: str) -> None:
    assert folder.is_dir()
    Path("job.toml").write_text(job)
    done = mpt("process", "--job", "job.toml", *arguments, "--json")
    assert (done.code, set(done.codes)) == (2, {"usage"})
    assert said in json.dumps(done.document["errors"])
