"""Ways to look into files in the process of the tests, where no worker is needed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.inspect import damage, probe
from mpt_cli.media.inspect.audio.comparison import AudioMatch, MadeAudio, compare
from mpt_cli.media.inspect.audio.decoding import AudioLoss, audio_loss
from mpt_cli.media.inspect.audio.render import WantedTrack, render

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import ValidationConfig
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.splice import Splice
    from mpt_cli.runtime.cancel import CancelToken


def probe_here(path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None) -> MediaInfo:
    """What the file holds."""
    assert cancel is None or not cancel.cancelled
    return probe.probe(path, scan=scan, max_streams=limits.max_streams, max_pixels=limits.max_pixels)


def share_here(
    path: Path,
    media: MediaInfo,
    span: tuple[Fraction, Fraction] | None = None,
    *,
    cancel: CancelToken | None = None,
) -> float:
    """How much of it decodes."""
    assert cancel is None or not cancel.cancelled
    video, moves = media.video, media.clock_moves
    return damage.decoded_share(path, video.index, span, interlaced=video.interlaced, clock_moves=moves)


class AudioHere:
    """Looks into audio."""

    def audio_loss(
        self, path: Path, media: MediaInfo, span: tuple[Fraction, Fraction] | None = None, *, cancel: CancelToken
    ) -> AudioLoss:
        """How much of it does not decode."""
        assert not cancel.cancelled
        assert media.audio is not None
        return audio_loss(path, media.audio.index, span, clock_moves=media.clock_moves)

    def render_audio(
        self,
        path: Path,
        media: MediaInfo,
        start: Fraction,
        samples: int,
        output: Path,
        form: AudioForm,
        *,
        splice: Splice | None = None,
        cancel: CancelToken,
    ) -> AudioLoss:
        """Render it."""
        assert not cancel.cancelled
        assert media.audio is not None
        track = media.audio
        part = track.channels[0] if track.is_part else None
        wanted = WantedTrack(track.index, part, track.tremble or Fraction(0), track.anchors)
        return render(path, wanted, start, samples, output, form, clock_moves=media.clock_moves, splice=splice)

    def compare_audio(self, path: Path, made: MadeAudio, *, cancel: CancelToken) -> AudioMatch:
        """Compare it."""
        assert not cancel.cancelled
        return compare(path, made)


def nothing_lost(
    path: Path, media: MediaInfo, span: tuple[Fraction, Fraction] | None = None, *, cancel: CancelToken
) -> AudioLoss:
    """What is said of audio that is whole, for files that are none."""
    return AudioLoss(Fraction(0), media.duration)
