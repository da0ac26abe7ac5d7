"""Where settings come from: the order of the layers, and what is said about mistakes in them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpt_cli.config.presets import PRESETS
from mpt_cli.config.sections import Config, ProcessingConfig, VideoConfig
from mpt_cli.model.choices import CopyPolicy, OnError
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import ConfigError, MptError, UsageError
from mpt_cli.settings.layers import FIELDS, Layer, LayerKind, dotted, variable_of
from mpt_cli.settings.merged import Settings, standing_layers

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """``Settings.load`` in an empty folder, without environment and user file."""

    def call(**given: Any) -> Settings:
        usual: dict[str, Any] = {"environ": {}, "cwd": tmp_path, "user_file": tmp_path / "user.toml"}
        return Settings.load(**usual | given)

    return call


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with an empty user folder, for what reads the real ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path


def _error(call: Callable[[], object], kind: type[MptError] = ConfigError) -> MptError:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return caught.value


def _job(values: Mapping[str, Any], path: Path = Path("/j.toml"), part: str = "job 'm'") -> Layer:
    return Layer(LayerKind.FILE, values, path=path, part=part, base=path.parent, trusted=False)


# What holds


def test_settings_are_a_config_with_its_defaults(alone: Path) -> None:
    loaded = Settings()
    assert isinstance(loaded, Config)
    assert loaded.model_dump() == Config().model_dump()
    assert set(map(str, loaded.origins.values())) == {"default"}
    assert loaded.origins.keys() == {dotted(key) for key in FIELDS}


def test_settings_of_a_program_read_nothing(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "xdg/mpt").mkdir(parents=True)
    (alone / "xdg/mpt/config.toml").write_text("[encode]\ncrf = 1\n")
    (alone / "mpt.toml").write_text("[encode]\ncrf = wrong\n")  # that of the host program, or of a stranger
    monkeypatch.setenv("MPT_ENCODE__CRF", "3")
    monkeypatch.setenv("MPT_SOMETHING", "of another program")
    assert Settings().model_dump() == Config().model_dump()
    assert Settings(encode={"quality": "draft"}).encode.crf is None


def test_loaded_settings_read_all_standing_layers_below_arguments(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "xdg/mpt").mkdir(parents=True)
    (alone / "xdg/mpt/config.toml").write_text('[encode]\ncrf = 1\n[video]\nbackground = "red"\nfit = "blur"\n')
    (alone / "mpt.toml").write_text('[encode]\ncrf = 2\n[video]\nfit = "cover"\n')
    monkeypatch.setenv("MPT_ENCODE__CRF", "3")
    loaded = Settings.load(arguments={"video": VideoConfig(size=Dimensions(10, 20)), "concat": {"copy": "never"}})
    assert loaded.encode.crf == 3
    assert loaded.video == VideoConfig(size=Dimensions(10, 20), background="red", fit="cover")  # type: ignore[arg-type]
    assert loaded.concat.copy_policy is CopyPolicy.NEVER
    assert str(loaded.origins["encode.crf"]) == "MPT_ENCODE__CRF"
    assert str(loaded.origins["video.fit"]) == str(alone / "mpt.toml")
    assert str(loaded.origins["video.background"]) == str(alone / "xdg/mpt/config.toml")
    assert str(loaded.origins["video.size"]) == "argument"
    assert str(loaded.origins["encode.codec"]) == "default"


def test_arguments_given_as_sections(alone: Path) -> None:
    section = ProcessingConfig(on_error=OnError.SKIP, clip_timeout=Fraction(1, 3))
    assert Settings(processing=section).processing == section
    assert Settings(concat=Config().concat.model_copy(update={"copy_policy": CopyPolicy.NEVER})).concat == (
        Config(concat={"copy": "never"}).concat  # type: ignore[arg-type]
    )


def test_settings_survive_pickle_and_copy(load: Load) -> None:
    loaded = load(flags={"encode": {"crf": 20}})
    assert pickle.loads(pickle.dumps(loaded)) == loaded
    assert loaded.model_copy().origins == loaded.origins
    loaded.origins.clear()
    assert loaded.origins


LAYERS = ("flags", "job", "job_defaults", "environ", "project", "user")
KEYS: dict[str, list[Any]] = {
    "video.background": ["red", "green", "blue", "white", "gray", "pink"],
    "encode.crf": [10, 11, 12, 13, 14, 15],
    "concat.copy": ["never", "identical", "compatible", "never", "identical", "compatible"],
    "video.size": ["2x2", "4x2", "6x2", "8x2", "10x2", "12x2"],
}
Choice = dict[str, tuple[list[str], str | None]]


def _toml(values: Mapping[str, Any]) -> str:
    lines = [f'preset = "{values["preset"]}"'] if "preset" in values else []
    lines += [f"{s}.{k} = {v!r}" for s, table in values.items() if s != "preset" for k, v in table.items()]
    return "\n".join(lines)


def _values(keys: list[str], preset: str | None, place: int) -> dict[str, Any]:
    values: dict[str, Any] = {"preset": preset} if preset else {}
    for key in keys:
        section, name = key.split(".")
        values.setdefault(section, {})[name] = KEYS[key][place]
    return values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {
            name: st.tuples(
                st.lists(st.sampled_from(list(KEYS)), unique=True), st.none() | st.sampled_from(list(PRESETS))
            )
            for name in LAYERS
        }
    ),
    st.sampled_from(["mpt.toml", "pyproject.toml", "other.toml"]),
)
@pytest.mark.heavy
def test_the_highest_layer_that_sets_a_key_wins(tmp_path: Path, choice: Choice, project: str) -> None:
    for name in ("mpt.toml", "pyproject.toml", "other.toml"):
        (tmp_path / name).unlink(missing_ok=True)
    layers = {name: _values(*choice[name], place) for place, name in enumerate(LAYERS)}
    environ = {
        variable_of((section, key) if isinstance(table, dict) else (section,)): str(value)
        for section, table in layers["environ"].items()
        for key, value in (table.items() if isinstance(table, dict) else [("", table)])
    }
    head = "[tool.mpt]\n" if project == "pyproject.toml" else ""
    (tmp_path / project).write_text(head + _toml(layers["project"]))
    (tmp_path / "user.toml").write_text(_toml(layers["user"]))
    loaded = Settings.load(
        flags=layers["flags"],
        job=_job(layers["job"]),
        job_defaults=_job(layers["job_defaults"], part="defaults"),
        environ=environ,
        cwd=tmp_path,
        user_file=tmp_path / "user.toml",
        config_file=Path("other.toml") if project == "other.toml" else None,
    )
    for key in KEYS:
        section, name = key.split(".")
        expected: Any = Config().model_dump(by_alias=True, mode="json")[section][name]
        for place, layer in reversed(list(enumerate(LAYERS))):
            keys, preset = choice[layer]
            expected = PRESETS.get(preset or "", {}).get(section, {}).get(name, expected)
            expected = KEYS[key][place] if key in keys else expected
        assert loaded.model_dump(by_alias=True, mode="json")[section][name] == expected


def test_project_files_exclude_each_other(tmp_path: Path, load: Load) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mpt.encode]\ncrf = 1\nquality = "high"\n')
    assert load().encode.crf == 1
    assert str(load().origins["encode.crf"]) == f"{tmp_path / 'pyproject.toml'}: [tool.mpt]"
    (tmp_path / "mpt.toml").write_text("[encode]\ncrf = 2\n")
    assert load().encode.crf == 2
    assert str(load().origins["encode.quality"]) == "default"
    (tmp_path / "c.toml").write_text("")
    assert load(config_file=Path("c.toml")).encode.crf is None
    assert load(config_file=tmp_path / "pyproject.toml").encode.crf == 1


@pytest.mark.parametrize("text", ["", "[tool.ruff]\n", "tool = 3\n"])
def test_foreign_pyproject_is_left_alone(tmp_path: Path, load: Load, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert load().model_dump() == Config().model_dump()


def test_preset_expands_below_the_keys_of_its_own_layer(tmp_path: Path, load: Load) -> None:
    (tmp_path / "mpt.toml").write_text('preset = "youtube"\naudio.bitrate = "96k"\nvideo.fps = 25\n')
    loaded = load(environ={"MPT_PRESET": "square"}, flags={"video": {"fps": "30"}})
    assert loaded.video.size == Dimensions(1080, 1080)
    assert loaded.video.fps == 30
    assert loaded.audio.bitrate == 192_000
    assert str(loaded.origins["video.size"]) == "MPT_PRESET (preset square)"
    assert str(loaded.origins["video.fps"]) == "flag --fps"
    assert load().audio.bitrate == 96_000
    assert str(load(flags={"preset": "reels"}).origins["audio.bitrate"]) == "flag --preset (preset reels)"


def test_a_layer_takes_back_what_one_below_says(tmp_path: Path, load: Load) -> None:
    (tmp_path / "mpt.toml").write_text('encode.crf = 20\npaths.temp = "t"\n')
    loaded = load(environ={"MPT_ENCODE__CRF": "auto", "MPT_PATHS__TEMP": "auto"})
    assert loaded.encode.crf is None
    assert loaded.paths.temp is None


def test_paths_are_relative_to_the_place_that_names_them(tmp_path: Path, load: Load) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/c.toml").write_text('cache.dir = "cache"\npaths.temp = "/abs"\npaths.state = "~/state"\n')
    loaded = load(config_file=Path("sub/c.toml"))
    assert loaded.cache.dir == tmp_path / "sub/cache"
    assert loaded.paths.temp == Path("/abs")
    assert loaded.paths.state == Path.home() / "state"
    assert load(environ={"MPT_PATHS__TEMP": "t"}).paths.temp == tmp_path / "t"
    assert load(flags={"paths": {"temp": Path("t")}}).paths.temp == Path("t")


def test_the_program_comes_from_trusted_places(tmp_path: Path, load: Load) -> None:
    (tmp_path / "user.toml").write_text('ffmpeg.binary = "bin/ffmpeg"\n')
    assert load().ffmpeg.binary == tmp_path / "bin/ffmpeg"
    assert load(environ={"MPT_FFMPEG__BINARY": "ffmpeg7"}).ffmpeg.binary == Path("ffmpeg7")
    assert load(flags={"ffmpeg": {"binary": "/f"}}).ffmpeg.binary == Path("/f")


@pytest.mark.parametrize("place", ["mpt.toml", "pyproject.toml", "c.toml", "job", "job_defaults"])
def test_the_program_is_refused_elsewhere(tmp_path: Path, load: Load, place: str) -> None:
    head = "[tool.mpt]\n" if place == "pyproject.toml" else ""
    given: dict[str, Any] = {}
    if place.startswith("job"):
        given[place] = _job({"ffmpeg": {"binary": "./evil"}})
    else:
        (tmp_path / place).write_text(head + 'ffmpeg.binary = "./evil"\n')
    if place == "c.toml":
        given["config_file"] = Path(place)
    message = str(_error(lambda: load(**given)))
    assert "ffmpeg.binary = './evil': is taken only from MPT_FFMPEG__BINARY and " in message


# Mistakes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("encode.crff = 20", "encode.crff = 20: unknown key; nearest known key: encode.crf"),
        ("[video]\ncrf = 20", "video.crf = 20: unknown key; nearest known key: encode.crf"),
        ("crf = 20", "crf = 20: unknown key; nearest known key: encode.crf"),
        ("[vidoe]\nfit = 1", "vidoe = {'fit': 1}: unknown key; nearest known key: video"),
        ("concat.copy_policy = 'never'", "concat.copy_policy = 'never': unknown key; nearest known key: concat.copy"),
        ("overwrite = true", "overwrite = true: unknown key here; write it below [[job]] in a job file"),
        ("clips = ['a', 'b']", "clips = ['a', 'b']: unknown key here; write it below [[job]] in a job file"),
        ("frobnicate = 1", "frobnicate = 1: unknown key"),
        ("video.frobnicate = 1", "video.frobnicate = 1: unknown key; known here: video.form, video.size, video.fps, "),
        ("video.resolution = '1x1'", "video.resolution = '1x1': unknown key; use video.size"),
        ("video.crop = true", "video.crop = true: unknown key; use video.fit = 'cover'"),
        ("audio.volume = 2", "audio.volume = 2: unknown key; volume of a clip in a job file is its gain"),
        (
            "video.fit = 'crop'",
            "video.fit = 'crop': must be 'contain', 'cover', 'stretch' or 'blur'; did you mean cover?",
        ),
        ('"video.size" = "2x2"', "'video.size' = '2x2': unknown key"),
        ("encode.crf = 64", "encode.crf = 64: must be at least 0 and at most 63 (or auto)"),
        ("encode.crf = 20.5", "encode.crf = 20.5: must be a whole number, at least 0 and at most 63 (or auto)"),
        ("encode.crf = 'low'", "encode.crf = 'low': must be a whole number, at least 0 and at most 63 (or auto)"),
        ("encode.crf = true", "encode.crf = true: must not be true or false, but at least 0 and at most 63"),
        ("encode.codec = 'vp9'", "encode.codec = 'vp9': must be 'h264', 'hevc' or 'av1'"),
        ("encode.encoder = 3", "encode.encoder = 3: must be text"),
        ("encode.encoder = ''", "encode.encoder = '': must not be empty"),
        ("cache.enabled = 'perhaps'", "cache.enabled = 'perhaps': must be true or false"),
        ("audio.channels = 5", "audio.channels = 5: must be 1, 2 or 6"),
        ("video.fps = 29.97", "video.fps = 29.97: write the fraction: 30000/1001"),
        ("video.size = '10'", "video.size = '10': '10' is not a size like 1080x1920"),
        ("video = 3", "video = 3: must be a table"),
        ("[[video]]", "video = [{}]: must be a table"),
        ("processing.stall_timeout = 0", "processing.stall_timeout = 0: must be above 0"),
        ("memory.max = 'lots'", "memory.max = 'lots': give a size such as 2GiB or 500MB"),
        ("memory.pressure_threshold = nan", "memory.pressure_threshold = nan: must be above 0 and at most 1"),
        ("paths.temp = 5", "paths.temp = 5: must be a path (or auto)"),
        ("paths.temp = 1979-05-27", "paths.temp = datetime.date(1979, 5, 27): must be a path (or auto)"),
        ("paths.temp = 'a\\u0000'".replace("'", '"'), "paths.temp = 'a\\x00': must not hold a NUL"),
        ("preset = 'tictoc'", "preset = 'tictoc': must be one of tiktok, reels, shorts, youtube, square"),
        ("preset = ['tiktok']", "preset = ['tiktok']: must be one of tiktok, reels"),
        ("a = 1\nb = = 2", "is not valid TOML: Invalid value (at line 2, column 5)"),
        ("encode.crf = ", "is not valid TOML: Invalid value (at line 1, the end of the file)"),
        ("x" + ".a" * 5000 + " = 1", "x = {'a': {'a': "),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, load: Load, text: str, says: str) -> None:
    path = tmp_path / "mpt.toml"
    path.write_text(text)
    error = _error(load)
    assert str(error).startswith(says)
    assert error.issue.path == path


def test_a_mistake_that_a_higher_layer_hides_is_one_still(tmp_path: Path, load: Load) -> None:
    (tmp_path / "user.toml").write_text("encode.crf = 99")
    assert "encode.crf = 99" in str(_error(lambda: load(flags={"encode": {"crf": 20}})))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MPT_ENCODE__CRF", "99", ": must be at least 0 and at most 63 (or auto)"),
        ("MPT_ENCODE__CRF", "", ": must be a whole number, at least 0 and at most 63 (or auto)"),
        ("MPT_PATHS__TEMP", "", ": must not be empty"),
        ("MPT_CACHE__ENABLED", "", ": must be true or false"),
        ("MPT_ENCODE__CFR", "20", ": unknown variable; nearest known variable: MPT_ENCODE__CRF"),
        ("MPT_ENCODE_CRF", "20", ": unknown variable; nearest known variable: MPT_ENCODE__CRF"),
        ("MPT_CRF", "20", ": unknown variable; nearest known variable: MPT_ENCODE__CRF"),
        ("MPT_encode__crf", "20", ": unknown variable; nearest known variable: MPT_ENCODE__CRF"),
        ("MPT_VIDEO", "{}", ": unknown variable; nearest known variable: MPT_VIDEO__"),
        ("MPT_", "", ": unknown variable"),
        ("MPT_LOG", "debug", ": unknown variable"),
        ("MPT_PRESET", "insta", ": must be one of tiktok, reels, shorts, youtube, square"),
    ],
)
def test_mistakes_in_the_environment(load: Load, name: str, value: str, says: str) -> None:
    message = str(_error(lambda: load(environ={name: value, "PATH": "x", "mpt_x": "1", "XMPT_Y": "1"})))
    assert message.startswith(f"{name} = {value!r}{says}")


def test_values_of_every_kind_in_the_environment(load: Load) -> None:
    loaded = load(
        environ={
            "MPT_CACHE__ENABLED": "false",
            "MPT_VIDEO__SIZE": "2x4",
            "MPT_AUDIO__CHANNELS": "2",
            "MPT_MEMORY__PRESSURE_THRESHOLD": "0.5",
            "MPT_CONCAT__COPY": "never",
        }
    )
    assert not loaded.cache.enabled
    assert loaded.video.size == Dimensions(2, 4)
    assert loaded.memory.pressure_threshold == 0.5


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"encode": {"crf": 99}}, "--crf 99: must be at least 0 and at most 63 (or auto)"),
        ({"encode": {"threads": 0}}, "--encoder-threads 0: must be at least 1 and at most 128 (or auto)"),
        ({"encode": {"preset": ""}}, "--encoder-preset '': must not be empty"),
        ({"memory": {"max": "x"}}, "--max-memory 'x': give a size"),
        ({"video": {"max_clip_duration": "-1"}}, "--max-clip-duration '-1': must be above 0"),
        ({"preset": "x"}, "--preset 'x': must be one of"),
    ],
)
def test_mistakes_in_flags(load: Load, flags: dict[str, Any], says: str) -> None:
    assert str(_error(lambda: load(flags=flags))).startswith(says)


def test_mistakes_in_arguments(alone: Path) -> None:
    assert str(_error(lambda: Settings(encode={"crf": 99}))).startswith("encode.crf = 99: must be at least 0")
    assert "nearest known key: video" in str(_error(lambda: Settings(vidio={})))
    assert str(_error(lambda: Settings(video=3))) == "video = 3: must be a table"


def test_the_first_of_many_mistakes_leads(tmp_path: Path, load: Load) -> None:
    (tmp_path / "mpt.toml").write_text("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n")
    error = _error(lambda: load(environ={"MPT_X": "1"}, flags={"encode": {"crf": 99}}))
    assert str(error).startswith("--crf 99: ")
    assert error.issue.path is None
    assert error.issue.hint is None
    assert error.others[0].message.startswith("MPT_X = '1': ")
    file = tmp_path / "mpt.toml"
    assert [issue.path for issue in error.others] == [None, *[file] * 6]
    assert [issue.message.split()[0] for issue in error.others[1:]] == list("abcdef")


def test_config_file_must_exist(tmp_path: Path, load: Load) -> None:
    missing = _error(lambda: load(config_file=Path("no.toml"))).issue
    assert (missing.message, missing.path) == ("does not exist", tmp_path / "no.toml")
    assert "Is a directory" in str(_error(lambda: load(config_file=tmp_path)))
    (tmp_path / "pyproject.toml").write_text("")
    assert "has no table [tool.mpt]" in str(_error(lambda: load(config_file=Path("pyproject.toml"))))


def test_tool_mpt_must_be_a_table(tmp_path: Path, load: Load) -> None:
    (tmp_path / "pyproject.toml").write_text("tool.mpt = 3\n")
    issue = _error(load).issue
    assert (issue.message, issue.path) == ("tool.mpt = 3: must be a table", tmp_path / "pyproject.toml")


def test_large_files_are_refused(tmp_path: Path, load: Load) -> None:
    (tmp_path / "mpt.toml").write_bytes(b"#" * (8 * 2**20))
    load()
    (tmp_path / "mpt.toml").write_bytes(b"#" * (8 * 2**20 + 1))
    assert "is larger than 8 MiB" in str(_error(load))


@pytest.mark.parametrize("rate", [0, 0.999])
def test_a_rate_below_one_needs_skip(tmp_path: Path, load: Load, rate: float) -> None:
    (tmp_path / "mpt.toml").write_text(f"processing.min_success_rate = {rate}\n")
    error = _error(load, UsageError)
    assert str(error).startswith("processing.min_success_rate = ")
    assert error.issue.path == tmp_path / "mpt.toml"
    assert "processing.on_error = skip" in str(error)
    assert load(flags={"processing": {"on_error": "skip"}}).processing.min_success_rate == rate
    assert load(flags={"processing": {"min_success_rate": 1}}).processing.required_success_rate == 1


def test_layers_read_once_serve_many_jobs(tmp_path: Path) -> None:
    (tmp_path / "mpt.toml").write_text("encode.crf = 20\n")
    standing = standing_layers(environ={}, cwd=tmp_path, user_file=tmp_path / "none")
    jobs = [_job({"video": {"fps": rate}}) for rate in (24, 25)]
    loaded = [Settings.of((job, None, *standing)) for job in jobs]
    assert [one.video.fps for one in loaded] == [Fraction(24), Fraction(25)]
    assert [one.encode.crf for one in loaded] == [20, 20]


_toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.sampled_from([*FIELDS, ("video",), ("preset",), ("nothing",)]), _toml_values)
def test_no_value_escapes_as_another_error(key: tuple[str, ...], value: object) -> None:
    values = {key[0]: {key[1]: value}} if len(key) == 2 else {key[0]: value}
    message = ""
    try:
        Settings.of((_job(values),))
    except (ConfigError, UsageError) as error:
        message = str(error)
    assert len(message.splitlines()) <= 1
    assert len(message) < 1000


@pytest.mark.heavy
def test_pydantic_settings_is_loaded_by_this_module_alone() -> None:
    code = (
        "import sys, mpt_cli.settings.job_files, mpt_cli.settings.inputs; sys.exit('pydantic_settings' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
