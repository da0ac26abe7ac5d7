"""Fifty files that real projects test with, where they lie beside the checkout: each has the right verdict,
and those that can be played make one right reel.

The folder is ``shared/media`` beside the checkout: its manifest says of each file what it is and what
ffmpeg decodes of it.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config.sections import Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import QualityLevel
from mpt_cli.model.clips import Orientation
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.runtime.cancel import CancelToken
from tests import reader
from tests.integration.reels import config_of, make_reel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpt_cli.model.media_info import MediaInfo

FOLDER = Path(__file__).parents[2].parent / "shared/media"
CORPUS, MANIFEST = FOLDER / "corpus", FOLDER / "manifest.tsv"

pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason=f"there is no {MANIFEST}")

REFUSED = {
    "Eyevinn+mp4ff/prog_8s_enc_dashinit.mp4": "encrypted",
    "PHP-FFMpeg+PHP-FFMpeg/WrongFile.mp4": "not_media",
    "Zulko+moviepy/-video-with-dash-.mp4": "dimensions_too_small",  # one pixel
    "Zulko+moviepy/result.webm": "file_empty",
    "abema+go-mp4/sample_qt.mp4": "no_frames",  # cut off before its first picture
    "androidx+media/hls_cea608/manifest.m3u8": "playlist_refused",
    "androidx+media/hls_cea608/sd-hls.m3u8": "playlist_refused",
    "beetbox+beets/playlist.m3u8": "playlist_refused",
    "mathiasbynens+small/Mpeg4.mp4": "no_video_stream",
    "meta-pytorch+torchcodec/gradient-really-a-png.mp4": "still_image",
    "sannies+mp4parser/ac3-sample.mp4": "no_video_stream",
    "sindresorhus+file-type/fixture2.mkv": "truncated",  # 1.7 s of 1,132 s
    "streamio+streamio-ffmpeg/broken.mp4": "not_media",
    "webmproject+libwebm/block_ends_beyond_cluster.mkv": "truncated",  # 1.2 s of 9.1 s
    "webmproject+libwebm/invalid_vp9_bitstream-bug_1416.webm": "dimensions_too_large",
}
"""All others are clips; H.266 too, for which ffmpeg 5.1, that wrote the manifest, had no decoder."""
DAMAGED = {
    "androidx+media/sample_with_invalid_nalu.mp4",
    "dmlc+decord/corrupted.mp4",
}
SECONDS = Fraction(1)
"""What is used of each clip."""


def files() -> list[Path]:
    """Every file of the manifest, in its order."""
    with MANIFEST.open(encoding="utf-8", newline="") as lines:
        return [CORPUS / row["path"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def name(path: Path | None) -> str:
    return str(path.relative_to(CORPUS)) if path else ""


def test_every_file_has_the_right_verdict() -> None:
    engine = ModuleFactory(Config()).create_validation_engine()
    for scan in (False, True):
        verdicts = engine.validate_files(files(), cancel=CancelToken(), scan=scan)
        codes = {name(found.path): [issue.code.value for issue in found.errors] for found in verdicts}
        assert {path: found for path, found in codes.items() if found} == {p: [code] for p, code in REFUSED.items()}
        assert len(codes) == 52


def test_the_playable_files_make_one_right_reel(tmp_path: Path) -> None:
    reel = tmp_path / "reel.mp4"
    config = config_of(size="64x36", fps="24", fit="stretch", quality=QualityLevel.HIGH, max_clip_duration=str(SECONDS))
    wanted = {"on_error": "skip", "min_success_rate": 0.5}
    processing = config.processing.model_validate(config.processing.model_dump() | wanted)
    result = make_reel(reel, files(), config.model_copy(update={"processing": processing}))
    assert (result.status, result.code) == (RunStatus.PARTIAL, None)
    assert {name(issue.path): issue.code.value for issue in result.errors} == REFUSED
    unread = {IssueCode.DAMAGED, IssueCode.TRUNCATED, IssueCode.DATA_NOT_READ, IssueCode.LEADING_FRAMES_LOST}
    assert {name(issue.path) for issue in result.warnings if issue.code in unread} <= DAMAGED
    used = [clip for clip in result.clips if clip.status is not ClipStatus.SKIPPED]
    assert len(used) == 37
    shown = [frame.to_ndarray(format="rgb24").astype(float) for frame in reader.frames(reel)]
    assert len(shown) == sum(clip.frames or 0 for clip in used)
    engine = ModuleFactory(Config()).create_validation_engine()
    media = engine.validate_files([clip.path for clip in used], cancel=CancelToken(), scan=True)
    differences: dict[str, float] = {}
    for clip, found in zip(used, media, strict=True):
        assert clip.start is not None
        assert clip.frames
        assert found.media is not None
        number = clip.frames // 2
        if candidates := pictures_at(clip.path, found.media, number / Fraction(24)):
            there = shown[int(clip.start * 24) + number]
            differences[name(clip.path)] = min(float(np.abs(coarse(there - other)).mean()) for other in candidates)
    assert {path: found for path, found in differences.items() if found > 8} == {}
    assert len(differences) > 25


def coarse(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of squares of four by four: what encoders and ways to scale agree on."""
    means: NDArray[np.float64] = picture.reshape(9, 4, 16, 4, 3).mean(axis=(1, 3))
    return means


def pictures_at(path: Path, media: MediaInfo, seconds: Fraction) -> list[NDArray[np.float64]]:
    """What a player shows within half a frame of a time, as small as the reel; empty where that is not simple."""
    video, half = media.video, Fraction(1, 48)
    if video.hdr or video.has_alpha or video.interlaced or video.orientation != Orientation():
        return []
    found: list[av.VideoFrame] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams[video.index]):
            assert isinstance(frame, av.VideoFrame)
            time = (frame.pts or 0) * Fraction(frame.time_base or 1) - media.zero - seconds
            if time > half:
                break
            found = [*found, frame] if time > -half else [frame]
    return [frame.reformat(64, 36, "rgb24", interpolation="BICUBIC").to_ndarray().astype(float) for frame in found]
