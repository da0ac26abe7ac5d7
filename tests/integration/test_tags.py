"""Tags that the probe reads: the time of recording, and the titles of chapters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from tests.integration.reels import config_of, finished_reel
from tests.media import MediaFolder, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()


def tagged(source: Path, path: Path, **tags: str) -> Path:
    """Copy a clip with these tags."""
    options = [option for name, value in tags.items() for option in ("-metadata", f"{name.replace('__', '.')}={value}")]
    run_ffmpeg("-i", source, "-c", "copy", "-map_metadata", "-1", "-movflags", "use_metadata_tags", *options, path)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.core(1)
def test_creation_time_of_a_container_is_read(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    clip = tagged(media.make(seconds=0.2), tmp_path / f"clip{suffix}", creation_time="2024-05-01T12:00:00Z")
    found = probe(clip, scan=True)
    assert (found.recorded, found.modified) == (NOON, clip.stat().st_mtime)


@pytest.mark.core
def test_creation_date_of_apple_wins_and_has_a_zone(media: MediaFolder, tmp_path: Path) -> None:
    date = {"com__apple__quicktime__creationdate": "2024-05-01T14:00:00+0200"}
    clip = tagged(media.make(seconds=0.2), tmp_path / "clip.mov", creation_time="2024-05-03T00:00:00Z", **date)
    assert probe(clip, scan=True).recorded == NOON


def test_clock_that_was_never_set_is_no_time(media: MediaFolder, tmp_path: Path) -> None:
    source = media.make(seconds=0.2)
    clip = tagged(source, tmp_path / "clip.mp4", creation_time="1970-01-01T00:00:01Z")
    assert probe(clip, scan=True).recorded is None
    assert probe(source, scan=True).recorded is None


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.core(1)
def test_chapters_of_a_reel_are_the_names_of_its_clips(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    clips = [tagged(media.make(seconds=0.2), tmp_path / name) for name in ("a b.mp4", "\u00e9.mp4")]
    reel = finished_reel(tmp_path / f"reel{suffix}", clips, config_of(fps="30"))
    assert probe(reel, scan=True).chapter_titles == ("a b", "\u00e9")
    assert probe(clips[0], scan=True).chapter_titles == ()
