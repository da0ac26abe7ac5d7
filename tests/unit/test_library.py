"""The library as its users meet it: public names, natural arguments, and values that can be kept."""

from __future__ import annotations

import inspect
import pickle
import pydoc
import subprocess
import sys
import typing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import is_dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest

import mpt_cli
from mpt_cli.config.request import effective_config
from mpt_cli.model import errors
from mpt_cli.model.errors import IssueCode, MptError
from mpt_cli.runtime import events
from tests.builders import OUTPUT, bad, good, media_of, run_of
from tests.generated import CONTRACT, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

ERRORS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, MptError)]
EXAMPLE = ROOT / "examples" / "library.py"


class Text:
    """A path of another library."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return self.path


# --- names --------------------------------------------------------------------------------------


def test_public_names_are_those_of_all_and_of_dir() -> None:
    assert {name for name in dir(mpt_cli) if not name.startswith("__")} == set(mpt_cli.__all__) - {"__version__"}
    assert {name for name in mpt_cli.__all__ if getattr(mpt_cli, name, None) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'VideoParms'"):
        mpt_cli.VideoParms  # type: ignore[attr-defined]  # noqa: B018


def test_public_names_hold_all_classes_that_a_program_meets() -> None:
    waiting: list[Any] = [mpt_cli.VideoResult, mpt_cli.VideoParams, mpt_cli.RunContext, *typing.get_args(mpt_cli.Event)]
    imported = {name: getattr(mpt_cli, name) for name in mpt_cli.__all__} | {"Path": Path, "Fraction": Fraction}
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if inspect.isclass(one) and one.__module__.startswith("mpt_cli") and one.__name__ not in found:
            found.add(one.__name__)
            if is_dataclass(one):
                names = imported | vars(sys.modules[one.__module__])
                waiting += typing.get_type_hints(one, names).values()
        waiting += typing.get_args(one)
    assert len(found) > 20
    assert found - {"Once"} <= set(mpt_cli.__all__)  # which the jobs of a batch share among themselves


@pytest.mark.heavy
def test_help_and_contract_show_the_example_that_runs() -> None:
    code = EXAMPLE.read_text(encoding="utf-8").split('"""\n\n', 1)[1].rstrip()
    assert f"```python\n{code}\n```" in (ROOT / CONTRACT).read_text(encoding="utf-8")
    shown = pydoc.plain(pydoc.render_doc(mpt_cli))
    assert [line for line in map(str.strip, code.splitlines()) if line not in shown] == []
    statements = [line for line in code.partition("def show")[2].splitlines()[1:] if line.strip() and line[0] == " "]
    assert len(statements) <= 20


@pytest.mark.heavy
def test_importing_mpt_loads_none_of_its_heavy_parts() -> None:
    code = "import sys, mpt_cli; mpt_cli.__version__; dir(mpt_cli); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "mpt_cli" in loaded
    assert {name for name in loaded if name.startswith("mpt_cli.")} == {"mpt_cli.model", "mpt_cli.model.version"}
    assert not loaded & {"pydantic", "av", "rich", "typer", "psutil", "logging", "dataclasses"}


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0.25, "0.25", Fraction(1, 4), Decimal("0.25"), np.float32(0.25), np.float64(0.25)])
def test_clip_takes_any_number_of_seconds(start: Any) -> None:
    assert mpt_cli.VideoClip("a.mp4", start, end=2) == mpt_cli.VideoClip(Path("a.mp4"), Fraction(1, 4), Fraction(2))


def test_clip_reads_a_float_as_the_decimal_that_it_shows() -> None:
    assert mpt_cli.VideoClip("a.mp4", start=0.1).start == Fraction(1, 10)


@pytest.mark.parametrize("clips", ["a.mp4", Path("a.mp4"), Text("a.mp4"), ["a.mp4"], (p for p in ["a.mp4"])])
def test_request_takes_one_clip_or_many(clips: Any) -> None:
    params = mpt_cli.VideoParams(clips, Text("reel.mp4"))
    assert params.clips == (mpt_cli.VideoClip("a.mp4"),)
    assert params.output_path == Path("reel.mp4")
    assert params == mpt_cli.VideoParams([mpt_cli.VideoClip("a.mp4")], "reel.mp4")


@pytest.mark.parametrize("size", [(1080, 1920), [1080, 1920], "1080x1920", mpt_cli.Dimensions(1080, 1920)])
def test_request_takes_sizes_as_people_write_them(size: Any) -> None:
    assert mpt_cli.VideoParams("a.mp4", "b.mp4", dimensions=size).dimensions == mpt_cli.Dimensions(1080, 1920)


@pytest.mark.parametrize("rate", [30, 30.0, "30", Fraction(30), np.int64(30)])
def test_request_takes_rates_as_people_write_them(rate: Any) -> None:
    assert mpt_cli.VideoParams("a.mp4", "b.mp4", frame_rate=rate).frame_rate == Fraction(30)


def test_level_of_quality_keeps_the_rest_of_the_configuration() -> None:
    base = mpt_cli.Config(encode=mpt_cli.QualitySettings(codec=mpt_cli.Codec.HEVC, threads=3))
    params = mpt_cli.VideoParams("a.mp4", "b.mp4", quality="draft", concat_mode="random", join="auto")
    changed = effective_config(params, base)
    assert changed.encode == base.encode.model_copy(update={"quality": mpt_cli.QualityLevel.DRAFT})
    assert changed.concat.mode is mpt_cli.ConcatenationMode.RANDOM
    assert params.join is mpt_cli.JoinMethod.AUTO


def test_settings_take_a_size_as_a_pair() -> None:
    assert mpt_cli.Settings(video={"size": (64, 36)}).video.size == mpt_cli.Dimensions(64, 36)


def test_settings_take_any_path(tmp_path: Path) -> None:
    settings = mpt_cli.Settings(cache={"dir": Text("cache")}, ffmpeg={"binary": Text("bin/ffmpeg")})
    assert (settings.cache.dir, settings.ffmpeg.binary) == (Path("cache"), Path("bin/ffmpeg"))
    (tmp_path / "own.toml").write_text("[video]\nfps = 25\n")
    loaded = mpt_cli.Settings.load(config_file=Text("own.toml"), cwd=Text(str(tmp_path)), environ={})
    assert loaded.video.fps == Fraction(25)


def test_threads_that_build_at_once_share_the_parts() -> None:
    factory = mpt_cli.ModuleFactory()
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(factory.create_video_orchestrator) for _ in range(8)]
    assert len({id(vars(future.result())["_memory"]) for future in futures}) == 1


def test_context_has_an_id_and_a_token_of_its_own() -> None:
    one, other = mpt_cli.RunContext(), mpt_cli.RunContext()
    assert one.workflow_id != other.workflow_id
    assert one.cancel is not other.cancel
    assert mpt_cli.RunContext(UUID(int=5)).workflow_id == UUID(int=5).hex


def params_with(**changed: Any) -> Callable[[], object]:
    """What makes a request of which all but these arguments are right."""
    return lambda: mpt_cli.VideoParams(**({"clips": ["a.mp4"], "output_path": "b.mp4"} | changed))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mpt_cli.VideoClip(b"a.mp4"), "VideoClip.path = b'a.mp4': give a path"),  # type: ignore[arg-type]
        (lambda: mpt_cli.VideoClip(None), "VideoClip.path = None: give a path"),  # type: ignore[arg-type]
        (lambda: mpt_cli.VideoClip(""), "VideoClip.path = '': must not be empty"),
        (lambda: mpt_cli.VideoClip("a", start="soon"), "VideoClip.start = 'soon': give a number of seconds"),
        (lambda: mpt_cli.VideoClip("a", start=None), "VideoClip.start = None"),  # type: ignore[arg-type]
        (lambda: mpt_cli.VideoClip("a", end=float("nan")), "VideoClip.end = nan: give a number"),
        (lambda: mpt_cli.VideoClip("a", end=1e300), "VideoClip.end = 1e+300: must be at most"),
        (lambda: mpt_cli.VideoClip("a", mute="no"), "VideoClip.mute = 'no': give True or False"),  # type: ignore[arg-type]
        (lambda: mpt_cli.Extras(poster=3), "Extras.poster = 3: give a path"),  # type: ignore[arg-type]
        (params_with(clips=3), "VideoParams.clips = 3: give a list"),
        (params_with(clips={"a.mp4": 1}), "VideoParams.clips = {'a.mp4': 1}: give a list"),
        (params_with(clips=["a.mp4", 3]), "VideoParams.clips[1] = 3: give a path"),
        (params_with(clips=b"a.mp4"), "VideoParams.clips = b'a.mp4': give a list"),
        (params_with(output_path=None), "VideoParams.output_path = None: give a path"),
        (params_with(dimensions=(1080,)), "VideoParams.dimensions = (1080,): give a size"),
        (params_with(dimensions=(1080.5, 1920)), "VideoParams.dimensions = (1080.5, 1920): give a size"),
        (params_with(dimensions=mpt_cli.Dimensions("2", "4")), "VideoParams.dimensions"),  # type: ignore[arg-type]
        (params_with(dimensions="big"), "VideoParams.dimensions = 'big'"),
        (params_with(frame_rate=29.97), "VideoParams.frame_rate = 29.97: write the fraction: 30000/1001"),
        (params_with(frame_rate="auto"), "VideoParams.frame_rate = 'auto': give a rate, or nothing"),
        (params_with(frame_rate=0), "VideoParams.frame_rate = 0: must be above 0"),
        (params_with(quality="best"), "VideoParams.quality = 'best': must be draft, balanced or high"),
        (params_with(quality=18), "VideoParams.quality = 18"),
        (params_with(concat_mode="shuffled"), "VideoParams.concat_mode = 'shuffled': must be sequential or random"),
        (params_with(join="glue"), "VideoParams.join = 'glue': must be auto, copy, reencode or moviepy"),
        (params_with(config={"video": {}}), "VideoParams.config = {'video': {}}: give Settings"),
        (params_with(extras="sheet.png"), "VideoParams.extras = 'sheet.png': give Extras"),
        (params_with(problems=["odd"]), "VideoParams.problems = 'odd': give issues"),
        (params_with(overwrite="no"), "VideoParams.overwrite = 'no': give True or False"),
        (lambda: mpt_cli.RunContext("../other"), "RunContext.workflow_id = '../other': give up to 64 letters"),
        (lambda: mpt_cli.RunContext(emit=None), "RunContext.emit = None: give a function"),  # type: ignore[arg-type]
        (lambda: mpt_cli.RunContext(cancel=True), "RunContext.cancel = True: give"),  # type: ignore[arg-type]
        (lambda: mpt_cli.ModuleFactory({}), "ModuleFactory.config = {}: give Settings"),  # type: ignore[arg-type]
        (lambda: orchestrator().process_video_request(["a"]), "params = ['a']: give VideoParams"),
        (lambda: orchestrator().plan_video_request("a"), "params = 'a': give VideoParams"),
        (lambda: orchestrator().process_batch_requests(["a"]), "requests[0] = 'a': give"),
        (lambda: orchestrator().plan_batch_requests([], contexts=[mpt_cli.RunContext()]), "contexts: there are 1"),
    ],
)  # fmt: skip
def test_wrong_argument_is_named(build: Callable[[], object], message: str) -> None:
    with pytest.raises(mpt_cli.UsageError) as caught:
        build()
    assert str(caught.value).startswith(message)
    assert caught.value.code is IssueCode.USAGE


def orchestrator() -> Any:
    return mpt_cli.ModuleFactory().create_video_orchestrator()


# --- values -------------------------------------------------------------------------------------


def test_results_and_requests_survive_pickle() -> None:
    run = run_of(media_of(), 0, 1, processed=(good(0), bad(1)))
    run.output = OUTPUT
    values = [
        run.result(),
        mpt_cli.VideoParams(["a.mp4"], "b.mp4", frame_rate="30000/1001", config=mpt_cli.Settings(preset="reels")),
        events.Notice("warning", "damaged", "is damaged", path=Path("a.mp4")),
    ]
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value
        assert repr(value).startswith(type(value).__name__)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_survive_pickle(kind: type[MptError]) -> None:
    own = "code" in inspect.signature(kind).parameters
    error = kind(IssueCode.LOCKED, "is bad") if own else kind("is bad")  # type: ignore[arg-type,call-arg]
    error.beside([errors.UsageError("too", path=Path("x"))])
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.issue, copied.others, str(copied)) == (kind, error.issue, error.others, "is bad")


def test_error_that_nobody_catches_shows_file_and_hint() -> None:
    error = mpt_cli.ConfigError("is wrong", path=Path("mpt.toml"), hint="write it right")
    error.beside([mpt_cli.ConfigError("is wrong too", path=Path("b.toml"))])
    assert error.__notes__ == ["file: mpt.toml", "hint: write it right", "also: b.toml: is wrong too"]


def test_every_public_value_is_frozen() -> None:
    kinds: list[Any] = [kind for name in mpt_cli.__all__ if is_dataclass(kind := getattr(mpt_cli, name))]
    assert mpt_cli.VideoResult in kinds
    assert [kind for kind in kinds if not kind.__dataclass_params__.frozen] == []
