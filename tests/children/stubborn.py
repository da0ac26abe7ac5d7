"""Ignores SIGINT and SIGTERM, and says which one came."""

from __future__ import annotations

import os
import signal
import time


def say(number: int, _frame: object) -> None:
    os.write(1, f"{signal.Signals(number).name}\n".encode())


signal.signal(signal.SIGINT, say)
signal.signal(signal.SIGTERM, say)
os.write(1, f"{os.getpid()}\n".encode())
while True:
    time.sleep(3600)
