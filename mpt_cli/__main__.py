"""``python -m mpt_cli`` and the console script ``mpt``."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from mpt_cli.cli.stop_signals import ignore_signals, note_signals
from mpt_cli.model.version import __version__

_BYTECODE_BYTES = 32 << 20
"""Bytecode of mpt and of all that it imports takes less."""


def main() -> None:
    """Run the command line and exit with its code; from then on the process ignores stops."""
    note_signals()
    _fill_closed_streams()
    _buffer_stdout()
    _spare_bytecode()
    try:
        from mpt_cli.cli.entry import run  # takes 0.3 s, in which a signal is noted

        code = run(sys.argv[1:])
    except (EOFError, ImportError, MemoryError, OSError, SystemError, ValueError) as error:  # no word of mpt is loaded
        code = _report_unloaded(error)
    ignore_signals()
    sys.exit(code)


def _spare_bytecode() -> None:
    """Write no bytecode where it could be cut off, by ``ulimit -f`` or on a full disk.

    Python before 3.14 does not notice that it wrote only a part, and can no longer load the module from then on.
    """
    sys.dont_write_bytecode = sys.dont_write_bytecode or _may_cut_files_off()


def _may_cut_files_off() -> bool:
    if sys.platform == "win32":
        return False
    import resource

    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        return True
    with suppress(OSError):
        disk = os.statvfs(__file__)
        return disk.f_bavail * disk.f_frsize < _BYTECODE_BYTES
    return False


def _report_unloaded(error: Exception) -> int:
    """Report that mpt itself could not be loaded, with nothing but Python; return the exit code."""
    missing = isinstance(error, (EOFError, ModuleNotFoundError, ValueError))  # or there, but cut off
    code, exit_code = ("dependency_missing", 6) if missing else ("memory_exhausted", 7)
    hint = "install mpt-cli again" if missing else "allow more memory (ulimit -v) and open files (ulimit -n)"
    message = f"mpt cannot be loaded ({str(error) or type(error).__name__})"
    with suppress(ImportError, MemoryError, OSError):
        if {"--json", "--jsonl"} & set(sys.argv[1:]):
            import json
            import platform

            issue = {"code": code, "message": message, "path": None, "hint": hint}
            tool = {"mpt": __version__, "ffmpeg": None, "python": platform.python_version()}
            facts = {"command": "mpt", "status": "error", "exit_code": exit_code}
            document = {"schema": "mpt.result/1", "tool": tool, **facts, "data": {}, "warnings": [], "errors": [issue]}
            sys.stdout.write(f"{json.dumps(document)}\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(f"error: {message} ({code})\n  hint: {hint}\n")
    return exit_code


def _buffer_stdout() -> None:
    """Give stdout the buffer that PYTHONUNBUFFERED takes from it.

    A write without a buffer does not report that a full disk took only a part, so that half an answer was a success.
    """
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        sys.stdout.flush()
        sys.stdout = open(  # noqa: SIM115 - open to the end
            sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, closefd=False
        )


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
