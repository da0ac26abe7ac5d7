"""Shortages: which errors of the system are a lack of room, and what they are called."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mpt_cli.model.errors import ExitCode, IssueCode, ResourceError
from mpt_cli.model.shortages import no_room, shortage_of, shortage_told

FULL, MEMORY = IssueCode.DISK_FULL, IssueCode.MEMORY_EXHAUSTED
PATH = Path("/reel.mp4")


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (failure(errno.ENOSPC), FULL),
        (failure(errno.EDQUOT), FULL),
        (failure(errno.EFBIG), FULL),
        (failure(errno.EMFILE), MEMORY),
        (failure(errno.ENFILE), MEMORY),
        (failure(errno.ENOMEM), MEMORY),
        (failure(errno.EAGAIN), MEMORY),
        (MemoryError(), MEMORY),
        (ImportError("libavcodec.so: failed to map segment from shared object"), MEMORY),
        (no_room("thread"), MEMORY),
    ],
    ids=str,
)
def test_shortage_ends_a_run_with_exit_code_7(error: Exception, code: IssueCode) -> None:
    shortage = shortage_of(error)
    assert shortage is not None
    assert (shortage.code, shortage.exit_code) == (code, ExitCode.RESOURCES)
    assert shortage.issue.hint


@pytest.mark.parametrize(
    "error", [failure(errno.EACCES), failure(errno.EIO), ImportError("No module named x"), RuntimeError(), ValueError()]
)
def test_other_errors_are_no_shortage(error: Exception) -> None:
    assert shortage_of(error) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_failed_write_names_its_file(number: int) -> None:
    shortage = shortage_of(failure(number), PATH)
    assert isinstance(shortage, ResourceError)
    assert shortage.issue.path == PATH
    assert shortage.issue.message.startswith("cannot be written: the ")


@pytest.mark.parametrize(
    ("said", "limited", "code"),
    [
        ("[vf#0:0] Error sending frames to consumers: Generic error in an external library", False, None),
        ("[vf#0:0] Error sending frames to consumers: Generic error in an external library", True, MEMORY),
        ("av_interleaved_write_frame(): No space left on device", False, FULL),
        ("Error writing trailer: File too large", False, FULL),
        ("[out#0/mp4] pthread_create() failed: Resource temporarily unavailable", False, MEMORY),
        ("Error opening input: Too many open files", False, MEMORY),
        ("Error while decoding: Cannot allocate memory", False, None),
        ("Error while decoding: Cannot allocate memory", True, MEMORY),
        ("MemoryError", True, MEMORY),
        ("x264 [error]: malloc of size 5635452 failed", True, MEMORY),
        ("Invalid data found when processing input", True, None),
    ],
)
def test_shortage_in_the_messages_of_a_program(said: str, limited: bool, code: IssueCode | None) -> None:
    shortage = shortage_told(said, limited=limited, crowded=False)
    assert (None if shortage is None else shortage.code) == code


@pytest.mark.parametrize(("crowded", "code"), [(True, MEMORY), (False, None)])
def test_encoder_without_a_reason_lacks_threads_where_few_are_allowed(crowded: bool, code: IssueCode | None) -> None:
    said = "[enc:libx264] Could not open encoder before EOF"
    shortage = shortage_told(said, limited=False, crowded=crowded)
    assert (None if shortage is None else shortage.code) == code
    assert shortage_told("Cannot allocate memory", limited=False, crowded=crowded) is None
