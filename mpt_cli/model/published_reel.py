"""What is remembered of a published reel (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003

from mpt_cli.model.errors import Issue  # noqa: TC001
from mpt_cli.model.results import OutputInfo, ReelEvidence  # noqa: TC001


@dataclass(frozen=True, slots=True)
class PublishedReel:
    """What is remembered of a reel, so that it is known again with all that it was made of.

    ``file`` is the identity of the published file, ``key`` stands for everything that was asked for,
    ``inputs`` are identity and content of each clip. Without a key it is a file of mpt's, no more.
    ``extras`` are pictures beside it, of this reel or an earlier one at its name, each with its identity.
    """

    file: tuple[int, ...]
    key: str | None
    inputs: tuple[tuple[tuple[int, ...], str | None], ...]
    output: OutputInfo
    extras: tuple[tuple[Path, tuple[int, ...]], ...] = ()
    seed: int | None = None
    warnings: tuple[Issue, ...] = ()
    evidence: ReelEvidence | None = None
