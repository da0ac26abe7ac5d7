"""The sections: their parsers, their limits, and the commented example that shows them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mpt_cli.config.colors import COLORS
from mpt_cli.config.presets import PRESETS
from mpt_cli.config.quantities import nearest_standard_rate, parse_frame_rate, parse_size
from mpt_cli.config.request import VideoParams, effective_config
from mpt_cli.config.sections import Config, ProcessingConfig, QualitySettings, VideoConfig
from mpt_cli.model.arguments import parse_seconds
from mpt_cli.model.choices import Codec, ConcatenationMode, OnError
from mpt_cli.model.clips import Dimensions
from tests.media import ffmpeg

EXAMPLE = Path(__file__).parents[3] / "examples" / "mpt.toml"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (5, 5),
        ("5", 5),
        ("2GiB", 2 << 30),
        ("2 gib", 2 << 30),
        ("500MB", 500_000_000),
        ("1.5G", 1_500_000_000),
        ("1kib", 1024),
    ],
)
def test_parse_size(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1G", "2XB", "1e9", True, 1.5, None, []])
def test_parse_size_refuses(text: object) -> None:
    with pytest.raises(ValueError, match="give a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        (30, 30),
        ("30", 30),
        ("30000/1001", Fraction(30000, 1001)),
        (" 25 ", 25),
        ("120000/1001", Fraction(120_000, 1001)),
        ("240000/1001", Fraction(240_000, 1001)),
        ("480000/2000", 240),
        ("auto", None),
        (None, None),
    ],
)
def test_parse_frame_rate(text: object, rate: Fraction | None) -> None:
    assert parse_frame_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("29.97", "write the fraction: 30000/1001"),
        (23.976, "write the fraction: 24000/1001"),
        ("25.0", "write the fraction: 25"),
        (".5", "must be between 1 and 240"),
        ("fast", "give auto"),
        (True, "give auto"),
        ("-5", "give auto"),
        ("0", "above 0"),
        ("30/0", "above 0"),
        ("1/2", "between 1 and 240"),
        ("241", "between 1 and 240"),
        ("240001/2000", "numerator is above 240000, which is the limit; write 120$"),
        ("999999/9991", "write 48944/489"),
    ],
)
def test_parse_frame_rate_refuses(text: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_frame_rate(text)


def test_nearest_standard_rate_leaves_odd_rates_whole() -> None:
    assert nearest_standard_rate(Fraction("59.94")) == Fraction(60000, 1001)
    assert nearest_standard_rate(Fraction("29.5")) in (29, 30)


@pytest.mark.parametrize(
    ("value", "seconds"), [(1, Fraction(1)), (0.1, Fraction(1, 10)), ("1.5", Fraction(3, 2)), (".5", Fraction(1, 2))]
)
def test_parse_seconds_is_exact(value: object, seconds: Fraction) -> None:
    assert parse_seconds(value) == seconds


@pytest.mark.parametrize("value", [True, None, "soon", "1/3", "", [], float("nan"), float("inf"), "1e999999999"])
def test_parse_seconds_refuses(value: object) -> None:
    with pytest.raises(ValueError, match="number of seconds"):
        parse_seconds(value)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("video", "size", 5),
        ("video", "size", "big"),
        ("video", "background", "#12"),
        ("video", "background", 5),
        ("video", "background", "blakc"),
        ("video", "background", "random"),
        ("video", "max_clip_duration", 0),
        ("encode", "crf", 64),
        ("encode", "threads", 0),
        ("encode", "codec", "vp9"),
        ("audio", "bitrate", "many"),
        ("audio", "bitrate", "8k"),
        ("audio", "channels", "5"),
        ("audio", "sample_rate", "fast"),
        ("concat", "seed", -1),
        ("processing", "min_success_rate", 1.1),
        ("processing", "jobs", 0),
        ("memory", "max", 0),
        ("cache", "max_size", "all"),
        ("video", "sise", 1),
    ],
)
def test_sections_refuse(section: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({section: {key: value}})


@pytest.mark.parametrize(
    "key",
    [
        "video.fps",
        "video.max_clip_duration",
        "encode.threads",
        "encode.crf",
        "encode.preset",
        "concat.seed",
        "concat.timeout",
        "processing.min_success_rate",
        "processing.jobs",
        "processing.clip_timeout",
        "memory.max",
        "cache.dir",
        "paths.temp",
        "paths.state",
        "ffmpeg.binary",
    ],
)
@pytest.mark.parametrize("value", ["auto", None])
def test_auto_is_the_default_of_what_mpt_decides(key: str, value: str | None) -> None:
    section, name = key.split(".")
    assert Config.model_validate({section: {name: value}}) == Config()


@pytest.mark.heavy
def test_every_colour_is_one_of_ffmpeg() -> None:
    listed = subprocess.run([ffmpeg(), "-colors"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0].lower() for line in listed.splitlines()} >= COLORS


def test_text_of_the_environment_is_read() -> None:
    config = Config.model_validate(
        {"audio": {"channels": "2", "sample_rate": "48000", "bitrate": "128K"}, "video": {"background": " #FFaa00 "}}
    )
    assert config.audio.bitrate == 128_000
    assert config.video.background == "#ffaa00"


def test_dump_reads_back() -> None:
    config = Config(
        video=VideoConfig(size=Dimensions(2, 4), max_clip_duration=Fraction(3, 2)), encode=QualitySettings(threads=3)
    )
    assert Config.model_validate(config.model_dump(by_alias=True)) == config
    assert config.model_dump(mode="json")["video"] == {
        "form": "given",
        "size": "2x4",
        "fps": "auto",
        "fit": "contain",
        "background": "black",
        "dynamic_range": "sdr",
        "max_clip_duration": 1.5,
    }


@pytest.mark.parametrize("section", Config.model_fields)
def test_section_lists_each_setting_with_its_meaning(section: str) -> None:
    kind = type(getattr(Config(), section))
    text = kind.__doc__ or ""
    assert text.startswith(f"``[{section}]``: ")
    arguments = text.split("\n\nArgs:\n")[1].splitlines()
    assert [line.split(":")[0].strip() for line in arguments] == list(kind.model_fields)
    assert all(re.fullmatch(r"    \w+: [A-Z].*\.", line) for line in arguments), arguments


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Config().video.fit = "cover"  # type: ignore[assignment]


def test_required_success_rate() -> None:
    assert ProcessingConfig().required_success_rate == 1.0
    assert ProcessingConfig(on_error=OnError.SKIP).required_success_rate == 0.0
    assert ProcessingConfig(on_error=OnError.SKIP, min_success_rate=0.5).required_success_rate == 0.5


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name: str) -> None:
    Config.model_validate(PRESETS[name])


def test_effective_config_takes_the_fields_of_a_request() -> None:
    params = VideoParams(
        clips=(),
        output_path=Path("o.mp4"),
        dimensions=Dimensions(2, 2),
        frame_rate=Fraction(25),
        quality=QualitySettings(codec=Codec.AV1),
        concat_mode=ConcatenationMode.RANDOM,
    )
    config = effective_config(params, Config(video=VideoConfig(background="red")))
    assert config.video == VideoConfig(size=Dimensions(2, 2), fps=Fraction(25), background="red")
    assert config.encode.codec is Codec.AV1
    assert config.concat.mode is ConcatenationMode.RANDOM


def test_effective_config_prefers_the_configuration_of_the_request() -> None:
    base, own = Config(), Config(video=VideoConfig(background="red"))
    assert effective_config(VideoParams(clips=(), output_path=Path("o.mp4")), base) is base
    assert effective_config(VideoParams(clips=(), output_path=Path("o.mp4"), config=own), base) is own


def _keys() -> dict[str, list[str]]:
    schema: dict[str, Any] = Config().model_dump(by_alias=True)
    return {section: list(table) for section, table in schema.items()}


def test_example_names_every_key_in_order_with_a_comment() -> None:
    lines = EXAMPLE.read_text().splitlines()
    assert [line[1:-1] for line in lines if line.startswith("[")] == list(_keys())
    tables = EXAMPLE.read_text().split("\n[")[1:]
    for table, keys in zip(tables, _keys().values(), strict=True):
        named = re.findall(r"^# (\w+) = ", table, re.MULTILINE)
        assert named == keys
        assert re.match(r"\w+\]\n# [A-Z]", table), "each section begins with prose"


def test_example_uncommented_is_the_default() -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    values = tomllib.loads(text)
    assert values.pop("preset") == "tiktok"
    assert Config.model_validate(PRESETS["tiktok"]) == Config.model_validate(values) == Config()
    assert tomllib.loads(EXAMPLE.read_text()) == {section: {} for section in _keys()}
