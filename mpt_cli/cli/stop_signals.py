"""Signals that ask mpt to stop, heard from the first line of the program to its last."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # that of typing takes 5 ms, in which no stop would be heard
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeAlias

    Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None

HANG_UP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, HANG_UP})
_PATIENCE = 2
_WAKE_AFTER_SECONDS = (0.0, 0.05, 0.5)


class NotedSignals:
    """Handler that notes signals while nothing can be stopped, such as the imports of the first 0.3 s.

    An exception in the middle of an import would end in a traceback, and the default of SIGTERM without an
    answer. :class:`StopSignals` passes the noted signals on.
    """

    def __init__(self) -> None:
        """Start without signals."""
        self._numbers: list[int] = []

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal; after two of them a third one ends a program that hangs here."""
        self._numbers.append(number)
        if len(self._numbers) >= _PATIENCE:
            signal.signal(number, signal.SIG_DFL)

    def take(self) -> list[int]:
        """Return the numbers of the signals that nobody has heard, once."""
        taken, self._numbers = self._numbers, []
        return taken


def note_signals() -> None:
    """Note the signals that ask for a stop until :class:`StopSignals` hears them.

    An ignored signal stays ignored: ``nohup`` starts a program that outlives its terminal.
    """
    _handle(NotedSignals())


def ignore_signals() -> None:
    """Ignore stops from now on: the answer is written, and the exit code belongs to it.

    Python itself puts its own handlers back before its last steps, and keeps only this.
    """
    _handle(signal.SIG_IGN)


class StopSignals:
    """Context in which a function is called for each signal that asks for a stop, in the main thread only."""

    def __init__(self, stop: Callable[[int, FrameType | None], None]) -> None:
        """Call this function."""
        self._stop = stop
        self._before: dict[signal.Signals, Handler] = {}
        self._waker: _MainThreadWaker | None = None

    def __enter__(self) -> None:
        """Hear signals from now on; those that were noted before come first."""
        self._before = _handle(self._stop)
        if self._before and hasattr(signal, "pthread_kill"):
            self._waker = _waker()
        for noted in {handler for handler in self._before.values() if isinstance(handler, NotedSignals)}:
            for number in noted.take():
                self._stop(number, None)

    def __exit__(self, *_error: object) -> None:
        """Put the handlers back.

        Where signals were noted, the answer is decided now, and all further ones are ignored: they could only
        change the exit code and not what was answered.
        """
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if isinstance(handler, NotedSignals) else handler)
        if self._waker is not None:
            self._waker.close()


class _MainThreadWaker:
    """Thread that wakes the main thread after a stop signal.

    Python calls a handler in the main thread, between two of its steps. A signal that comes after the last step
    before a wait for a lock, or that the system gives to another thread, would be heard only when the wait ends.
    Python also reports each signal to a pipe, at once; this thread reads it and interrupts the wait with SIGURG,
    which nobody else uses.
    """

    def __init__(self) -> None:
        """Start the thread; the caller is the main thread.

        Raises:
            OSError: No further pipe may be opened.
            ResourceError: The system has no room for another thread.
        """
        from threading import Event, Thread, get_ident

        from mpt_cli.runtime.threads import start_thread

        self._main, self._over = get_ident(), Event()
        self._read, self._write = os.pipe()
        self._thread = Thread(target=self._serve, name="stop-signals", daemon=True)
        try:
            start_thread(self._thread)
        except BaseException:
            self._close_pipe()
            raise
        os.set_blocking(self._write, False)
        self._before = signal.signal(signal.SIGURG, _nothing), signal.set_wakeup_fd(self._write)

    def close(self) -> None:
        """End the thread and put back what was changed."""
        handler, descriptor = self._before
        signal.set_wakeup_fd(descriptor)
        self._over.set()
        os.write(self._write, b"\0")
        self._thread.join()
        signal.signal(signal.SIGURG, handler)
        self._close_pipe()

    def _close_pipe(self) -> None:
        os.close(self._read)
        os.close(self._write)

    def _serve(self) -> None:
        while not self._over.is_set():
            if os.read(self._read, 1)[0] in STOP_SIGNALS:
                for seconds in _WAKE_AFTER_SECONDS:
                    if self._over.wait(seconds):
                        return
                    signal.pthread_kill(self._main, signal.SIGURG)


def _waker() -> _MainThreadWaker | None:
    """Return a waker; None where the system has no room for it: a stop is then heard later."""
    from mpt_cli.model.errors import ResourceError

    try:
        return _MainThreadWaker()
    except (OSError, ResourceError):
        return None


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; a signal without a handler interrupts no wait."""


def _handle(handler: Handler) -> dict[signal.Signals, Handler]:
    """Set the handler of all stop signals that are not ignored, and return those before it; none in another thread."""
    found = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    before: dict[signal.Signals, Handler] = {
        number: known for number, known in found.items() if known not in (signal.SIG_IGN, None)
    }
    try:
        for number in before:
            signal.signal(number, handler)
    except ValueError:  # not in the main thread, which alone may do this
        return {}
    return before
