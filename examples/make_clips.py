"""Makes the clips in ``examples/clips``: four that no joining tool may treat alike.

    python examples/make_clips.py

Each is another problem of the real world, small enough to be kept beside the code:

* ``01_landscape.mp4``: 16:9 at 30 frames a second, stereo (one tone on the left, another on the right)
* ``02_phone.mp4``: stored lying on its side; only its display matrix turns it upright
* ``03_silent_60fps.mp4``: 60 frames a second, no sound at all
* ``04_old_camera.mp4``: 4:3 of an odd size, 4:4:4 colour, 25 frames a second, mono at 22,050 Hz

Needs the packages that mpt needs, and nothing else. Labels are drawn where the machine has a font.
"""

from __future__ import annotations

import subprocess  # noqa: TID251 - a script of its own, not a part of mpt
import sys
import tempfile
from pathlib import Path

import imageio_ffmpeg

CLIPS = Path(__file__).resolve().parent / "clips"
X264 = ("-c:v", "libx264", "-preset", "veryslow", "-map_metadata", "-1", "-fflags", "+bitexact")


def ffmpeg(*arguments: str | Path) -> bool:
    """Run the packaged ffmpeg; say whether it went well."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(argv, check=False).returncode == 0


def make(name: str, *arguments: str | Path) -> None:
    """Make one clip, or stop."""
    if not ffmpeg(*arguments, CLIPS / name):
        sys.exit(f"ffmpeg could not make {name}")
    print(f"{name}: {(CLIPS / name).stat().st_size} bytes")  # noqa: T201 - the script's answer


def label(text: str, size: int = 22) -> str:
    """Return a filter that writes a text near the lower border, or none where ffmpeg finds no font."""
    place = "x=(w-tw)/2:y=h-th-16:box=1:boxcolor=black@0.6:boxborderw=6"
    draw = f"drawtext=text='{text}':fontsize={size}:fontcolor=white:{place}"
    probe = ("-f", "lavfi", "-i", "color=size=64x64:duration=0.1", "-vf", draw, "-f", "null", "-")
    return draw if ffmpeg(*probe) else "null"


def landscape() -> None:
    """Draw a slow flight into the Mandelbrot set; 440 Hz on the left and 660 Hz on the right."""
    picture = "mandelbrot=size=384x216:rate=30:start_scale=0.6:end_scale=0.08:end_pts=75:maxiter=400"
    sound = "aevalsrc=exprs=0.2*sin(2*PI*440*t)|0.2*sin(2*PI*660*t):sample_rate=48000:channel_layout=stereo"
    make(
        "01_landscape.mp4",
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", "2.5"),
        *("-vf", f"{label('landscape, 30 fps')},format=yuv420p", *X264, "-crf", "32", "-c:a", "aac", "-b:a", "48k"),
    )


def phone() -> None:
    """Colours that drift upwards, written on its side with the display matrix that puts it right."""
    colors = "nb_colors=4:c0=#1d2b64:c1=#f8cdda:c2=#ff7e5f:c3=#2c7744"
    picture = f"gradients=size=216x384:rate=30:speed=0.02:seed=7:{colors}:x0=0:y0=0:x1=216:y1=384"
    sound = "aevalsrc=exprs=0.2*sin(2*PI*(300+120*t)*t):sample_rate=44100:channel_layout=mono"
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder) / "flat.mp4"
        made = ffmpeg(
            *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", "2.5"),
            *("-vf", f"{label('phone, upright', 18)},transpose=cclock,format=yuv420p"),
            *(*X264, "-crf", "30", "-c:a", "aac", "-b:a", "40k", flat),
        )
        if not made:
            sys.exit("ffmpeg could not draw 02_phone.mp4")
        make("02_phone.mp4", "-display_rotation", "-90", "-i", flat, "-c", "copy")


def silent() -> None:
    """Ticking test bars: every sixtieth of a second another picture, and nothing to hear."""
    make(
        "03_silent_60fps.mp4",
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=60", "-t", "2"),
        *("-vf", f"{label('silent, 60 fps')},format=yuv420p", *X264, "-crf", "34"),
    )


def old_camera() -> None:
    """Draw a growing garden of cells: an odd size, full colour resolution, a low mono sound."""
    picture = (
        "life=size=107x80:rate=25:mold=12:ratio=0.12:seed=3:death_color=#203040:life_color=#f0d070:mold_color=#a04020"
    )
    shape = f"scale=321:241:flags=neighbor,setsar=1,{label('321 by 241, 25 fps', 18)},format=yuv444p"
    sound = "aevalsrc=exprs=0.2*sin(2*PI*220*t):sample_rate=22050:channel_layout=mono"
    make(
        "04_old_camera.mp4",
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-t", "2"),
        *("-vf", shape, *X264, "-crf", "36", "-c:a", "aac", "-b:a", "32k"),
    )


def main() -> None:
    """Make all four."""
    CLIPS.mkdir(exist_ok=True)
    for clip in (landscape, phone, silent, old_camera):
        clip()


if __name__ == "__main__":
    main()
