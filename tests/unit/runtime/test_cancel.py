from __future__ import annotations

import signal
import threading

import pytest

from mpt_cli.model.errors import Cancelled, ExitCode
from mpt_cli.runtime.cancel import CancelToken


def test_a_new_token_is_not_cancelled() -> None:
    token = CancelToken()
    token.raise_if_cancelled()
    assert (token.cancelled, token.forced, token.signal_number) == (False, False, None)
    assert not token.wait(0)


def test_the_first_cancel_asks_and_the_second_forces() -> None:
    token = CancelToken()
    token.cancel(signal.SIGTERM)
    assert (token.cancelled, token.forced) == (True, False)
    token.cancel(signal.SIGINT)
    assert (token.cancelled, token.forced) == (True, True)
    assert token.signal_number == signal.SIGTERM, "the first signal decides the exit code"


def test_raise_if_cancelled() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled) as caught:
        token.raise_if_cancelled()
    assert caught.value.exit_code is ExitCode.SIGINT


def test_wait_returns_at_once_when_cancelled() -> None:
    token = CancelToken()
    threading.Thread(target=token.cancel).start()
    assert token.wait(60)


def test_every_cancel_wakes_who_is_registered() -> None:
    token, woken = CancelToken(), []
    with token.waking(lambda: woken.append("first")), token.waking(lambda: woken.append("second")):
        assert woken == []
        token.cancel()
        assert woken == ["first", "second"]
        token.cancel()
    assert woken == ["first", "second"] * 2
    token.cancel()
    assert woken == ["first", "second"] * 2, "who has left is not woken"


def test_who_registers_too_late_is_woken_at_once() -> None:
    token, woken = CancelToken(), []
    token.cancel()
    with token.waking(lambda: woken.append(1)):
        assert woken == [1]


def test_an_error_inside_unregisters() -> None:
    token, woken = CancelToken(), []
    with pytest.raises(ZeroDivisionError), token.waking(lambda: woken.append(1)):
        raise ZeroDivisionError
    token.cancel()
    assert woken == []


def test_a_signal_handler_may_cancel() -> None:
    token = CancelToken()
    before = signal.signal(signal.SIGTERM, lambda number, _frame: token.cancel(number))
    try:
        signal.raise_signal(signal.SIGTERM)
        assert token.wait(60)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert token.signal_number == signal.SIGTERM
