"""Folders of the user, and a user without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpt_cli.settings.layers import user_config_file
from mpt_cli.settings.user_folders import cache_folder, settings_folder, state_folder


def test_folders_are_those_of_the_system(own_home: Path) -> None:
    assert user_config_file() == own_home / "config" / "mpt" / "config.toml"
    assert (cache_folder(), state_folder()) == (own_home / "cache" / "mpt", own_home / "state" / "mpt")


def homeless(_name: str) -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("find", [homeless, lambda name: Path("~/.config", name), lambda name: Path("relative", name)])
@pytest.mark.parametrize("folder", [settings_folder, cache_folder, state_folder])
def test_user_without_home_has_no_folder(folder: object, find: object) -> None:
    assert folder(find) is None  # type: ignore[operator]
