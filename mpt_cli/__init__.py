"""Join many video clips into one verified reel.

Example:
    >>> from mpt_cli import ModuleFactory, Settings, VideoParams
    >>> factory = ModuleFactory(Settings.load().config)
    >>> orchestrator = factory.create_video_orchestrator()
    >>> result = orchestrator.process_video_request(VideoParams(["a.mp4", "b.mov"], "reel.mp4"))
    >>> result.success, [issue.code for issue in result.errors]

A request never raises for bad media, a full disk or a stop: see ``VideoResult.errors``.

Public names are imported when they are first used, so that ``mpt --version`` starts quickly.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpt_cli.model.version import __version__

if TYPE_CHECKING:
    from mpt_cli.config.request import VideoParams
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.clips import Dimensions, VideoClip
    from mpt_cli.model.results import VideoResult
    from mpt_cli.settings.merged import Settings

__all__ = ["Dimensions", "ModuleFactory", "Settings", "VideoClip", "VideoParams", "VideoResult", "__version__"]

_HOMES = {
    "Dimensions": "mpt_cli.model.clips",
    "ModuleFactory": "mpt_cli.factory",
    "Settings": "mpt_cli.settings.merged",
    "VideoClip": "mpt_cli.model.clips",
    "VideoParams": "mpt_cli.config.request",
    "VideoResult": "mpt_cli.model.results",
}


logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library speaks only to who listens


def __getattr__(name: str) -> Any:
    """Import a public name on its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
