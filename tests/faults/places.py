"""The place in which one fault happens: a user's clips, reels, home and folder of temporary files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.cli.conftest import PROGRAM
from tests.integration.reels import NAMES, three_clips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.media import MediaFolder

LIMIT_SECONDS = 120
"""No run takes longer, also where others share the cores; one that does hangs."""
POLL_SECONDS = 0.002
NOTES = "what the user wrote"
_CLEAR = ("MPT_", "XDG_")


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one fault; ``tmp`` also marks all processes that were started here."""

    folder: Path
    warm_seconds: float
    """How long a whole run takes here where nothing goes wrong."""
    runs: list[Run] = field(default_factory=list)
    """All runs that were started here."""

    @property
    def work(self) -> Path:
        """Folder with the user's clips and notes."""
        return self.folder / "work"

    @property
    def out(self) -> Path:
        """Folder of reels."""
        return self.folder / "out"

    @property
    def tmp(self) -> Path:
        """Folder of temporary files."""
        return self.folder / "tmp"

    @property
    def home(self) -> Path:
        """Folder of cache and state."""
        return self.folder / "home"

    @property
    def cache(self) -> Path:
        """Folder of mpt's caches."""
        return self.home / "cache" / "mpt"

    @property
    def state(self) -> Path:
        """Folder of mpt's records."""
        return self.home / "state" / "mpt"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a run: only what belongs to this place."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_CLEAR)}
        homes = {f"XDG_{name.upper()}_HOME": str(self.home / name) for name in ("cache", "config", "data", "state")}
        own = {
            "PYTHONFAULTHANDLER": "1",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "XDG_CONFIG_DIRS": str(self.home / "etc"),
        }
        return {**kept, **homes, **own, **(more or {})}

    def users_files(self) -> dict[Path, bytes]:
        """Content of the files that mpt has no business with."""
        return {path: path.read_bytes() for path in sorted(self.work.iterdir()) if path.is_file()}

    def remains(self) -> list[Path]:
        """Temporary files, folders and locks of mpt outside of its cache."""
        found = (path for folder in (self.work, self.out, self.tmp, self.state) for path in walk(folder))
        return sorted(path for path in found if path.name.startswith(".mpt-"))

    def processes(self) -> list[psutil.Process]:
        """Processes that were started here and still run."""
        return [psutil.Process(pid) for pid in _started_with(f"TMPDIR={self.tmp}") if psutil.pid_exists(pid)]


def walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder, without entering what has vanished meanwhile."""
    for root, folders, files in os.walk(folder):
        yield from (Path(root, name) for name in (*folders, *files))


def _started_with(variable: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
            except OSError:
                continue
            if os.fsencode(variable) in variables and state != b"Z":
                found.append(int(entry.name))
    return found


def build(media: MediaFolder, folder: Path) -> Place:
    """Return a place with clips and a warm cache, of which all others are copies."""
    for name in ("work", "out", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    place = Place(folder, 0.0)
    three_clips(media, place.work)
    (place.work / "notes.txt").write_text(NOTES, encoding="utf-8")
    started = time.monotonic()
    run = Run(place, ("process", *NAMES, "-o", place.out / "reel.mp4", "--size", "160x90", "--fps", "30"))
    assert run.wait() == 0, run.err
    (place.out / "reel.mp4").unlink()
    return Place(folder, time.monotonic() - started)


def copy(template: Place, folder: Path, *, warm: bool) -> Place:
    """Return a copy of a place, without its cache and its records unless it is to be warm."""
    for name in ("work", "out", "tmp"):
        shutil.copytree(template.folder / name, folder / name)
    place = Place(folder, template.warm_seconds)
    if warm:
        shutil.copytree(template.home, place.home)
    place.home.mkdir(exist_ok=True)
    return place


def _peak_bytes(pid: int) -> int:
    """Return the peak memory of a process until now; what ``wait4`` says counts that of its parent before exec too."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * 1024 if peaks else 0


@dataclass
class Run:
    """One run of mpt."""

    place: Place
    arguments: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    stdout: Path | None = None
    """Where stdout goes instead of into a file that is read."""
    leaves: bool = False
    """Whether stdout is a pipe, whose reader :meth:`leave` takes away."""
    code: int | None = None
    peak_bytes: int = 0
    signalled: float | None = None
    """When it was told to stop."""

    def __post_init__(self) -> None:
        """Start it in a session of its own, in the folder of the clips."""
        self._logs = self.place.folder / f"logs-{time.monotonic_ns()}"
        self._logs.mkdir()
        command = [*self.prefix, *PROGRAM, *map(str, self.arguments)]
        options: dict[str, Any] = {"cwd": self.place.work, "env": self.place.environment(self.environment)}
        self.started = time.monotonic()
        self._reading, writing = os.pipe()
        with (self._logs / "err").open("wb") as err, (self.stdout or self._logs / "out").open("wb") as out:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=writing if self.leaves else out,
                stderr=err,
                start_new_session=True,
                **options,
            )
        self.place.runs.append(self)
        os.close(writing)
        if not self.leaves:
            os.close(self._reading)

    def leave(self, lines: int) -> None:
        """Read some lines of stdout, as ``head`` does, and close it."""
        with os.fdopen(self._reading, "rb") as pipe:
            for _ in range(lines):
                pipe.readline()

    @property
    def pid(self) -> int:
        """Process id; the prefix replaces itself by mpt."""
        return self._popen.pid

    @property
    def is_read(self) -> bool:
        """Whether all of stdout was read."""
        return self.stdout is None and not self.leaves

    @property
    def out(self) -> str:
        """What it wrote to stdout."""
        return (self._logs / "out").read_text(encoding="utf-8", errors="replace") if self.is_read else ""

    @property
    def err(self) -> str:
        """What it wrote to stderr."""
        return (self._logs / "err").read_text(encoding="utf-8", errors="replace")

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        if self.code is None and self._popen.returncode is None:
            self.peak_bytes = max(self.peak_bytes, _peak_bytes(self._popen.pid))
            pid, status = os.waitpid(self._popen.pid, os.WNOHANG)
            if pid:
                self.code = self._popen.returncode = os.waitstatus_to_exitcode(status)
        return self._popen.returncode is not None

    def until(self, condition: Callable[[], bool], seconds: float = LIMIT_SECONDS) -> bool:
        """Wait for a condition; return False where the run or the time ends first."""
        end = time.monotonic() + seconds
        while not self.over and time.monotonic() < end:
            if condition():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def wait(self) -> int | None:
        """Wait for the end and return the exit code; None for a run that hangs, which is killed."""
        self.until(lambda: False)
        self.end()
        return self.code

    def end(self) -> None:
        """Kill it if it still runs, after it has written where all its threads are; its code stays None then."""
        if not self.over:
            self._popen.send_signal(signal.SIGABRT)
            self._popen.wait()

    def descendants(self) -> list[psutil.Process]:
        """Processes that it has started and that these have started."""
        try:
            found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return []
        return found

    def send(self, number: int) -> None:
        """Send a signal to mpt itself, if it still runs."""
        if not self.over:
            self.signalled = self.signalled or time.monotonic()
            self._popen.send_signal(number)

    def handles(self, number: int) -> bool:
        """Whether it handles a signal by itself; before, in the first moments of Python, nobody could."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return False
        caught = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")]
        return bool(caught and caught[0] >> (number - 1) & 1)


@cache
def can_mount() -> bool:
    """Whether this user may mount a small disk."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    done = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return done.returncode == 0
