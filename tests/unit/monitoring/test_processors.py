"""Processors that a control group allows."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.monitoring.cgroup import cpu_quota
from mpt_cli.monitoring.system import usable_cores

if TYPE_CHECKING:
    from pathlib import Path

V2 = "30 20 0:26 / /cg rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
V1 = "35 31 0:32 {top} /cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
HALF = {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("groups", "mounts", "files", "quota"),
    [
        ("0::/a/b\n", V2, {"cg/a/b/cpu.max": "150000 100000\n"}, Fraction(3, 2)),
        ("0::/a/b\n", V2, {"cg/a/b/cpu.max": "max 100000\n", "cg/a/cpu.max": "100000 100000\n"}, Fraction(1)),
        ("0::/a/b\n", V2, {"cg/a/b/cpu.max": "100000 100000\n", "cg/a/cpu.max": "400000 100000\n"}, Fraction(1)),
        ("0::/a\n", V2, {"cg/a/cpu.max": "max 100000\n"}, None),
        ("0::/a\n", V2, {"cg/a/cpu.max": "odd\n"}, None),
        ("4:cpu,cpuacct:/x/y\n", V1.format(top="/x/y"), HALF, Fraction(1, 2)),
        ("4:cpu,cpuacct:/y\n", V1.format(top="/"), HALF, Fraction(1, 2)),
        ("4:cpu,cpuacct:/\n", V1.format(top="/"), {**HALF, "cpu/cpu.cfs_quota_us": "-1\n"}, None),
        ("4:cpu:/\n0::/\n", V1.format(top="/") + V2, {**HALF, "cg/cpu.max": "25000 100000\n"}, Fraction(1, 4)),
        ("4:memory:/\n", V1.format(top="/"), HALF, None),
    ],
)
def test_quota_is_the_smallest_of_own_and_upper_groups(
    tmp_path: Path, groups: str, mounts: str, files: dict[str, str], quota: Fraction | None
) -> None:
    for name, text in {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cpu_quota(tmp_path) == quota
    if quota is not None and quota <= 1:
        assert usable_cores(tmp_path) == 1


def test_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert usable_cores(tmp_path) == usable_cores(tmp_path / "elsewhere") >= 1
