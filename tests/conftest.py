"""Fixtures of all tests, and the guard that every test leaves the place as it found it."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psutil
import pytest

from tests import selection
from tests.fakes import FakeClock, ListEmit
from tests.media import MediaFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = selection.Guard()

GRACE_SECONDS = 2.0
"""How long a child that was told to end may take after its test."""

_OTHERS_CHILDREN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "execnet")
"""Found in the command lines of children that belong to Python or to the test runner."""

_FOREIGN_SWITCHES = frozenset(
    ["CI", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS"]
)
"""Variables that change what command line tools print."""


def pytest_xdist_auto_num_workers() -> int:
    """More workers than cores: many tests wait for a child or a time limit."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_configure(config: pytest.Config) -> None:
    """Let hypothesis measure no time, which a busy machine has little of, and try fewer examples for ``-m fast``."""
    examples = 10 if config.getoption("markexpr") == "fast" else 100
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("mpt", max_examples=examples, deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("mpt")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the marks that follow from what a test uses, before pytest selects by marks."""
    selection.mark(items)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out folders without a fast test where only those are wanted; importing them takes longer than the tests."""
    return True if selection.has_nothing_fast(collection_path, config.getoption("markexpr")) else None


def pytest_collection_finish() -> None:
    """Let collections look past the tests themselves: mpt collects where memory is short, which took half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> MediaFolder:
    """Makes clips from recipes, each once a session.

    Each worker of pytest-xdist has its own base folder; their common parent belongs to the session.
    """
    base = tmp_path_factory.getbasetemp()
    return MediaFolder((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clips")


@pytest.fixture
def emit() -> ListEmit:
    """A display that keeps every event."""
    return ListEmit()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


def living_children(grace_seconds: float = GRACE_SECONDS) -> list[psutil.Process]:
    """Descendants of this process that are still there, zombies too, after a time of grace."""
    ours = [child for child in psutil.Process().children(recursive=True) if not _is_others(child)]
    return list(psutil.wait_procs(ours, timeout=grace_seconds)[1]) if ours else []


def _is_others(child: psutil.Process) -> bool:
    """Whether a child is the test runner's or Python's own."""
    try:
        command = " ".join(child.cmdline())
    except psutil.Error:
        return False
    return any(name in command for name in _OTHERS_CHILDREN)


def leftovers(*folders: Path) -> list[Path]:
    """Temporary files and folders of mpt that still lie somewhere under these folders."""
    return sorted(path for folder in folders if folder.is_dir() for path in folder.rglob(".mpt-*"))


def surroundings() -> tuple[Path, dict[str, str]]:
    """Working folder and environment, without what pytest itself changes between tests."""
    return Path.cwd(), {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}


def _end(children: list[psutil.Process]) -> None:
    """Kill what was left, so that the next test starts clean."""
    for child in children:
        with suppress(psutil.Error):
            child.kill()
    psutil.wait_procs(children, timeout=GRACE_SECONDS)


@pytest.fixture(autouse=True)
def needs_no_child_where_it_is_fast(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Fail a test that is marked ``fast`` and starts a process or writes media."""
    if request.node.get_closest_marker("fast"):
        with GUARD.watch(request.node.name, tmp_path):
            yield
    else:
        yield


@pytest.fixture(autouse=True)
def leaves_nothing_behind(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Fail a test that leaves a child, a temporary file, or a changed environment; gives the test's home."""
    home = tmp_path_factory.getbasetemp() / "homes" / tmp_path.name
    before = surroundings()
    yield home
    fast = request.node.get_closest_marker("fast") is not None  # has no children, and the look takes longer than it
    children, rest, after = [] if fast else living_children(), leftovers(tmp_path, home), surroundings()
    problems = [f"child {child.pid} is still there: {child}" for child in children]
    _end(children)
    if after != before:
        os.chdir(before[0])
        os.environ.clear()
        os.environ.update(before[1])
    problems += [f"{path} was left behind" for path in rest]
    problems += [f"the test changed {what}" for what, old, new in zip(_WHAT, before, after, strict=True) if old != new]
    assert not problems, "; ".join(problems)


_WHAT = ("the working folder", "the environment")


@pytest.fixture(autouse=True)
def own_home(leaves_nothing_behind: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home, so that none sees or touches the user's settings, cache or history."""
    # The guard stands first in the signature: monkeypatch then ends before the guard looks.
    home = leaves_nothing_behind
    home.mkdir(parents=True, exist_ok=True)
    folders = {"CACHE_HOME": "cache", "CONFIG_HOME": "config", "DATA_HOME": "data", "STATE_HOME": "state"}
    for name, folder in folders.items():
        monkeypatch.setenv(f"XDG_{name}", str(home / folder))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(home / "etc"))
    monkeypatch.setenv("HOME", str(home))
    for name in os.environ:
        if name.startswith("MPT_") or name in _FOREIGN_SWITCHES:
            monkeypatch.delenv(name)
    return home
