"""The peers of the benchmarks get the commands that they are meant to get, and the program lists its names."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import peers
from tests.benchmarks.__main__ import BENCHMARKS, main, parser
from tests.benchmarks.material import SHORT, make_clip
from tests.benchmarks.measure import in_turns
from tests.benchmarks.peers import Job

if TYPE_CHECKING:
    from pathlib import Path


def test_melt_command_reads_size_and_rate_from_a_profile(tmp_path: Path) -> None:
    job = Job((tmp_path / "a.mp4",), "1080x1920", tmp_path)
    command = peers.melt_command(job, "melt")
    assert command[command.index("-profile") + 1] == tmp_path / "profile"
    assert {"width=1080", "height=1920", "frame_rate_num=30"} <= {*(tmp_path / "profile").read_text().splitlines()}


def test_help_lists_all_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [name for name in BENCHMARKS if f"  {name}" not in shown] == []


def test_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["nothing"])
    assert "nothing" in capsys.readouterr().err
    assert parser().parse_args([]).names == []


@pytest.mark.core(0)
@pytest.mark.heavy
def test_each_peer_writes_a_reel_of_the_clips(tmp_path: Path) -> None:
    mute = dataclasses.replace(SHORT, name="mute.mp4", audio=None)
    clips = tuple(make_clip(kind, tmp_path / kind.name, 0.4, 1, divide=16) for kind in (SHORT, mute))
    work = tmp_path / "work"
    work.mkdir()
    found = peers.contenders(Job(clips, "64x64", work), tmp_path / "mpt")
    costs = in_turns({name: found[name] for name in (peers.GRAPH, peers.MOVIEPY, peers.ENCODING)}, 1)
    assert list(costs) == [peers.GRAPH, peers.MOVIEPY, peers.ENCODING]
    lengths = [peers.source_of(work / name).seconds for name in ("graph.mp4", "moviepy_child.mp4")]
    assert lengths == pytest.approx([0.8, 0.8], abs=0.1)
    assert all((work / f"alone-{index}.mp4").is_file() for index in range(2))
