"""ClipCache: finished segments of clips, each with what its proof has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from mpt_cli.model.clips import Verified
from mpt_cli.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip

_PICTURES, _SOUND = "pictures.mp4", "sound.pcm"


class SegmentFacts(BaseModel):
    """What the proof of a segment has shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    vcl_crc: int
    parameter_sets: str
    extradata: bytes
    verified: Verified


class ClipCache(Store):
    """A store of segments, shared by all runs of a user."""

    def fetch(self, key: str, pictures: Path, sound: Path | None) -> SegmentFacts | None:
        """Put the stored files under these names; None where there are none. Raises as :meth:`Store.take`."""
        facts = self.take(key, {_PICTURES: pictures} | ({_SOUND: sound} if sound is not None else {}))
        return None if facts is None else SegmentFacts.model_validate_json(facts)

    def store(self, key: str, clip: ProcessedClip) -> None:
        """Keep a proven segment; a store that is full or cannot be written is no error."""
        facts = SegmentFacts(
            vcl_crc=clip.vcl_crc, parameter_sets=clip.parameter_sets, extradata=clip.extradata, verified=clip.verified
        )
        files = {_PICTURES: clip.processed_path} | ({_SOUND: clip.audio_path} if clip.audio_path is not None else {})
        self.put(key, files, facts.model_dump_json())
