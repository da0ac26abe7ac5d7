"""Draws the live panel of eight clips on its stderr, and anew every few milliseconds, until a file is there."""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path

from mpt_cli.display.base import console
from mpt_cli.display.panel.live import LiveDisplay
from mpt_cli.runtime import events

CLIPS = 8

with LiveDisplay(console(sys.stderr, aside=True)) as display:
    display.emit(events.RunStarted("process", "w", CLIPS))
    display.emit(events.ValidationFinished(CLIPS, 0, 300.0))
    for index in range(CLIPS):
        path = Path(f"/x/a clip with a name that fills the row {index}.mp4")
        display.emit(events.ClipStarted(index, path, "encode", 1e6))
    for tick in count():
        if Path(sys.argv[1]).exists():
            break
        display.emit(events.ClipProgress(tick % CLIPS, float(tick), 1.0, 2**20 * tick))
        time.sleep(0.01)
