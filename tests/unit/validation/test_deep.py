"""A deep look decodes everything, and says how much of a clip is whole: the same on every machine."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.damage import DeepLook
from mpt_cli.model.errors import IssueCode
from mpt_cli.validation.file import FileValidator
from tests.looks import AudioHere, probe_here, share_here
from tests.media import MediaFolder, Recipe, run_ffmpeg
from tests.oddities import damaged, field_stream

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import FileValidationResult

SINGLE_PICTURES = Recipe(sound=None, suffix=".mkv", keyframe_interval=1)


def looked_at(path: Path, *, deep: bool) -> FileValidationResult:
    """The verdict on a file, all packets read or all pictures decoded."""
    validator = FileValidator(
        ValidationConfig(),
        probe=probe_here,
        decoded_share=DeepLook(Ffmpeg(), share_here),
        audio_loss=AudioHere().audio_loss,
    )
    return validator.validate_video_file(path, scan=True, deep=deep)


@pytest.mark.parametrize(
    ("every", "first", "lost"), [(10, 5, "10.0%"), (3, 1, "33.3%"), (30, 29, "3.3%")], ids=["few", "many", "last"]
)
def test_a_clip_that_is_damaged_in_the_middle_is_usable_and_says_how_much_is_lost(
    media: MediaFolder, tmp_path: Path, every: int, first: int, lost: str
) -> None:
    path = tmp_path / "damaged.mkv"
    path.write_bytes(damaged(media.make(SINGLE_PICTURES), every=every, first=first))
    result = looked_at(path, deep=True)
    assert result.is_valid
    assert [issue.code for issue in result.warnings] == [IssueCode.DAMAGED]
    assert lost in result.warnings[0].message
    assert looked_at(path, deep=False).warnings == ()  # only decoding tells


def test_a_clip_of_which_less_than_half_is_whole_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    path = tmp_path / "ruined.mkv"
    path.write_bytes(damaged(media.make(SINGLE_PICTURES), every=1, first=14))
    result = looked_at(path, deep=True)
    assert [issue.code for issue in result.errors] == [IssueCode.DAMAGED]
    assert "53.3%" in result.errors[0].message


@pytest.mark.parametrize("suffix", [".mts", ".mkv", ".mp4"])
@pytest.mark.heavy
def test_a_clip_of_single_fields_is_whole_though_two_packets_make_a_picture(tmp_path: Path, suffix: str) -> None:
    raw, path = tmp_path / "fields.h264", tmp_path / f"fields{suffix}"
    raw.write_bytes(field_stream(25, fields_per_second=50))
    run_ffmpeg("-f", "h264", "-i", raw, "-c", "copy", path)
    with av.open(str(path)) as container:
        assert sum(bool(packet.size) for packet in container.demux(video=0)) == 50
    result = looked_at(path, deep=True)
    assert (result.errors, result.warnings) == ((), ())
    assert result.media is not None
    assert result.media.video.interlaced


def test_a_span_begins_with_the_picture_at_its_exact_start(media: MediaFolder) -> None:
    """1.168 as a float is less than 146/125."""
    path = media.make(Recipe(sound=None, suffix=".mkv", seconds=0.2, start=1.168))
    found = probe_here(path, scan=True, limits=ValidationConfig())
    assert found.zero == Fraction(146, 125)
    assert share_here(path, found, (found.zero, found.zero + Fraction(1, 60))) == 1.0


def test_a_span_without_a_picture_has_lost_none(media: MediaFolder) -> None:
    path = media.make(Recipe(sound=None, suffix=".mkv", seconds=0.2))
    found = probe_here(path, scan=True, limits=ValidationConfig())
    assert share_here(path, found, (Fraction(50), Fraction(51))) == 1.0
