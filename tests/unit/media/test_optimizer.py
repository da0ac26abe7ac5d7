"""CodecOptimizer: which encoder serves which wishes, in software and in hardware, and what is said where none does."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.hardware import HARDWARE_ENCODERS
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.encoders.software import ENCODERS
from mpt_cli.media.process.run import Limits
from mpt_cli.media.process.run import run as run_process
from mpt_cli.model.choices import Codec, DynamicRange, QualityLevel
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.samples import samples_of
from mpt_cli.runtime.cancel import CancelToken
from tests.media import ffmpeg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.media.encoders.optimizer import Choice
    from mpt_cli.media.encoders.software import Encoder
    from mpt_cli.model.clips import EncoderSettings
    from mpt_cli.model.errors import Issue

RATE = Fraction(5)
SIZE = Dimensions(1080, 1920)
NAMES = ("libx264", "libx265", "libsvtav1")
CODECS = {"libx264": Codec.H264, "libx265": Codec.HEVC, "libsvtav1": Codec.AV1}
H264_IN_ORDER = ["h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox", "h264_vaapi", "h264_vulkan"]


class FakeTrials:
    """Answers as it is told to: these encoders are there, and those of them work."""

    def __init__(self, *works: str, listed: Sequence[str] = tuple(HARDWARE_ENCODERS)) -> None:
        self.works, self.names = works, frozenset(listed)
        self.asked: list[tuple[list[str], Dimensions]] = []
        self.forgotten: list[str] = []

    def failures(
        self, candidates: Sequence[EncoderSettings], dimensions: Dimensions, *, cancel: CancelToken
    ) -> list[str | None]:
        assert not cancel.cancelled
        self.asked.append(([each.encoder for each in candidates], dimensions))
        return [None if each.encoder in self.works else f"no {each.encoder}" for each in candidates]

    def listed(self, *, cancel: CancelToken) -> frozenset[str]:
        assert not cancel.cancelled
        return self.names

    def forget(self, settings: EncoderSettings) -> None:
        self.forgotten.append(settings.encoder)


def chosen(trials: FakeTrials | None, **quality: object) -> Choice:
    """What is chosen for these wishes."""
    wanted = QualitySettings(**quality)  # type: ignore[arg-type]
    return CodecOptimizer(trials).choose(wanted, dimensions=SIZE, frame_rate=RATE, cancel=CancelToken())


def settings(cores: int = 1, /, **quality: object) -> EncoderSettings:
    """The settings for these wishes."""
    wanted = QualitySettings(**quality)  # type: ignore[arg-type]
    return CodecOptimizer().get_optimal_settings(wanted, frame_rate=RATE, threads=cores)


def option(found: EncoderSettings, name: str) -> str:
    """The value of an option."""
    return found.options[found.options.index(name) + 1]


def problems(**quality: object) -> list[Issue]:
    """What is wrong with these wishes."""
    return CodecOptimizer().problems(QualitySettings(**quality))  # type: ignore[arg-type]


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "codec"), CODECS.items())
def test_the_settings_of_auto_are_those_of_the_codecs_software(name: str, codec: Codec) -> None:
    found = settings(codec=codec)
    assert (found.codec, found.encoder, found.hardware) == (codec, name, None)
    assert settings(codec=codec, encoder=name) == found


def test_wishes_win_over_the_level() -> None:
    plain = settings()
    wished = settings(crf=33, preset="slower")
    assert (option(wished, "-crf"), option(wished, "-preset")) == ("33", "slower")
    assert (option(plain, "-crf"), option(plain, "-preset")) != ("33", "slower")
    assert option(settings(crf=33), "-preset") == option(plain, "-preset")


@pytest.mark.parametrize("codec", Codec)
def test_threads_are_those_of_the_machine_unless_named(codec: Codec) -> None:
    assert settings(5, codec=codec).threads == 5
    named = settings(5, codec=codec, threads=2)
    assert named.threads == 2
    assert named == settings(2, codec=codec)
    if codec is not Codec.H264:  # which takes them from -threads; the others would take all cores
        assert named.options != settings(5, codec=codec).options


@pytest.mark.parametrize(("rate", "pictures"), [("30", "60"), ("30000/1001", "60"), ("24000/1001", "48"), ("1", "2")])
def test_two_seconds_are_a_whole_number_of_pictures(rate: str, pictures: str) -> None:
    found = CodecOptimizer().get_optimal_settings(QualitySettings(), frame_rate=Fraction(rate), threads=1)
    assert option(found, "-g") == pictures


def test_settings_of_an_unknown_encoder_cannot_be_had() -> None:
    with pytest.raises(ValueError, match="h265_vaapi"):
        settings(encoder="h265_vaapi")


# --- wishes that cannot be granted ----------------------------------------------------------------


@pytest.mark.parametrize("level", QualityLevel)
@pytest.mark.parametrize("name", NAMES)
def test_every_level_of_every_encoder_is_possible(name: str, level: QualityLevel) -> None:
    assert problems(codec=CODECS[name], encoder=name, quality=level) == []
    assert problems(codec=CODECS[name], quality=level) == []


def test_an_encoder_that_is_not_known_is_named_with_the_nearest_one() -> None:
    (issue,) = problems(encoder="libsvt-av1")
    assert issue.code is IssueCode.ENCODER_UNAVAILABLE
    assert "libsvt-av1" in issue.message
    assert issue.hint is not None
    assert "did you mean libsvtav1?" in issue.hint
    (stranger,) = problems(encoder="mpeg2_nvenc", codec=Codec.HEVC)
    assert stranger.hint is not None
    assert all(name in stranger.hint for name in ("auto", "libx265", "hevc_nvenc", "hevc_vaapi"))
    assert not any(name in stranger.hint.partition("choose")[2] for name in ("h264", "libx264", "av1"))


def test_an_encoder_of_another_codec_says_which_codec_to_ask_for() -> None:
    (issue,) = problems(codec=Codec.H264, encoder="libsvtav1")
    assert issue.code is IssueCode.ENCODER_UNAVAILABLE
    assert issue.hint == "add --codec av1"


@pytest.mark.parametrize(
    ("codec", "crf", "fine"),
    [
        (Codec.H264, 0, False),  # lossless, which is another profile
        (Codec.H264, 1, True),
        (Codec.H264, 51, True),
        (Codec.H264, 52, False),
        (Codec.HEVC, 0, True),
        (Codec.HEVC, 51, True),
        (Codec.HEVC, 52, False),
        (Codec.AV1, 0, False),  # which ffmpeg takes for no wish at all
        (Codec.AV1, 1, True),
        (Codec.AV1, 63, True),
    ],
)
def test_a_crf_that_the_encoder_does_not_take_is_out_of_range(codec: Codec, crf: int, *, fine: bool) -> None:
    found = [issue.code for issue in problems(codec=codec, crf=crf)]
    assert found == ([] if fine else [IssueCode.QUALITY_OUT_OF_RANGE])


@pytest.mark.parametrize(
    ("codec", "preset", "fine"),
    [
        (Codec.H264, "veryfast", True),
        (Codec.H264, "7", False),
        (Codec.HEVC, "placebo", True),
        (Codec.HEVC, "quick", False),
        (Codec.AV1, "0", True),
        (Codec.AV1, "13", True),
        (Codec.AV1, "14", False),
        (Codec.AV1, "veryfast", False),
    ],
)
def test_a_preset_that_the_encoder_does_not_have_is_refused_with_those_it_has(
    codec: Codec, preset: str, *, fine: bool
) -> None:
    found = problems(codec=codec, preset=preset)
    assert [issue.code for issue in found] == ([] if fine else [IssueCode.QUALITY_OUT_OF_RANGE])
    assert all(issue.hint and "choose one of" in issue.hint for issue in found)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems(codec=Codec.AV1, encoder="libx264", crf=60, preset="quick")
    assert [issue.code for issue in found] == [
        IssueCode.ENCODER_UNAVAILABLE,
        IssueCode.QUALITY_OUT_OF_RANGE,
        IssueCode.QUALITY_OUT_OF_RANGE,
    ]


# --- hardware -------------------------------------------------------------------------------------


@pytest.mark.parametrize("works", H264_IN_ORDER)
def test_auto_is_the_first_that_works_in_the_order_of_preference(works: str) -> None:
    later = H264_IN_ORDER[H264_IN_ORDER.index(works) :]
    trials = FakeTrials(*reversed(later))
    choice = chosen(trials)
    assert (choice.quality.encoder, choice.issue) == (works, None)
    assert trials.asked == [(H264_IN_ORDER, SIZE)]


@pytest.mark.parametrize(("name", "codec"), CODECS.items())
def test_auto_is_software_where_no_hardware_works_and_says_nothing(name: str, codec: Codec) -> None:
    for trials in (FakeTrials(), FakeTrials(listed=()), None):
        choice = chosen(trials, codec=codec)
        assert (choice.quality.encoder, choice.issue) == (name, None)


def test_only_what_ffmpeg_has_is_tried_and_only_of_the_codec() -> None:
    trials = FakeTrials("hevc_vaapi", "h264_nvenc", listed=("hevc_vaapi", "h264_nvenc", "libx265"))
    assert chosen(trials, codec=Codec.HEVC).quality.encoder == "hevc_vaapi"
    assert trials.asked == [(["hevc_vaapi"], SIZE)]


@pytest.mark.parametrize("wish", [{"crf": 20}, {"preset": "slow"}])
def test_auto_with_a_number_of_softwares_scale_is_software(wish: dict[str, object]) -> None:
    trials = FakeTrials(*H264_IN_ORDER)
    assert chosen(trials, **wish).quality == QualitySettings(encoder="libx264", **wish)  # type: ignore[arg-type]
    assert trials.asked == []


def test_a_named_encoder_that_works_is_taken_with_its_own_numbers() -> None:
    choice = chosen(FakeTrials("h264_nvenc"), encoder="h264_nvenc", crf=30, preset="p6")
    assert (choice.quality.encoder, choice.quality.crf, choice.issue) == ("h264_nvenc", 30, None)
    assert chosen(None, encoder="h264_nvenc").quality.encoder == "h264_nvenc"  # nobody can tell
    assert chosen(FakeTrials(), encoder="libx264").quality.encoder == "libx264"  # is not tried


def test_a_named_encoder_that_does_not_work_is_replaced_with_the_reason_and_without_its_numbers() -> None:
    choice = chosen(FakeTrials(), encoder="h264_nvenc", crf=30, preset="p6", quality=QualityLevel.HIGH)
    assert choice.quality == QualitySettings(encoder="libx264", quality=QualityLevel.HIGH)
    assert choice.issue is not None
    assert choice.issue.code is IssueCode.ENCODER_UNAVAILABLE
    said = "h264_nvenc does not work here: no h264_nvenc; libx264 is used instead, at high quality"
    assert choice.issue.message == said


def test_where_no_other_may_take_its_place_that_is_an_error_with_a_way_out() -> None:
    issue = chosen(FakeTrials(), encoder="hevc_qsv", codec=Codec.HEVC, fallback=False).issue
    assert issue is not None
    assert issue.message == "hevc_qsv does not work here: no hevc_qsv"
    assert issue.hint == "choose --encoder auto or libx265, or leave out --no-fallback"


def test_an_encoder_that_failed_at_work_is_not_trusted_any_more() -> None:
    trials = FakeTrials("h264_nvenc")
    CodecOptimizer(trials).distrust(settings(encoder="h264_nvenc"))
    CodecOptimizer().distrust(settings(encoder="h264_nvenc"))
    assert trials.forgotten == ["h264_nvenc"]


def test_all_hardware_that_is_listed_can_be_asked_about() -> None:
    trials = FakeTrials("av1_amf", listed=("av1_amf", "h264_nvenc"))
    found = CodecOptimizer(trials).hardware_failures(SIZE, RATE, cancel=CancelToken())
    assert found == {"h264_nvenc": "no h264_nvenc", "av1_amf": None}
    assert CodecOptimizer().hardware_failures(SIZE, RATE, cancel=CancelToken()) == {}


HARDWARE = list(HARDWARE_ENCODERS.values())


@pytest.mark.parametrize("encoder", HARDWARE, ids=lambda encoder: encoder.name)
def test_a_hardware_encoder_has_a_row_that_holds_together(encoder: Encoder) -> None:
    assert encoder.name == f"{encoder.codec}_{encoder.name.partition('_')[2]}"
    assert encoder.hardware is not None
    assert encoder.hardware.at_once >= 1
    for level in QualityLevel:
        assert problems(codec=encoder.codec, encoder=encoder.name, quality=level) == []
        preset, quality = encoder.levels[level]
        assert encoder.lowest_crf <= quality <= encoder.highest_crf
        assert preset in encoder.presets or not (preset or encoder.presets)
    qualities = [encoder.levels[level][1] for level in QualityLevel]
    assert qualities == sorted(qualities, reverse="videotoolbox" not in encoder.name)
    found = settings(2, codec=encoder.codec, encoder=encoder.name)
    assert (found.hardware, found.threads, option(found, "-g")) == (encoder.hardware, 2, "10")


@pytest.mark.parametrize("name", [name for name in HARDWARE_ENCODERS if "videotoolbox" not in name])
@pytest.mark.heavy
def test_ffmpeg_knows_the_options_and_values_that_hardware_is_given(name: str) -> None:
    encoder = HARDWARE_ENCODERS[name]
    own = asked_of_ffmpeg(f"encoder={name}")
    for level in QualityLevel:
        for key, value in pairs(settings(codec=encoder.codec, encoder=name, quality=level)):
            if key in GENERIC:
                assert value.isdecimal()
            else:
                assert key in own
                assert own[key](value), (key, value)


GENERIC = {"g", "b", "global_quality"}
"""Options of every encoder."""


def pairs(found: EncoderSettings) -> list[tuple[str, str]]:
    """Options without dash and stream, with their values."""
    names = [name.removeprefix("-").removesuffix(":v") for name in found.options[::2]]
    return list(zip(names, found.options[1::2], strict=True))


class Allowed:
    """What ffmpeg says that an option takes: a range, names, or true and false."""

    def __init__(self, line: str) -> None:
        found = re.search(r"\(from (\S+) to (\S+)\)", line)
        highest = float("inf") if found and found[2].endswith("_MAX") else float(found[2] if found else 1)
        self.range = (float(found[1]) if found else 0.0), highest
        self.names: set[str] = set()

    def __call__(self, value: str) -> bool:
        number = re.fullmatch(r"-?\d+", value)
        return value in self.names or (number is not None and self.range[0] <= float(value) <= self.range[1])


def asked_of_ffmpeg(topic: str) -> dict[str, Allowed]:
    """The options of an encoder, from its help."""
    limits = Limits(total_seconds=20)
    help_text = run_process([ffmpeg(), "-hide_banner", "-h", topic], cancel=CancelToken(), limits=limits).stdout_tail
    found: dict[str, Allowed] = {}
    last: Allowed | None = None
    for line in help_text.splitlines():
        if option_line := re.match(r"  -([\w-]+) ", line):
            last = found[option_line[1]] = Allowed(line)
        elif last is not None and (value := re.match(r"     (\w+) ", line)):
            last.names.add(value[1])
    return found


@pytest.mark.parametrize(
    ("name", "crf", "fine"),
    [
        ("h264_nvenc", 0, False),  # which is "no wish" to NVENC
        ("h264_nvenc", 51, True),
        ("h264_nvenc", 52, False),
        ("av1_nvenc", 63, True),
        ("h264_videotoolbox", 0, False),
        ("hevc_vaapi", 51, True),
        ("hevc_vaapi", 52, False),
    ],
)
def test_a_quality_that_hardware_does_not_take_is_out_of_range(name: str, crf: int, *, fine: bool) -> None:
    found = problems(codec=HARDWARE_ENCODERS[name].codec, encoder=name, crf=crf)
    assert [issue.code for issue in found] == ([] if fine else [IssueCode.QUALITY_OUT_OF_RANGE])
    better = "higher" if "videotoolbox" in name else "lower"
    assert all(issue.hint == f"a {better} number is better quality" for issue in found)


@pytest.mark.parametrize(
    ("name", "preset", "hint"),
    [
        ("h264_nvenc", "p4", None),
        ("h264_nvenc", "veryfast", "choose one of p1 p2 p3 p4 p5 p6 p7"),
        ("h264_amf", "balanced", None),
        ("h264_vaapi", "p4", "leave the preset out"),
    ],
)
def test_a_preset_that_hardware_does_not_have_is_refused(name: str, preset: str, hint: str | None) -> None:
    assert [issue.hint for issue in problems(encoder=name, preset=preset)] == ([hint] if hint else [])


@pytest.mark.parametrize("codec", Codec)
def test_every_pair_of_codecs_and_encoders_that_do_not_fit_is_named(codec: Codec) -> None:
    for name, encoder in (ENCODERS | HARDWARE_ENCODERS).items():
        found = [issue.code for issue in problems(codec=codec, encoder=name)]
        assert found == ([] if encoder.codec is codec else [IssueCode.ENCODER_UNAVAILABLE])


# --- HDR --------------------------------------------------------------------------------------------


def hdr_choice(trials: FakeTrials, **quality: object) -> Choice:
    wanted = QualitySettings(codec=Codec.HEVC, **quality)  # type: ignore[arg-type]
    samples = samples_of(DynamicRange.HLG)
    return CodecOptimizer(trials).choose(
        wanted, dimensions=SIZE, frame_rate=RATE, cancel=CancelToken(), samples=samples
    )


def test_hardware_is_not_tried_for_hdr() -> None:
    trials = FakeTrials(*HARDWARE_ENCODERS)
    found = hdr_choice(trials)
    assert (found.quality.encoder, found.issue, trials.asked) == ("libx265", None, [])
    named = hdr_choice(trials, encoder="hevc_nvenc")
    assert named.quality.encoder == "libx265"
    assert named.issue is not None
    assert "8 bits of SDR" in named.issue.message


@pytest.mark.parametrize("works", [True, False])
def test_software_is_tried_for_ten_bits_which_some_builds_lack(*, works: bool) -> None:
    trials = FakeTrials(*(["libx265"] if works else []), listed=["libx265"])
    optimizer, wanted = CodecOptimizer(trials), QualitySettings(codec=Codec.HEVC, encoder="libx265")
    refused = optimizer.missing(wanted, cancel=CancelToken(), samples=samples_of(DynamicRange.PQ))
    assert (refused is None) is works
    assert refused is None or refused.code is IssueCode.ENCODER_UNAVAILABLE
    assert optimizer.missing(wanted, cancel=CancelToken()) is None
