"""``mpt config``: every setting with its source, a file to start from, and a schema that agrees with mpt."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from mpt_cli.cli.catalog import COMMANDS
from mpt_cli.cli.options import SETTINGS
from mpt_cli.config.presets import PRESETS
from mpt_cli.settings.layers import FIELDS, Layer, LayerKind, dotted, user_config_file
from mpt_cli.settings.merged import Settings
from mpt_cli.settings.reference import config_schema, meanings, starter_file
from tests.cli.conftest import ROOT, Mpt

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.cli.options import Flag


pytestmark = pytest.mark.core


def shown(mpt: Mpt, *arguments: str) -> dict[str, dict[str, Any]]:
    """What ``mpt config show --json`` says of each setting."""
    done = mpt("config", "show", *arguments, "--json")
    assert (done.code, done.err) == (0, ""), done.out
    return {setting["key"]: setting for setting in done.data["settings"]}


# --- show ---------------------------------------------------------------------------------------


def test_defaults_are_shown_as_one_writes_them(mpt: Mpt) -> None:
    found = shown(mpt)
    assert list(found) == [dotted(key) for key in FIELDS]
    assert {setting["source"] for setting in found.values()} == {"default"}
    for key, setting in found.items():
        section, name = key.split(".")
        written = Layer(LayerKind.FILE, {section: {name: setting["value"]}})
        assert written.check() == [], key
        assert Settings.of((written,)).model_dump() == Settings.of(()).model_dump(), key
        assert setting["value"] == setting["default"], key
        explained = Layer(LayerKind.FILE, {section: {name: meanings()[section, name].default}})
        assert Settings.of((explained,)).model_dump() == Settings.of(()).model_dump(), key


def test_each_source_is_named(mpt: Mpt, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file = user_config_file()
    assert user_file is not None
    user_file.parent.mkdir(parents=True)
    user_file.write_text("[encode]\ncrf = 30\n[cache]\nmax_size = '3GiB'\n")
    (here / "mpt.toml").write_text('preset = "square"\n[encode]\ncrf = 25\nquality = "high"\n')
    monkeypatch.setenv("MPT_ENCODE__CRF", "20")
    found = shown(mpt, "--fit", "blur")
    sources = {key: (found[key]["value"], found[key]["source"], found[key]["name"]) for key in found}
    assert sources["encode.crf"] == (20, "environment", "MPT_ENCODE__CRF")
    assert sources["encode.quality"] == ("high", "file", None)
    assert sources["cache.max_size"] == (3 << 30, "user_file", None)
    assert sources["video.fit"] == ("blur", "flag", "--fit")
    assert sources["video.size"] == ("1080x1080", "file", None)
    assert (found["video.size"]["preset"], found["video.size"]["path"]) == ("square", str(here / "mpt.toml"))
    lines = mpt("config", "show", "--fit", "blur").out.splitlines()
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines[1:-2]}
    assert rows["encode.crf"] == ["20", "MPT_ENCODE__CRF"]
    assert rows["encode.quality"] == ["high", "./mpt.toml"]
    assert rows["cache.max_size"] == ["3GiB", "user file"]
    assert rows["video.fit"] == ["blur", "--fit"]
    assert rows["video.size"] == ["1080x1080", "preset square, ./mpt.toml"]
    assert rows["validation.max_file_size"] == ["1TiB", "default"]
    assert rows["audio.bitrate"] == ["192k", "preset square, ./mpt.toml"]
    assert rows["processing.deadline"] == ["none", "default"]
    assert lines[-1] == f"user file: {user_config_file()}"


@pytest.mark.parametrize("flag", SETTINGS, ids=lambda flag: flag.names[0])
def test_an_option_is_named_as_it_was_given(flag: Flag) -> None:
    for key in flag.key.split():
        assert Layer(LayerKind.FLAG, {}).name_of(tuple(key.split("."))) == flag.names[0]


def test_a_table_of_pyproject_and_a_named_file_are_sources(mpt: Mpt, here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.mpt.video]\nfps = 25\n")
    (here / "other.toml").write_text("[video]\nfps = 50\n")
    assert "25     [tool.mpt] in ./pyproject.toml" in mpt("config", "show", "video.fps").out
    assert "50     ./other.toml" in mpt("config", "show", "video.fps", "-c", "other.toml").out


def test_one_setting_or_one_section_is_shown(mpt: Mpt) -> None:
    assert list(shown(mpt, "video.fps")) == ["video.fps"]
    assert list(shown(mpt, "memory")) == ["memory.max", "memory.pressure_threshold", "memory.cleanup_interval"]
    text = mpt("config", "show", "video.fps").out
    assert text.splitlines()[1].split() == ["video.fps", "auto", "default"]
    assert "Frame rate" in text


@pytest.mark.parametrize(("key", "meant"), [("video.fsp", "video.fps"), ("crf", "encode.crf"), ("vidio", "video")])
def test_an_unknown_key_names_the_nearest(mpt: Mpt, key: str, meant: str) -> None:
    done = mpt("config", "show", key, "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert done.document["errors"][0]["message"] == f"'{key}': unknown key; nearest known key: {meant}"


def test_a_mistake_in_a_file_is_said_as_elsewhere(mpt: Mpt, here: Path) -> None:
    (here / "mpt.toml").write_text("[video]\nfpss = 1\n")
    done = mpt("config", "show", "--json")
    assert (done.code, done.codes) == (2, ["config_invalid"])


def test_verbose_tells_what_is_not_a_default(mpt: Mpt, here: Path) -> None:
    (here / "mpt.toml").write_text("[encode]\ncrf = 20\n")
    told = mpt("config", "show", "encode.crf", "--fit", "blur", "-v").err.splitlines()
    assert [line.partition(": ")[2] for line in told] == [
        "Setting video.fit = blur from flag --fit",
        f"Setting encode.crf = 20 from {here}/mpt.toml",
    ]
    assert mpt("config", "show", "encode.crf").err == ""


def test_the_example_with_an_option_shows_what_it_sets(mpt: Mpt) -> None:
    examples = next(entry.examples for entry in COMMANDS if entry.name == "config show")
    (line,) = [line for line, _ in examples if "--" in line]
    words = line.split()[3:]
    assert any(setting["preset"] for setting in shown(mpt, *words).values()), line


# --- init ---------------------------------------------------------------------------------------


def test_init_writes_a_file_that_changes_nothing(mpt: Mpt, here: Path) -> None:
    before = shown(mpt)
    done = mpt("config", "init", "--json")
    assert (done.code, done.data) == (0, {"file": str(here / "mpt.toml"), "replaced": False})
    assert (here / "mpt.toml").read_text() == starter_file() == (ROOT / "examples/mpt.toml").read_text()
    assert tomllib.loads(starter_file()) == {key[0]: {} for key in FIELDS}
    assert shown(mpt) == before
    assert [path.name for path in here.iterdir()] == ["mpt.toml"]


def test_init_never_replaces_a_file_unasked(mpt: Mpt, here: Path) -> None:
    (here / "mpt.toml").write_text("# mine")
    refused = mpt("config", "init", "--json")
    assert (refused.code, refused.codes) == (3, ["output_exists"])
    assert (here / "mpt.toml").read_text() == "# mine"
    assert mpt("config", "init", "--overwrite", "--json").data["replaced"] is True
    assert (here / "mpt.toml").read_text() == starter_file()


def test_init_writes_where_it_is_told(mpt: Mpt, here: Path) -> None:
    assert mpt("config", "init", "new/folder/a.toml").out == f"wrote {here}/new/folder/a.toml\n"
    assert (here / "new/folder/a.toml").is_file()
    assert mpt("config", "init", "--user").code == 0
    user_file = user_config_file()
    assert user_file is not None
    assert user_file.read_text() == starter_file()
    assert mpt("config", "init", "a.toml", "--user").code == 2
    folder = mpt("config", "init", "new", "--overwrite", "--json")
    assert (folder.code, folder.codes) == (3, ["output_not_writable"])
    (here / "file").touch()
    assert mpt("config", "init", "file/a.toml", "--json").codes == ["output_not_writable"]


# --- schema -------------------------------------------------------------------------------------

SCHEMA = Draft202012Validator(config_schema())


def test_the_schema_is_printed_alone_or_in_the_document(mpt: Mpt) -> None:
    assert (
        json.loads(mpt("config", "schema").out) == config_schema() == mpt("config", "schema", "--json").data["schema"]
    )
    Draft202012Validator.check_schema(config_schema())


def test_every_default_and_every_preset_keeps_the_schema() -> None:
    for (section, name), meaning in ((key, meaning) for key, meaning in meanings().items() if key in FIELDS):
        SCHEMA.validate({section: {name: meaning.default}})
    for name, values in PRESETS.items():
        SCHEMA.validate({"preset": name, **values})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("video.size = '1080x1920'", True),
        ("video.size = 1080", False),
        ("video.size = 'big'", False),
        ("video.fps = 30", True),
        ("video.fps = '30000/1001'", True),
        ("video.fps = 29.97", False),
        ("video.fps = 0", False),
        ("video.fit = 'blur'", True),
        ("video.fit = 'round'", False),
        ("video.background = '#00ff00'", True),
        ("video.background = '#0f0'", False),
        ("video.background = 'rebeccapurple'", False),
        ("video.background = 'tomato'", True),
        ("video.max_clip_duration = 'none'", True),
        ("video.max_clip_duration = 2.5", True),
        ("video.max_clip_duration = 0", False),
        ("encode.crf = 63", True),
        ("encode.crf = 64", False),
        ("encode.crf = 'auto'", True),
        ("encode.threads = 0", False),
        ("audio.bitrate = '192k'", True),
        ("audio.bitrate = 1", False),
        ("audio.channels = 5", False),
        ("audio.channels = 6", True),
        ('audio.channels = "auto"', True),
        ('audio.codec = "auto"', True),
        ('audio.codec = "mp3"', False),
        ("concat.copy = 'never'", True),
        ("concat.copy_policy = 'never'", False),
        ("memory.max = '2GiB'", True),
        ("memory.max = '1.5 g'", True),
        ("memory.max = 'much'", False),
        ("memory.max = 'auto'", True),
        ("concat.timeout = '5.'", True),
        ("concat.timeout = '.5'", True),
        ("concat.timeout = '5 s'", False),
        ("concat.timeout = '123456789012345678901'", False),
        ("memory.pressure_threshold = 0", False),
        ("cache.enabled = 'yes please'", False),
        ("cache.dir = '/tmp'", True),
        ("preset = 'tiktok'", True),
        ("preset = 'vimeo'", False),
        ("vidoe.size = '1080x1920'", False),
        ("video.sise = '1080x1920'", False),
        ("video = 1", False),
    ],
)
def test_the_schema_agrees_with_mpt(text: str, right: bool) -> None:
    values = tomllib.loads(text)
    assert SCHEMA.is_valid(values) is right
    assert (Layer(LayerKind.FILE, values).check() == []) is right
