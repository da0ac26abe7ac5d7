"""The envelope and its data fit their schemas, with every key of the contract."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Color, Dimensions, Evidence, Orientation, Verified
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.left_out import LeftOut, LeftOutKind
from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo, VideoStreamInfo
from mpt_cli.model.plan_report import Prediction
from mpt_cli.model.results import (
    ClipResult,
    ClipStatus,
    ConcatenationResult,
    FileValidationResult,
    Milestone,
    OutputInfo,
    PerformanceReport,
    RunStatus,
    VideoResult,
)
from mpt_cli.model.version import __version__
from mpt_cli.reporting.envelope import envelope, issue_dict, media_dict, to_json, validation_data, video_data

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUE = Issue(IssueCode.CLIP_FAILED, "no", Path("a.mp4"), "try again")
BARE = Issue(IssueCode.USAGE, "what?")
VIDEO = VideoStreamInfo(
    index=0,
    codec="hevc",
    profile=None,
    dimensions=Dimensions(1440, 1080),
    sar=Fraction(4, 3),
    orientation=Orientation(rotation=90),
    frame_rate=Fraction(30000, 1001),
    variable_frame_rate=False,
    pixel_format="yuv420p10le",
    bit_depth=10,
    has_alpha=False,
    color=Color(),
    hdr="pq",
    interlaced=False,
)
MEDIA = MediaInfo(
    container="mov",
    size_bytes=123,
    zero=Fraction(0),
    duration=Fraction(1, 3),
    video=VIDEO,
    audio=AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48000),
    video_start=Fraction(0),
    last_picture=Fraction(0),
    scanned=True,
)
FULL = VideoResult(
    workflow_id="w1",
    status=RunStatus.PARTIAL,
    clips=(
        ClipResult(
            0,
            Path("a.mp4"),
            ClipStatus.PROCESSED,
            Action.COPY,
            ("same form",),
            Fraction(0),
            Fraction(1, 3),
            10,
            0.5,
            7,
            verified=Verified(Evidence.PROVEN),
            encoded_frames=3,
        ),
        ClipResult(1, Path(os.fsdecode(b"/x/bad\xff.mp4")), ClipStatus.FAILED, error=ISSUE),
    ),
    output=OutputInfo(
        Path("reel.mp4"), 99, Container.MP4, Fraction(1, 3), 10, Dimensions(1080, 1920), Fraction(30), "h264", "aac"
    ),
    concatenation=ConcatenationResult("FFmpeg", True, 1.23456789, None, "hevc refused"),
    metrics=PerformanceReport(
        "w1", 2.5, float("nan"), None, None, (Milestone("validated", 0.25, 0.1),), 4000, Prediction(1, 2, 3, 0.1234567)
    ),
    seed=42,
    errors=(ISSUE,),
    warnings=(BARE,),
)


def check(name: str, document: Any) -> None:
    schema = json.loads(files("mpt_cli").joinpath(f"share/schemas/{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(to_json(document)))


def keys(document: Mapping[str, object]) -> list[str]:
    return list(document)


def test_the_envelope() -> None:
    document = envelope(
        "process", status=RunStatus.PARTIAL, exit_code=5, data={"a": 1}, warnings=[BARE], errors=[ISSUE], ffmpeg="7.1"
    )
    check("envelope", document)
    assert keys(document) == ["schema", "tool", "command", "status", "exit_code", "data", "warnings", "errors"]
    assert document["schema"] == "mpt.result/1"
    assert document["tool"]["mpt"] == __version__
    assert document["tool"]["ffmpeg"] == "7.1"
    assert document["errors"] == [
        {"code": "clip_failed", "message": "no", "path": str(Path("a.mp4").absolute()), "hint": "try again"}
    ]
    assert document["warnings"] == [{"code": "usage", "message": "what?", "path": None, "hint": None}]


def test_the_least_envelope() -> None:
    document = envelope("config show", status="error", exit_code=2)
    check("envelope", document)
    assert document["data"] == {}
    assert document["tool"]["ffmpeg"] is None


@pytest.mark.parametrize("key", ["schema", "tool", "command", "status", "exit_code", "data", "warnings", "errors"])
def test_nothing_may_be_absent(key: str) -> None:
    document: dict[str, Any] = {**envelope("process", status="success", exit_code=0)}
    del document[key]
    schema = json.loads(files("mpt_cli").joinpath("share/schemas/envelope.json").read_text())
    assert not Draft202012Validator(schema).is_valid(document)


def test_media_as_the_contract_names_it() -> None:
    assert media_dict(MEDIA) == {
        "container": "mov",
        "duration_seconds": 0.333333,
        "size_bytes": 123,
        "video": {
            "codec": "hevc",
            "profile": None,
            "width": 1440,
            "height": 1080,
            "display_width": 1080,
            "display_height": 1920,
            "rotation": 90,
            "sar": "4/3",
            "fps": "30000/1001",
            "variable_frame_rate": False,
            "pixel_format": "yuv420p10le",
            "bit_depth": 10,
            "hdr": "pq",
            "interlaced": False,
        },
        "audio": {"codec": "aac", "channels": 2, "layout": "stereo", "sample_rate": 48000},
        "audio_tracks": [],
    }


def test_data_of_validate() -> None:
    data = validation_data(
        [
            FileValidationResult(Path("a.mp4"), media=MEDIA),
            FileValidationResult(Path("b.mp4"), warnings=(BARE,), media=MEDIA),
            FileValidationResult(Path("c.mp4"), errors=(ISSUE,)),
        ]
    )
    check("validate", data)
    check("validate", {})
    assert data["summary"] == {"total": 3, "valid": 2, "invalid": 1, "with_warnings": 1}
    assert keys(data["clips"][2]) == ["path", "valid", "errors", "warnings", "media", "copy_obstacles", "lufs"]
    assert data["clips"][2]["media"] is None
    assert data["clips"][2]["path"] == str(Path("c.mp4").absolute())


def test_data_of_process() -> None:
    data: Any = video_data(FULL)
    check("process", data)
    assert data["seed"] == 42
    assert data["output"] == {
        "path": str(Path("reel.mp4").absolute()),
        "size_bytes": 99,
        "container": "mp4",
        "duration_seconds": 0.333333,
        "frames": 10,
        "width": 1080,
        "height": 1920,
        "fps": "30",
        "video_codec": "h264",
        "dynamic_range": "sdr",
        "audio_codec": "aac",
        "audio_sample_rate": 48_000,
        "audio_channels": 2,
        "audio_layout": "stereo",
        "loudness": None,
        "contact_sheet": None,
        "poster": None,
    }
    assert data["clips"][0] == {
        "index": 0,
        "path": str(Path("a.mp4").absolute()),
        "status": "processed",
        "action": "copy",
        "reasons": ["same form"],
        "start_seconds": 0.0,
        "duration_seconds": 0.333333,
        "frames": 10,
        "elapsed_seconds": 0.5,
        "peak_memory_bytes": 7,
        "error": None,
        "verified": {"frame_map": "proven", "audio": None},
        "encoded_frames": 3,
        "loudness": None,
    }
    assert data["clips"][1]["error"] == issue_dict(ISSUE)
    assert data["concatenation"] == {
        "method": "FFmpeg",
        "stream_copy": True,
        "duration_seconds": 1.234568,
        "memory_used_bytes": None,
        "fallback_reason": "hevc refused",
    }
    assert data["metrics"]["milestones"] == [{"name": "validated", "at_seconds": 0.25, "progress": 0.1}]
    assert json.loads(to_json(data))["metrics"]["processing_efficiency"] is None
    assert data["metrics"]["temporary_bytes"] == 4000
    assert data["metrics"]["predicted"] == {
        "memory_peak_bytes": 1, "temporary_bytes": 2, "output_bytes": 3, "total_duration_seconds": 0.123457,
    }  # fmt: skip


def test_a_run_that_came_to_nothing_has_every_key() -> None:
    data = video_data(VideoResult("w", RunStatus.ERROR))
    check("process", data)
    assert data == {
        "workflow_id": "w",
        "seed": None,
        "unchanged": False,
        "output": None,
        "clips": [],
        "concatenation": None,
        "metrics": None,
        "left_out": [],
    }
    check("process", {})


def test_left_out_entries_are_counted_by_kind() -> None:
    entry = LeftOut(Path("/in"), LeftOutKind.PHOTO, 30, ("a.jpg",))
    data = video_data(VideoResult("w", RunStatus.ERROR, left_out=(entry,)))
    check("process", data)
    assert data["left_out"] == [{"folder": "/in", "kind": "photo", "count": 30, "names": ["a.jpg"]}]


def test_a_result_that_lacks_a_key_does_not_fit() -> None:
    schema = json.loads(files("mpt_cli").joinpath("share/schemas/process.json").read_text())
    for key in video_data(FULL):
        data = json.loads(to_json(video_data(FULL)))
        del data[key]
        assert not Draft202012Validator(schema).is_valid(data)


def test_json_takes_what_results_hold() -> None:
    value = {"p": Path("/x/\udcff"), "f": Fraction(30000, 1001), "n": float("inf"), "t": (1, [float("nan")]), "s": "é"}
    text = to_json(value)
    assert text.isascii()
    assert json.loads(text) == {"p": "/x/\udcff", "f": "30000/1001", "n": None, "t": [1, [None]], "s": "é"}
    assert "\n" in to_json(value, indent=2)


numbers = st.floats() | st.integers() | st.none() | st.booleans()
values = st.recursive(numbers | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(values)
def test_json_is_always_json(value: object) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(to_json(value), parse_constant=refuse)
