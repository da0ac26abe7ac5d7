"""Command ``mpt cache``: the cache of finished clips."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, Given, chosen, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.cache import cache_data, show_cache
from mpt_cli.model.errors import ExitCode
from mpt_cli.model.results import RunStatus


class Action(StrEnum):
    """Actions on the cache."""

    INFO = "info"
    PRUNE = "prune"
    CLEAR = "clear"


@with_options(COMMON)
def cache(
    action: Annotated[
        str,
        typer.Argument(
            metavar="info|prune|clear",
            help="Show the size, remove what is over the limit, or remove everything (info).",
            show_default=False,
        ),
    ] = "info",
    *,
    given: Given,
) -> int:
    """Show, prune or clear the cache of finished clips, which later runs reuse."""
    what = Action(chosen(action, list(Action), "ACTION"))
    return Session("cache", given, follows_run=False).run(lambda session: _answer(session, what))


def _answer(session: Session, action: Action) -> Answer:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    factory = ModuleFactory(Settings.load(config_file=session.given.get("config")))
    store, sounds, known = factory.clip_store, factory.sound_store, factory.known_store
    before = store.info()
    if action is Action.PRUNE:
        factory.sweep()
        known.prune()
        sounds.prune()
        after = store.prune()
    elif action is Action.CLEAR:
        known.clear()
        sounds.clear()
        factory.encoder_trials.clear()
        store.clear()
        after = store.info()
    else:
        after = before
    return Answer(
        RunStatus.SUCCESS,
        ExitCode.OK,
        data=cache_data(before, after),
        show=lambda out, _err: show_cache(out, before, after, removing=action is not Action.INFO),
    )
