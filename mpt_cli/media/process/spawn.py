"""Start of a child process: its program, its environment, and the thread that starts it.

Starts nothing by itself. Imports only ``model`` and ``runtime``.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpt_cli.model.errors import DependencyError
from mpt_cli.model.shortages import shortage_of
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


# What a child may see of our environment; the rest can hold secrets.
_NAMES = {
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "LANG", "LANGUAGE", "TZ"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
    *("PROGRAMDATA", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "FFMPEG_BINARY", "IMAGEIO_FFMPEG_EXE"),
}
_PREFIXES = ("LC_", "XDG_", "CUDA_", "NVIDIA_", "LIBVA_", "VDPAU_", "FONTCONFIG_", "OPENBLAS_", "OMP_", "MKL_")
_ROOT = str(Path(__file__).parents[3])


def child_environment() -> dict[str, str]:
    """Return the allowed part of our environment, without colours in ffmpeg's messages and without a shader cache.

    Mesa's drivers would create ``mesa_shader_cache`` in the user's cache folder at each trial of a hardware encoder.
    """
    allowed = {
        name: value for name, value in os.environ.items() if name.upper() in _NAMES or name.startswith(_PREFIXES)
    }
    return allowed | {"AV_LOG_FORCE_NOCOLOR": "1", "MESA_SHADER_CACHE_DISABLE": "1"}


def child_python(module: str, function: str = "main") -> tuple[str, ...]:
    """Return the command that calls a function of one of our modules in a Python of its own.

    It writes bytecode only if we do. With ``-P``, because a ``json.py`` in the user's folder would be executed in
    place of Python's own. Our own folder comes last in the child's path, because it may hold any other module.
    """
    code = f"import sys; sys.path.append({_ROOT!r}); from {module} import {function}; {function}()"
    return sys.executable, *(("-B",) if sys.dont_write_bytecode else ()), "-P", "-c", code


def find_program(program: str, cwd: Path | None) -> str:
    """Return the absolute path of a program.

    Raises:
        DependencyError: The program is missing or cannot be executed.
    """
    location = program if Path(program).name == program else str(Path(cwd or "", program).absolute())
    if found := shutil.which(location):
        return str(Path(found).absolute())
    if shutil.which(location, mode=os.F_OK):
        raise not_executable(program)
    raise DependencyError(f"{program} was not found", hint="install it, or give its path")


def looks_executable(program: str) -> bool:
    """Return True if the file begins like one that Linux executes without help."""
    try:
        with Path(program).open("rb", 0) as file:
            return file.read(4).startswith((b"\x7fELF", b"#!"))
    except OSError:  # executable, not readable
        return False


def not_executable(program: str) -> DependencyError:
    """Return the error for a program that exists and cannot be executed."""
    hint = "make it executable, or install one made for this system"
    return DependencyError(f"{program} cannot be executed", hint=hint)


def start_error(error: OSError, program: str) -> Exception:
    """Return the error of mpt for a failed start; the error itself when it is not about the program."""
    if (shortage := shortage_of(error)) is not None:
        return shortage
    if error.errno in {errno.ENOEXEC, errno.EACCES}:
        return not_executable(program)
    return error


def signal_group(popen: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process group; nothing happens if it has ended."""
    with contextlib.suppress(OSError):  # it ended by itself
        if sys.platform != "win32":
            os.killpg(popen.pid, number)
        elif number == signal.SIGINT:  # pragma: no cover - the counterpart
            popen.send_signal(signal.CTRL_BREAK_EVENT)
        else:  # pragma: no cover - the counterpart
            popen.kill()


class Spawner:
    """Thread that starts child processes; Linux ties a parent-death signal to it.

    That signal comes when the *thread* that started the child ends. So it is a thread that ends
    with the program, and none of a pool's.
    """

    def __init__(self) -> None:
        """Start the thread."""
        self._requests: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        start_thread(threading.Thread(target=self._serve, name="spawner", daemon=True))

    def call(self, start: Callable[[], T], *, discard: Callable[[T], None]) -> T:
        """Call ``start`` in the thread and return its result, or raise its exception.

        If the wait is interrupted (Ctrl-C), ``discard`` gets the result, because no caller will know of it.
        """
        future: Future[T] = Future()
        self._requests.put((future, start))
        try:
            return future.result()
        except BaseException:
            future.add_done_callback(lambda done: None if done.exception() else discard(done.result()))
            raise

    def close(self) -> None:
        """End the thread, and with it all children that it started."""
        self._requests.put(None)

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            future, start = request
            try:
                future.set_result(start())
            except BaseException as error:  # raised by ``call``
                future.set_exception(error)
            del request, future, start  # or they live until the next request


class _Spawners:
    """The spawner of each process: of us, and of what was forked from us."""

    def __init__(self) -> None:
        self._known: dict[int, Spawner] = {}

    def of(self, process_id: int) -> Spawner:
        """Return the spawner of a process.

        Of two threads that ask at once, the later one ends the spawner that it created. A lock could be held by a
        thread that a fork does not inherit.
        """
        if (known := self._known.get(process_id)) is not None:
            return known
        new = Spawner()
        first = self._known.setdefault(process_id, new)
        if first is not new:
            new.close()
        return first


_spawners = _Spawners()


def spawner_of(process_id: int) -> Spawner:
    """Return the spawner of our process; a forked child gets its own, because a fork inherits no threads."""
    return _spawners.of(process_id)


@functools.cache
def death_signal() -> tuple[str, ...]:
    """Return the command prefix that makes a Linux child die with us; empty where there is no such program."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    launcher = (setpriv, "--pdeathsig", "KILL", "--")
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        # BusyBox has a setpriv that does not know this signal.
        trial = subprocess.run([*launcher, setpriv, "--version"], capture_output=True, timeout=5, check=False)
        if trial.returncode == 0:
            return launcher
    return ()
