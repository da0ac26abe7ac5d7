"""One pass names everything that is wrong with a request and its clips, in order, each file looked at once."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, ProcessingConfig, QualitySettings, ValidationConfig, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import Cancelled, IssueCode, VerificationError
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.validation.codec import CodecValidator
from mpt_cli.validation.engine import ValidationEngine
from mpt_cli.validation.file import FileValidator
from mpt_cli.validation.parameter import ParameterValidator
from tests.builders import form_of, media_of
from tests.looks import nothing_lost
from tests.media import MediaFolder, Tone
from tests.oddities import damaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import ValidationResult

LIMIT_SECONDS = 10
"""For what would otherwise wait forever if the test failed."""


def validated(
    output: Path, *clips: VideoClip | Path, engine: ValidationEngine | None = None, **sections: Any
) -> ValidationResult:
    """The verdict on a request, by the engine of the product."""
    config = Config(**sections)
    engine = engine or ModuleFactory(config).create_validation_engine()
    params = VideoParams(tuple(VideoClip.of(clip) for clip in clips), output)
    return engine.validate_inputs(params, config, cancel=CancelToken())


def codes(result: ValidationResult) -> list[object]:
    """The codes of the request's own errors, then a list for each file."""
    return [*(issue.code for issue in result.errors), *([i.code for i in file.errors] for file in result.files)]


class CountingProbe:
    """Says of every file that it is a plain clip, and remembers which were asked for, and how."""

    def __init__(self, before: Callable[[Path], object] = lambda _: None) -> None:
        self.asked: list[tuple[Path, bool]] = []
        self._before = before

    def __call__(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """What the file is said to hold."""
        self._before(path)
        self.asked.append((path, scan))
        return media_of()


def engine_with(probe: CountingProbe, *, workers: int = 1) -> ValidationEngine:
    """An engine that looks into files by this probe."""
    files = FileValidator(
        ValidationConfig(),
        probe=probe,
        decoded_share=lambda _path, _media, *, cancel: 1.0,
        audio_loss=nothing_lost,
    )
    return ValidationEngine(files, ParameterValidator(), CodecValidator(CodecOptimizer()), workers=workers)


def files_in(folder: Path, count: int) -> list[Path]:
    """Files that are there and hold something."""
    paths = [folder / f"{number}.mp4" for number in range(count)]
    for path in paths:
        path.write_bytes(b"something")
    return paths


# --- inputs ---------------------------------------------------------------------------------------


@pytest.mark.anchor("T019")
def test_valid_parameters_pass_with_what_each_file_holds(media: MediaFolder, tmp_path: Path) -> None:
    one, other = media.make(), media.make(size="90x160", fps="25", suffix=".mov")
    result = validated(tmp_path / "reel.mp4", one, VideoClip(other, Fraction(1, 4), Fraction(3, 4)), one)
    assert result.is_valid
    assert (result.errors, result.warnings) == ((), ())
    assert [file.path for file in result.files] == [one, other, one]
    found = [file.media for file in result.files if file.media]
    assert [f"{info.video.display} {info.video.frame_rate} {info.duration}" for info in found] == [
        "160x90 30 1",
        "90x160 25 1",
        "160x90 30 1",
    ]
    assert all(info.scanned for info in found)


@pytest.mark.anchor("T020", "T023")
def test_invalid_paths_are_named_each_in_its_place_beside_good_clips(media: MediaFolder, tmp_path: Path) -> None:
    good, folder, empty = media.make(), tmp_path / "folder.mp4", tmp_path / "empty.mp4"
    folder.mkdir()
    empty.touch()
    missing, below = tmp_path / "missing.mp4", good / "below.mp4"
    result = validated(tmp_path / "reel.mp4", missing, good, folder, empty, below)
    assert not result.is_valid
    assert codes(result) == [["file_not_found"], [], ["not_a_file"], ["file_empty"], ["file_not_found"]]
    assert [file.errors[0].path for file in result.files if file.errors] == [missing, folder, empty, below]


@pytest.mark.anchor("T021", "T024")
def test_unsupported_formats_are_rejected_by_what_they_hold_and_not_by_their_names(
    media: MediaFolder, tmp_path: Path
) -> None:
    contents = {
        "text.mp4": b"This is no film.\n" * 100,
        "list.mkv": b"ffconcat version 1.0\nfile '/in/a.mp4'\n",
        "picture.mov": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "archive.mp4": b"PK\x03\x04" + bytes(100),
        "clip.txt": media.make().read_bytes(),
    }
    paths = [tmp_path / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    found = codes(validated(tmp_path / "reel.mp4", *paths))
    assert found == [["not_media"], ["playlist_refused"], ["still_image"], ["not_media"], []]


@pytest.mark.anchor("T025")
def test_corrupted_files_are_found(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make().read_bytes()
    cut, hollow = tmp_path / "cut.mp4", tmp_path / "hollow.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    hollow.write_bytes(damaged(media.make(sound=None, suffix=".mkv"), every=1))
    assert codes(validated(tmp_path / "reel.mp4", cut, hollow)) == [["not_media"], ["no_frames"]]


def test_damage_in_the_middle_shows_where_everything_is_decoded(media: MediaFolder, tmp_path: Path) -> None:
    good, hurt = media.make(), tmp_path / "hurt.mkv"
    hurt.write_bytes(damaged(media.make(sound=None, suffix=".mkv", keyframe_interval=1), every=3, first=1))
    engine = ModuleFactory(Config()).create_validation_engine()
    for deep, expected in ((False, [[], []]), (True, [[], [IssueCode.DAMAGED]])):
        results = engine.validate_files([good, hurt], cancel=CancelToken(), deep=deep)
        assert [[issue.code for issue in result.warnings] for result in results] == expected
        assert all(result.is_valid for result in results)


@pytest.mark.anchor("T022")
def test_parameters_are_judged_together_with_the_files(media: MediaFolder, tmp_path: Path) -> None:
    reversed_trim = VideoClip(media.make(), Fraction(1, 2), Fraction(1, 4))
    result = validated(
        tmp_path / "reel.avi",
        tmp_path / "missing.mp4",
        reversed_trim,
        video=VideoConfig(size=Dimensions(161, 90)),
        encode=QualitySettings(preset="quick"),
    )
    assert codes(result) == ["usage", "odd_dimensions", "usage", "quality_out_of_range", ["file_not_found"], []]


@pytest.mark.anchor("T026")
@pytest.mark.parametrize(
    ("codec", "encoder", "name", "expected"),
    [
        (Codec.H264, "auto", "reel.mov", []),
        (Codec.HEVC, "libx265", "reel.mp4", []),
        (Codec.AV1, "auto", "reel.mkv", []),
        (Codec.AV1, "auto", "reel.mov", ["codec_container_mismatch"]),
        (Codec.H264, "libx265", "reel.mp4", ["encoder_unavailable"]),
        (Codec.AV1, "libx264", "reel.mov", ["encoder_unavailable", "codec_container_mismatch"]),
        (Codec.AV1, "auto", "reel.avi", ["usage"]),  # what no one knows is not judged
    ],
)
@pytest.mark.core(2)
def test_codec_encoder_and_container_must_go_together(
    media: MediaFolder, tmp_path: Path, codec: Codec, encoder: str, name: str, expected: list[str]
) -> None:
    result = validated(tmp_path / name, media.make(), encode=QualitySettings(codec=codec, encoder=encoder))
    assert codes(result) == [*expected, []]
    assert all(issue.hint for issue in result.errors)


def test_a_trim_is_judged_by_the_real_length_of_its_own_clip(media: MediaFolder, tmp_path: Path) -> None:
    path = media.make(sound=Tone(seconds=1.5))
    clips = [
        VideoClip(path, Fraction(0), Fraction(3, 2)),
        VideoClip(path, Fraction(5)),
        VideoClip(path, Fraction(1), Fraction(2)),
    ]
    result = validated(tmp_path / "reel.mp4", *clips)
    assert codes(result) == [[], ["trim_beyond_duration"], ["trim_beyond_duration"]]
    assert all(file.media is not None for file in result.files)


def test_the_trim_of_a_file_that_is_refused_is_not_judged_too(tmp_path: Path) -> None:
    result = validated(tmp_path / "reel.mp4", VideoClip(tmp_path / "missing.mp4", Fraction(500)))
    assert codes(result) == [["file_not_found"]]


def test_a_warning_is_given_once_however_often_its_file_is_used(media: MediaFolder, tmp_path: Path) -> None:
    wide, tall = media.make(size="160x32", sound=None), media.make(size="32x160", sound=None)
    clips = [VideoClip(wide), VideoClip(tall), VideoClip(wide, Fraction(1, 2)), VideoClip(wide, Fraction(9))]
    result = validated(tmp_path / "reel.mp4", *clips)
    assert [issue.path for issue in result.warnings] == [wide, tall]


# --- how files are looked at ----------------------------------------------------------------------


def test_too_many_clips_are_refused_before_any_is_looked_at(tmp_path: Path) -> None:
    probe = CountingProbe()
    paths = files_in(tmp_path, 3)
    result = validated(
        tmp_path / "reel.mp4", *paths, engine=engine_with(probe), processing=ProcessingConfig(max_clips=2)
    )
    assert codes(result) == ["limit_exceeded"]
    assert probe.asked == []


def test_a_file_that_is_named_again_is_looked_at_once_and_to_its_end(tmp_path: Path) -> None:
    probe, (one, other) = CountingProbe(), files_in(tmp_path, 2)
    result = validated(tmp_path / "reel.mp4", one, other, one, one, engine=engine_with(probe))
    assert [file.path for file in result.files] == [one, other, one, one]
    assert sorted(probe.asked) == [(one, True), (other, True)]


@pytest.mark.parametrize(
    ("scan", "deep", "to_its_end"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_files_are_read_as_far_as_is_asked(tmp_path: Path, *, scan: bool, deep: bool, to_its_end: bool) -> None:
    probe, paths = CountingProbe(), files_in(tmp_path, 1)
    engine_with(probe).validate_files(paths, cancel=CancelToken(), scan=scan, deep=deep)
    assert probe.asked == [(paths[0], to_its_end)]


def test_as_many_files_as_workers_are_looked_at_at_a_time_and_the_order_is_kept(tmp_path: Path) -> None:
    together = threading.Barrier(3)
    probe = CountingProbe(before=lambda _: together.wait(LIMIT_SECONDS))
    paths = files_in(tmp_path, 6)[::-1]
    results = engine_with(probe, workers=3).validate_files(paths, cancel=CancelToken())
    assert [result.path for result in results] == paths
    assert all(result.is_valid for result in results)


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_stop_ends_the_look_and_leaves_the_rest_alone(tmp_path: Path, at: int) -> None:
    cancel, paths = CancelToken(), files_in(tmp_path, 5)
    probe = CountingProbe(before=lambda path: cancel.cancel() if path == paths[at] else None)
    with pytest.raises(Cancelled):
        engine_with(probe).validate_files(paths, cancel=cancel)
    assert [path for path, _ in probe.asked] == paths[: at + 1]


def test_no_files_need_no_look(tmp_path: Path) -> None:
    assert engine_with(CountingProbe()).validate_files([], cancel=CancelToken()) == []
    assert codes(validated(tmp_path / "reel.mp4")) == ["no_match"]


# --- output and health ----------------------------------------------------------------------------


@pytest.mark.parametrize("made", [lambda _: None, Path.mkdir], ids=["nothing", "a folder"])
def test_an_output_that_was_not_created_is_named_by_the_name_it_would_have(
    tmp_path: Path, made: Callable[[Path], object]
) -> None:
    hidden, target = tmp_path / "hidden.mp4", tmp_path / "reel.mp4"
    made(hidden)
    engine = engine_with(CountingProbe())
    with pytest.raises(VerificationError, match="was not created") as refusal:
        engine.validate_output(hidden, form_of(), [], target=target, chapters=(), frames_copied=True)
    assert refusal.value.issue.path == target


def test_an_engine_that_looks_at_nothing_at_a_time_is_not_healthy() -> None:
    assert engine_with(CountingProbe(), workers=1).is_healthy()
    assert not engine_with(CountingProbe(), workers=0).is_healthy()
