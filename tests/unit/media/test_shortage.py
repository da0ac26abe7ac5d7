"""Shortages of libav and of child processes, told from what is wrong with a file."""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.process.shortage import (
    are_few_processes_allowed,
    can_start_thread,
    child_shortage,
    is_address_space_limited,
    libav_shortage,
)
from mpt_cli.model.errors import IssueCode, ResourceError

if TYPE_CHECKING:
    from pathlib import Path

FULL, MEMORY = IssueCode.DISK_FULL, IssueCode.MEMORY_EXHAUSTED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def code_of(shortage: ResourceError | None) -> IssueCode | None:
    return None if shortage is None else shortage.code


@pytest.mark.parametrize("error", [MemoryError(), failure(errno.ENOMEM)])
@pytest.mark.parametrize(("limited", "code"), [(True, MEMORY), (False, None)])
def test_memory_refused_to_a_file_is_a_shortage_under_a_limit(
    error: Exception, limited: bool, code: IssueCode | None
) -> None:
    assert code_of(libav_shortage(error, limited=lambda: limited)) == code


@pytest.mark.parametrize(("has_room", "code"), [(False, MEMORY), (True, None)])
def test_wait_of_libav_is_a_shortage_where_no_thread_starts(has_room: bool, code: IssueCode | None) -> None:
    assert code_of(libav_shortage(failure(errno.EAGAIN), has_room=lambda: has_room)) == code


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, FULL), (errno.EMFILE, MEMORY), (errno.EINVAL, None)])
def test_other_errors_of_libav(number: int, code: IssueCode | None) -> None:
    assert code_of(libav_shortage(failure(number))) == code


@pytest.mark.parametrize(
    ("returncode", "said", "limited", "code"),
    [
        (-signal.SIGXFSZ, "", False, FULL),
        (1, "File too large", False, FULL),
        (228, "No space left on device", False, FULL),
        (245, "Resource temporarily unavailable", False, MEMORY),
        (-signal.SIGSEGV, "", True, MEMORY),
        (-signal.SIGSEGV, "", False, None),
        (-signal.SIGKILL, "", True, None),
        (1, "Invalid data found", True, None),
        (0, "No space left on device", True, None),
    ],
)
def test_end_of_a_child_by_a_shortage(returncode: int, said: str, limited: bool, code: IssueCode | None) -> None:
    assert code_of(child_shortage(returncode, said, limited=lambda: limited, crowded=lambda: False)) == code


@pytest.mark.parametrize("version", ["pids.max", "pids/pids.max"])
@pytest.mark.parametrize(("limit", "few"), [("100\n", True), ("2048\n", False), ("max\n", False)])
def test_limit_of_processes_of_a_container(tmp_path: Path, version: str, limit: str, few: bool) -> None:
    path = tmp_path / "sys/fs/cgroup" / version
    path.parent.mkdir(parents=True)
    path.write_text(limit)
    assert are_few_processes_allowed(tmp_path) is few


def test_a_machine_with_room_has_no_shortage() -> None:
    assert can_start_thread()
    assert not is_address_space_limited()
