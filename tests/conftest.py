"""Fixtures of all tests, and the guard that every test leaves the place as it found it."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import hypothesis
import psutil
import pytest

from tests import selection
from tests.fakes import FakeClock, ListEmit
from tests.media import MediaFolder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

GUARD = selection.Guard()

# Without bytecode each worker rewrites all tests, and each of some hundred children compiles mpt again, in a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts what runs behind it with some signals ignored, and children of the tests would inherit that.
for _signal in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT) if sys.platform != "win32" else ():
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, lambda _number, _frame: None)

GRACE_SECONDS = 2.0
"""How long a child that was told to end may take after its test."""

_OTHERS_CHILDREN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "execnet")
"""Found in the command lines of children that belong to Python or to the test runner."""

_FOREIGN_SWITCHES = frozenset(
    ["CI", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS"]
)
"""Variables that change what command line tools print."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """More workers than cores: many tests wait for a child or a time limit, but no fast one does."""
    cores = max(2, os.cpu_count() or 1)
    return cores if config.getoption("markexpr") == "fast" else cores * 2


def pytest_configure(config: pytest.Config) -> None:
    """Let hypothesis measure no time, which a busy machine has little of, and try fewer examples for ``-m fast``."""
    examples = 10 if config.getoption("markexpr") == "fast" else 40
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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected: nothing of them is garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


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
    if not _has_children():
        return []
    ours = [child for child in psutil.Process().children(recursive=True) if not _is_others(child)]
    return list(psutil.wait_procs(ours, timeout=grace_seconds)[1]) if ours else []


def _has_children() -> bool:
    """Whether this process may have children; asks the system, which takes much less time than a look at all."""
    if not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


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


def surroundings() -> tuple[str, dict[str, str]]:
    """Working folder and environment, without what pytest itself changes between tests."""
    environment = dict(os.environ)
    environment.pop("PYTEST_CURRENT_TEST", None)
    return os.getcwd(), environment  # noqa: PTH109 - a path object takes longer to make than the look itself


def _end(children: list[psutil.Process]) -> None:
    """Kill what was left, so that the next test starts clean."""
    for child in children:
        with suppress(psutil.Error):
            child.kill()
    psutil.wait_procs(children, timeout=GRACE_SECONDS)


@pytest.fixture(autouse=True)
def own_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give each test an empty home, so that none sees or touches the user's settings, cache or history.

    Fail a test that leaves a child, a temporary file or a changed environment, and one that is marked ``fast`` and
    starts a process or writes media. One fixture does it all, and a folder of its own has only a test that asks for
    one: of thousands of tests each lasts few milliseconds.
    """
    fast = request.node.get_closest_marker("fast") is not None
    folders = [request.getfixturevalue("tmp_path")] if "tmp_path" in request.fixturenames else []
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_HOMES))
    home.mkdir(parents=True)
    outside = surroundings()
    before = outside[0], _environment_at(home, outside[1])
    _set_environment(before[1], outside[1])
    try:
        with GUARD.watch(request.node.name, *folders) if fast else nullcontext():
            yield home
    finally:
        children = [] if fast else living_children()  # a fast test has none, and the look takes longer than it
        rest, after = leftovers(home, *folders), surroundings()
        _end(children)
        os.chdir(outside[0])
        _set_environment(outside[1], after[1])
    problems = [f"child {child.pid} is still there: {child}" for child in children]
    problems += [f"{path} was left behind" for path in rest]
    problems += [f"the test changed {what}" for what, old, new in zip(_WHAT, before, after, strict=True) if old != new]
    assert not problems, "; ".join(problems)


_HOMES = itertools.count()
_WHAT = ("the working folder", "the environment")


def _environment_at(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return an environment with this home and without what would change the behaviour of mpt or of its output."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("MPT_") and name not in _FOREIGN_SWITCHES
    }
    folders = {"CACHE_HOME": "cache", "CONFIG_HOME": "config", "DATA_HOME": "data", "STATE_HOME": "state"}
    folders |= {"CONFIG_DIRS": "etc"}
    return kept | {f"XDG_{name}": f"{home}/{folder}" for name, folder in folders.items()} | {"HOME": str(home)}


def _set_environment(wanted: dict[str, str], present: dict[str, str]) -> None:
    """Make the environment this one, which is that one now."""
    for name in present.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in wanted.items() if present.get(name) != value})


@pytest.fixture(scope="module", autouse=True)
def _collections_look_past_earlier_modules() -> None:
    """Keep collections short; without this they take longer with each test that ran."""
    gc.collect()
    gc.freeze()
