"""Levelling of a reel against a meter that only pretends: what is tried, what is said, and when it is enough."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.concatenation.levels import Levelling, ReelLevels
from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.config.sections import MemoryConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.reel_audio import ReelAudio
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.clips import ProcessedClip, Segment
from mpt_cli.model.errors import ConcatenationError, IssueCode, VerificationError
from mpt_cli.model.loudness import Loudness, WantedLevels
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.runtime.events import RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of

if TYPE_CHECKING:
    from collections.abc import Callable

REEL = Path("/reel.mp4")
LOSSLESS = AudioForm(codec="pcm_s16le", bitrate=None)


class FakeMeter:
    """A meter of a reel with one loudness and peak, whose limiter and encoder take and add what a test says."""

    def __init__(
        self,
        before: Loudness,
        levels: WantedLevels,
        *,
        audio: AudioForm | None = None,
        taken: Callable[[float], float] = lambda _over: 0.0,
        coded: tuple[float, float] = (0.0, 0.0),
        clips: dict[int, tuple[float | None, float]] | None = None,
        seconds: int = 5,
    ) -> None:
        form = form_of(audio=audio or AudioForm())
        self.form, self.before, self.taken, self.coded, self.known = form.audio, before, taken, coded, clips
        pieces = tuple(
            ProcessedClip(
                index, Path(f"/{index}.mp4"), Path("/v"), Path("/a"), form.dimensions, Segment(index, 0, seconds * 6),
                Fraction(seconds, 5), 0, "", b"", owned=True,
            )
            for index in range(5)
        )  # fmt: skip
        self.order = JoinOrder(pieces, form, allow_mixed=False, timeout_seconds=60, levels=levels)
        self.audio = ReelAudio(pieces, form)
        self.levelled = Path("/levelled.pcm")
        self.made: list[tuple[float, float | None]] = []
        self.gains: dict[int, float] = {}

    def clips(self) -> dict[int, tuple[float | None, float]]:
        if self.known is None:
            raise ConcatenationError(IssueCode.CONCAT_FAILED, "no meter")
        return self.known

    def mix(self, gains: dict[int, float]) -> Loudness:
        self.gains = gains
        return self.before

    def level(self, gains: dict[int, float], gain_db: float, ceiling_db: float | None) -> Loudness:
        assert gains == self.gains
        self.made.append((gain_db, ceiling_db))
        lufs, peak = self.before.lufs, self.before.true_peak
        if peak is None:
            return self.before
        limited = peak + gain_db if ceiling_db is None else min(peak + gain_db, ceiling_db)
        over = peak + gain_db - limited
        return Loudness(None if lufs is None else lufs + gain_db - self.taken(over), round(limited, 2))

    def reel(self, path: Path) -> Loudness:
        assert path == REEL
        last = self.level(self.gains, *self.made[-1])
        self.made.pop()
        assert last.lufs is not None
        assert last.true_peak is not None
        return Loudness(last.lufs + self.coded[0], round(last.true_peak + self.coded[1], 2))


def levelled(meter: Any) -> tuple[Levelling, int]:
    """The levelling of a reel at its end, and how often it was joined."""
    levelling, joins = Levelling(meter), 1
    levelling.prepare()
    while not levelling.settle(REEL):
        joins += 1
    return levelling, joins


def codes(levelling: Levelling) -> list[IssueCode]:
    return [issue.code for issue in levelling.warnings]


def test_gain_alone_does_where_no_peak_is_too_high() -> None:
    meter = FakeMeter(Loudness(-26.0, -20.0), WantedLevels(-14.0))
    levelling, joins = levelled(meter)
    assert (meter.made, joins, codes(levelling)) == ([(12.0, None)], 1, [])
    assert levelling.report is not None
    assert levelling.report.after == Loudness(-14.0, -8.0)
    assert levelling.report.limiter_db == 0
    assert levelling.order.levelled == meter.levelled


def test_limiter_costs_loudness_and_more_gain_brings_it_back() -> None:
    meter = FakeMeter(Loudness(-26.0, -6.0), WantedLevels(-16.0), audio=LOSSLESS, taken=lambda over: over / 10)
    levelling, _ = levelled(meter)
    assert levelling.report is not None
    assert levelling.report.after.lufs == pytest.approx(-16, abs=0.11)
    assert levelling.report.after.true_peak is not None
    assert levelling.report.after.true_peak <= -1
    assert levelling.report.limiter_db > 5
    assert not codes(levelling)


def test_gain_that_the_limiter_takes_is_not_asked_for_again() -> None:
    meter = FakeMeter(Loudness(-12.0, -1.0), WantedLevels(-6.0), audio=LOSSLESS, taken=lambda over: over)
    levelling, _ = levelled(meter)
    assert codes(levelling) == [IssueCode.LOUDNESS_MISSED]
    assert len(meter.made) <= 3


def test_peaks_that_an_encoder_adds_are_limited_before_it() -> None:
    meter = FakeMeter(Loudness(-26.0, -6.0), WantedLevels(-16.0), coded=(0.0, 0.8))
    levelling, joins = levelled(meter)
    assert joins == 2
    assert not codes(levelling)
    assert levelling.report is not None
    assert (levelling.report.after.true_peak or 0) <= -1


def test_peaks_without_end_are_said_after_a_few_joins() -> None:
    class Worse(FakeMeter):
        def reel(self, path: Path) -> Loudness:
            return Loudness(super().reel(path).lufs, 0.5)

    levelling, joins = levelled(Worse(Loudness(-26.0, -6.0), WantedLevels(-16.0)))
    assert (joins, codes(levelling)) == (4, [IssueCode.TRUE_PEAK_EXCEEDED])


def test_loudness_that_an_encoder_takes_is_made_good() -> None:
    meter = FakeMeter(Loudness(-26.0, -30.0), WantedLevels(-16.0), coded=(-0.8, 0.0))
    levelling, joins = levelled(meter)
    assert (joins, codes(levelling)) == (2, [])
    assert levelling.report is not None
    assert levelling.report.after.lufs == pytest.approx(-16)


def test_reel_of_another_loudness_is_refused() -> None:
    meter = FakeMeter(Loudness(-26.0, -30.0), WantedLevels(-16.0), coded=(-3.0, 0.0))
    with pytest.raises(VerificationError, match=r"its loudness is -19 LUFS, -16 LUFS were planned"):
        levelled(meter)


@pytest.mark.parametrize(("seconds", "why"), [(5, "silent, below -70 LUFS"), (0, "shorter than 0.4 s")])
def test_silence_is_left_alone_and_said(seconds: int, why: str) -> None:
    meter = FakeMeter(Loudness(None, None), WantedLevels(-14.0), seconds=seconds)
    levelling, _ = levelled(meter)
    assert codes(levelling) == [IssueCode.LOUDNESS_UNCHANGED]
    assert why in levelling.warnings[0].message
    assert levelling.order.levelled is None
    assert not meter.made


def test_clips_get_their_gains_before_that_of_the_reel() -> None:
    known: dict[int, tuple[float | None, float]] = {0: (-20.0, 9.0), 1: (-24.0, 1.0), 2: (None, 1.0), 3: (-26.0, 1.0)}
    wanted = WantedLevels(-14.0, even_out=True, volumes={1: -3.0, 4: 2.0})
    meter = FakeMeter(Loudness(-20.0, -20.0), wanted, clips=known)
    levelling, _ = levelled(meter)
    assert meter.gains == {1: 1.0, 3: 6.0, 4: 2.0}
    assert {index: (clip.lufs, clip.gain_db) for index, clip in levelling.clips.items()} == {
        0: (-20.0, 0.0),
        1: (-24.0, 1.0),
        2: (None, 0.0),
        3: (-26.0, 6.0),
        4: (None, 2.0),
    }
    assert not codes(levelling)


def test_clips_that_differ_are_named_and_nothing_is_changed() -> None:
    known: dict[int, tuple[float | None, float]] = {0: (-20.0, 9.0), 1: (-27.0, 1.0), 2: (None, 1.0)}
    meter = FakeMeter(Loudness(-20.0, -20.0), WantedLevels(measures=True), clips=known)
    levelling, _ = levelled(meter)
    assert codes(levelling) == [IssueCode.LOUDNESS_DIFFERS]
    said = "clips differ by 7.0 LU in loudness: 1.mp4 has -27.0 LUFS, 0.mp4 has -20.0 LUFS"
    assert levelling.warnings[0].message == said
    assert (meter.made, levelling.order.levelled, levelling.report) == ([], None, None)
    known[1] = (-25.9, 1.0)
    assert not codes(levelled(FakeMeter(Loudness(-20.0, -20.0), WantedLevels(measures=True), clips=known))[0])


def test_meter_that_fails_costs_a_warning_but_no_run() -> None:
    assert not levelled(FakeMeter(Loudness(-20.0, -20.0), WantedLevels(measures=True)))[0].clips
    with pytest.raises(ConcatenationError):
        levelled(FakeMeter(Loudness(-20.0, -20.0), WantedLevels(even_out=True)))


@pytest.mark.parametrize("answer", ["", "printf 'lavfi.r128.M=loud' > readings.txt"], ids=["nothing", "no numbers"])
@pytest.mark.parametrize("wanted", [WantedLevels(-14.0), WantedLevels(even_out=True)], ids=["reel", "clips"])
@pytest.mark.heavy
def test_ffmpeg_that_lies_is_an_error_of_the_join(tmp_path: Path, wanted: WantedLevels, answer: str) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text(f"#!/bin/sh\ncat > /dev/null\n{answer}\n")
    script.chmod(0o755)
    form = form_of(audio=LOSSLESS)
    clips = tuple(
        ProcessedClip(
            index, Path(f"/{index}.mp4"), Path("/v"), None, form.dimensions, Segment(index, 0, 30), Fraction(1), 0, "",
            b"", owned=True,
        )
        for index in range(2)
    )  # fmt: skip
    order = JoinOrder(clips, form, allow_mixed=False, timeout_seconds=60, levels=wanted)
    levels = ReelLevels(Ffmpeg(script), ResourcePool(1, MemoryManager(MemoryConfig())))
    with pytest.raises(ConcatenationError):
        levels.begin(order, TempFileManager(tmp_path), RunContext("test"))
