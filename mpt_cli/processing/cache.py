"""ClipCache: the cache of finished segments, each with the facts of its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mpt_cli.model.clips import Evidence, Verified
from mpt_cli.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedAudio, ProcessedClip

_FRAMES, _AUDIO = "pictures.mp4", "sound.pcm"


class SegmentFacts(BaseModel):
    """Facts that the proof of a segment has shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    vcl_crc: int
    parameter_sets: str
    extradata: bytes
    verified: Verified


class AudioFacts(BaseModel):
    """Facts that the proof of the audio of a clip has shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verified: Evidence


class ClipCache(Store):
    """Cache of finished segments, shared by all runs of a user."""

    def fetch(self, key: str, frames: Path, audio: Path | None) -> SegmentFacts | None:
        """Copy or link the files of a segment out of the cache.

        Args:
            key: The cache key of the segment.
            frames: The file for its frames.
            audio: The file for its audio, or None.

        Returns:
            The facts of the segment, or None if it is not in the cache.

        Raises:
            VerificationError: The segment is damaged; it is removed.
        """
        facts = self.take(key, {_FRAMES: frames} | ({_AUDIO: audio} if audio is not None else {}))
        return None if facts is None else SegmentFacts.model_validate_json(facts)

    def store(self, key: str, clip: ProcessedClip) -> None:
        """Store a proven segment; a cache that is full or not writable is no error.

        Args:
            key: The cache key of the segment.
            clip: The processed clip.
        """
        facts = SegmentFacts(
            vcl_crc=clip.vcl_crc, parameter_sets=clip.parameter_sets, extradata=clip.extradata, verified=clip.verified
        )
        files = {_FRAMES: clip.processed_path} | ({_AUDIO: clip.audio_path} if clip.audio_path is not None else {})
        self.put(key, files, facts.model_dump_json())

    def fetch_audio(self, key: str, audio: Path) -> Evidence | None:
        """Copy or link the audio of a clip out of the cache.

        Args:
            key: The cache key of the audio.
            audio: The file for it.

        Returns:
            The evidence for the audio, or None if it is not in the cache.

        Raises:
            VerificationError: The audio is damaged; it is removed.
        """
        facts = self.take(key, {_AUDIO: audio})
        return None if facts is None else AudioFacts.model_validate_json(facts).verified

    def store_audio(self, key: str, audio: ProcessedAudio) -> None:
        """Store the proven audio of a clip; a cache that is full or not writable is no error.

        Args:
            key: The cache key of the audio.
            audio: The audio.
        """
        self.put(key, {_AUDIO: audio.path}, AudioFacts(verified=audio.verified).model_dump_json())
