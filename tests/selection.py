"""Marks that follow from what a test uses, and the guard of tests that need neither a child nor media.

The command of README runs all tests but those marked ``thorough``, ``slow``, ``browser``, ``recipes`` or
``faults``; ``.ci/run`` runs the thorough ones and the recipes too. ``thorough`` is set here: in the folders of
:data:`THOROUGH_FOLDERS` on all but ``core``, and on the later cases of a ``core(n)``.

``fast`` is set here and never by hand: in the folders of :data:`FAST_FOLDERS`, on a test that uses no
fixture of :data:`HEAVY_FIXTURES` and no mark of :data:`HEAVY_MARKS`. The guard fails a test that has the
mark and starts a process or writes media all the same, so that the mark cannot become a lie.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).resolve().parent
FAST_FOLDERS = ("", "golden", "unit")
"""Folders below ``tests`` of which tests can be fast; the first is ``tests`` itself."""
THOROUGH_FOLDERS = ("cli", "integration")
"""Folders below ``tests`` of which tests belong to the default run only by the mark ``core``."""
HEAVY_FIXTURES = frozenset(["media", "script_runner"])
HEAVY_MARKS = frozenset(["browser", "faults", "heavy", "recipes", "slow", "thorough"])

STARTS = frozenset(
    ["os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "subprocess.Popen"]
)
"""Events of Python's audit that precede a new process."""
MEDIA_BYTES = 2048
"""Smaller files hold no picture: tests of formats write a few boxes by hand."""
_HEADS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"), (0, b"OggS"), (0, b"FLV"))


def mark(items: Iterable[pytest.Item]) -> None:
    """Mark as ``thorough`` what is not of the core, then as ``fast`` what needs neither a child nor media.

    A test of a folder of :data:`THOROUGH_FOLDERS` is of the core by its mark, any other without one;
    ``core(n)`` keeps the first n cases of a test, in any folder.
    """
    cases: Counter[str] = Counter()
    for item in items:
        core = item.get_closest_marker("core")
        if core is None:
            beyond = _folder(item) in THOROUGH_FOLDERS
        else:
            name = item.nodeid.partition("[")[0]
            cases[name] += 1
            beyond = bool(core.args) and cases[name] > core.args[0]
        if beyond:
            item.add_marker(pytest.mark.thorough)
        if _is_fast(item):
            item.add_marker(pytest.mark.fast)


def _folder(item: pytest.Item) -> str:
    """Return the folder below ``tests`` in which a test lies, and nothing for a test that lies in ``tests`` itself."""
    first, *rest = item.path.relative_to(FOLDER).parts
    return first if rest else ""


def _is_fast(item: pytest.Item) -> bool:
    if _folder(item) not in FAST_FOLDERS:
        return False
    fixtures = getattr(item, "fixturenames", ())
    return HEAVY_FIXTURES.isdisjoint(fixtures) and not any(each.name in HEAVY_MARKS for each in item.iter_markers())


def has_nothing_fast(path: Path, expression: str) -> bool:
    """Whether ``pytest -m fast`` need not even import what lies in a folder."""
    return expression == "fast" and path.parent == FOLDER and path.is_dir() and path.name not in FAST_FOLDERS


class Guard:
    """Refuses new processes while a fast test runs, in all threads of this process."""

    def __init__(self) -> None:
        """Listen from now on; Python forgets no audit hook."""
        self._test = ""
        self._refused: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._test and event in STARTS:
            self._refused.append(f"{event} {arguments[:1]}")
            raise RuntimeError(f"{self._test} is fast and starts a process: mark it with @pytest.mark.heavy")

    @contextmanager
    def watch(self, test: str, *folders: Path) -> Iterator[None]:
        """Fail a test in whose time a process was asked for, or media written below its folders."""
        reaped = _reaped()
        self._test, self._refused = test, []
        try:
            yield
        finally:
            self._test = ""
        # multiprocessing starts its children without an event.
        started = self._refused or _reaped() != reaped
        assert not started, f"a fast test starts processes: mark it with @pytest.mark.heavy {self._refused}"
        found = [path for folder in folders for path in media_in(folder)]
        assert not found, f"a fast test writes media: mark it with @pytest.mark.heavy {found}"


def _reaped() -> int:
    """Return a number that grows with each child that has ended, zero on Windows."""
    if sys.platform == "win32":
        return 0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt


def media_in(folder: Path) -> list[Path]:
    """Return the files below a folder that begin like a container of video and are large enough to hold some."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size >= MEDIA_BYTES)
    return [path for path in found if _begins_like_media(path)]


def _begins_like_media(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError:
        return False
    return any(head[at : at + len(word)] == word for at, word in _HEADS)
