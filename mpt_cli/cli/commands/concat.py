"""Command ``mpt concat``: the join alone."""

from __future__ import annotations

from mpt_cli.cli.options import COMMON, INPUTS, JOINED, METHOD, Given, Inputs, with_options
from mpt_cli.cli.request import answer_request
from mpt_cli.cli.session import Session
from mpt_cli.model.choices import JoinMethod


@with_options(INPUTS, METHOD, JOINED, COMMON)
def concat(
    inputs: Inputs = None,
    *,
    given: Given,
) -> int:
    """Join clips: copy their frames where that is safe, else encode them again.

    Without --size, --fps and --codec the target is the format that covers the most seconds of the clips, and so is that
    of the audio without --audio-codec, --audio-rate and --audio-channels.
    """
    method = JoinMethod(given.get("method") or JoinMethod.AUTO)
    return Session("concat", given).run(lambda session: answer_request(session, inputs or [], join=method))
