"""Evidence: hashes of what was used, never of what a file has become since."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.choices import Action
from mpt_cli.model.errors import Cancelled, IssueCode
from mpt_cli.model.results import ConcatenationResult
from mpt_cli.storage.file_identity import file_of, identity_of
from mpt_cli.workflow.manifest_hashes import Provenance, sha256_of
from tests.builders import OUTPUT, bad, good, plan_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import ReelEvidence
    from mpt_cli.workflow.run_state import RunState


@pytest.fixture
def run(info: MediaInfo, tmp_path: Path) -> RunState:
    """A run that has published three clips and left one out."""
    made = tuple(replace(good(n), action=Action.ENCODE, commands=(("ffmpeg", str(n)),)) for n in (0, 1, 3))
    run = run_of(info, 3, 0, 2, 1, processed=(*made, bad(2)))
    paths = [tmp_path / f"{n}.mp4" for n in range(4)]
    for path in paths:
        path.write_bytes(path.name.encode())
    run.params = replace(
        run.params, clips=tuple(replace(clip, path=path) for clip, path in zip(run.params.clips, paths, strict=True))
    )
    plan = plan_of(info, 3, 0, 2, 1)
    run.plan = replace(plan, clips=tuple(replace(clip, clip=run.params.clips[clip.index]) for clip in plan.clips))
    (tmp_path / "reel.mp4").write_bytes(b"reel")
    run.output, run.concatenation = (
        replace(OUTPUT, path=tmp_path / "reel.mp4"),
        ConcatenationResult("FFmpeg", True, 1, 2),
    )
    run.file = file_of(run.output.path)
    return run


def identities(run: RunState) -> list[tuple[int, ...]]:
    return [identity_of(clip.path.stat()) for clip in run.params.clips]


def gather(run: RunState, identities: list[tuple[int, ...]]) -> tuple[ReelEvidence | None, tuple[Issue, ...]]:
    assert run.output is not None
    assert run.concatenation is not None
    provenance = Provenance(run.output.path, run.file, identities, run.context.cancel)
    settings = run.config.model_dump(mode="json", by_alias=True)
    return provenance.gather(run.planned, run.good(), run.concatenation, settings)


def test_it_names_what_is_in_the_reel_in_its_order(run: RunState) -> None:
    evidence, warnings = gather(run, identities(run))
    assert evidence is not None
    assert evidence.sha256 == hashlib.sha256(b"reel").hexdigest()
    assert [one.index for one in evidence.inputs] == [3, 0, 1]
    assert [one.argv for one in evidence.inputs] == [("ffmpeg", "3"), ("ffmpeg", "0"), ("ffmpeg", "1")]
    assert evidence.inputs[1].sha256 == hashlib.sha256(b"0.mp4").hexdigest()
    assert (evidence.method, evidence.stream_copy) == ("FFmpeg", True)
    assert evidence.settings["video"]["fit"] == "contain"
    assert warnings == ()


def test_of_a_file_that_took_the_place_of_the_reel_there_is_none(run: RunState) -> None:
    assert run.output is not None
    run.output.path.write_bytes(b"somebody else's")
    evidence, (issue,) = gather(run, identities(run))
    assert evidence is None
    assert (issue.code, issue.path) == (IssueCode.OUTPUT_CHANGED, run.output.path)


def test_a_clip_that_changed_has_no_hash(run: RunState) -> None:
    before = identities(run)
    run.params.clips[0].path.write_bytes(b"later")
    run.params.clips[1].path.unlink()
    evidence, warnings = gather(run, before)
    assert evidence is not None
    assert [one.sha256 is None for one in evidence.inputs] == [False, True, True]
    assert [(issue.code, issue.path) for issue in warnings] == [
        (IssueCode.INPUT_CHANGED, run.params.clips[0].path),
        (IssueCode.INPUT_CHANGED, run.params.clips[1].path),
    ]


def test_a_stop_costs_the_evidence_and_not_the_reel(run: RunState) -> None:
    before = identities(run)
    run.context.cancel.cancel()
    evidence, (issue,) = gather(run, before)
    assert evidence is None
    assert (issue.code, "is a whole reel" in issue.message) == (IssueCode.CANCELLED, True)
    with pytest.raises(Cancelled):
        sha256_of(run.params.clips[0].path, run.context.cancel)


def test_a_reel_that_is_gone_is_said(run: RunState) -> None:
    assert run.output is not None
    run.output.path.unlink()
    evidence, warnings = gather(run, identities(run))
    assert evidence is None
    assert [issue.code for issue in warnings] == [IssueCode.NOT_READABLE]
