"""A worker that opens files as the real one does, and does what the names of others say."""

from __future__ import annotations

import io
import os
import signal
import sys
import time

from mpt_cli.media import worker


def misbehave(name: str) -> None:
    """What a file with this name does to who opens it."""
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "leave":
        sys.exit("the library lost its mind")
    if name == "hang":
        time.sleep(600)
    if name == "grow":
        held = []
        while True:
            held.append(bytearray(b"x" * (8 << 20)))
            time.sleep(0.01)


class Named(io.BufferedReader):
    """Stdin whose questions are looked at before they are answered."""

    def __next__(self) -> bytes:
        line = super().__next__()
        for name in ("crash", "leave", "hang", "grow"):
            if f"/{name}.mp4".encode() in line:
                misbehave(name)
        return line


if __name__ == "__main__":
    sys.stdin = io.TextIOWrapper(Named(io.FileIO(0)))
    sys.argv[-1] = str(8 << 30)  # the system is to refuse nothing: the parent is tested
    worker.main()
