"""``python -m mpt_cli`` and the console script ``mpt``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

INTERRUPTED = 130
"""The exit code of a run that SIGINT ended (``errors.ExitCode``, which may not be loaded yet)."""


def main() -> None:
    """Run the command line and exit with its code."""
    _fill_closed_streams()
    try:
        from mpt_cli.cli.entry import run  # takes long enough to be interrupted

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _fill_closed_streams() -> None:
    """Open what a daemon closed before it started us: Python has no such stream then.

    Without this the next file that is opened would get the stream's number, and be written to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end


if __name__ == "__main__":
    main()
