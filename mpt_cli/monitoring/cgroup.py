"""Limits of the control groups of this process, which psutil does not read: memory and processor time.

Formats: ``proc_pid_cgroup(5)``, ``proc_pid_mountinfo(5)``, and in the kernel's documentation
``admin-guide/cgroup-v2.rst`` (``memory.max``, ``memory.high``, ``cpu.max``), ``cgroup-v1/memory.rst`` and
``scheduler/sched-bwc.rst`` (``cpu.cfs_quota_us``). A limit of a group holds for all groups below it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LIMIT_BYTES = 2**60
"""Version 1 writes "no limit" as the largest page multiple below 2**63."""

_MEMORY_FILES = {"cgroup2": ("memory.max", "memory.high"), "cgroup": ("memory.limit_in_bytes",)}


def memory_limit_bytes(root: Path = Path("/")) -> int | None:
    """Return the smallest limit of this process's own groups and all groups above them.

    Args:
        root: Root of the file system.

    Returns:
        The limit in bytes; None where no group limits memory or the system has no control groups.
    """
    limits = [
        limit
        for file_system, folder in _group_folders(root, "memory")
        for name in _MEMORY_FILES[file_system]
        if (limit := _number_in(folder / name)) is not None and 0 < limit < _NO_LIMIT_BYTES
    ]
    return min(limits, default=None)


def cpu_quota(root: Path = Path("/")) -> Fraction | None:
    """Return the smallest share of processor time of this process's own groups and all groups above them.

    Args:
        root: Root of the file system.

    Returns:
        The share in processors, such as 1.5; None where no group limits it or the system has no control groups.
    """
    shares = (_share_in(file_system, folder) for file_system, folder in _group_folders(root, "cpu"))
    return min((share for share in shares if share is not None), default=None)


def _share_in(file_system: str, folder: Path) -> Fraction | None:
    """Return the processors that the files of a group allow, or None."""
    if file_system == "cgroup2":  # "QUOTA PERIOD", with "max" for no quota
        quota, _, period = "".join(_lines(folder / "cpu.max")).partition(" ")
        numbers = _number(quota), _number(period)
    else:  # -1 for no quota
        numbers = _number_in(folder / "cpu.cfs_quota_us"), _number_in(folder / "cpu.cfs_period_us")
    used, of = numbers
    return Fraction(used, of) if used and of else None


def _group_folders(root: Path, controller: str) -> Iterator[tuple[str, Path]]:
    """Yield kind of file system and folder of every group that holds this process, innermost first."""
    groups = _groups_of_this_process(root, controller)
    for file_system, mounted, mount_point in _mounts(root, controller):
        group = groups.get(file_system)
        if group is None:
            continue
        top = root / mount_point.lstrip("/")
        inside = top / _below(group, mounted)
        yield file_system, inside
        while inside != top:
            inside = inside.parent
            yield file_system, inside


def _groups_of_this_process(root: Path, controller: str) -> dict[str, str]:
    """Return the path of the group with this controller, by kind of file system."""
    groups = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            groups["cgroup2"] = path
        elif controller in controllers.split(","):
            groups["cgroup"] = path
    return groups


def _mounts(root: Path, controller: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, group shown at the top, and mount point of each mounted hierarchy with this controller."""
    for line in _lines(root / "proc/self/mountinfo"):
        left, _, right = line.partition(" - ")
        mount, source = left.split(" "), right.split(" ")
        if len(mount) < 6 or len(source) < 3:
            continue
        if source[0] == "cgroup2" or (source[0] == "cgroup" and controller in source[2].split(",")):
            yield source[0], _unescaped(mount[3]), _unescaped(mount[4])


def _below(group: str, mounted: str) -> PurePosixPath:
    """Return the path of a group below a mount that shows ``mounted`` at its top."""
    path = PurePosixPath(group)
    inside = path.relative_to(mounted) if path.is_relative_to(mounted) else PurePosixPath(group.lstrip("/"))
    # A group outside the own namespace is written with "..", and one that a container does not
    # see has no folder there: what remains is the limit at the top of the mount.
    return PurePosixPath() if ".." in inside.parts else inside


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []


def _number_in(path: Path) -> int | None:
    return _number("".join(_lines(path)).strip())


def _number(text: str) -> int | None:
    """Return a whole number without a sign; None for a word, such as ``max``, and for -1."""
    return int(text) if text.isascii() and text.isdigit() else None
