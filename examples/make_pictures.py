"""Makes the pictures in ``examples/pictures`` from a real run over ``examples/clips``.

    python examples/make_pictures.py [FOLDER [OPTIONS OF mpt process ...]]

* ``panel.svg``: what a terminal of 80 columns shows in the midst of the run and at its end, as it
  was read from a pseudo terminal; only the folder of the run is called ``~``
* ``sheet.jpg``: the contact sheet of the reel

Needs a Unix and the packages that mpt needs. The SVG loads nothing: its fonts are names of what readers have.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess  # noqa: TID251 - a script of its own, not a part of mpt
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console  # noqa: TID251
from rich.terminal_theme import TerminalTheme  # noqa: TID251
from rich.text import Text  # noqa: TID251

EXAMPLES = Path(__file__).resolve().parent
COLUMNS, LINES = 80, 24
COMMAND = ("mpt", "process", "clips", "-o", "reel.mp4", "--preset", "tiktok", "--contact-sheet", "sheet.jpg")
INK, PAPER = (225, 230, 236), (22, 27, 34)
RED, GREEN, YELLOW, BLUE = (255, 123, 114), (86, 211, 100), (227, 179, 65), (121, 192, 255)
MAGENTA, CYAN = (210, 168, 255), (86, 212, 221)
DARK = TerminalTheme(PAPER, INK, [PAPER, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, INK])
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>mpt process in a terminal: the panel while it runs, and the summary when it is done</title>
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', \
monospace; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def in_terminal(folder: Path, *options: str) -> str:
    """Everything that a run in this folder writes to its terminal."""
    home = {
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "home"),
    }
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "COLUMNS", "LINES", "NO_COLOR")}
    # Two clips at a time, whatever this machine could do: the picture shows running and finished ones.
    environment = kept | home | {"TERM": "xterm-256color", "MPT_PROCESSING__JOBS": "2"}
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    argv = [sys.executable, "-P", "-m", "mpt_cli", *COMMAND[1:], *options]
    with subprocess.Popen(argv, cwd=folder, stdin=far, stdout=far, stderr=far, env=environment) as process:
        os.close(far)
        written = b"".join(iter(lambda: _read(near), b""))
        os.close(near)
    if process.returncode != 0:
        sys.exit(f"mpt ended with {process.returncode}:\n{written.decode()}")
    return written.decode().replace("\r\n", "\n").replace(str(folder), "~")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def pictures_of(written: str) -> tuple[str, str]:
    """Return the most telling panel of a run, and what stayed at its end, with their colours.

    A panel is written from its first line to its last, while the terminal wraps no lines.
    """
    drawn = re.findall(r"\x1b\[\?7l(.*?)\x1b\[\?7h", written, re.DOTALL)
    panels = [re.sub(r"\x1b\[[JK]", "", panel) for panel in drawn]
    return max(panels, key=_telling), written.rpartition("\x1b[?25h")[2].rstrip("\n")


def _telling(panel: str) -> tuple[bool, bool, int]:
    """How much there is to see: clips at work beside finished ones, how long it will take, how far clips are."""
    running = [int(share) for share in re.findall(r"▸.* (\d+)%", Text.from_ansi(panel).plain)]
    return len(running) == 2 and "✓" in panel, " left" in panel, min(running, default=0)


def draw(panel: str, summary: str) -> str:
    """Both as one SVG."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(file=nowhere, record=True, width=COLUMNS, force_terminal=True, color_system="standard")
        parts = (f"$ {' '.join(COMMAND)}", panel, "\x1b[2m ... and when it is done:\x1b[0m", summary)
        for number, part in enumerate(parts):
            if number > 1:
                console.print()
            console.print(Text.from_ansi(part), soft_wrap=True)
        console.print()  # rich cuts off the feet of the last line
        return console.export_svg(title="", theme=DARK, code_format=SVG, unique_id="mpt")


def main() -> None:
    """Make both."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else EXAMPLES / "pictures").absolute()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copytree(EXAMPLES / "clips", folder / "clips")
        svg = draw(*pictures_of(in_terminal(folder, *sys.argv[2:])))
        (target / "panel.svg").write_text(svg, encoding="utf-8")
        shutil.copyfile(folder / "sheet.jpg", target / "sheet.jpg")
    for picture in ("panel.svg", "sheet.jpg"):
        print(f"{picture}: {(target / picture).stat().st_size} bytes")  # noqa: T201 - the script's answer


if __name__ == "__main__":
    main()
