"""mpt: many clips in, one verified reel out.

The house, bottom to top; each row imports only from rows above it in this list:

0. ``models`` ``mediainfo`` ``traits`` ``config`` ``errors`` ``events`` ``cancel``: frozen values, nothing else;
   ``wording`` and ``filesystem``: what all rooms say and do alike
1. ``settings`` (where values come from), ``reference`` (what they mean), ``display/`` (where events go) and
   ``reporting/`` (pictures and pages of a run)
2. ``media/``: the only code that touches ffmpeg or PyAV
3. ``monitoring/``: memory, slots, what runs cost; ``window`` and ``turns``: how threads share work
4. ``plan``, ``forms``, ``copying`` and ``cost`` (pure), and ``validation/``
5. ``processing/`` (clips) and ``concatenation/`` (the join)
6. ``orchestrator``: the order of the steps, with ``requirements``, ``outcome``, ``batch``, ``showcase`` and ``health``
7. ``factory``: wiring; 8. ``cli/``: commands

Public names are loaded when they are first used, so that ``mpt --version`` stays quick.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpt_cli.config.request import VideoParams
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.clips import Dimensions, VideoClip
    from mpt_cli.model.results import VideoResult
    from mpt_cli.settings.merged import Settings

from mpt_cli.model.version import __version__

__all__ = ["Dimensions", "ModuleFactory", "Settings", "VideoClip", "VideoParams", "VideoResult", "__version__"]

_HOMES = {
    "Dimensions": "mpt_cli.model.clips",
    "ModuleFactory": "mpt_cli.factory",
    "Settings": "mpt_cli.settings.merged",
    "VideoClip": "mpt_cli.model.clips",
    "VideoParams": "mpt_cli.model.clips",
    "VideoResult": "mpt_cli.model.results",
}


logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library speaks only to who listens


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
