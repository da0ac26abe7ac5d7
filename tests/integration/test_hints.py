"""Commands in hints do as they stand what they are named for."""

from __future__ import annotations

import shlex
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProbeError
from tests import stripes
from tests.media import ffmpeg, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.errors import Issue

_RAW = {
    "h264": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-bf", "2"),
    "hevc": ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "18", "-x265-params", "log-level=none"),
    "mpeg2video": ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"),
    "m4v": ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2"),
}


def followed(folder: Path, issue: Issue, clip: Path, **values: str) -> Path:
    """Run the command of a hint in a folder, and return what it wrote."""
    hint = str(issue.about(clip).hint)
    for name, value in values.items():
        hint = hint.replace(name, value)
    program, *arguments = shlex.split(hint[hint.index("ffmpeg -") :])
    assert program == "ffmpeg"
    command = [ffmpeg(), "-v", "error", "-nostdin", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return folder / "OUT.mkv"


@pytest.mark.parametrize("form", _RAW)
def test_raw_stream_gets_the_rate_of_the_hint(tmp_path: Path, form: str) -> None:
    clip = tmp_path / f"it's a clip.{form}"
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 1), *_RAW[form], "-pix_fmt", "yuv420p", "-f", form, clip)
    warning = probe(clip, scan=True).warnings[0]
    assert warning.code is IssueCode.NO_TIMESTAMPS
    written = followed(tmp_path, warning, clip, RATE="50")
    found = probe(written, scan=True)
    assert found.warnings == ()
    assert found.video.frame_rate == 50
    assert stripes.numbers(written) == list(range(25))


def animated_webp(path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 1), "-c:v", "libwebp_anim", "-lossless", "1", path)


def animated_png_behind_texts(path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 1), "-plays", "0", "-f", "apng", path)
    data, begin = path.read_bytes(), 33
    text = b"tEXtComment\0" + b"x" * 20_000
    chunk = (len(text) - 4).to_bytes(4) + text + zlib.crc32(text).to_bytes(4)
    path.write_bytes(data[:begin] + chunk + data[begin:])


@pytest.mark.parametrize(("name", "made"), [("a.webp", animated_webp), ("a.png", animated_png_behind_texts)])
def test_refused_animated_image_is_a_clip_after_the_hint(
    tmp_path: Path, name: str, made: Callable[[Path], None]
) -> None:
    made(tmp_path / name)
    with pytest.raises(ProbeError) as refusal:
        probe(tmp_path / name, scan=True)
    written = followed(tmp_path, refusal.value.issue, tmp_path / name)
    assert probe(written, scan=True).warnings == ()
    assert stripes.numbers(written) == list(range(25))


def test_other_video_track_is_the_clip_after_the_hint(tmp_path: Path) -> None:
    clip = tmp_path / "two.mkv"
    sources = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", "-f", "lavfi", "-i", stripes.source("25", 1))
    audio = ("-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac")
    maps = ("-map", "0", "-map", "1", "-map", "2")
    run_ffmpeg(*sources, *audio, *maps, *_RAW["h264"], clip)
    warning = probe(clip, scan=True).warnings[0]
    assert warning.code is IssueCode.VIDEO_TRACKS_LEFT_OUT
    written = followed(tmp_path, warning, clip)
    found = probe(written, scan=True)
    assert found.warnings == ()
    assert found.audio is not None
    assert stripes.numbers(written) == list(range(25))
