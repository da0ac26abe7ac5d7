"""A program that uses the library as its users do, and reports what the library changed about it.

``host.py PIPE quiet OUTPUT CLIP…``   two runs at once in threads of their own; says what differs afterwards
``host.py PIPE interrupted OUTPUT CLIP…``   a run in the main thread, which handles no signal; says when clips start
"""

from __future__ import annotations

import gc
import json
import locale
import logging
import os
import resource
import signal
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpt_cli import Event


def state() -> dict[str, Any]:
    """Everything about a process that a library has no business with."""
    root = logging.getLogger()
    return {
        "signals": [repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "wakeup": signal.set_wakeup_fd(-1),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": [repr(root.handlers), root.level, logging.root.manager.disable],
        "logger": [logging.getLogger("mpt_cli").level, logging.getLogger("mpt_cli").propagate],
        "libav": [repr(logging.getLogger("libav").handlers), logging.getLogger("libav").level],
        "warnings": repr(warnings.filters),
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "mask of files": (mask := os.umask(0), os.umask(mask))[0],
        "hooks": [repr(hook) for hook in (sys.excepthook, sys.unraisablehook, threading.excepthook)],
        "path": sys.path.copy(),
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_DATA)],
        "recursion": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "gc": [gc.isenabled(), gc.get_threshold()],
        "nice": os.nice(0),
        "files": _open_files(),
    }


def _open_files() -> list[str]:
    """What this process has open, without the look at it."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return sorted(name for name in found if not name.startswith("/proc/"))


def quiet(output: Path, clips: list[str]) -> None:
    """Run two requests at once, with one orchestrator, while logging is not set up."""
    before = state()
    from mpt_cli import ModuleFactory, Settings, VideoParams

    orchestrator = ModuleFactory(Settings(video={"size": "64x36"})).create_video_orchestrator()
    results: dict[int, Any] = {}

    def run(number: int) -> None:
        target = output.with_stem(f"{output.stem}-{number}")
        results[number] = orchestrator.process_video_request(VideoParams([*clips, "missing.mp4"][: 2 + number], target))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = state()
    changed = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    rest = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    os.write(int(sys.argv[1]), json.dumps([[results[n].status for n in range(2)], changed, rest]).encode())


def interrupted(output: Path, clips: list[str]) -> None:
    """Run a request, and end as Python does where nobody handles Ctrl-C."""
    from mpt_cli import CancelToken, ClipStarted, ModuleFactory, RunContext, RunFinished, Settings, VideoParams

    cancel = CancelToken()

    def hear(event: Event) -> None:
        if isinstance(event, ClipStarted | RunFinished):
            os.write(int(sys.argv[1]), f"{event.type} {getattr(event, 'status', '')}".rstrip().encode() + b"\n")

    config = Settings(encode={"preset": "placebo"}, video={"size": "1280x720", "fps": 60})
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    try:
        orchestrator.process_video_request(VideoParams(clips, output), context=RunContext(emit=hear, cancel=cancel))
    except KeyboardInterrupt:
        os.write(int(sys.argv[1]), f"interrupted {cancel.cancelled}\n".encode())


if __name__ == "__main__":
    {"quiet": quiet, "interrupted": interrupted}[sys.argv[2]](Path(sys.argv[3]), sys.argv[4:])
