"""Loudness of the audio of a whole file, by one ffmpeg that decodes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg.levels import measure_track_arguments, measured
from mpt_cli.media.process.run import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.runtime.cancel import CancelToken

_STALL_SECONDS = 60


class FileLoudness:
    """Measures files, each in a child process of its own."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        """Measure with this ffmpeg."""
        self._ffmpeg = ffmpeg

    def __call__(self, path: Path, media: MediaInfo, *, cancel: CancelToken) -> float | None:
        """Return the loudness of a clip in a stereo reel in LUFS; None for silence, and where it is not known.

        It is not known of several tracks that are mixed, nor of a track that ffmpeg's filters cannot follow: what a
        reel plays of these is not in the file as it is.

        Raises:
            Cancelled: The work was stopped.
        """
        track = media.audio
        if track is None or track.irregular or media.audio_with:
            return None
        limits = Limits(stall_seconds=_STALL_SECONDS)
        arguments = measure_track_arguments(path, track, media.readable_bytes)
        outcome = self._ffmpeg.run(arguments, cancel=cancel, limits=limits, may_fail=True)
        cancel.raise_if_cancelled()
        try:
            return measured(outcome.stderr_tail).lufs
        except ValueError:  # nothing decodes, which is said elsewhere
            return None
