"""Kills a process at each of its operations on files, and prints what the next process leaves; a child of a test.

``python killed.py OPERATION FOLDER``: the operation runs in forks of this process. One fork after the other is
killed, each before a later event, and after each comes a fork that stands for the next run.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from mpt_cli.cli.marked_files import write_whole
from mpt_cli.storage.bounded_folder import Records
from mpt_cli.storage.publish import publish
from mpt_cli.storage.store import Store
from mpt_cli.storage.temp_files import run_folder, scratch_folder

EVENTS = {
    *("open", "os.mkdir", "os.link", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.listdir"),
    *("fcntl.flock", "shutil.rmtree", "os.scandir", "glob.glob"),
}


def _record(folder: Path) -> None:
    Records(folder / "records", r"[a-z0-9]+\.json", in_buckets=True).write("ab/c1.json", b"content")


def _side_file(folder: Path) -> None:
    write_whole(folder / "side.txt", "content", "content")


def _reel(folder: Path) -> None:
    publish(folder / "reel.mp4", b"content", overwrite=True)


def _own_reel(folder: Path) -> None:
    publish(folder / "own.mp4", b"content", overwrite=True, is_ours=lambda path: path.stat().st_size == 7)


def _entry(folder: Path) -> None:
    source = folder / "source"
    source.write_bytes(b"content")
    store = Store(folder / "store", limit_bytes=2**30)
    store.put("a" * 64, {"source": source})
    store.prune()
    store.clear()
    store.put("a" * 64, {"source": source})
    source.unlink()


def _writable_records(folder: Path) -> None:
    Records(folder / "records", r"[a-z0-9]+\.json").require_writable()


def _writable_store(folder: Path) -> None:
    Store(folder / "store", limit_bytes=2**30).require_writable()


def _run(folder: Path) -> None:
    with run_folder(folder, "run") as files:
        files.path("00000.mp4").write_bytes(b"segment")
        files.path("deep").mkdir()


def _scratch(folder: Path) -> None:
    with scratch_folder("trial", folder) as scratch:
        (scratch / "frames.mp4").write_bytes(b"frames")


OPERATIONS = {
    "record": _record,
    "side file": _side_file,
    "reel": _reel,
    "own reel": _own_reel,
    "entry": _entry,
    "writable records": _writable_records,
    "writable store": _writable_store,
    "run folder": _run,
    "scratch folder": _scratch,
}


def ended(operation: str, folder: Path, *, at: int, log: Path) -> bool:
    """Do an operation in a fork; return False if it was killed at this event, of which 0 is none."""
    child = os.fork()
    if not child:
        _work(operation, folder, at, log)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, f"{operation} failed"
    return not os.WIFSIGNALED(status)


def _work(operation: str, folder: Path, at: int, log: Path) -> None:
    seen, code = 0, 1

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in EVENTS:
            seen += 1
            if seen == at:
                os.write(descriptor, f"{at}. {event} {arguments[:2]}".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        sys.addaudithook(hear)
        OPERATIONS[operation](folder)
        code = 0
    finally:
        os._exit(code)


def files_in(folder: Path) -> list[str]:
    """Return what lies in a folder, by paths within; of folders only those that are hidden or unfinished."""
    paths = (path for path in folder.rglob("*") if path.is_file() or path.name.startswith((".", "unfinished-")))
    return sorted(str(path.relative_to(folder)) for path in paths)


def main(operation: str, folder: Path) -> None:
    """Print as JSON what an operation leaves, and what it leaves after another one was killed at each event."""
    log, found = folder.with_name(f"{folder.name}.log"), {}
    assert ended(operation, folder, at=0, log=log)
    whole = files_in(folder)
    number = 1
    while not ended(operation, folder, at=number, log=log):
        event = log.read_text(errors="replace")
        left = files_in(folder)
        assert ended(operation, folder, at=0, log=log)
        found[event] = [left, files_in(folder)]
        number += 1
    log.unlink()
    print(json.dumps({"whole": whole, "after": found}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
