"""Manifest: what it says of hashes (taken in workflow.manifest_hashes), programs, and the commands of the run."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from mpt_cli.model.version import __version__
from mpt_cli.reporting.envelope import output_dict, seconds_of, to_json

if TYPE_CHECKING:
    from mpt_cli.model.results import CommandEnd, InputEvidence, JobEnd
    from mpt_cli.reporting.documents.base import ManifestSchema
    from mpt_cli.reporting.documents.manifest import InputData, Manifest, ReelData, ReelOutputData

SCHEMA: ManifestSchema = "mpt.manifest/1"
MARK = f'"schema": "{SCHEMA.partition("/")[0]}/'
"""Beginning that identifies a file of mpt."""


def manifest(facts: CommandEnd) -> str | None:
    """Return the document with all requests in order, or None if no reel was written, to keep the last manifest."""
    if not any(end.result.evidence for end in facts.ends):
        return None
    document: Manifest = {
        "schema": SCHEMA,
        "tool": {"mpt": __version__, "ffmpeg": facts.ffmpeg, "python": platform.python_version()},
        "command": facts.command,
        "started_at": facts.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reels": [_reel(end) for end in facts.ends],
    }
    return to_json(document, indent=2) + "\n"


def _reel(end: JobEnd) -> ReelData:
    result, evidence = end.result, end.result.evidence
    output: ReelOutputData | None = None
    if result.output is not None and evidence is not None:
        output = {**output_dict(result.output), "sha256": evidence.sha256}
    return {
        "name": end.name,
        "workflow_id": result.workflow_id,
        "status": result.status,
        "unchanged": result.unchanged,
        "ffmpeg": result.ffmpeg,
        "output": output,
        "inputs": [_input(one) for one in evidence.inputs] if evidence else [],
        "join": {"method": evidence.method, "stream_copy": evidence.stream_copy} if evidence else None,
        "seed": result.seed,
        "settings": evidence.settings if evidence else None,
    }


def _input(one: InputEvidence) -> InputData:
    return {
        "index": one.index,
        "path": str(one.path.absolute()),
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "start_seconds": seconds_of(one.start),
        "end_seconds": seconds_of(one.end),
        "mute": one.mute,
        "volume_db": one.volume,
        "action": one.action,
        "argv": list(one.argv),
        "commands": [list(command) for command in one.commands],
    }
