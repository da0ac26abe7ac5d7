"""The envelope of ``--json`` and its ``data``, from results. Pure; the contract's field lists in code.

Missing is null and never absent, paths are absolute, rationals are strings, times are in seconds
rounded to microseconds.
"""

from __future__ import annotations

import json
import math
import platform
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mpt_cli.model.results import RunStatus
from mpt_cli.model.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mpt_cli.model.clips import Verified
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.left_out import LeftOut
    from mpt_cli.model.loudness import ClipLoudness, ReelLoudness
    from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo, VideoStreamInfo
    from mpt_cli.model.plan_report import Prediction
    from mpt_cli.model.results import (
        ClipResult,
        ConcatenationResult,
        FileValidationResult,
        OutputInfo,
        PerformanceReport,
        VideoResult,
    )
    from mpt_cli.reporting.documents.base import Envelope, EnvelopeSchema, IssueData, LeftOutData
    from mpt_cli.reporting.documents.files import (
        AudioData,
        AudioTrackData,
        FileData,
        MediaData,
        ValidationData,
        VideoData,
    )
    from mpt_cli.reporting.documents.runs import (
        ClipData,
        ClipLoudnessData,
        ConcatenationData,
        MetricsData,
        OutputData,
        PredictionData,
        ReelLoudnessData,
        ResultData,
        VerifiedData,
    )

_STDIN = re.compile(r"stdin(:[1-9][0-9]*)?")
SCHEMA: EnvelopeSchema = "mpt.result/1"


def to_json(value: object, *, indent: int | None = None) -> str:
    r"""Return JSON text in ASCII; numbers that JSON cannot say are null, paths are absolute.

    Bytes of a path that are not UTF-8 are lone surrogates in ``\u`` form, as Python reads them
    back with ``os.fsencode``.
    """
    return json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, indent=indent)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return absolute_of(value)
    return str(value) if isinstance(value, Fraction) else value


@overload
def absolute_of(path: Path) -> str: ...
@overload
def absolute_of(path: Path | None) -> str | None: ...
def absolute_of(path: Path | None) -> str | None:
    """Return the absolute path, or None for None."""
    return None if path is None else str(path.absolute())


@overload
def seconds_of(value: float | Fraction) -> float: ...
@overload
def seconds_of(value: float | Fraction | None) -> float | None: ...
def seconds_of(value: float | Fraction | None) -> float | None:
    """Return seconds rounded to microseconds, or None for None; :func:`to_json` writes null for what is no number."""
    return None if value is None else round(float(value), 6)


def envelope(
    command: str,
    *,
    status: str,
    exit_code: int,
    data: Mapping[str, Any] | None = None,
    warnings: Iterable[Issue] = (),
    errors: Iterable[Issue] = (),
    ffmpeg: str | None = None,
) -> Envelope:
    """Return the one document that ``--json`` prints; ``ffmpeg`` is its build string, if asked."""
    return {
        "schema": SCHEMA,
        "tool": {"mpt": __version__, "ffmpeg": ffmpeg, "python": platform.python_version()},
        "command": command,
        "status": RunStatus(status),
        "exit_code": int(exit_code),
        "data": dict(data or {}),
        "warnings": [issue_dict(issue) for issue in warnings],
        "errors": [issue_dict(issue) for issue in errors],
    }


def issue_dict(issue: Issue) -> IssueData:
    """Return an issue as ``code``, ``message``, ``path``, ``hint``."""
    return {"code": str(issue.code), "message": issue.message, "path": issue_path(issue.path), "hint": issue.hint}


def issue_path(path: Path | None) -> str | None:
    """Return the path of an issue: absolute, or ``stdin`` or a line of it such as ``stdin:2``, which is no file."""
    return str(path) if path is not None and _STDIN.fullmatch(str(path)) else absolute_of(path)


def validation_data(files: Sequence[FileValidationResult], left_out: Sequence[LeftOut] = ()) -> ValidationData:
    """Return the ``data`` of ``mpt validate``.

    Args:
        files: The verdict on each file.
        left_out: What the folders that were given hold beside them.
    """
    valid = sum(file.is_valid for file in files)
    return {
        "clips": [_file(file) for file in files],
        "summary": {
            "total": len(files),
            "valid": valid,
            "invalid": len(files) - valid,
            "with_warnings": sum(bool(file.warnings) for file in files),
        },
        "left_out": left_out_data(left_out),
    }


def _file(file: FileValidationResult) -> FileData:
    return {
        "path": absolute_of(file.path),
        "valid": file.is_valid,
        "errors": [issue_dict(issue) for issue in file.errors],
        "warnings": [issue_dict(issue) for issue in file.warnings],
        "media": None if file.media is None else media_dict(file.media),
        "copy_obstacles": None if file.copy_obstacles is None else list(file.copy_obstacles),
        "lufs": file.lufs,
    }


def media_dict(media: MediaInfo) -> MediaData:
    """Return what a file holds, as ``media`` of the contract."""
    return {
        "container": media.container,
        "duration_seconds": seconds_of(media.duration),
        "size_bytes": media.size_bytes,
        "video": _video(media.video),
        "audio": None if media.audio is None else _audio(media.audio),
        "audio_tracks": [_track(track, media) for track in media.audio_tracks],
    }


def _video(video: VideoStreamInfo) -> VideoData:
    return {
        "codec": video.codec,
        "profile": video.profile,
        "width": video.dimensions.width,
        "height": video.dimensions.height,
        "display_width": video.display.width,
        "display_height": video.display.height,
        "rotation": video.orientation.rotation,
        "sar": str(video.sar),
        "fps": str(video.frame_rate),
        "variable_frame_rate": video.variable_frame_rate,
        "pixel_format": video.pixel_format,
        "bit_depth": video.bit_depth,
        "hdr": video.hdr,
        "interlaced": video.interlaced,
    }


def _track(track: AudioStreamInfo, media: MediaInfo) -> AudioTrackData:
    used = {heard.index for heard in (media.audio, *media.audio_with) if heard is not None}
    return {
        "number": track.number,
        "used": track.index in used,
        "title": track.title,
        "language": track.language,
        "level_db": track.level_db,
        **_audio(track),
    }


def _audio(audio: AudioStreamInfo) -> AudioData:
    return {
        "codec": audio.codec,
        "channels": len(audio.channels),
        "layout": audio.layout,
        "sample_rate": audio.sample_rate,
    }


def video_data(result: VideoResult) -> ResultData:
    """Return the ``data`` of ``mpt process`` and ``mpt concat``."""
    return {
        "workflow_id": result.workflow_id,
        "seed": result.seed,
        "unchanged": result.unchanged,
        "output": None if result.output is None else output_dict(result.output),
        "clips": [clip_dict(clip) for clip in result.clips],
        "concatenation": None if result.concatenation is None else _concatenation(result.concatenation),
        "metrics": None if result.metrics is None else _metrics(result.metrics),
        "left_out": left_out_data(result.left_out),
    }


def left_out_data(entries: Iterable[LeftOut]) -> list[LeftOutData]:
    """Return what folders hold beside their clips, as ``left_out`` of the contract."""
    return [
        {"folder": absolute_of(entry.folder), "kind": entry.kind, "count": entry.count, "names": list(entry.names)}
        for entry in entries
    ]


def output_dict(output: OutputInfo) -> OutputData:
    """Return a published reel, as ``output`` of the contract."""
    return {
        "path": absolute_of(output.path),
        "size_bytes": output.size_bytes,
        "container": output.container,
        "duration_seconds": seconds_of(output.duration),
        "frames": output.frames,
        "width": output.dimensions.width,
        "height": output.dimensions.height,
        "fps": str(output.frame_rate),
        "video_codec": output.video_codec,
        "dynamic_range": output.dynamic_range,
        "audio_codec": output.audio_codec,
        "audio_sample_rate": output.audio_sample_rate,
        "audio_channels": output.audio_channels,
        "audio_layout": output.audio_layout,
        "loudness": None if output.loudness is None else _reel_loudness(output.loudness),
        "contact_sheet": absolute_of(output.contact_sheet),
        "poster": absolute_of(output.poster),
    }


def clip_dict(clip: ClipResult) -> ClipData:
    """Return one clip of a result; also what a plan's clips are made of."""
    return {
        "index": clip.index,
        "path": absolute_of(clip.path),
        "status": clip.status,
        "action": clip.action,
        "reasons": list(clip.reasons),
        "start_seconds": seconds_of(clip.start),
        "duration_seconds": seconds_of(clip.duration),
        "frames": clip.frames,
        "elapsed_seconds": seconds_of(clip.elapsed_seconds),
        "peak_memory_bytes": clip.peak_memory_bytes,
        "error": None if clip.error is None else issue_dict(clip.error),
        "verified": None if clip.verified is None else verified_dict(clip.verified),
        "encoded_frames": clip.encoded_frames,
        "loudness": None if clip.loudness is None else _clip_loudness(clip.loudness),
    }


def _clip_loudness(loudness: ClipLoudness) -> ClipLoudnessData:
    lufs = None if loudness.lufs is None else round(loudness.lufs, 1)
    return {"lufs": lufs, "gain_db": loudness.gain_db}


def _reel_loudness(loudness: ReelLoudness) -> ReelLoudnessData:
    return {
        "target_lufs": loudness.target_lufs,
        "true_peak_limit_db": loudness.true_peak_limit,
        "lufs_before": loudness.before.lufs,
        "true_peak_before_db": loudness.before.true_peak,
        "lufs": loudness.after.lufs,
        "true_peak_db": loudness.after.true_peak,
        "gain_db": loudness.gain_db,
        "limiter_db": loudness.limiter_db,
    }


def verified_dict(verified: Verified) -> VerifiedData:
    """Return what was proven of a clip."""
    return {"frame_map": verified.frame_map, "audio": verified.audio}


def _concatenation(join: ConcatenationResult) -> ConcatenationData:
    return {
        "method": join.method,
        "stream_copy": join.stream_copy,
        "duration_seconds": seconds_of(join.duration_seconds),
        "memory_used_bytes": join.memory_used_bytes,
        "fallback_reason": join.fallback_reason,
    }


def _prediction(predicted: Prediction) -> PredictionData:
    return {
        "memory_peak_bytes": predicted.memory_peak_bytes,
        "temporary_bytes": predicted.temporary_bytes,
        "output_bytes": predicted.output_bytes,
        "total_duration_seconds": seconds_of(predicted.total_duration_seconds),
    }


def _metrics(metrics: PerformanceReport) -> MetricsData:
    return {
        "total_duration_seconds": seconds_of(metrics.total_duration_seconds),
        "processing_efficiency": metrics.processing_efficiency,
        "memory_peak_bytes": metrics.memory_peak_bytes,
        "performance_score": metrics.performance_score,
        "temporary_bytes": metrics.temporary_bytes,
        "predicted": None if metrics.predicted is None else _prediction(metrics.predicted),
        "milestones": [
            {"name": step.name, "at_seconds": seconds_of(step.at_seconds), "progress": step.progress}
            for step in metrics.milestones
        ],
    }
