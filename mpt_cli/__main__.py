"""``python -m mpt_cli`` and the console script ``mpt``."""

from __future__ import annotations

import os
import sys

from mpt_cli.cli.stop_signals import ignore_signals, note_signals


def main() -> None:
    """Run the command line and exit with its code; from then on the process ignores stops."""
    note_signals()
    _fill_closed_streams()
    from mpt_cli.cli.entry import run  # takes 0.3 s, in which a signal is noted

    code = run(sys.argv[1:])
    ignore_signals()
    sys.exit(code)


def _fill_closed_streams() -> None:
    """Open what a daemon closed before it started us: Python has no such stream then.

    Without this the next file that is opened would get the stream's number, and be written to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - pathlib takes 8 ms; to the end
            setattr(sys, name, stream)


if __name__ == "__main__":
    main()
