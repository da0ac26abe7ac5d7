"""Runs commands, as many at a time as there are cores: ``encode_child.py TASK.json``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main(task: Path) -> int:
    """Run the commands of a file; the first exit code that is not 0 is that of the program."""
    commands = json.loads(task.read_text(encoding="utf-8"))["work"]
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        codes = list(executor.map(subprocess.call, commands))
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
