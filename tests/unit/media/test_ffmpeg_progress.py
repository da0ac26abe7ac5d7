from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.ffmpeg.progress import Progress, ProgressParser

# As ffmpeg 7 writes it.
BLOCK = """\
frame=25
fps=0.00
stream_0_0_q=-1.0
bitrate=N/A
total_size=48
out_time_us=1001000
out_time_ms=1001000
out_time=00:00:01.001000
dup_frames=0
drop_frames=0
speed= 1.2x
progress=continue
"""


def parse(text: str) -> list[Progress]:
    parser = ProgressParser()
    return [block for line in text.split("\n") if (block := parser.feed(line)) is not None]


def test_a_block() -> None:
    assert parse(BLOCK) == [Progress(Fraction(1001, 1000), 25, 1.2, finished=False)]


def test_the_end() -> None:
    assert parse(BLOCK + "progress=end\n")[-1] == Progress(Fraction(1001, 1000), None, None, finished=True)


@pytest.mark.parametrize("value", ["N/A", "", "-9223372036854775807", "1e6", "٣", "nan", "9" * 5000, "1 0"])
def test_numbers_that_are_none(value: str) -> None:
    text = f"frame={value}\nout_time_us={value}\nprogress=continue\n"
    assert parse(text) == [Progress(Fraction(0), None, None, finished=False)]


@pytest.mark.parametrize("value", ["N/A", "", "x", "-1x", "nanx", "inf", "1.2.3x", "1xx"])
def test_speeds_that_are_none(value: str) -> None:
    assert parse(f"speed={value}\nprogress=continue")[0].speed is None


def test_time_never_falls() -> None:
    text = "out_time_us=2000000\nprogress=continue\nout_time_us=1000000\nprogress=continue\n"
    assert [block.done_seconds for block in parse(text)] == [2, 2]


def test_audio_only_has_no_frames() -> None:
    assert parse("out_time_us=5\nspeed=90x\nprogress=end") == [Progress(Fraction(5, 10**6), None, 90.0, finished=True)]


@given(st.lists(st.text() | st.builds("{}={}".format, st.sampled_from(["frame", "out_time_us", "speed"]), st.text())))
def test_no_text_raises(lines: list[str]) -> None:
    parser = ProgressParser()
    for line in lines:
        parser.feed(line)
    block = parser.feed("progress=end")
    assert block is not None
    assert block.finished
    assert block.done_seconds >= 0


@given(
    microseconds=st.integers(0, 10**15),
    frames=st.integers(0, 10**12),
    speed=st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000),
    finished=st.booleans(),
    spaces=st.text(" ", max_size=4),
)
def test_what_is_written_is_read(*, microseconds: int, frames: int, speed: float, finished: bool, spaces: str) -> None:
    text = (
        f"frame={spaces}{frames}\nout_time_us={spaces}{microseconds}\nspeed={spaces}{speed}x\n"
        f"progress={'end' if finished else 'continue'}\n"
    )
    assert parse(text) == [Progress(Fraction(microseconds, 10**6), frames, speed, finished=finished)]


@given(garbage=st.lists(st.text().filter(lambda text: not text.strip().startswith("progress")), max_size=5))
def test_foreign_lines_between_change_nothing(garbage: list[str]) -> None:
    first, *rest = BLOCK.splitlines()
    foreign = [line for line in garbage if line.partition("=")[0].strip() not in {"frame", "out_time_us", "speed"}]
    assert parse("\n".join([first, *(line.replace("\n", " ") for line in foreign), *rest])) == parse(BLOCK)
