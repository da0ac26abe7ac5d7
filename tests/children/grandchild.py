"""Starts a process that keeps the pipes open, says its id, and ends; ``escape``: in a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys

child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session="escape" in sys.argv
)
os.write(1, f"{child.pid}\n".encode())
os._exit(7)
