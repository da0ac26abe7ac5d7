"""Job files: what they say, and what is said about their mistakes."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import pytest

from mpt_cli.config.request import Extras
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import UsageError
from mpt_cli.settings.job_files import (
    Job,
    JobInput,
    RefusedJob,
    load_jobs,
    read_job_lines,
)
from mpt_cli.settings.merged import Settings

CONTRACT = """
[defaults]
preset = "tiktok"

[[job]]
name = "monday"
output = "out/monday.mp4"
clips = ["intro.mp4", { path = "walk.mov", start = 1.5, end = 4.0, mute = true }]

[[job]]
name = "tuesday"
output = "out/tuesday.mp4"
clips = ["clips/tuesday/"]
video.size = "1920x1080"
"""
JOB = '[[job]]\noutput = "o.mp4"\nclips = ["a.mp4"]\n'


def _write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "jobs.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _error(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_jobs(path)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    assert caught.value.issue.path == path
    return caught.value


def _says(tmp_path: Path, text: str | bytes) -> str:
    return str(_error(_write(tmp_path, text)))


def test_the_example_of_the_contract(tmp_path: Path) -> None:
    file = load_jobs(_write(tmp_path, CONTRACT))
    monday, tuesday = file.jobs
    assert (monday.name, monday.output, monday.base) == ("monday", tmp_path / "out/monday.mp4", tmp_path)
    assert monday.inputs == (
        JobInput("intro.mp4"),
        JobInput("walk.mov", Fraction(3, 2), Fraction(4), mute=True),
    )
    assert [item.is_trimmed for item in monday.inputs] == [False, True]
    assert not monday.overwrite
    assert file.defaults.values == {"preset": "tiktok"}
    assert tuesday.layer.values == {"video": {"size": "1920x1080"}}


def test_layers_go_into_settings(tmp_path: Path) -> None:
    path = _write(tmp_path, CONTRACT + 'encode.codec = "hevc"\npaths.temp = "tmp"\n')
    file = load_jobs(path)
    settings = Settings.of((file.jobs[1].layer, file.defaults))
    assert settings.video.size == Dimensions(1920, 1080)
    assert settings.encode.codec is Codec.HEVC
    assert settings.paths.temp == tmp_path / "tmp"
    assert str(settings.origins["video.size"]) == f"{path}: job 'tuesday'"
    assert str(settings.origins["audio.bitrate"]) == f"{path}: defaults (preset tiktok)"


def test_relative_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, JOB)
    monkeypatch.chdir(tmp_path)
    file = load_jobs(Path("jobs.toml"))
    assert file.path == tmp_path / "jobs.toml"
    assert file.jobs[0].name == "job 1"
    assert file.jobs[0].output == tmp_path / "o.mp4"


@pytest.mark.parametrize(
    ("default", "own", "overwrite"), [("", "", False), ("true", "", True), ("true", "false", False), ("", "true", True)]
)
def test_overwrite(tmp_path: Path, default: str, own: str, *, overwrite: bool) -> None:
    head = f"[defaults]\noverwrite = {default}\n" if default else ""
    tail = f"overwrite = {own}\n" if own else ""
    file = load_jobs(_write(tmp_path, head + JOB + tail))
    assert file.jobs[0].overwrite is overwrite
    assert not file.jobs[0].layer.values


def test_pictures_beside_the_reel_lie_beside_the_file(tmp_path: Path) -> None:
    tail = 'contact_sheet = "sheets/o.png"\nposter = "o.jpg"\n'
    (job,) = load_jobs(_write(tmp_path, JOB + tail)).jobs
    assert job.extras == Extras(tmp_path / "sheets/o.png", tmp_path / "o.jpg")
    assert load_jobs(_write(tmp_path, JOB)).jobs[0].extras == Extras()
    assert not job.layer.values
    with pytest.raises(UsageError, match="poster = 3: must be text"):
        load_jobs(_write(tmp_path, JOB + "poster = 3\n"))


def test_single(tmp_path: Path) -> None:
    assert load_jobs(_write(tmp_path, JOB)).single().name == "job 1"
    with pytest.raises(UsageError, match="holds 2 jobs"):
        load_jobs(_write(tmp_path, CONTRACT)).single()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "job: write at least one job, each as a [[job]] table"),
        ("job = []", "job: write at least one job, each as a [[job]] table"),
        ("job = [1]", "job: write at least one job, each as a [[job]] table"),
        ('[job]\noutput = "o.mp4"', "job: write at least one job, each as a [[job]] table"),
        ("[[jobs]]", "jobs = [{}]: unknown key; nearest known key: job"),
        ("crf = 20\n" + JOB, "crf = 20: unknown key; nearest known key: defaults.encode.crf"),
        ('preset = "tiktok"\n' + JOB, "preset = 'tiktok': unknown key; nearest known key: defaults.preset"),
        ('output = "x"\n' + JOB, "output = 'x': unknown key here; write it below [[job]] in a job file"),
        ("start = 1\n" + JOB, "start = 1: unknown key here; write it in a clip of a job: { path = "),
        ("trim = 1\n" + JOB, "trim = 1: unknown key; start and end of a clip in a job file trim it"),
        ("defaults = 3\n" + JOB, "defaults = 3: must be a table"),
        ("[defaults]\noverwrite = 1\n" + JOB, "defaults: overwrite = 1: must be true or false"),
        (
            '[defaults]\noutput = "x"\n' + JOB,
            "defaults: output = 'x': unknown key here; write it below [[job]] in a job file",
        ),
        ('[[job]]\nclips = ["a"]', "job 1: output is missing"),
        ('[[job]]\noutput = "o.mp4"', "job 1: clips is missing"),
        ('[[job]]\noutput = 3\nclips = ["a"]', "job 1: output = 3: must be text"),
        ('[[job]]\noutput = ""\nclips = ["a"]', "job 1: output = '': must not be empty"),
        ('[[job]]\noutput = "a\\u0000b"\nclips = ["a"]', "job 1: output = 'a\\x00b': must not hold a NUL"),
        ('[[job]]\noutput = "o.mp4"\nclips = []', "job 1: clips = []: must be a list of paths, or of tables"),
        ('[[job]]\noutput = "o.mp4"\nclips = "a"', "job 1: clips = 'a': must be a list of paths"),
        ('[[job]]\noutput = "o.mp4"\nclips = ["a", 2]', "job 1: clip 2: path = 2: must be text"),
        (JOB + "name = 3", "job 1: name = 3: must be text"),
        (JOB + 'name = "m"\nclip = 3', "job 'm': clip = 3: unknown key; nearest known key: clips"),
        (
            JOB + 'name = "m"\nvideo.siz = "1x1"',
            "job 'm': video.siz = '1x1': unknown key; nearest known key: video.size",
        ),
        (JOB + 'size = "1x1"', "job 1: size = '1x1': unknown key; nearest known key: video.size"),
        (JOB + "encode.crf = 99", "job 1: encode.crf = 99: must be at least 0 and at most 63 (or auto)"),
        (
            JOB + 'ffmpeg.binary = "/tmp/x"',
            "job 1: ffmpeg.binary = '/tmp/x': is taken only from MPT_FFMPEG__BINARY",
        ),
        (JOB + JOB + 'name = "job 1"', "job 2: name = 'job 1': job 1 has this name"),
        (JOB + '"a\\nb" = 1', "job 1: 'a\\nb' = 1: unknown key"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    assert _says(tmp_path, text).startswith(says)


@pytest.mark.parametrize(
    ("clip", "says"),
    [
        ("{ start = 1 }", "path is missing"),
        ('{ path = "a", strat = 1 }', "strat = 1: unknown key; nearest known key: start"),
        ('{ path = "a", start = "soon" }', "start = 'soon': give a number of seconds"),
        ('{ path = "a", start = -1 }', "start = -1: must be at least 0"),
        ('{ path = "a", start = nan }', "start = nan: give a number of seconds"),
        ('{ path = "a", end = 0 }', "end = 0: must be above 0 and above start, which is 0"),
        ('{ path = "a", start = 2, end = 1.5 }', "end = 1.5: must be above 0 and above start, which is 2"),
        ('{ path = "a", end = inf }', "end = inf: give a number of seconds"),
        ('{ path = "a", mute = "yes" }', "mute = 'yes': must be true or false"),
    ],
)
def test_mistakes_of_a_clip(tmp_path: Path, clip: str, says: str) -> None:
    text = f'[[job]]\nname = "m"\noutput = "o.mp4"\nclips = ["x.mp4", {clip}]\n'
    assert _says(tmp_path, text).startswith(f"job 'm': clip 2: {says}")


def test_long_list_of_a_wrong_key_is_only_counted(tmp_path: Path) -> None:
    clips = ", ".join(f'"clips/a long name of a clip {number}.mp4"' for number in range(40))
    assert _says(tmp_path, f"clips = [{clips}]").startswith("clips = [40 entries]: unknown key here; write it below ")


def test_other_mistakes_stand_beside_the_first(tmp_path: Path) -> None:
    path = _write(tmp_path, JOB + "a = 1\n" + JOB + "b = 2\n")
    error = _error(path)
    assert "a = 1" in str(error)
    assert error.issue.hint is None
    assert ["b = 2" in issue.message for issue in error.others] == [True]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[[job]]\nname =", "is not valid TOML: Invalid value (at line 2, the end of the file)"),
        (b"a = 1\nb = '\xff'", "is not UTF-8 text (line 2)"),
        (b"a = " + b"9" * 5000, "is not valid TOML"),
        (b"a = " + b"[" * 100_000, "is not valid TOML"),
        (b"#" * (8 * 2**20 + 1), "is larger than 8 MiB"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, data: bytes, says: str) -> None:
    assert says in _says(tmp_path, data)


def test_jobs_of_lines_are_named_by_their_lines(tmp_path: Path) -> None:
    """Where lines are empty too, in what is wrong with two of them as well."""
    line = b'{"output": "a.mp4", "clips": ["1.mp4"]%s}'
    jobs = read_job_lines(BytesIO(b"\n".join([line % b"", b"", line % b""])), base=tmp_path)
    assert [job.name for job in jobs.jobs] == ["job 1", "job 3"]
    same = line % b', "name": "x"'
    first, second, third = read_job_lines(BytesIO(b"\n".join([b"", same, b"", line % b"", same])), base=tmp_path).jobs
    assert (first.name, second.name, third.name) == ("x", "job 4", "line 5")
    assert isinstance(third, RefusedJob)
    (issue,) = third.errors
    assert (issue.path, issue.message) == (Path("stdin:5"), "name = 'x': the job of line 2 has this name")
    assert third.output == tmp_path / "a.mp4"


def test_every_fault_of_a_line_is_named_and_the_others_stay(tmp_path: Path) -> None:
    bad = b'{"name": "x", "clips": [{"start": -1}], "vidoe": 1}'
    refused, good = read_job_lines(BytesIO(bad + b'\n{"output": "b", "clips": ["1"]}'), base=tmp_path).jobs
    assert isinstance(refused, RefusedJob)
    assert (refused.name, refused.output, good.name) == ("x", None, "job 2")
    assert sorted(issue.message.partition(":")[0] for issue in refused.errors) == [
        "clip 1",
        "clip 1",
        "output is missing",
        "vidoe = 1",
    ]


def test_missing_file(tmp_path: Path) -> None:
    assert "does not exist" in str(_error(tmp_path / "none.toml"))
    assert "Is a directory" in str(_error(tmp_path))


def test_a_home_folder_is_put_in_place_of_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path = tmp_path / "jobs.toml"
    path.write_text('[[job]]\noutput = "~/a.mp4"\nclips = ["~/b.mp4", { path = "~/c.mp4" }, "d~.mp4"]\n')
    job = load_jobs(path).single()
    assert job.output == tmp_path / "home/a.mp4"
    assert [each.text for each in job.inputs] == [f"{tmp_path}/home/b.mp4", f"{tmp_path}/home/c.mp4", "d~.mp4"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_file_of_another_system_is_read(tmp_path: Path, encoding: str) -> None:
    text = JOB.replace("\n", "\r\n").encode(encoding)
    assert load_jobs(_write(tmp_path, text)).jobs[0].inputs == (JobInput("a.mp4"),)
    line = '{"output": "o.mp4", "clips": ["a.mp4"]}\r\n'.encode(encoding)
    (job,) = read_job_lines(BytesIO(line), base=tmp_path).jobs
    assert isinstance(job, Job)
    assert job.inputs == (JobInput("a.mp4"),)


def test_damaged_utf16_is_named(tmp_path: Path) -> None:
    assert "not UTF-8" in _says(tmp_path, b"\xff\xfe[\0x")
    with pytest.raises(UsageError, match="UTF-16"):
        read_job_lines(BytesIO(b"\xff\xfe{\0}"), base=tmp_path)


def test_backslash_in_a_path_has_a_hint(tmp_path: Path) -> None:
    error = _error(_write(tmp_path, JOB.replace("a.mp4", r"clips\a.mp4")))
    assert "write / between folders" in (error.issue.hint or "")
    assert _error(_write(tmp_path, "[[job]\n")).issue.hint is None
