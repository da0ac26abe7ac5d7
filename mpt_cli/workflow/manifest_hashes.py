"""Hashes of a manifest: those of the files that a reel was made of, and of the reel, taken once it is published."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpt_cli.model.errors import Cancelled, Issue, IssueCode
from mpt_cli.model.results import InputEvidence, ReelEvidence
from mpt_cli.storage.file_identity import digest_of, identity_of, is_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mpt_cli.model.results import ConcatenationResult, ProcessingResult
    from mpt_cli.planning.plan import Plan
    from mpt_cli.runtime.cancel import CancelToken


@dataclass(frozen=True, slots=True)
class Provenance:
    """Hash a published reel and its clips; each file is read once, right after the run has read it.

    Attributes:
        reel: Where the reel was published.
        file: What tells the published file from others.
        identities: The identity of each clip, by its index, before the run.
        cancel: Stops hashing.
    """

    reel: Path
    file: tuple[int, ...]
    identities: Sequence[tuple[int, ...]]
    cancel: CancelToken

    def gather(
        self, plan: Plan, used: Sequence[ProcessingResult], join: ConcatenationResult, settings: dict[str, Any]
    ) -> tuple[ReelEvidence | None, tuple[Issue, ...]]:
        """Return what the reel was made of, and warnings.

        There is no evidence, but a warning, where hashing was stopped, which takes nobody's reel away, or
        where another file has taken the place of the reel.

        Args:
            plan: The plan of the run.
            used: The clips that are in the reel, in its order.
            join: How they were joined.
            settings: The settings of the run, as JSON.
        """
        paths = {clip.index: clip.clip.path for clip in plan.clips}
        try:
            reel = sha256_of(self.reel, self.cancel)
            hashes = self._hashes({paths[result.index]: self.identities[result.index] for result in used})
        except (Cancelled, OSError) as error:
            return None, (self._not_recorded(error),)
        changed = tuple(_changed(path) for path, found in hashes.items() if found is None)
        if not is_still(self.reel, self.file):
            message = "was replaced by another program after it was published; its evidence is not recorded"
            return None, (*changed, Issue(IssueCode.OUTPUT_CHANGED, message, self.reel))
        return ReelEvidence(reel, _inputs(plan, used, hashes), join.method, join.stream_copy, settings), changed

    def _hashes(self, identities: Mapping[Path, tuple[int, ...]]) -> dict[Path, str | None]:
        """Return the hash of each file; None for one that is another by now than the run began with."""
        hashes: dict[Path, str | None] = {}
        for path, identity in identities.items():
            hashes[path] = None
            with suppress(OSError):
                found = sha256_of(path, self.cancel)
                if identity_of(path.stat()) == identity:
                    hashes[path] = found
        return hashes

    def _not_recorded(self, error: Cancelled | OSError) -> Issue:
        why = "stopped" if isinstance(error, Cancelled) else error.strerror
        code = error.code if isinstance(error, Cancelled) else IssueCode.NOT_READABLE
        message = f"is a whole reel, but its evidence could not be recorded ({why})"
        return Issue(code, message, self.reel, "run it again")


def sha256_of(path: Path, cancel: CancelToken) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        Cancelled: The run is stopped.
        OSError: The file cannot be read.
    """
    return digest_of(path, hashlib.sha256(), alive=cancel.raise_if_cancelled)


def _inputs(
    plan: Plan, used: Sequence[ProcessingResult], hashes: Mapping[Path, str | None]
) -> tuple[InputEvidence, ...]:
    planned = {clip.index: clip for clip in plan.clips}
    return tuple(
        InputEvidence(
            index=result.index,
            path=clip.clip.path,
            size_bytes=clip.media.size_bytes,
            sha256=hashes[clip.clip.path],
            start=clip.clip.start,
            end=clip.clip.end,
            mute=clip.clip.mute,
            volume=clip.clip.volume,
            action=result.action or clip.action,
            argv=result.commands[0] if len(result.commands) == 1 else (),
            commands=result.commands if len(result.commands) > 1 else (),
        )
        for result in used
        for clip in [planned[result.index]]
    )


def _changed(path: Path) -> Issue:
    message = "changed after the reel was made from it, so its hash is not recorded"
    return Issue(IssueCode.INPUT_CHANGED, message, path)
