"""Folders of the user for settings, cache and state; a user without a home folder has none of them.

Containers and cron run programs under a user id without an account and without ``HOME``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable

    Find = Callable[[str], Path]

HOMELESS = "begins with ~, but no home folder is known"


def settings_folder(find: Find = platformdirs.user_config_path) -> Path | None:
    """Return the folder of the user's settings, which need not exist; None without a home folder."""
    return _known(find)


def cache_folder(find: Find = platformdirs.user_cache_path) -> Path | None:
    """Return the folder of the user's caches, which need not exist; None without a home folder."""
    return _known(find)


def state_folder(find: Find = platformdirs.user_state_path) -> Path | None:
    """Return the folder of records of earlier runs, which need not exist; None without a home folder."""
    return _known(find)


def is_homeless(path: str) -> bool:
    """Return True if a path begins at the home folder of a user without one: it would become a folder named ``~``."""
    return path.startswith("~") and Path(path).parts[0] == "~" and os.path.expanduser(path) == path  # noqa: PTH111


def _known(find: Find) -> Path | None:
    """Return the folder; platformdirs raises RuntimeError, or leaves the ``~`` before 4.10, where it finds no home."""
    try:
        folder = find("mpt")
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None
