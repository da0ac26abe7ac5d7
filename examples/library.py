"""Join clips into one reel from a Python program, with progress, cancellation and errors.

python examples/library.py reel.mp4 a.mp4 b.mov
"""

import signal
import sys

from mpt_cli import CancelToken, ClipProgress, Event, ModuleFactory, RunContext, VideoClip, VideoParams


def show(event: Event) -> None:  # called from several threads
    if isinstance(event, ClipProgress):
        print(f"clip {event.index + 1}: {event.done_seconds:.1f} s")


def main(output: str, *paths: str) -> int:
    cancel = CancelToken()  # a button or another thread may call cancel.cancel() too
    signal.signal(signal.SIGINT, lambda number, _frame: cancel.cancel(number))
    clips = [VideoClip(path, start=0.25) for path in paths]
    params = VideoParams(clips, output, dimensions=(1080, 1920), frame_rate=30, quality="draft")
    orchestrator = ModuleFactory().create_video_orchestrator()
    result = orchestrator.process_video_request(params, context=RunContext(emit=show, cancel=cancel))
    for issue in (*result.errors, *result.warnings):
        print(issue.code, issue.text())
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
