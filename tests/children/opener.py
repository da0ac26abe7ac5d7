"""A worker that opens files as the real one does, and does what the names of others say."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from pathlib import Path

from mpt_cli.media.inspect import sandbox_child


def misbehave(name: str, path: str) -> None:
    """What a file with this name does to who opens it."""
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "once" and not Path(path).with_suffix(".seen").exists():
        Path(path).with_suffix(".seen").touch()
        os.kill(os.getpid(), signal.SIGKILL)
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
        path = json.loads(line)["path"] if line.strip() else ""
        for name in ("crash", "leave", "hang", "grow", "once"):
            if path.endswith(f"/{name}.mp4"):
                misbehave(name, path)
        return line


if __name__ == "__main__":
    sys.stdin = io.TextIOWrapper(Named(io.FileIO(0)))
    sys.argv[-1] = str(8 << 30)  # the system is to refuse nothing: the parent is tested
    sandbox_child.main()
