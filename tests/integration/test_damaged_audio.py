"""Audio that does not decode is said, with how much of it; what is left stays in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.damage import DeepLook
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProcessingError
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.validation.file import FileValidator
from tests.audio_clips import FORM, clip, level, played, rename_codec, silences, tone
from tests.integration.segments import planned
from tests.looks import AudioHere, probe_here, share_here
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.errors import Issue

DEEP = FileValidator(
    ValidationConfig(),
    probe=probe_here,
    decoded_share=DeepLook(Ffmpeg(), share_here),
    audio_loss=AudioHere().audio_loss,
)


def hurt(folder: Path, codec: str, first: int, last: int, suffix: str = ".mkv") -> Path:
    """A clip of four seconds of which these audio packets are noise."""
    whole, path = folder / f"whole{suffix}", folder / f"hurt{suffix}"
    clip(whole, tone(500, 4), "-c:a", codec, seconds=4)
    noise = f"noise=amount=if(between(n\\,{first}\\,{last})\\,3\\,0)"
    run_ffmpeg("-i", whole, "-c", "copy", "-bsf:a", noise, path)
    return path


def only(issues: tuple[Issue, ...]) -> Issue:
    assert len(issues) == 1, issues
    return issues[0]


@pytest.mark.parametrize(
    ("codec", "packets", "suffix"),
    [("aac", (60, 122), ".mkv"), ("aac", (60, 122), ".mp4"), ("ac3", (40, 81), ".mkv"), ("flac", (60, 122), ".mkv")],
)
@pytest.mark.core(1)
def test_damaged_seconds_are_said_and_the_rest_is_in_step(
    tmp_path: Path, codec: str, packets: tuple[int, int], suffix: str
) -> None:
    path = hurt(tmp_path, codec, *packets, suffix)
    deep = only(DEEP.validate_video_file(path, deep=True).warnings)
    pcm, done = played(path, tmp_path)
    for issue in (deep, only(done.warnings)):
        assert issue.code is IssueCode.AUDIO_DAMAGED
        assert f"has damaged audio: 1.3 of 4.0 s of stream 1 ({codec})" in issue.message
    assert level(pcm, 500, 0.1, 1.2) == pytest.approx((-18.06, -18.06), abs=0.5)
    assert level(pcm, 500, 2.8, 3.9) == pytest.approx((-18.06, -18.06), abs=0.5)
    assert [round(length, 1) for _, length in silences(pcm, least=0.5)] in ([1.3], [])


def test_a_trim_in_front_of_the_damage_is_whole(tmp_path: Path) -> None:
    _, done = played(hurt(tmp_path, "aac", 120, 170), tmp_path, end=1.5)
    assert not done.warnings


def test_a_clip_of_whose_audio_most_is_damaged_is_refused(tmp_path: Path) -> None:
    path = hurt(tmp_path, "aac", 1, 150)
    assert only(DEEP.validate_video_file(path, deep=True).errors).code is IssueCode.AUDIO_DAMAGED
    with pytest.raises(ProcessingError, match=r"3\.2 of 4\.0 s") as refused:
        played(path, tmp_path)
    assert refused.value.code is IssueCode.AUDIO_DAMAGED


@pytest.mark.parametrize("codec", ["aac", "ac3", "libmp3lame", "libopus", "libvorbis", "wmav2", "flac"])
def test_whole_audio_is_not_called_damaged(tmp_path: Path, codec: str) -> None:
    path = clip(tmp_path / "whole.mkv", tone(500, 1), "-c:a", codec, seconds=1)
    assert not DEEP.validate_video_file(path, deep=True).warnings


@pytest.mark.parametrize("codec", [b"ac-4", b"apac", b"enca", b"zzzz"])
@pytest.mark.core(1)
def test_audio_without_a_decoder_is_named(tmp_path: Path, codec: bytes) -> None:
    path = clip(tmp_path / "clip.mp4", tone(500, 1), "-c:a", "aac", seconds=1)
    rename_codec(path, codec)
    for scan in (False, True):
        media = probe(path, scan=scan)
        issue = only(media.warnings)
        assert media.audio is None
        assert issue.code is IssueCode.AUDIO_UNDECODABLE
        name = codec.decode().replace("ac-4", "ac4")
        assert f"stream 1 ({name}, 1.0 s) has no decoder; the reel is silent there" in issue.message


def test_audio_of_which_no_packet_decodes_is_named(tmp_path: Path) -> None:
    path = hurt(tmp_path, "aac", 0, 10_000)
    for scan in (False, True):
        issue = only(probe(path, scan=scan).warnings)
        assert issue.code is IssueCode.AUDIO_UNDECODABLE
        assert "(aac, 4.0 s) decodes" in issue.message or not scan
    assert planned(path, FORM).media.audio is None


def test_audio_whose_description_is_cut_off_is_named(tmp_path: Path) -> None:
    whole = clip(tmp_path / "whole.mkv", tone(500, 1), "-c:a", "libvorbis", seconds=1)
    data = whole.read_bytes()
    begin = data.index(b"\x05vorbis")
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[:begin] + bytes(200) + data[begin + 200 :])
    assert only(probe(path, scan=True).warnings).code is IssueCode.AUDIO_UNDECODABLE


def test_damage_of_the_right_side_leaves_each_on_its_side(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.mkv", tmp_path / "hurt.mkv"
    names = ("-metadata:s:a:0", "title=Left", "-metadata:s:a:1", "title=Right")
    mono = ("-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:a", "aac", *names)
    clip(whole, (*tone(500, 4), *tone(1000, 4)), *mono, seconds=4)
    noise = "noise=amount=if(between(n\\,60\\,122)\\,3\\,0)"
    run_ffmpeg("-i", whole, "-map", "0", "-c", "copy", "-bsf:a:1", noise, path)
    pcm, done = played(path, tmp_path)
    damage = only(done.warnings)
    assert damage.code is IssueCode.AUDIO_DAMAGED
    assert "stream 2 (aac)" in damage.message
    for begin, end in ((0.1, 1.2), (2.8, 3.9)):
        left, right = level(pcm, 500, begin, end), level(pcm, 1000, begin, end)
        assert (left[0], right[1]) == pytest.approx((-18.06, -18.06), abs=0.5)
        assert max(left[1], right[0]) < -60


def test_a_track_without_a_decoder_beside_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    both = ("-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:a", "aac", "-disposition:a", "default")
    clip(path, (*tone(500, 1), *tone(1000, 1)), *both, seconds=1)
    rename_codec(path, b"ac-4")
    media = probe(path, scan=True)
    assert media.audio is not None
    named = [issue for issue in media.warnings if issue.code is IssueCode.AUDIO_UNDECODABLE]
    assert "stream 1 (ac4, 1.0 s) has no decoder; another track is heard" in only(tuple(named)).message


def test_a_file_without_audio_has_none_to_be_named(tmp_path: Path) -> None:
    path = clip(tmp_path / "silent.mp4", ())
    assert not probe(path, scan=True).warnings
    assert not DEEP.validate_video_file(path, deep=True, cancel=CancelToken()).warnings
