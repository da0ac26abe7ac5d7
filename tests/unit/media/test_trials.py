"""EncoderTrials: what works is found by trying, once for each ffmpeg, device and size, and forgotten in time."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.availability import EncoderTrials, devices_here
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Cancelled
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import FakeClock, stand_in
from tests.hardware import NO_DRIVER, NO_GPU, NO_SESSION, NVENC, Machine, asked, trials

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.clips import EncoderSettings

pytestmark = pytest.mark.heavy

SIZE = Dimensions(160, 90)
DAY = 24 * 3600
PATIENCE = 30


def settings(name: str = NVENC) -> EncoderSettings:
    """What an encoder is tried with."""
    quality = QualitySettings(encoder=name, codec=Codec(name.partition("_")[0]))
    return CodecOptimizer().get_optimal_settings(quality, frame_rate=Fraction(30), threads=1)


class Bench:
    """A stand-in for ffmpeg, and trials with it that share a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.clock = folder, folder / "cache" / "encoders", FakeClock()
        self.devices = "one card"
        self.machine(Machine())

    def machine(self, machine: Machine) -> None:
        """Have another ffmpeg from now on."""
        self.binary = machine.build(self.folder)

    def trials(self, *, remember: bool = True, limit_seconds: float = PATIENCE) -> EncoderTrials:
        """As in a process of its own."""
        return EncoderTrials(
            Ffmpeg(self.binary),
            self.cache,
            remember=remember,
            devices=lambda: self.devices,
            clock=self.clock,
            limit_seconds=limit_seconds,
        )

    @property
    def count(self) -> int:
        """How many trials there were."""
        return trials(self.folder)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def failure(found: EncoderTrials, name: str = NVENC, size: Dimensions = SIZE) -> str | None:
    """Why an encoder does not work."""
    (answer,) = found.failures([settings(name)], size, cancel=CancelToken())
    return answer


# --- how a trial ends


def test_an_encoder_that_works_has_no_failure(bench: Bench) -> None:
    assert failure(bench.trials()) is None
    assert asked(bench.folder) == [(NVENC, "trial")]


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (NO_GPU, NO_DRIVER),
        (Machine(works=(), broken={NVENC: NO_SESSION}), NO_SESSION),
        (Machine(wrong="rubbish"), "wrote what cannot be decoded (Invalid data found when processing input)"),
        (Machine(wrong="shade"), "wrote 3 pictures of luma [200, 200, 200] where 3 of luma 120 were given"),
    ],
    ids=["no driver", "no session", "rubbish", "another shade"],
)
def test_one_that_does_not_says_why_in_its_own_words(bench: Bench, machine: Machine, said: str) -> None:
    bench.machine(machine)
    assert failure(bench.trials()) == said


def test_one_that_hangs_is_given_up(bench: Bench) -> None:
    bench.machine(Machine(wrong="hang"))
    said = failure(bench.trials(limit_seconds=0.5))
    assert said is not None
    assert re.fullmatch(r"took longer than [\d.]+ s and was stopped", said)


def test_what_is_listed_need_not_work(bench: Bench) -> None:
    bench.machine(NO_GPU)
    assert bench.trials().listed(cancel=CancelToken()) == {"libx264", "libx265", "libsvtav1", NVENC}
    assert bench.count == 0


def test_several_are_tried_side_by_side(bench: Bench) -> None:
    names = ["h264_nvenc", "h264_qsv", "h264_amf"]
    meeting = stand_in(
        bench.folder,
        f'case "$*" in *-c:v*) echo >> "{bench.folder}/began"',
        f'while [ $(wc -l < "{bench.folder}/began") -lt {len(names)} ]; do sleep 0.02; done',
        "exit 1;; esac",
    )
    bench.binary = meeting
    found = bench.trials().failures([settings(name) for name in names], SIZE, cancel=CancelToken())
    assert found == ["exit code 1"] * 3  # and none waited for another's end


def test_a_stop_ends_a_trial_and_is_no_answer(bench: Bench) -> None:
    bench.machine(Machine(wrong="hang"))
    cancel, found = CancelToken(), bench.trials()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(found.failures, [settings()], SIZE, cancel=cancel)
        while not bench.count:
            assert wait([waiting], 0.02).not_done
        cancel.cancel()
        with pytest.raises(Cancelled):
            waiting.result(PATIENCE)
    bench.machine(Machine())
    assert failure(found) is None


# --- what is remembered


def test_an_answer_is_kept_in_memory_and_for_the_next_process(bench: Bench) -> None:
    bench.machine(NO_GPU)
    found = bench.trials()
    assert [failure(found), failure(found), failure(bench.trials())] == [NO_DRIVER] * 3
    assert bench.count == 1


@pytest.mark.parametrize("later", [DAY, DAY * 10, -1])
@pytest.mark.core(1)
def test_it_is_forgotten_after_a_day_by_the_next_process_and_by_this_one(bench: Bench, later: int) -> None:
    found = bench.trials()
    failure(found)
    bench.clock.advance(DAY - 1)
    failure(found)
    failure(bench.trials())
    assert bench.count == 1
    bench.clock.advance(later - (DAY - 1))
    failure(found)
    assert bench.count == 2
    failure(bench.trials())
    assert bench.count == 2


def other_size(bench: Bench) -> str | None:
    return failure(bench.trials(), size=Dimensions(320, 180))


def other_devices(bench: Bench) -> str | None:
    bench.devices = "two cards"
    return failure(bench.trials())


def other_build(bench: Bench) -> str | None:
    bench.binary = NO_GPU.build(bench.folder, "another")
    return failure(bench.trials())


@pytest.mark.parametrize("change", [other_size, other_devices, other_build])
@pytest.mark.core(1)
def test_another_question_is_tried_again(bench: Bench, change: Callable[[Bench], str | None]) -> None:
    assert failure(bench.trials()) is None
    assert change(bench) == (NO_DRIVER if change is other_build else None)
    assert bench.count == 2


def test_only_what_is_new_is_tried(bench: Bench) -> None:
    bench.machine(Machine(works=(NVENC, "h264_qsv"), broken={"h264_amf": "no"}))
    found = bench.trials()
    failure(found, "h264_qsv")
    many = [settings(name) for name in ("h264_amf", "h264_qsv", NVENC)]
    assert found.failures(many, SIZE, cancel=CancelToken()) == ["no", None, None]
    assert sorted(asked(bench.folder)[1:]) == [("h264_amf", "trial"), (NVENC, "trial")]


def test_threads_that_ask_at_once_have_one_trial(bench: Bench) -> None:
    found, together = bench.trials(), threading.Barrier(4)

    def ask() -> str | None:
        together.wait(PATIENCE)
        return failure(found)

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask) for _ in range(4)]
        assert [answer.result(PATIENCE) for answer in answers] == [None] * 4
    assert bench.count == 1


def test_the_list_is_asked_for_once(bench: Bench) -> None:
    assert NVENC in bench.trials().listed(cancel=CancelToken())
    known = EncoderTrials(Silent(bench.binary), bench.cache, devices=lambda: bench.devices, clock=bench.clock)
    assert NVENC in known.listed(cancel=CancelToken())


def test_a_list_that_was_not_to_be_had_is_asked_for_again(bench: Bench) -> None:
    mute = EncoderTrials(Silent(bench.binary), bench.cache, devices=lambda: bench.devices, clock=bench.clock)
    assert mute.listed(cancel=CancelToken()) == frozenset()
    assert NVENC in bench.trials().listed(cancel=CancelToken())


class Silent(Ffmpeg):
    """Does not tell what it has."""

    def ask_encoders(self, cancel: CancelToken) -> frozenset[str]:
        assert not cancel.cancelled
        return frozenset()


def test_a_forgotten_encoder_is_tried_again_in_all_sizes_and_no_other(bench: Bench) -> None:
    bench.machine(Machine(works=(NVENC, "h264_qsv")))
    found = bench.trials()
    for size in (SIZE, Dimensions(320, 180)):
        failure(found, NVENC, size)
    failure(found, "h264_qsv")
    found.forget(settings())
    for again in (bench.trials(), found):
        failure(again, "h264_qsv")
    assert bench.count == 3
    for size in (SIZE, Dimensions(320, 180)):
        failure(bench.trials(), NVENC, size)
    assert bench.count == 5


def test_without_remembering_nothing_is_written_and_what_is_there_is_read(bench: Bench) -> None:
    failure(bench.trials(remember=False))
    assert not bench.cache.exists()
    failure(bench.trials())
    failure(bench.trials(remember=False))
    assert bench.count == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"since": "soon"}', b'{"since": 1000, "more": 1}'])
@pytest.mark.core(1)
def test_a_damaged_file_counts_for_nothing_and_is_mended(bench: Bench, content: bytes) -> None:
    failure(bench.trials())
    (kept,) = bench.cache.iterdir()
    kept.write_bytes(content)
    assert failure(bench.trials()) is None
    assert failure(bench.trials()) is None
    assert bench.count == 2
    assert list(bench.cache.iterdir()) == [kept]


def test_a_folder_that_cannot_be_written_is_no_error(bench: Bench) -> None:
    bench.cache.parent.write_text("a file")
    found = bench.trials()
    assert [failure(found), failure(found)] == [None, None]
    assert bench.count == 1
    found.clear()


def test_without_a_folder_answers_are_kept_in_memory(bench: Bench) -> None:
    found = EncoderTrials(Ffmpeg(bench.binary), None)
    assert [failure(found), failure(found)] == [None, None]
    found.clear()
    assert bench.count == 1


@pytest.mark.parametrize("said", ["x: No space left on device", "killed"])
def test_what_says_nothing_of_the_encoder_is_not_remembered(bench: Bench, said: str) -> None:
    deaths = {"killed": "kill -KILL $$"}
    bench.binary = stand_in(
        bench.folder, f'case "$*" in *-c:v*) {deaths.get(said, f"echo {said!r} >&2; exit 1")};; esac'
    )
    found = bench.trials()
    answer = failure(found)
    assert answer is not None
    assert "the disk is full" in answer or "the system killed ffmpeg" in answer
    stand_in(bench.folder, name="mended").replace(bench.binary)
    assert failure(found) != answer  # it was tried again


def test_no_place_for_a_trial_is_no_answer_either(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    found = bench.trials()
    monkeypatch.setattr("tempfile.tempdir", str(bench.folder / "none"))
    assert failure(found) == "it could not be tried (No such file or directory)"
    monkeypatch.undo()
    assert failure(found) is None


def test_clear_removes_what_is_its_own(bench: Bench) -> None:
    failure(bench.trials())
    (own,) = bench.cache.iterdir()
    unfinished = bench.cache / f"{own.name}.{'a' * 32}"
    mine = [bench.cache / name for name in ("notes.json", f"{'g' * 40}.json", f"{own.name}.bak")]
    for path in (unfinished, *mine):
        path.write_text("x")
    bench.trials().clear()
    assert sorted(bench.cache.iterdir()) == sorted(mine)
    for path in mine:
        path.unlink()
    bench.trials().clear()
    assert not bench.cache.exists()


# --- devices


def test_devices_are_told_by_what_the_system_shows() -> None:
    told = devices_here()
    assert told == devices_here()
    shown = [entry.name for entry in Path("/dev/dri").iterdir()] if Path("/dev/dri").exists() else []
    assert all(name in told for name in shown)
