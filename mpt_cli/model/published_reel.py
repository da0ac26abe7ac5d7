"""Record of a published reel (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003

from mpt_cli.model.errors import Issue  # noqa: TC001
from mpt_cli.model.results import OutputInfo, ReelEvidence  # noqa: TC001


@dataclass(frozen=True, slots=True)
class PublishedReel:
    """Record by which a reel, and everything it was created from, is recognised in a later run.

    Attributes:
        file: Identity of the published file.
        key: Digest of everything that was requested; None if only the file is known to be mpt's.
        inputs: Identity and content hash of each clip.
        output: Measured facts of the reel.
        extras: Images beside the reel, of this reel or an earlier one at its name, each with its identity.
        seed: Seed of a random order, or None.
        warnings: Warnings of the run.
        evidence: Inputs and commands of the reel, where they were requested.
        clips: Paths of the clips, in folders without links.
    """

    file: tuple[int, ...]
    key: str | None
    inputs: tuple[tuple[tuple[int, ...], str | None], ...]
    output: OutputInfo
    extras: tuple[tuple[Path, tuple[int, ...]], ...] = ()
    seed: int | None = None
    warnings: tuple[Issue, ...] = ()
    evidence: ReelEvidence | None = None
    clips: tuple[Path, ...] = ()
