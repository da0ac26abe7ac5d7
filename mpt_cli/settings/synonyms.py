"""Words of other tools for what mpt calls otherwise, and for what it does not do (data).

ffmpeg, moviepy, LosslessCut and players have their own names; who types one is told the name here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Synonym:
    """What a foreign word is called here.

    Attributes:
        option: The option, as a command line has it; empty if there is none.
        key: The key of a file; empty if there is none.
        note: What to do instead where neither exists, or why nothing can be done.
    """

    option: str = ""
    key: str = ""
    note: str = ""


def _table(*rows: tuple[str, Synonym]) -> dict[str, Synonym]:
    return {word: synonym for words, synonym in rows for word in words.split()}


_TRIM = Synonym(note="start and end of a clip in a job file trim it")
_MUTE = Synonym(note="mute = true of a clip in a job file leaves out its audio")
_PARALLEL = Synonym("--jobs", "processing.jobs")
_INPUT = Synonym(note="inputs are named without an option", key="clips")
_BY_EXTENSION = Synonym(note="the extension of the output names the container")

SYNONYMS: Mapping[str, Synonym] = _table(
    ("crop fill zoom", Synonym("--fit cover", "video.fit = 'cover'")),
    ("pad padding letterbox bars", Synonym("--fit contain", "video.fit = 'contain'")),
    ("scale resize resolution res dimensions dimension s", Synonym("--size", "video.size")),
    ("width height w h aspect aspect-ratio ratio", Synonym("--size", "video.size")),
    ("portrait vertical landscape horizontal orientation", Synonym("--size or --preset", "video.size or preset")),
    ("r rate framerate frame-rate", Synonym("--fps", "video.fps")),
    ("bg bgcolor background-color", Synonym("--background", "video.background")),
    ("platform profile", Synonym("--preset", "preset")),
    ("trim cut ss to t from start end begin in out inpoint outpoint subclip segment", _TRIM),
    ("max-length max-duration limit", Synonym("--max-clip-duration", "video.max_clip_duration")),
    ("mute muted an no-audio silence remove-audio", _MUTE),
    ("audio-track map audio-stream", Synonym("--audio-tracks", "audio.tracks")),
    ("c:v vcodec video-codec c", Synonym("--codec", "encode.codec")),
    ("c:a acodec", Synonym("--audio-codec", "audio.codec")),
    ("b:v vb video-bitrate bitrate", Synonym("--quality or --crf", "encode.quality or encode.crf")),
    ("b:a ab audio-bitrate", Synonym(note="the setting audio.bitrate sets it", key="audio.bitrate")),
    ("vf filter filters filter-complex af", Synonym(note="mpt takes no filters")),
    ("gpu hwaccel hardware nvenc", Synonym("--encoder", "encode.encoder")),
    ("lossless stream-copy passthrough c:copy", Synonym("--method copy of mpt concat", "concat.copy")),
    ("format container f", _BY_EXTENSION),
    ("sort", Synonym("--order", "concat.order")),
    ("shuffle random randomize", Synonym("--mode random", "concat.mode = 'random'")),
    ("yes force replace", Synonym("--overwrite", "overwrite")),
    ("out outfile outpath destination dest target write-to", Synonym("--output", "output")),
    (
        "i input inputs file files sources videos clip source",
        Synonym(note="inputs are named without an option", key="clips"),
    ),
    ("recursive subfolders", Synonym(note="find FOLDER -name '*.mp4' | mpt process - takes subfolders too")),
    ("parallel workers concurrency processes", _PARALLEL),
    ("mem ram memory-limit", Synonym("--max-memory", "memory.max")),
    ("simulate plan preview", Synonym("--dry-run")),
    ("verify proof check", Synonym(note="each reel is verified")),
    ("ignore-errors skip-errors skip continue keep-going", Synonym("--on-error skip", "processing.on_error = 'skip'")),
    ("thumbnail thumb cover", Synonym("--poster", "poster")),
    ("storyboard montage sheet thumbnails", Synonym("--contact-sheet", "contact_sheet")),
    ("hash hashes checksum sha256", Synonym("--manifest")),
    ("silent", Synonym("--quiet")),
    ("debug", Synonym("--verbose")),
    ("logfile", Synonym("--log-file")),
    ("tmp temp tempdir temp-dir", Synonym(note="the setting paths.temp sets it", key="paths.temp")),
    ("cache-dir", Synonym(note="the setting cache.dir sets it", key="cache.dir")),
    ("resume", Synonym(note="a run goes on with what an earlier one finished")),
    ("transition transitions fade crossfade xfade dissolve", Synonym(note="mpt makes no transitions")),
    ("music bgm soundtrack audio-file", Synonym(note="mpt adds no music")),
    ("logo watermark overlay title titles text caption captions", Synonym(note="mpt draws nothing into frames")),
    ("subtitle subtitles subs srt", Synonym(note="mpt carries no subtitles")),
    (
        "loudnorm normalize normalise normalization normalisation lufs dynaudnorm",
        Synonym("--loudness", "audio.loudness"),
    ),
    ("level levels leveling levelling equalize even", Synonym("--even-out", "audio.even_out")),
    ("true-peak truepeak tp peak limiter", Synonym(note="the setting audio.true_peak sets it", key="audio.true_peak")),
    ("volume gain", Synonym(note="volume of a clip in a job file is its gain in dB; --loudness sets that of the reel")),
    ("speed slow setpts atempo reverse rotate", Synonym(note="mpt does not change the speed or direction of clips")),
    ("metadata tags", Synonym(note="a reel has no metadata but its chapters")),
)
"""By the bare word, with hyphens."""

COMMANDS: Mapping[str, str] = {
    word: command
    for words, command in (
        ("merge join cat append combine stitch glue", "concat"),
        ("convert transcode encode make create render build run export reel", "process"),
        ("check probe ffprobe info inspect verify lint scan", "validate"),
        ("doctor diagnose status selftest", "health"),
        ("jobs queue", "batch"),
        ("history log logs show last", "report"),
        ("settings init schema", "config"),
        ("clean prune clear", "cache"),
    )
    for word in words.split()
}
"""Command of mpt by the name that other tools have for it."""

VALUES: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("video", "fit"): {
        "crop": "cover",
        "fill": "cover",
        "zoom": "cover",
        "pad": "contain",
        "letterbox": "contain",
        "fit": "contain",
        "scale": "stretch",
        "distort": "stretch",
    },
    ("video", "size"): {
        "480p": "854x480",
        "720p": "1280x720",
        "hd": "1280x720",
        "1080p": "1920x1080",
        "fhd": "1920x1080",
        "1440p": "2560x1440",
        "4k": "3840x2160",
        "uhd": "3840x2160",
        "2160p": "3840x2160",
    },
    ("encode", "codec"): {
        "avc": "h264",
        "x264": "h264",
        "libx264": "h264",
        "h265": "hevc",
        "h.265": "hevc",
        "x265": "hevc",
        "libx265": "hevc",
        "libsvtav1": "av1",
    },
    ("encode", "quality"): {
        "low": "draft",
        "fast": "draft",
        "medium": "balanced",
        "normal": "balanced",
        "best": "high",
        "max": "high",
    },
    ("concat", "mode"): {"shuffle": "random", "shuffled": "random", "order": "sequential"},
    ("processing", "on_error"): {"ignore": "skip", "continue": "skip", "stop": "fail", "abort": "fail"},
    ("preset",): {"instagram": "reels", "insta": "reels", "stories": "reels", "yt": "youtube"},
}
"""Value of a setting by the word that other tools have for it."""
