"""Builders of ffmpeg argument lists (pure, golden-tested).

Every list serves ffmpeg 5.1 to 9 and comes without the program's own name. Inputs are ``file:``
plus an absolute path, because a name like ``concat:a.mov`` would open another file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ffmpeg

from mpt_cli.media import color, frame_map
from mpt_cli.media.encoders.audio import encoder_name, is_encoded_apart
from mpt_cli.media.ffmpeg.audio_chain import raw_options
from mpt_cli.media.ffmpeg.filters import upload_filters, uploaded, without_side_data
from mpt_cli.media.open_options import DEMUXERS, file_url, protocols
from mpt_cli.model.choices import Codec, Container
from mpt_cli.model.timing import ticks_per_frame, timescale

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.clips import Dimensions, EncoderSettings, TargetForm
    from mpt_cli.model.media_info import MediaInfo


GLOBAL_ARGUMENTS = (
    "-hide_banner",
    "-nostdin",
    "-y",
    "-v",
    "error",
    "-nostats",
    "-progress",
    "pipe:1",
    "-stats_period",
    "0.25",
    "-max_error_rate",
    "1",
)
"""The last: ffmpeg must not decide how much damage is too much; it gives up at two thirds."""
_QUIET = ("-v", "error", "-nostats")
_COMPLETE_HEADER = ("mov", "mp4")
MOVIE_TIMESCALE = 1000
_UNSPECIFIED_MATRIX = 2
NO_METADATA = {"map_metadata": -1, "map_chapters": -1}
"""Nothing of the inputs is carried: phones write their location."""
_ONLY_CHAPTERS = {"map_metadata:g": -1, "map_metadata:s": -1, "map_chapters": 1}
"""Nothing but the chapters in front of the audio, the second input (:mod:`mpt_cli.media.formats.chapters`);
without a letter ``-map_metadata`` would take their titles too.
"""


def audio_piece_arguments(form: TargetForm, output: Path) -> list[str]:
    """Return the arguments that encode PCM from stdin to a sequence of packets."""
    pcm = {**raw_options(form.audio), "protocol_whitelist": "pipe"}
    options = {**_audio_encoding(form.audio), "f": "adts"}
    return [*GLOBAL_ARGUMENTS, *ffmpeg.input("pipe:0", **pcm).output(file_url(output), **options).get_args()]


def join_arguments(
    list_path: Path, audio_path: Path | None, form: TargetForm, output: Path, *, convert: bool
) -> list[str]:
    """Return the arguments that join coded frames by a concat list, and put audio beside them.

    The filter puts every timestamp back on the grid after the list's microseconds; Matroska's milliseconds
    swallow those, and there ffmpeg 5.1 filters in another time base than it says.

    Args:
        list_path: Path of the concat list.
        audio_path: Path of the coded audio behind its chapters. Where audio is encoded by the join, from PCM on
            stdin, that of the chapters alone, or None.
        form: Target format.
        output: Path of the file to write.
        convert: True to let the demuxer write each clip's parameter sets into the stream, which is needed
            only where they differ.

    Returns:
        The arguments.
    """
    options = {"c:v": "copy"}
    if form.container is not Container.MKV:
        ticks = ticks_per_frame(form.frame_rate)
        options["bsf:v"] = f"setts=pts=round(PTS/{ticks})*{ticks}:dts=round(DTS/{ticks})*{ticks}"
    return _join_output(_concat_input(list_path, convert=convert)["v:0"], audio_path, options, form, output)


def reencode_arguments(
    list_path: Path, audio_path: Path | None, form: TargetForm, output: Path, *, frame_map_path: Path | None = None
) -> list[str]:
    """Return the arguments that join as :func:`join_arguments` does, but decode and encode all frames.

    A frame that does not decode ends the run: frames that were encoded again cannot be compared.
    """
    decoded = _concat_input(list_path, convert=True)["v:0"]
    shown = decoded.filter("fps", fps=str(form.frame_rate), start_time=0, round="near")
    frames = uploaded(without_side_data(shown), form.encoder)
    joined = _join_output(frames, audio_path, encoder_options(form.encoder), form, output)
    joined = with_frame_map(joined, output, frame_map_path)
    return ["-xerror", *device_arguments(form.encoder), *joined]


def trial_arguments(encoder: EncoderSettings, dimensions: Dimensions, rate: int, output: Path) -> list[str]:
    """Return the arguments that encode 4:2:0 frames from stdin with the encoder and the device of a clip."""
    raw = {"f": "rawvideo", "pix_fmt": "yuv420p", "s": str(dimensions), "r": rate, "protocol_whitelist": "pipe"}
    frames = ffmpeg.input("pipe:0", **raw)["v:0"].filter("setsar", 1)
    if encoder.pixel_format != raw["pix_fmt"]:
        frames = frames.filter("format", encoder.pixel_format)
    frames = uploaded(frames, encoder)
    written = ffmpeg.output(frames, file_url(output), **encoder_options(encoder), **NO_METADATA, f="mp4")
    return [*GLOBAL_ARGUMENTS, *device_arguments(encoder), *written.get_args()]


def device_arguments(encoder: EncoderSettings) -> list[str]:
    """Return the arguments that open the device that frames are loaded into, where there is one."""
    if encoder.hardware is None or not encoder.hardware.uploads:
        return []
    return ["-init_hw_device", f"{encoder.hardware.device}=encoder", "-filter_hw_device", "encoder"]


def annex_b_arguments(video_path: Path, output: Path) -> list[str]:
    """Return the arguments that copy HEVC frames to a file with parameter sets before each keyframe."""
    source = ffmpeg.input(file_url(video_path), protocol_whitelist="file")["v:0"]
    options = {"c:v": "copy", "bsf:v": "hevc_mp4toannexb", "f": "nut"}
    return [*GLOBAL_ARGUMENTS, *ffmpeg.output(source, file_url(output), **options).get_args()]


def _concat_input(list_path: Path, *, convert: bool) -> Any:
    options = {"f": "concat", "safe": 0, "auto_convert": int(convert), "protocol_whitelist": "file"}
    return ffmpeg.input(file_url(list_path), **options)


def _join_output(
    frames: Any, audio_path: Path | None, video_options: dict[str, Any], form: TargetForm, output: Path
) -> list[str]:
    """Return the arguments of a join: chapters are in front of coded audio, or in a third input beside raw PCM."""
    chapters: list[str] = []
    options = {**video_options, "c:a": "copy", **_ONLY_CHAPTERS, **muxer_options(form)}
    if is_encoded_apart(form.audio):
        assert audio_path is not None
        audio = ffmpeg.input(file_url(audio_path), f="aac", protocol_whitelist="file")["a:0"]
    else:
        audio = ffmpeg.input("pipe:0", **raw_options(form.audio), protocol_whitelist="pipe")["a:0"]
        options |= {**_audio_encoding(form.audio), "map_chapters": -1 if audio_path is None else 2}
        if audio_path is not None:
            chapters = ["-f", "aac", "-protocol_whitelist", "file", "-i", file_url(audio_path)]
    arguments = ffmpeg.output(frames, audio, file_url(output), **options).get_args()
    behind_inputs = len(arguments) - arguments[::-1].index("-i") + 1
    return [*GLOBAL_ARGUMENTS, *arguments[:behind_inputs], *chapters, *arguments[behind_inputs:]]


def _audio_encoding(audio: AudioForm) -> dict[str, Any]:
    """Return the options of the audio encoder."""
    return {"c:a": encoder_name(audio)} | ({} if audio.bitrate is None else {"b:a": audio.bitrate})


def moviepy_audio(form: TargetForm) -> dict[str, Any]:
    """Return the options of MoviePy's audio writer, to encode as :func:`audio_piece_arguments` does."""
    return {
        "fps_input": form.audio.sample_rate,
        "nchannels": len(form.audio.channels),
        "codec": encoder_name(form.audio),
        "bitrate": str(form.audio.bitrate),
        "ffmpeg_params": list(_QUIET),
    }


def moviepy_video(form: TargetForm, output: Path) -> dict[str, Any]:
    """Return the options of MoviePy's video writer, to create a reel as :func:`reencode_arguments` does.

    MoviePy gives its ffmpeg RGB without a word on colours, at a rate of two decimals: so the colours of
    the frames are named here, and the time of each comes from its number.
    """
    size = form.dimensions.width, form.dimensions.height
    clock = f"settb=1/{timescale(form.frame_rate)},setpts=N*{ticks_per_frame(form.frame_rate)}"
    filters = (
        "scale=flags=accurate_rnd+full_chroma_int:out_color_matrix=bt709:out_range=limited",
        f"format={form.encoder.pixel_format}",
        "setparams=" + ":".join("=".join(tag) for tag in color.setparams_arguments(form.encoder.color).items()),
        clock,
        f"fps={form.frame_rate}:start_time=0:round=near",
        *("=".join(step) for step in upload_filters(form.encoder)),
    )
    options = encoder_options(form.encoder)
    codec, threads = options.pop("c:v"), options.pop("threads")
    preset = options.pop("preset", "medium")  # MoviePy names one always; encoders that have none look past it
    options |= {**_ONLY_CHAPTERS, **muxer_options(form)}
    arguments = [part for key, value in options.items() for part in (f"-{key}", str(value))]
    return {
        "filename": file_url(output),
        "size": size,
        "fps": float(form.frame_rate),
        "codec": codec,
        "preset": preset,
        "threads": threads,
        "ffmpeg_params": [*_QUIET, *device_arguments(form.encoder), "-vf", ",".join(filters), *arguments],
    }


def muxer_options(form: TargetForm) -> dict[str, Any]:
    """Return the options of the published container: index in front, no edit list.

    Platforms require files without edit lists, and players that ignore one play the audio 45 ms
    early. What an edit list would cut is given up instead (``concatenation/audio.py``). Matroska
    gets no random identifiers: the same reel is the same bytes.

    Chapters are counted in units of the movie, with 31 bits: ffmpeg 9 chooses units so small that a chapter of
    more than 38 s is lost. A millisecond, which was the unit before, is also that of the chapters.
    """
    if form.container is Container.MKV:
        return {"f": "matroska", "cues_to_front": 1, "default_mode": "infer", "fflags": "+bitexact"}
    return {
        "f": form.container.value,
        "video_track_timescale": timescale(form.frame_rate),
        "movie_timescale": MOVIE_TIMESCALE,
        "use_editlist": 0,
        "movflags": "+faststart+negative_cts_offsets",
        **codec_tag(form),
    }


def decode_arguments(path: Path, media: MediaInfo) -> list[str]:
    """Return the arguments that decode the frames of a file and keep nothing."""
    end = media.readable_bytes
    source = ffmpeg.input(file_url(path, end), protocol_whitelist=protocols(end), format_whitelist=DEMUXERS)
    frames = source[str(media.video.index)]
    return [*GLOBAL_ARGUMENTS, *ffmpeg.output(frames, "-", f="null", fps_mode="passthrough").get_args()]


def with_frame_map(arguments: list[str], output: Path, path: Path | None) -> list[str]:
    """Return arguments that also write a frame map of this output.

    Not by ffmpeg-python, which turns the values of options into text: a path may be other bytes.
    """
    if path is None:
        return arguments
    index = arguments.index(file_url(output))
    options = ["-stats_enc_pre", file_url(path), "-stats_enc_pre_fmt", frame_map.FORMAT]
    return [*arguments[:index], *options, *arguments[index:]]


def encoder_options(encoder: EncoderSettings) -> dict[str, Any]:
    """Return the encoder options of a segment or a join; the keys are without their dash."""
    return {
        "c:v": encoder.encoder,
        **{key.removeprefix("-"): value for key, value in encoder.named_options.items()},
        **color.tags_of(encoder.color),
        "threads": encoder.threads,
        "fps_mode": "passthrough",
    }


def codec_tag(form: TargetForm) -> dict[str, str]:
    """Return ``hvc1`` for HEVC: with ffmpeg's own choice, ``hev1``, Apple's players show nothing."""
    return {"tag:v": "hvc1"} if form.codec == Codec.HEVC else {}
