"""Command ``mpt health``: a check of everything that mpt needs."""

from __future__ import annotations

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, HEALTH, Given, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.health import health_data, problems_of, show_health
from mpt_cli.model.results import RunStatus


@with_options(HEALTH, COMMON)
def health(*, given: Given) -> int:
    """Check everything that mpt needs; exit 6 if something required does not work, 7 if it only lacks room."""
    return Session("health", given, follows_run=False).run(_answer)


def _answer(session: Session) -> Answer:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    settings = Settings.load(config_file=session.given.get("config"))
    orchestrator = ModuleFactory(settings).create_video_orchestrator()
    status = orchestrator.health_check(deep=bool(session.given.get("deep")), cancel=session.cancel)
    return Answer(
        status=RunStatus.SUCCESS if status.healthy else RunStatus.ERROR,
        exit_code=status.exit_code,
        data=health_data(status),
        errors=problems_of(status, required=True),
        warnings=problems_of(status, required=False),
        ffmpeg=status.ffmpeg,
        show=lambda out, _err: show_health(out, status),
    )
