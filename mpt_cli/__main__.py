"""``python -m mpt_cli`` and the console script ``mpt``."""

from __future__ import annotations

import sys

from mpt_cli.cli.entry import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
