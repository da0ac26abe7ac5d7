"""The guard of the receiver of events: the first exception stops the run, and no thread of it."""

from __future__ import annotations

import threading

import pytest

from mpt_cli.model.errors import IssueCode
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatStarted, Event, RunContext
from mpt_cli.runtime.guarded_emit import guarded
from tests.fakes import PATIENCE, ListEmit


class Raises:
    """A receiver that raises each time, and counts."""

    def __init__(self, error: BaseException) -> None:
        self.error, self.calls = error, 0

    def __call__(self, _event: Event) -> None:
        self.calls += 1
        raise self.error


def in_thread(work: threading.Thread) -> None:
    work.start()
    work.join(PATIENCE)


def test_events_are_passed_on_and_a_second_guard_is_not_added() -> None:
    emit = ListEmit()
    context, guard = guarded(RunContext(emit=emit))
    context.emit(ConcatStarted())
    assert emit.events == [ConcatStarted()]
    assert guard.error() is None
    assert guarded(context) == (context, guard)


def test_exception_stops_this_run_alone_and_the_receiver(caplog: pytest.LogCaptureFixture) -> None:
    token, emit = CancelToken(), Raises(ValueError("no\nroom" * 100))
    context, guard = guarded(RunContext(emit=emit, cancel=token))
    context.emit(ConcatStarted())
    context.emit(ConcatStarted())
    assert emit.calls == 1
    assert (context.cancel.cancelled, token.cancelled, guard.stopped_by_caller) == (True, False, False)
    error = guard.error()
    assert error is not None
    assert error.code is IssueCode.CALLBACK_FAILED
    assert "raised ValueError: no room" in str(error)
    assert len(str(error)) < 300
    assert "Traceback" in caplog.text


def test_stop_of_the_caller_reaches_the_run() -> None:
    token = CancelToken()
    context, guard = guarded(RunContext(cancel=token))
    token.cancel(2)
    assert (context.cancel.cancelled, context.cancel.signal_number, guard.stopped_by_caller) == (True, 2, True)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_the_host_program_goes_its_way_only_in_the_thread_of_the_run(error: BaseException) -> None:
    context, guard = guarded(RunContext(emit=Raises(error)))
    with pytest.raises(type(error)):
        context.emit(ConcatStarted())
    assert guard.failure is None
    in_thread(threading.Thread(target=context.emit, args=(ConcatStarted(),)))  # where nobody would hear of it
    assert guard.failure is error
