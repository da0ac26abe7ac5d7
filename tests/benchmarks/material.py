"""Clips of the benchmarks, created by lavfi: a mixed reel, a long clip among short ones, and conforming clips."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageio_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

FFMPEG = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y")
BT709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
_X264 = "-c:v libx264 -preset veryfast -crf 21 -pix_fmt yuv420p"
_X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error"
_PQ = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"


@dataclass(frozen=True, slots=True)
class Kind:
    """Recipe of a clip: name of the file, size and rate of the source, what follows it, and its audio.

    Attributes:
        name: Name of the file.
        size: Width and height of the frames.
        rate: Frames per second.
        coder: Options of the video encoder.
        audio: Sample rate, channels and options of the audio encoder; empty for a mute clip.
        chain: Filters behind the source.
        rotation: Degrees that the container turns the frames by.
    """

    name: str
    size: tuple[int, int]
    rate: str
    coder: str
    audio: tuple[int, int, str] | None = None
    chain: str = ""
    rotation: int = 0


AAC = (48_000, 2, "aac")
MIXED = (
    Kind("01_720p25.mp4", (1280, 720), "25", _X264, AAC),
    Kind("02_phone_rotated.mp4", (1920, 1080), "30", _X264, (44_100, 1, "aac"), rotation=90),
    Kind("03_4k_hevc_mute.mp4", (3840, 2160), "24", f"{_X265} -crf 24 -pix_fmt yuv420p -tag:v hvc1"),
    Kind("04_vp9_60.webm", (1280, 544), "60", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 3M",
         (48_000, 2, "libopus")),
    Kind("05_portrait.mp4", (1080, 1920), "30", _X264, AAC),
    Kind("06_odd_size.avi", (853, 479), "30000/1001", "-c:v mpeg4 -q:v 3", (22_050, 2, "libmp3lame")),
    Kind("07_vfr_screen.mkv", (1440, 900), "25", f"{_X264} -fps_mode vfr", (48_000, 1, "flac"),
         "select='not(mod(n,3))+gt(random(1),0.5)'"),
    Kind("08_pal_interlaced.ts", (720, 576), "50", "-flags +ildct+ilme -c:v mpeg2video -b:v 5M",
         (48_000, 2, "mp2"), "setsar=16/11,tinterlace=interleave_top"),
    Kind("09_hdr_pq.mp4", (1920, 1080), "30", f"{_X265}:{_PQ} -pix_fmt yuv420p10le -tag:v hvc1", AAC),
    Kind("10_animation.gif", (480, 270), "12", "-c:v gif"),
    Kind("11_portrait_mono.mp4", (1080, 1920), "30", _X264, (48_000, 1, "aac")),
    Kind("12_prores.mov", (1920, 1080), "24000/1001", "-c:v prores_ks -profile:v 1", (48_000, 2, "pcm_s16le")),
)  # fmt: skip
"""The mixed reel: a dozen kinds of clips that people join."""
SHORT = Kind("short.mp4", (1920, 1080), "30", _X264, AAC)


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; a failure ends the benchmark with what ffmpeg says."""
    done = subprocess.run([*FFMPEG, *map(str, arguments)], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"the material could not be created: ffmpeg ended with exit code {done.returncode}")


def make_clip(kind: Kind, path: Path, seconds: float, number: int, *, divide: int = 1) -> Path:
    """Create a clip unless it is there; ``number`` gives colours and tone, ``divide`` makes the frames smaller."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = (side // divide // 2 * 2 + side % 2 for side in kind.size)  # odd stays odd
    frames = f"testsrc2=size={width}x{height}:rate={kind.rate}:duration={seconds}"
    filters = [f"hue=h={number * 29 % 360}", "noise=alls=6:allf=t", kind.chain]
    arguments: list[str | Path] = ["-f", "lavfi", "-i", frames]
    if kind.audio is not None:
        rate, channels, coder = kind.audio
        tone = f"sine=frequency={220 + 40 * number}:sample_rate={rate}:duration={seconds}"
        arguments += ["-f", "lavfi", "-i", tone, "-c:a", coder, "-ac", str(channels)]
    arguments += ["-vf", ",".join(filter(None, filters)), *kind.coder.split()]
    _write(path, *arguments)
    if kind.rotation:
        upright = path.with_name(f"upright-{path.name}")
        path.replace(upright)
        _write(path, "-display_rotation", str(kind.rotation), "-i", upright, "-c", "copy")
        upright.unlink()
    return path


def make_mixed(folder: Path, seconds: float, *, divide: int = 1) -> Path:
    """Create the mixed reel, and return its folder."""
    for number, kind in enumerate(MIXED):
        make_clip(kind, folder / kind.name, seconds, number, divide=divide)
    return folder


def make_long(folder: Path, seconds: float, short_seconds: float, *, divide: int = 1) -> Path:
    """Create one long clip among three short ones, and return their folder."""
    for number, length in enumerate((short_seconds, seconds, short_seconds, short_seconds)):
        make_clip(SHORT, folder / f"{number}_{length:g}s.mp4", length, number, divide=divide)
    return folder


def make_alike(folder: Path, count: int, seconds: float, *, divide: int = 1) -> Path:
    """Create clips of one kind and return their folder; they share their frames but not their bytes."""
    seed = make_clip(SHORT, folder.with_name(f"{folder.name}-seed.mp4"), seconds, 0, divide=divide)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:03}.mp4"
        shutil.copyfile(seed, path)
        with path.open("ab") as file:
            file.write(free_box(number))
    return folder


def free_box(number: int) -> bytes:
    """Return a box of MP4 that nobody reads: files that differ in it are different contents for a cache."""
    return (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")


def make_conforming(folder: Path, count: int, seconds: float, size: str) -> tuple[Path, ...]:
    """Create clips of one format and one set of parameter sets, each with frames and a tone of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = tuple(folder.absolute() / f"{number:03}.mp4" for number in range(count))
    for number, clip in enumerate(clips):
        if clip.exists():
            continue
        frames = f"testsrc2=size={size}:rate=30:duration={seconds}"
        audio = f"sine=frequency={220 + 8 * number}:sample_rate=48000:duration={seconds}"
        chain = f"hue=h={360 * number // count},format=yuv420p,{BT709}"
        _write(
            clip,
            *("-f", "lavfi", "-i", frames, "-f", "lavfi", "-i", audio, "-vf", chain),
            *("-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-threads", "1"),
            *("-c:a", "aac", "-b:a", "128k", "-ac", "2"),
        )
    return clips


def _write(path: Path, *arguments: str | Path) -> None:
    """Create a file under another name first, so that a stopped run leaves no half of a clip under its own."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    ffmpeg(*arguments, unfinished)
    unfinished.replace(path)
