"""Command ``mpt process``: the whole workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.cli.options import COMMON, INPUTS, JOB, REEL, TASKS, Given, Inputs, with_options
from mpt_cli.cli.request import answer_request
from mpt_cli.cli.session import Session
from mpt_cli.model.errors import UsageError

if TYPE_CHECKING:
    from mpt_cli.cli.answer import Answer


@with_options(INPUTS, JOB, TASKS, REEL, COMMON)
def process(
    inputs: Inputs = None,
    *,
    given: Given,
) -> int:
    """Check clips, make them uniform, join them into one reel and prove that it is right.

    All problems of all clips are reported before any work, and no existing file is replaced without
    --overwrite. Frames are encoded once or not at all, and later runs reuse finished clips.
    """
    job = given.get("job")

    def work(session: Session) -> Answer:
        if job and inputs:
            raise UsageError("clips were named beside a job file", hint="name them in the file, or leave out --job")
        return answer_request(session, inputs or [], job=job)

    return Session("process", given).run(work)
