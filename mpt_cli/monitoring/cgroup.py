"""Memory limit of the control groups of this process, which psutil does not read.

Formats: ``proc_pid_cgroup(5)``, ``proc_pid_mountinfo(5)``, and in the kernel's documentation
``admin-guide/cgroup-v2.rst`` (``memory.max``, ``memory.high``) and ``cgroup-v1/memory.rst``.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LIMIT_BYTES = 2**60
"""Version 1 writes "no limit" as the largest page multiple below 2**63."""

_FILES = {"cgroup2": ("memory.max", "memory.high"), "cgroup": ("memory.limit_in_bytes",)}


def memory_limit_bytes(root: Path = Path("/")) -> int | None:
    """Return the smallest limit of this process's own groups and all groups above them.

    Args:
        root: Root of the file system.

    Returns:
        The limit in bytes; None where no group limits memory or the system has no control groups.
    """
    limits = [
        limit
        for file_system, folder in _group_folders(root)
        for name in _FILES[file_system]
        if (limit := _limit_in(folder / name)) is not None
    ]
    return min(limits, default=None)


def _group_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield kind of file system and folder of every group that holds this process, innermost first."""
    groups = _groups_of_this_process(root)
    for file_system, mounted, mount_point in _memory_mounts(root):
        group = groups.get(file_system)
        if group is None:
            continue
        top = root / mount_point.lstrip("/")
        inside = top / _below(group, mounted)
        yield file_system, inside
        while inside != top:
            inside = inside.parent
            yield file_system, inside


def _groups_of_this_process(root: Path) -> dict[str, str]:
    """Return the path of the group that limits memory, by kind of file system."""
    groups = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            groups["cgroup2"] = path
        elif "memory" in controllers.split(","):
            groups["cgroup"] = path
    return groups


def _memory_mounts(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield kind, group shown at the top, and mount point of each mounted hierarchy with memory limits."""
    for line in _lines(root / "proc/self/mountinfo"):
        left, _, right = line.partition(" - ")
        mount, source = left.split(" "), right.split(" ")
        if len(mount) < 6 or len(source) < 3:
            continue
        if source[0] == "cgroup2" or (source[0] == "cgroup" and "memory" in source[2].split(",")):
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


def _limit_in(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < _NO_LIMIT_BYTES else None
