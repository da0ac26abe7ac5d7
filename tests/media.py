"""Clips for tests, each made from a recipe by the ffmpeg that mpt itself would use.

Two kinds:

* :class:`Recipe`: an ordinary clip of one of the many kinds that the world holds (codec, pixel
  format, colour, rotation, sound, gaps …), drawn by a lavfi source.
* :class:`NumberedClip`: every picture carries the clip's id and its own number, and the sound is a
  signal of that clip alone (:mod:`tests.marks`). What a reel shows and plays, and when, can then be
  read back exactly (:mod:`tests.reader`).

A recipe is a frozen value. :class:`MediaFolder` makes its file once and keeps it under a hash of
the exact command and the ffmpeg build, in a folder that all workers of a test session share.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import imageio_ffmpeg
import numpy as np
from av.video.stream import VideoStream

from tests.marks import SIGNAL_RATE, draw_number, signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from av.container import OutputContainer
    from av.packet import Packet

CLOCK = 60_000
"""Ticks a second in which pictures of numbered clips are placed; MPEG-4 Part 2 allows 65,535."""
LIMIT_SECONDS = 120
"""No clip takes longer to make, on the slowest machine."""

_QUICK: dict[str, tuple[str, ...]] = {
    "libx264": ("-preset", "ultrafast", "-crf", "16"),
    "libx265": ("-preset", "ultrafast", "-crf", "16", "-x265-params", "log-level=none"),
    "libvpx-vp9": ("-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
    "libsvtav1": ("-preset", "12", "-crf", "20"),
    "mpeg4": ("-b:v", "4M"),
    "mpeg2video": ("-b:v", "4M"),
    "mjpeg": ("-b:v", "4M"),
}


@cache
def ffmpeg() -> str:
    """Path of the packaged ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@cache
def _build() -> str:
    """First line that ffmpeg says about itself: a part of every cache key."""
    done = subprocess.run([ffmpeg(), "-version"], capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS)
    return done.stdout.partition("\n")[0]


def run_ffmpeg(*arguments: str | Path, stdin: bytes = b"") -> None:
    """Run ffmpeg quietly; a failure raises with what it wrote."""
    argv = [ffmpeg(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=LIMIT_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}\n{done.stderr.decode(errors='replace')}")


@dataclass(frozen=True, slots=True)
class Color:
    """What the stored values of a clip mean, and whether the file says so.

    The picture is really converted to ``matrix`` and range; with ``tagged=False`` it is just not
    written down, as in many files of the world. ``primaries`` and ``transfer`` are tags only.
    """

    matrix: str = "bt709"
    primaries: str = "bt709"
    transfer: str = "bt709"
    full_range: bool = False
    tagged: bool = True

    @property
    def range(self) -> str:
        """ffmpeg's word for the range."""
        return "pc" if self.full_range else "tv"

    def filters(self) -> tuple[str, ...]:
        """Filters after which a picture of any kind holds values of this meaning."""
        convert = f"scale=out_color_matrix={self.matrix}:out_range={self.range}:flags=accurate_rnd+full_chroma_int"
        tags = (self.matrix, self.primaries, self.transfer, self.range) if self.tagged else ("unknown",) * 4
        return (convert, "setparams=colorspace={}:color_primaries={}:color_trc={}:range={}".format(*tags))


@dataclass(frozen=True, slots=True)
class Tone:
    """A sound of pure tones, one frequency for each channel.

    ``seconds`` None means as long as the picture. ``delay`` moves the sound by timestamps: positive
    starts it after the picture, negative before.
    """

    hertz: tuple[float, ...] = (440.0,)
    seconds: float | None = None
    delay: float = 0.0
    codec: str = "aac"
    sample_rate: int = 48_000
    layout: str | None = None
    level: float = 0.25

    def source(self, seconds: float) -> str:
        """The lavfi source; ``seconds`` is the length of the picture."""
        tones = "|".join(f"{self.level}*sin(2*PI*{hertz}*t)" for hertz in self.hertz)
        layout = self.layout or {1: "mono", 2: "stereo", 6: "5.1"}[len(self.hertz)]
        length = seconds if self.seconds is None else self.seconds
        return f"aevalsrc=exprs={tones}:sample_rate={self.sample_rate}:channel_layout={layout}:duration={length}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """An ordinary clip. ``size`` is as stored; ``rotation`` as in ffmpeg's ``-display_rotation``.

    ``source`` is any lavfi source that takes size, rate and duration (for odd sizes ``testsrc``:
    ``testsrc2`` rounds them down). ``drop`` is an expression in n, the picture's number, that is
    zero for pictures to leave out: the rest keep their times, which makes the rate variable.
    ``start`` is the first timestamp of the file. ``pixel_format`` None leaves the choice to the
    encoder. ``filters`` come right after the source, ``options`` right before the output.
    """

    seconds: float = 1.0
    fps: str = "30"
    size: str = "160x90"
    source: str = "testsrc2"
    codec: str = "libx264"
    pixel_format: str | None = "yuv420p"
    color: Color | None = None
    sar: str | None = None
    interlaced: bool = False
    drop: str | None = None
    rotation: int = 0
    mirrored: bool = False
    sound: Tone | None = field(default_factory=Tone)
    start: float = 0.0
    keyframe_interval: int | None = None
    filters: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    suffix: str = ".mp4"

    def _chain(self) -> str:
        """The video filters, in the order in which a camera would have done these things."""
        steps = [*self.filters]
        if self.drop:
            steps.append(f"select='{self.drop}'")
        if self.interlaced:
            steps.append("interlace=scan=tff")
        if self.color:
            # Over RGB, so that the conversion to the wanted matrix is a real one.
            steps += ["format=gbrp", *self.color.filters()[:1]]
        if self.pixel_format:
            steps.append(f"format={self.pixel_format}")
        if self.color:
            steps += self.color.filters()[1:]
        if self.sar:
            steps.append(f"setsar={self.sar}")
        return ",".join(steps) or "null"

    def _encoding(self) -> list[str]:
        """Options of the two encoders."""
        argv = ["-filter:v", self._chain(), "-fps_mode", "vfr" if self.drop else "passthrough"]
        argv += ["-c:v", self.codec, *_QUICK.get(self.codec, ())]
        if self.keyframe_interval:
            argv += ["-g", str(self.keyframe_interval)]
        if self.interlaced:
            argv += ["-flags:v", "+ilme+ildct"]
        if self.sound:
            argv += ["-c:a", self.sound.codec]
        return argv

    def commands(self) -> list[list[str]]:
        """ffmpeg's arguments, without the output: one pass, or a second one that turns the picture.

        Rotation is an option of an input file, and a filter would bake it in, hence two passes.
        """
        rate = f"2*{self.fps}" if self.interlaced else self.fps
        separator = ":" if "=" in self.source else "="
        picture = f"{self.source}{separator}size={self.size}:rate={rate}:duration={self.seconds}"
        argv = ["-f", "lavfi", "-i", picture]
        if self.sound:
            shift = ["-itsoffset", str(self.sound.delay)] if self.sound.delay else []
            argv += [*shift, "-f", "lavfi", "-i", self.sound.source(self.seconds)]
        argv += self._encoding()
        offset = ["-output_ts_offset", str(self.start)] if self.start else []
        if not (self.rotation or self.mirrored):
            return [[*argv, *offset, *self.options]]
        turn = ["-display_rotation", str(self.rotation), *(["-display_hflip"] if self.mirrored else [])]
        return [argv, [*turn, "-i", "{previous}", "-map", "0", "-c", "copy", *offset, *self.options]]


def steady(seconds: float | Fraction, fps: str | Fraction) -> tuple[Fraction, ...]:
    """Times of pictures at a constant rate, from zero until just before ``seconds``."""
    rate = Fraction(fps)
    return tuple(k / rate for k in range(max(1, round(Fraction(seconds) * rate))))


@dataclass(frozen=True, slots=True)
class Signature:
    """The sound of a numbered clip; ``seconds`` None means until the end of its pictures."""

    seconds: float | None = None
    delay: float = 0.0
    codec: str = "aac"
    sample_rate: int = SIGNAL_RATE
    channels: int = 1


@dataclass(frozen=True, slots=True)
class NumberedClip:
    """A clip whose pictures say who they are.

    ``times`` are the seconds at which its pictures appear, ``end`` when the last one goes. ``size``
    is as shown; with ``rotation`` (90, 180 or 270 degrees) the stored picture lies on its side and
    a display matrix turns it upright.
    """

    clip_id: int
    times: tuple[Fraction, ...]
    end: Fraction
    size: tuple[int, int] = (160, 90)
    rotation: int = 0
    codec: str = "libx264"
    sound: Signature | None = field(default_factory=Signature)
    start: float = 0.0
    encoder_options: tuple[tuple[str, str], ...] = ()
    suffix: str = ".mp4"

    @property
    def sound_seconds(self) -> float:
        """Length of the sound; 0.0 without one."""
        if self.sound is None:
            return 0.0
        return float(self.end) if self.sound.seconds is None else self.sound.seconds

    def shown_at(self, seconds: Fraction) -> int:
        """Number of the picture that a player shows at this time: the first one before its start."""
        return max(0, sum(time <= seconds for time in self.times) - 1)


def numbered(
    clip_id: int, *, seconds: float = 1.0, fps: str | Fraction = "30", times: tuple[Fraction, ...] | None = None
) -> NumberedClip:
    """A numbered clip at a constant rate, or with ``times``; refine it with ``dataclasses.replace``."""
    if times is not None:
        last_gap = times[-1] - times[-2] if len(times) > 1 else 1 / Fraction(fps)
        return NumberedClip(clip_id, times, times[-1] + last_gap)
    at = steady(seconds, fps)
    return NumberedClip(clip_id, at, len(at) / Fraction(fps))


def _write_pictures(clip: NumberedClip, path: Path) -> None:
    """Encode the pictures of a numbered clip at exactly its times, without sound."""
    stored = clip.size[::-1] if clip.rotation in (90, 270) else clip.size
    quick = _QUICK.get(clip.codec, ())
    names = [key.removeprefix("-").removesuffix(":v") for key in quick[::2]]
    options = dict(zip(names, quick[1::2], strict=True)) | dict(clip.encoder_options)
    ticks = [round(time * CLOCK) for time in (*clip.times, clip.end)]
    lengths = {begin: end - begin for begin, end in pairwise(ticks)}
    with av.open(str(path), "w") as output:
        stream = output.add_stream(clip.codec, rate=30, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = stored
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, CLOCK)
        for number, pts in enumerate(lengths):
            upright = draw_number(clip.size, clip.clip_id, number)
            gray = np.ascontiguousarray(np.rot90(upright, -(clip.rotation // 90)))
            frame = av.VideoFrame.from_ndarray(gray, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = pts, Fraction(1, CLOCK)
            _mux(output, stream.encode(frame), lengths)
        _mux(output, stream.encode(), lengths)


def _mux(output: OutputContainer, packets: list[Packet[VideoStream]], lengths: dict[int, int]) -> None:
    """Write packets with the duration of their picture, which encoders forget."""
    for packet in packets:
        assert packet.pts is not None
        packet.duration = lengths[packet.pts]
        output.mux(packet)


def _finish_numbered(clip: NumberedClip, pictures: Path, output: Path) -> None:
    """Give the encoded pictures their rotation, sound, start and container."""
    argv: list[str | Path] = ["-display_rotation", str(clip.rotation)] if clip.rotation else []
    argv += ["-i", pictures]
    pcm = b""
    if clip.sound:
        mono = signature(clip.clip_id, round(clip.sound_seconds * SIGNAL_RATE))
        pcm = np.repeat((mono * 32767).astype("<i2"), clip.sound.channels).tobytes()
        argv += ["-f", "s16le", "-ar", str(SIGNAL_RATE), "-ac", str(clip.sound.channels), "-i", "pipe:0"]
        argv += ["-map", "0:v", "-map", "1:a", "-c:a", clip.sound.codec, "-ar", str(clip.sound.sample_rate)]
        # Not -itsoffset, which raw PCM ignores (ffmpeg 9).
        argv += ["-filter:a", f"asetpts=PTS+{clip.sound.delay}/TB"]
    offset = ["-output_ts_offset", str(clip.start)] if clip.start else []
    run_ffmpeg(*argv, "-c:v", "copy", *offset, output, stdin=pcm)


class MediaFolder:
    """A folder of clips, each made once; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, which is made if it is not there."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def make(self, recipe: Recipe | None = None, /, **changes: object) -> Path:
        """The file of a recipe, or of the plain recipe with these fields changed.

        The file is shared: a test that wants to change it works on a copy.
        """
        wanted = replace(recipe or Recipe(), **changes)  # type: ignore[arg-type]
        commands = wanted.commands()

        def build(target: Path) -> None:
            previous: Path | None = None
            for number, command in enumerate(commands):
                last = number == len(commands) - 1
                output = target if last else target.with_name(f"{target.stem}-flat{target.suffix}")
                run_ffmpeg(*[str(previous) if part == "{previous}" else part for part in command], output)
                if previous:
                    previous.unlink()
                previous = output

        return self._once(repr(commands), wanted.suffix, build)

    def numbered(self, clip: NumberedClip) -> Path:
        """The file of a numbered clip."""

        def build(target: Path) -> None:
            pictures = target.with_name(f"{target.stem}-pictures.mp4")
            _write_pictures(clip, pictures)
            _finish_numbered(clip, pictures, target)
            pictures.unlink()

        return self._once(repr(clip), clip.suffix, build)

    def _once(self, key: str, suffix: str, build: Callable[[Path], None]) -> Path:
        """The stored file under this key, built if it is missing.

        It gets its name by a rename when it is whole, so that another worker never sees a half. Of two
        workers that build the same clip at once the first one's stays: a test may be at work on it,
        and mpt refuses a clip that is replaced meanwhile.
        """
        digest = hashlib.sha256(f"{_build()}\n{key}".encode()).hexdigest()[:16]
        path = self._folder / f"{digest}{suffix}"
        if not path.exists():
            unfinished = self._folder / f"unfinished-{os.getpid()}-{digest}{suffix}"
            build(unfinished)
            if path.exists():
                unfinished.unlink()
            else:
                unfinished.replace(path)
        return path
