"""Evidence: hashes of the files that a reel was made of, and of the reel, taken once it is published."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Cancelled, Issue, IssueCode
from mpt_cli.model.results import InputEvidence, ReelEvidence
from mpt_cli.storage.file_identity import digest_of, identity_of, is_still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.workflow.run_state import Run


def gather(run: Run, identities: Sequence[tuple[int, ...]]) -> ReelEvidence | None:
    """What the published reel was made of; each file is read once, right after the run has read it.

    ``identities`` are those that the clips had before the run: of one that has another by now there is
    no hash of what was used, and a warning in the run. None, and a warning, where hashing was stopped, which
    takes nobody's reel away, or where another file has taken the place of the reel.
    """
    assert run.plan is not None
    assert run.output is not None
    assert run.concatenation is not None
    planned, hashes = {clip.index: clip for clip in run.plan.clips}, dict[Path, str | None]()
    try:
        reel = sha256_of(run.output.path, run.context.cancel)
        for result in run.good():
            path = planned[result.index].clip.path
            if path not in hashes:
                hashes[path] = _hash_of_used(path, identities[result.index], run)
    except (Cancelled, OSError) as error:
        why = "stopped" if isinstance(error, Cancelled) else error.strerror
        code = error.code if isinstance(error, Cancelled) else IssueCode.NOT_READABLE
        message = f"what it was made of is not recorded ({why}); the reel itself is whole"
        run.afterwards.append(Issue(code, message, run.output.path, "run it again"))
        return None
    if not is_still(run.output.path, run.file):
        message = "was replaced by another program as soon as it was published; what it was made of is not recorded"
        run.afterwards.append(Issue(IssueCode.OUTPUT_CHANGED, message, run.output.path))
        return None
    inputs = (
        InputEvidence(
            index=result.index,
            path=clip.clip.path,
            size_bytes=clip.media.size_bytes,
            sha256=hashes[clip.clip.path],
            start=clip.clip.start,
            end=clip.clip.end,
            mute=clip.clip.mute,
            action=result.action or clip.action,
            argv=result.argv,
        )
        for result in run.good()
        for clip in [planned[result.index]]
    )
    settings = run.config.model_dump(mode="json", by_alias=True)
    join = run.concatenation
    return ReelEvidence(reel, tuple(inputs), join.method, join.stream_copy, settings)


def sha256_of(path: Path, cancel: CancelToken) -> str:
    """SHA-256 of a file in hexadecimal; Cancelled when the run is stopped, OSError where it cannot be read."""
    return digest_of(path, hashlib.sha256(), alive=cancel.raise_if_cancelled)


def _hash_of_used(path: Path, identity: tuple[int, ...], run: Run) -> str | None:
    """The hash of a clip, unless it is not the file any more that the run began with."""
    with suppress(OSError):
        found = sha256_of(path, run.context.cancel)
        if identity_of(path.stat()) == identity:
            return found
    message = "changed since the reel was made of it, so that its hash is not known any more"
    run.afterwards.append(Issue(IssueCode.INPUT_CHANGED, message, path))
    return None
