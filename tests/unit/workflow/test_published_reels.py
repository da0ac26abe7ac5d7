"""PublishedReels: what counts as up to date, what may be replaced, and what any doubt leads to."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import ConcatConfig, Config, ProcessingConfig, QualitySettings, VideoConfig
from mpt_cli.model.choices import Codec, Container, Fit, FormSource, JoinMethod
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import Issue, IssueCode, OutputError
from mpt_cli.model.left_out import LeftOutKind
from mpt_cli.model.results import OutputInfo, ReelEvidence, RunStatus, VideoResult
from mpt_cli.storage.file_identity import content_hash, file_of
from mpt_cli.workflow.published_reels import PublishedReels, Wanted
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

BUILD = "9.0"
RESULT = VideoResult("w", RunStatus.SUCCESS, ffmpeg=BUILD)


class House:
    """Two inputs, an output, and the records of a state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.read = folder, list[Path]()
        self.inputs = [folder / "a.mov", folder / "b.mov"]
        for path in self.inputs:
            path.write_bytes(path.name.encode() * 10)
            os.utime(path, (1000, 1000))
        self.output = folder / "reel.mp4"
        self.clock = FakeClock(10**10)  # long after everything: nothing may still be changing
        self.reels = self.again()

    def again(self, **how: object) -> PublishedReels:
        def content(path: Path, *, alive: Callable[[], object] = lambda: None) -> str:
            self.read.append(path)
            return content_hash(path, alive=alive)

        options = {"content": content, "clock": self.clock, **how}
        return PublishedReels(self.folder / "state", **options)  # type: ignore[arg-type]

    def params(self, **fields: object) -> VideoParams:
        return replace(VideoParams(self.inputs, self.output, if_changed=True), **fields)  # type: ignore[arg-type]

    def wanted(self, params: VideoParams | None = None, config: Config | None = None) -> Wanted:
        return self.reels.wanted(params or self.params(), config or Config())

    def publish(self, text: bytes = b"reel") -> Wanted:
        """As a run does it: what is wanted first, the record before the name."""
        wanted, hidden = self.wanted(), self.folder / "hidden.mp4"
        hidden.write_bytes(text)
        self.reels.add(wanted, RESULT, self.info(), hidden)
        hidden.replace(self.output)
        self.read.clear()
        return wanted

    def info(self) -> OutputInfo:
        rate = Fraction(25)
        return OutputInfo(self.output, 4, Container.MP4, Fraction(6), 150, Dimensions(160, 90), rate, "h264", "aac")

    def is_current(self, wanted: Wanted | None = None, build: str = BUILD, **how: object) -> bool:
        reels = self.again(**how)
        return reels.current(wanted or self.wanted(), lambda: build) is not None


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_was_published_is_up_to_date_without_reading_anything(house: House) -> None:
    house.publish()
    assert house.is_current()
    assert house.read == []
    found = house.again().find(house.output)
    assert found is not None
    assert (found.output, found.seed, found.warnings, found.evidence) == (house.info(), None, (), None)


def test_nothing_is_known_of_an_output_that_is_not_there(house: House) -> None:
    assert not house.is_current()
    house.publish()
    house.output.unlink()
    assert not house.is_current()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"other"),
        lambda path: os.utime(path, (5, 5)),
        lambda path: (path.rename(path.with_name("x")), path.write_bytes(b"reel")),
        lambda path: (path.rename(path.with_name("x")), path.symlink_to(path.with_name("x"))),
    ],
    ids=["written", "touched", "replaced", "link"],
)
def test_an_output_that_was_touched_is_the_users(house: House, change: Callable[[Path], object]) -> None:
    house.publish()
    change(house.output)
    assert house.again().find(house.output) is None
    assert house.again().adopted(house.params()).overwrite is False
    with pytest.raises(OutputError) as caught:
        house.again().require_owned(house.params())
    assert caught.value.code is IssueCode.OUTPUT_EXISTS


def test_a_picture_that_was_put_in_place_of_ours_is_not_replaced(house: House, tmp_path: Path) -> None:
    house.publish()
    picture, hidden = tmp_path / "sheet.png", tmp_path / "hidden.png"
    reel = file_of(house.output)
    hidden.write_bytes(b"a sheet")
    house.reels.note_extra(house.params(), picture, hidden, reel=reel, owned=True)  # none is there
    hidden.replace(picture)
    hidden.write_bytes(b"another sheet")
    house.reels.note_extra(house.params(), picture, hidden, reel=reel, owned=True)  # ours is there
    picture.write_bytes(b"a holiday")
    with pytest.raises(OutputError) as caught:
        house.reels.note_extra(house.params(), picture, hidden, reel=reel, owned=True)
    assert (caught.value.code, caught.value.issue.path) == (IssueCode.OUTPUT_EXISTS, picture)
    house.reels.note_extra(house.params(), picture, hidden, reel=reel, owned=False)  # of who asked for --overwrite


def test_reel_and_picture_are_known_as_ours_under_a_name_for_a_moment(house: House, tmp_path: Path) -> None:
    """As they lie where they and what replaces them have exchanged their names."""
    house.publish()
    picture, hidden, reels = tmp_path / "sheet.png", tmp_path / "hidden", house.again()
    hidden.write_bytes(b"a sheet")
    house.reels.note_extra(house.params(), picture, hidden, reel=file_of(house.output), owned=True)
    assert reels.owns_picture(house.output, picture, hidden)
    assert not reels.owns_picture(house.output, tmp_path / "poster.png", hidden)
    assert not reels.owns(house.output, hidden)
    house.output.rename(hidden)
    assert reels.owns(house.output, hidden)
    assert not reels.owns(tmp_path / "other.mp4", hidden)
    assert not reels.owns_picture(house.output, picture, hidden)
    hidden.write_bytes(b"a holiday")
    assert not reels.owns(house.output, hidden)
    assert not reels.owns(house.output, tmp_path / "gone")


def test_record_that_cannot_be_written_is_reported(house: House, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failures: list[OSError] = []
    reels = PublishedReels(tmp_path / "file" / "state", on_failure=failures.append)
    house.output.write_bytes(b"reel")
    reels.add(house.wanted(), RESULT, house.info(), house.output)
    assert [type(failure) for failure in failures] == [NotADirectoryError]


def test_without_a_folder_no_reel_is_known(house: House) -> None:
    reels = PublishedReels(None)
    house.output.write_bytes(b"reel")
    reels.add(house.wanted(), RESULT, house.info(), house.output)
    assert reels.find(house.output) is None
    assert not reels.adopted(house.params()).overwrite


def test_rights_and_further_names_change_nothing(house: House, tmp_path: Path) -> None:
    house.publish()
    house.output.chmod(0o400)
    (tmp_path / "other name").hardlink_to(house.output)
    assert house.is_current()


def test_only_what_mpt_made_is_adopted_and_only_if_asked(house: House) -> None:
    house.output.write_bytes(b"a holiday")
    assert not house.reels.adopted(house.params()).overwrite
    house.output.unlink()
    house.publish()
    assert house.reels.adopted(house.params()).overwrite
    assert not house.reels.adopted(house.params(if_changed=False)).overwrite
    house.reels.require_owned(house.params())
    house.output.unlink()
    house.reels.require_owned(house.params())


@pytest.mark.parametrize(
    "change",
    [
        {"clips": (VideoClip(Path("a.mov")),)},
        {"join": JoinMethod.AUTO},
        {"problems": (Issue(IssueCode.NO_MATCH, "no"),)},
    ],
    ids=str,
)
def test_another_request_is_another_reel(house: House, change: dict[str, object]) -> None:
    house.publish()
    assert not house.is_current(house.wanted(house.params(**change)))


def test_order_trims_and_names_of_clips_count(house: House) -> None:
    house.publish()
    first, second = (VideoClip(path) for path in house.inputs)
    for clips in ((second, first), (replace(first, start=Fraction(1, 3)), second), (first, replace(second, mute=True))):
        assert not house.is_current(house.wanted(house.params(clips=clips)))
    renamed = house.inputs[0].rename(house.folder / "c.mov")
    assert not house.is_current(house.wanted(house.params(clips=(VideoClip(renamed), second))))


@pytest.mark.parametrize(
    ("config", "same"),
    [
        (Config(video=VideoConfig(size="160x90")), False),  # type: ignore[arg-type]
        (Config(video=VideoConfig(size="1080x1920")), False),  # type: ignore[arg-type]  # the clips decide no more
        (Config(video=VideoConfig(form=FormSource.GIVEN)), False),  # for mpt concat that is not its default
        (Config(video=VideoConfig(fit=Fit.CONTAIN)), True),
        (Config(encode=QualitySettings(codec=Codec.HEVC)), False),
        (Config(concat=ConcatConfig(seed=4)), False),
        (Config(processing=ProcessingConfig(min_success_rate=0.5)), False),
        (Config(processing=ProcessingConfig(jobs=3, deadline=Fraction(5))), True),
    ],
    ids=["size", "named size", "named form", "named fit", "codec", "seed", "rate", "jobs"],
)
def test_settings_that_decide_what_a_reel_is_count(house: House, config: Config, *, same: bool) -> None:
    house.publish()
    assert house.is_current(house.wanted(config=config)) is same
    assert not house.is_current(build="9.1")


def test_an_input_that_only_looks_changed_is_read_once(house: House) -> None:
    house.publish()
    os.utime(house.inputs[0], (2000, 2000))
    assert house.is_current()
    assert house.read == [house.inputs[0]]
    assert not house.is_current(content=None), "without contents a doubt is a change"


def test_an_input_that_changed_makes_it_anew(house: House) -> None:
    house.publish()
    house.inputs[1].write_bytes(b"b.mow" * 10)
    assert not house.is_current()
    house.inputs[1].unlink()
    assert not house.is_current()


def test_paranoid_reads_everything(house: House) -> None:
    house.publish()
    assert house.is_current(paranoid=True)
    assert house.read == house.inputs


def test_an_input_that_may_still_be_written_is_compared_by_content(house: House) -> None:
    house.clock.now = max(path.stat().st_ctime for path in house.inputs) + 1
    house.publish()
    assert house.is_current()
    assert house.read == house.inputs


def test_a_reel_whose_input_changed_meanwhile_is_only_known_as_ours(house: House) -> None:
    wanted = house.wanted()
    house.inputs[0].write_bytes(b"late")
    house.output.write_bytes(b"reel")
    house.reels.add(wanted, RESULT, house.info(), house.output)
    assert house.again().find(house.output) is not None
    assert not house.is_current()


def test_until_a_reel_has_its_name_the_one_before_stays_known(house: House) -> None:
    house.publish()
    hidden = house.folder / "next.mp4"
    hidden.write_bytes(b"next")
    house.reels.add(house.wanted(), RESULT, house.info(), hidden)
    assert house.is_current(), "killed before the rename"
    hidden.replace(house.output)
    assert house.is_current(), "killed after it"


def test_evidence_is_kept_and_asked_for(house: House) -> None:
    wanted = house.publish()
    with_evidence = house.wanted(house.params(evidence=True))
    assert not house.is_current(with_evidence)
    evidence = ReelEvidence("00", (), "FFmpeg", stream_copy=True, settings={"a": 1})
    assert house.reels.is_out_of_date(house.info(), evidence, file_of(house.output))
    house.reels.add(wanted, replace(RESULT, evidence=evidence), house.info(), house.output)
    assert not house.reels.is_out_of_date(house.info(), evidence, file_of(house.output))
    reels = house.again()
    found = reels.current(with_evidence, lambda: BUILD)
    assert found is not None
    assert found.evidence == evidence


def test_a_record_that_cannot_be_read_is_none(house: House) -> None:
    house.publish()
    (record,) = (house.folder / "state").iterdir()
    for text in (b"", b"[" * 10**5, b'[{"file": 3}]', b"\xff"):
        record.write_bytes(text)
        assert house.again().find(house.output) is None
        assert not house.is_current()
    house.publish()
    assert house.is_current()


def test_a_folder_that_cannot_be_written_is_no_error(house: House) -> None:
    (house.folder / "state").write_text("a file")
    house.publish()
    assert not house.is_current()


def test_names_that_are_not_text_are_known_too(house: House) -> None:
    house.inputs[0] = house.inputs[0].rename(house.folder / os.fsdecode(b"\xff\n.mov"))
    house.output = house.folder / os.fsdecode(b"\xfe'.mp4")
    house.publish()
    assert house.is_current()


def test_a_way_through_a_link_leads_to_the_same_record(house: House, tmp_path: Path) -> None:
    house.publish()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    assert house.reels.find(tmp_path / "link" / "reel.mp4") is not None


def test_only_so_many_records_are_kept(house: House) -> None:
    house.reels = house.again(keep=2)
    folder = house.folder / "state"
    folder.mkdir()
    for number in range(150):
        record = folder / f"{number:040x}.json"
        record.touch()
        os.utime(record, (number, number))
    mine, odd = folder / "mine.json", folder / f"{7:040x}.json"
    mine.touch()
    os.utime(mine, (0, 0))
    odd.unlink()
    odd.mkdir()
    os.utime(odd, (0, 0))
    house.publish()
    assert {mine, odd} < set(folder.iterdir())
    assert len(list(folder.iterdir())) == 4
    assert house.is_current()


def test_reel_of_clips_of_a_folder_is_made_in_it(house: House) -> None:
    house.publish()
    names = ["a.mov", "b.mov", "reel.mp4", "c.mov"]
    assert house.again().made_in(house.folder, names) == {"reel.mp4": LeftOutKind.REEL}
    assert house.again().clips_of([house.output, *house.inputs]) == {house.output: tuple(house.inputs)}
    link = house.folder / "link"
    link.symlink_to(house.folder)
    assert house.again().made_in(link, names) == {"reel.mp4": LeftOutKind.REEL}


def test_reel_whose_clips_are_gone_or_elsewhere_is_a_clip(house: House) -> None:
    house.publish()
    assert house.again().made_in(house.folder, ["reel.mp4", "c.mov"]) == {}
    assert house.again().made_in(house.folder, ["reel.mp4", "b.mov"]) == {"reel.mp4": LeftOutKind.REEL}


@pytest.mark.parametrize("change", ["copied", "moved", "changed", "unknown"])
def test_file_that_the_records_do_not_know_is_a_clip(house: House, change: str) -> None:
    house.publish()
    if change == "unknown":
        shutil.rmtree(house.folder / "state")
    elif change == "changed":
        house.output.write_bytes(b"another")
    elif change == "moved":
        house.output.rename(house.folder / "moved.mp4")
    else:
        shutil.copy2(house.output, house.folder / "moved.mp4")
        house.output.unlink()
    assert house.again().made_in(house.folder, ["a.mov", "b.mov", "reel.mp4", "moved.mp4"]) == {}
    assert house.again().clips_of([house.output]) == {}


def test_images_of_a_reel_are_made_in_its_folder(house: House) -> None:
    house.publish()
    sheet, hidden = house.folder / "sheet.png", house.folder / "hidden.png"
    hidden.write_bytes(b"a sheet")
    house.reels.note_extra(house.params(), sheet, hidden, reel=file_of(house.output), owned=True)
    hidden.rename(sheet)
    names = ["a.mov", "reel.mp4", "sheet.png", "photo.png"]
    expected = {"reel.mp4": LeftOutKind.REEL, "sheet.png": LeftOutKind.IMAGE}
    assert house.again().made_in(house.folder, names) == expected
    sheet.write_bytes(b"a drawing of the user")
    assert house.again().made_in(house.folder, names) == {"reel.mp4": LeftOutKind.REEL}
