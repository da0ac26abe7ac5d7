"""The live panel on real terminals: resized, paused by Ctrl-Z, and gone at the end."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, ROOT
from tests.fakes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PANEL = ROOT / "tests" / "children" / "panel.py"
CLIPS, OTHERS = 8, 3
"""Rows of a panel: one for each clip, and three for the whole run."""


def awaited(read: Callable[[], str], good: Callable[[str], bool]) -> str:
    """The first text that is good, or the last one that was not."""
    end = time.monotonic() + PATIENCE
    while not good(text := read()) and time.monotonic() < end:
        time.sleep(0.05)
    return text


class Tmux:
    """A terminal of 100 columns and 30 lines in which the panel runs below two lines of the user."""

    def __init__(self, folder: Path, *, lines: int) -> None:
        """Start it behind this many lines of the user."""
        self._socket, self._stop = folder / "tmux", folder / "stop"
        said = f"for i in $(seq {lines}); do echo user line $i; done"
        panel = f"{sys.executable} -P {PANEL} {self._stop}"
        self("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", f"{said}; {panel}; echo done; cat")

    def __call__(self, *arguments: str) -> str:
        """Run a command of tmux."""
        command = ["tmux", "-S", str(self._socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout

    def screen(self, *, history: bool = False) -> str:
        """What is on the screen, or also above it."""
        return self("capture-pane", "-p", *(("-S", "-") if history else ()))

    def resize(self, columns: int, lines: int) -> None:
        """Change its size."""
        self("resize-window", "-x", str(columns), "-y", str(lines))

    def stop(self) -> None:
        """Let the panel end."""
        self._stop.touch()


@pytest.fixture(params=[2, 60], ids=["on an empty screen", "at the bottom"])
def tmux(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tmux]:
    """A terminal whose panel begins near its top, or at its bottom."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Tmux(tmp_path, lines=request.param)
    yield terminal
    terminal("kill-server")


def rows_of(screen: str) -> list[str]:
    """Lines of a panel that are on a screen."""
    return [line for line in screen.splitlines() if line and not line.startswith(("user line", "done"))]


def fits(columns: int, lines: int, screen: str) -> bool:
    """Whether a screen holds one panel that was drawn for this size, and nothing of another one."""
    texts = [line.strip() for line in rows_of(screen)]
    totals = sum(text.startswith("encoding") for text in texts)
    most = min(CLIPS + OTHERS, lines - 1)
    return totals == 1 and len(texts) <= most and max(map(len, texts)) <= columns


@pytest.mark.parametrize(
    "sizes", [[(50, 30), (100, 30), (100, 8), (100, 40)], [(40, 12), (30, 6), (120, 30), (60, 30), (100, 20)]]
)
def test_a_resized_panel_leaves_no_old_rows(tmux: Tmux, sizes: list[tuple[int, int]]) -> None:
    awaited(tmux.screen, lambda screen: len(rows_of(screen)) >= CLIPS)
    for columns, lines in sizes:
        tmux.resize(columns, lines)
        screen = awaited(tmux.screen, partial(fits, columns, lines))
        assert fits(columns, lines, screen), screen
    tmux.stop()
    awaited(tmux.screen, lambda screen: "done" in screen)
    tmux.resize(150, 50)
    left = tmux.screen(history=True)
    assert rows_of(left) == []
    assert left.count("user line") in (2, 60)


def test_ctrl_z_gives_the_terminal_back_until_the_run_goes_on(tmp_path: Path) -> None:
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    stop, sent = tmp_path / "stop", b""

    def read_until(wanted: bytes) -> None:
        nonlocal sent
        while wanted not in sent:
            assert select.select([master], [], [], PATIENCE)[0], sent
            sent += os.read(master, 65536)

    with subprocess.Popen([sys.executable, "-P", PANEL, stop], stderr=slave, stdin=subprocess.DEVNULL) as process:
        os.close(slave)
        read_until(b"encoding")
        process.send_signal(signal.SIGTSTP)
        read_until(b"\x1b[?1049l\x1b[?25h")
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        assert sent.endswith(b"\x1b[?1049l\x1b[?25h")
        sent = b""
        process.send_signal(signal.SIGCONT)
        read_until(b"encoding")
        assert sent.startswith(b"\x1b[?1049h\x1b[?25l")
        stop.touch()
        read_until(b"\x1b[?1049l\x1b[?25h")
        assert process.wait(LIMIT_SECONDS) == 0
    os.close(master)
