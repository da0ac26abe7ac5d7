"""Commands that create a segment of a clip: frames, audio, or both (pure, golden-tested)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import ffmpeg

from mpt_cli.media.ffmpeg.audio_chain import limiter, raw_options, rendered_options, rendered_path, track_filters
from mpt_cli.media.ffmpeg.commands import (
    GLOBAL_ARGUMENTS,
    MOVIE_TIMESCALE,
    NO_METADATA,
    codec_tag,
    device_arguments,
    encoder_options,
    with_frame_map,
)
from mpt_cli.media.ffmpeg.filters import frame_texts, needs_one_size, target_frames
from mpt_cli.media.ffmpeg.frame_texts import FrameTexts, OptionTexts, filled
from mpt_cli.media.open_options import DEMUXERS, file_url, protocols
from mpt_cli.model.timing import stored_samples, timescale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.model.clips import Segment, TargetForm, VideoClip
    from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo, VideoStreamInfo

_COMPLETE_HEADER = ("mov", "mp4")
_UNSPECIFIED_MATRIX = 2
_TEMPLATES = 64
"""Graphs that are kept: a reel has as many as it has kinds of clips, and each format is another."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What the input of a segment follows from."""

    url: str
    protocols: str
    video: VideoStreamInfo
    seek: str | None

    @classmethod
    def of(cls, clip: VideoClip, media: MediaInfo, origin: Fraction) -> _Source:
        end, seek = media.readable_bytes, media.seek_point_for(origin)
        return cls(file_url(clip.path, end), protocols(end), media.video, None if seek is None else _decimal(seek))


@dataclass(frozen=True, slots=True)
class _Graph:
    """All that a command follows from, but for what its clip has of its own."""

    source: _Source
    shows_hidden: bool
    texts: FrameTexts
    form: TargetForm
    video_url: str

    def written(self, pcm: Callable[[Any], Any] | None) -> list[str]:
        """Return the arguments; ``pcm`` returns the output of the audio of an input."""
        threads = self.form.encoder.threads
        source = _input(self.source, threads=threads)
        shown = _input(self.source, threads=threads, whole=True) if self.shows_hidden else source
        video = self.source.video
        frames = target_frames(shown[str(video.index)], video, self.texts, self.form)
        outputs = [ffmpeg.output(frames, self.video_url, **_video_options(self.form))]
        if pcm is not None:
            outputs.append(pcm(source))
        return [*ffmpeg.merge_outputs(*outputs).get_args()]

    def of(self, sound: _Sound | None) -> list[str]:
        """Return the arguments of one clip with this audio, from those of all clips that differ only in times."""
        options = OptionTexts(self.source.seek, None if sound is None else sound.chain)
        likes = replace(self, source=replace(self.source, seek=options.stand_ins.seek), texts=self.texts.stand_ins)
        like = None if sound is None else replace(sound, chain=options.stand_ins.sound or "")
        return filled(_template(likes, like), self.texts, options)


@dataclass(frozen=True, slots=True)
class _Sound:
    """The only track of a clip, its filters, and where its PCM is written."""

    index: int
    chain: str
    url: str


@lru_cache(maxsize=_TEMPLATES)
def _template(graph: _Graph, sound: _Sound | None) -> tuple[str, ...]:
    if sound is None:
        return tuple(graph.written(None))
    return tuple(graph.written(lambda source: _pcm(source[str(sound.index)], sound.chain, graph.form, sound.url)))


def segment_arguments(
    clip: VideoClip,
    media: MediaInfo,
    segment: Segment,
    form: TargetForm,
    *,
    video_path: Path,
    audio_path: Path | None,
    frame_map_path: Path | None = None,
) -> list[str]:
    """Return the arguments that create one segment: coded frames as MP4, and the audio as raw PCM beside it.

    MP4, because MOV takes no AV1; PCM beside it, because ffmpeg 5.1 refuses PCM in MP4.

    Args:
        clip: The clip.
        media: Description of its file.
        segment: Output frames to create.
        form: Target format.
        video_path: Path of the MP4.
        audio_path: Path of the PCM; None for no audio.
        frame_map_path: Path to which ffmpeg 6 and newer writes the decoded frame that each encoded one was
            created from (:mod:`mpt_cli.media.frame_map`), or None.

    Returns:
        The arguments.
    """
    origin = segment_origin(clip, media, segment, form.frame_rate)
    texts = frame_texts(media, origin, segment, form)
    graph = _Graph(_Source.of(clip, media, origin), media.shows_hidden, texts, form, file_url(video_path))
    tracks = media.heard
    if audio_path is None or not tracks:
        arguments = graph.of(None)
    elif len(tracks) == 1 and not tracks[0].irregular:
        chain = ",".join(_chain(tracks[0], media, origin, segment.frames, form))
        arguments = graph.of(_Sound(tracks[0].index, chain, file_url(audio_path)))
    else:
        arguments = graph.written(
            partial(_audio_output, media=media, origin=origin, frames=segment.frames, form=form, path=audio_path)
        )
    arguments = with_frame_map(arguments, video_path, frame_map_path)
    threads = str(form.encoder.threads)
    return [*GLOBAL_ARGUMENTS, *device_arguments(form.encoder), "-filter_complex_threads", threads, *arguments]


def audio_arguments(
    clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm, *, audio_path: Path
) -> list[str]:
    """Return the arguments that create only the PCM of a segment, for a clip whose frames are copied.

    The header of an MP4 or MOV holds all that decoding its audio needs: the frame that ffmpeg decodes
    to find out more is half of the cost (24 ms against 38, measured).
    """
    assert media.audio is not None
    origin = segment_origin(clip, media, segment, form.frame_rate)
    source = _Source.of(clip, media, origin)
    opened = _input(source, threads=1, trust_header=media.container in _COMPLETE_HEADER)
    return [*GLOBAL_ARGUMENTS, *_audio_output(opened, media, origin, segment.frames, form, audio_path).get_args()]


def segment_origin(clip: VideoClip, media: MediaInfo, segment: Segment, frame_rate: Fraction) -> Fraction:
    """Return the timestamp of the segment's first output frame, in seconds of the file's clock."""
    return media.zero + clip.start + segment.first_frame / frame_rate


def _input(source: _Source, *, threads: int, trust_header: bool = False, whole: bool = False) -> Any:
    """Return the input with limits on what it may open, sought to the last keyframe that serves.

    ``-copyts`` keeps the file's own clock, which the filters count from; frames that a seek leaves in
    front may hold the frame at the origin. The ``whole`` input ignores edit lists.
    """
    video = source.video
    options: dict[str, Any] = {
        "copyts": None,
        "noautorotate": None,
        "protocol_whitelist": source.protocols,
        "format_whitelist": DEMUXERS,
        "threads": threads,
    }
    if trust_header:
        options["nofind_stream_info"] = None
    if whole:
        options["ignore_editlist"] = 1
    if (video.color.matrix or "").startswith("code"):  # which no filter would take, not even to name another
        options[f"colorspace:{video.index}"] = _UNSPECIFIED_MATRIX
    if video.changes_size or not video.one_color or not needs_one_size(video):
        # Else ffmpeg ends the filters, which hold the last frame to the end, and starts them again.
        options[f"reinit_filter:{video.index}"] = 0
    if video.has_alpha and video.codec in ("vp8", "vp9"):
        options[f"c:{video.index}"] = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[video.codec]
    if source.seek is not None:
        options |= {"ss": source.seek, "seek_timestamp": 1, "noaccurate_seek": None}
    return ffmpeg.input(source.url, **options)


def _audio_output(source: Any, media: MediaInfo, origin: Fraction, frames: int, form: TargetForm, path: Path) -> Any:
    """Return PCM of exactly the stored number of samples, silence where there is no audio.

    The chain of a single track is a plain option and not part of the graph.
    """
    tracks = media.heard
    chains = [_chain(track, media, origin, frames, form) for track in tracks]
    streams = [_track(source, track, path, form) for track in tracks]
    if len(tracks) == 1:
        return _pcm(streams[0], ",".join(chains[0]), form, file_url(path))
    ends = [_filtered(stream, chain) for stream, chain in zip(streams, chains, strict=True)]
    mixed = ffmpeg.filter_multi_output(ends, "amix", inputs=len(ends), normalize=0).stream()
    return ffmpeg.output(_filtered(mixed, limiter(tracks, form.audio)), file_url(path), **_pcm_options(form))


def _chain(track: AudioStreamInfo, media: MediaInfo, origin: Fraction, frames: int, form: TargetForm) -> list[str]:
    samples = stored_samples(frames, form.frame_rate, form.audio.sample_rate)
    return track_filters(track, origin, samples, form.audio, clock_moves=media.clock_moves)


def _pcm(stream: Any, chain: str, form: TargetForm, url: str) -> Any:
    return ffmpeg.output(stream, url, af=chain, **_pcm_options(form))


def _pcm_options(form: TargetForm) -> dict[str, Any]:
    options = raw_options(form.audio)
    options.pop("channel_layout", None)  # the filters give it; of outputs ffmpeg takes only a number of channels
    return options


def _track(source: Any, track: AudioStreamInfo, path: Path, form: TargetForm) -> Any:
    """Return a track of the input, or its rendered audio."""
    if not track.irregular:
        return source[str(track.index)]
    rendered = file_url(rendered_path(path, track.index))
    return ffmpeg.input(rendered, **rendered_options(form.audio), protocol_whitelist="file")["a:0"]


def _filtered(stream: Any, chain: Sequence[str]) -> Any:
    """Return a stream behind filters that are written as for an option of ffmpeg's.

    ffmpeg-python escapes commas by itself, which quotes are for in an option. A ``=`` it escapes as
    ffmpeg reads it in named arguments only: ``pan`` is given its first gain as one.
    """
    for text in chain:
        name, _, rest = text.replace("'", "").partition("=")
        arguments = rest.split(":") if rest else []
        named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        stream = stream.filter(name, *(argument for argument in arguments if "=" not in argument), **named)
    return stream


def _video_options(form: TargetForm) -> dict[str, Any]:
    """Return encoder and container options of a segment.

    A segment keeps its edit list, unlike a reel: without one, libavformat guesses the delay of the
    decode times from all but the last two entries of a table, and in a short clip guesses wrong.
    """
    return {
        **encoder_options(form.encoder),
        **NO_METADATA,
        "f": "mp4",
        "video_track_timescale": timescale(form.frame_rate),
        "movie_timescale": MOVIE_TIMESCALE,
        **codec_tag(form),
    }


def _decimal(value: Fraction) -> str:
    return f"{float(value):.6f}"
