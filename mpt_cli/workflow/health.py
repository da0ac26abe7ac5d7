"""Health checks: everything that a request needs is tried, and each failure has a hint."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import CacheConfig, QualitySettings
from mpt_cli.media.encoders.smoke_test import RATE, SMALL, decoders, encode_gray, library_version
from mpt_cli.media.encoders.software import ENCODERS
from mpt_cli.media.process.run import Limits
from mpt_cli.media.process.run import run as run_process
from mpt_cli.media.process.shortage import child_shortage
from mpt_cli.media.process.spawn import child_python
from mpt_cli.model.errors import Cancelled, DependencyError, InputError, IssueCode, MptError, ResourceError
from mpt_cli.model.formatting import counted, size_text
from mpt_cli.model.health import HealthCheck, HealthStatus
from mpt_cli.model.shortages import shortage_of
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import RunContext
from mpt_cli.runtime.threads import ThreadPool
from mpt_cli.storage.disk import free_bytes
from mpt_cli.storage.keep_failures import NO_HOME
from mpt_cli.storage.temp_files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mpt_cli.concatenation.service import ConcatenationService
    from mpt_cli.config.sections import Config
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import EncoderSettings
    from mpt_cli.model.run_record import HistoryEntry
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.pipeline import ProcessingPipeline
    from mpt_cli.storage.run_history import History
    from mpt_cli.validation.engine import ValidationEngine
    from mpt_cli.workflow.batch import ProcessesRequests

_LEAST_DISK_BYTES = 200 * 2**20
_LEAST_MEMORY_BYTES = 300 * 2**20
"""What one clip of 1080x1920 needs at least, with mpt itself."""
_IMPORT_SECONDS = 10
_AT_ONCE = 8
_FRAMES = 12
_LOOK_ABOVE = "see the other checks; -v says more"
_OWN_CODES = frozenset(
    {IssueCode.MEMORY_EXHAUSTED, IssueCode.DISK_FULL, IssueCode.CACHE_UNAVAILABLE, IssueCode.STATE_UNAVAILABLE}
)
_OTHER = "choose another one with encode.encoder, or another ffmpeg with MPT_FFMPEG__BINARY"


class HealthChecks:
    """Wires what is checked; :meth:`status` runs the checks."""

    def __init__(
        self,
        *,
        config: Config,
        validation: ValidationEngine,
        pipeline: ProcessingPipeline,
        service: ConcatenationService,
        ffmpeg: Ffmpeg,
        optimizer: CodecOptimizer,
        memory: MemoryManager,
        performance: PerformanceMonitor,
        cache: ClipCache | None,
        history: History[HistoryEntry] | None,
    ) -> None:
        """Wire the parts; nothing is tried yet."""
        self._history = history
        self._config, self._validation, self._pipeline, self._service = config, validation, pipeline, service
        self._ffmpeg, self._optimizer, self._cache = ffmpeg, optimizer, cache
        self._memory, self._performance = memory, performance

    def status(self, processor: ProcessesRequests | None = None, *, cancel: CancelToken | None = None) -> HealthStatus:
        """Return how everything stands; with a processor of requests a small reel is created and proven as well.

        Raises:
            Cancelled: The checks were stopped.
        """
        cancel = cancel or CancelToken()
        with self._memory, _scratch(self._config) as folder, ThreadPool(_AT_ONCE, "health") as threads:
            tries = [*self._services(folder, cancel), *self._programs(folder, cancel), *self._room()]
            if processor is not None:
                tries.append(_Try("job", lambda: self._job(processor, folder, cancel), hint=_LOOK_ABOVE))
            checks = tuple(threads.map(_tried, tries))
            # Side by side they need more room than a request: what lacked it is tried again alone.
            checks = tuple(
                _tried(one) if _was_short(check) else check for one, check in zip(tries, checks, strict=True)
            )
            cancel.raise_if_cancelled()
            self._memory.sample()
            performance = self._performance.get_current_metrics()
        ffmpeg = next((check for check in checks if check.name == "ffmpeg"), None)
        build = self._ffmpeg.build if ffmpeg is not None and ffmpeg.healthy else None
        return HealthStatus(checks, self._memory.get_usage_percentage(), performance, build)

    def _services(self, folder: Path, cancel: CancelToken) -> list[_Try]:
        return [
            _Try("validation_engine", lambda: self._validated(folder, cancel), hint=_LOOK_ABOVE),
            _Try("processing_pipeline", lambda: _require(self._pipeline.is_healthy(), "takes clips", "takes no clip")),
            _Try("concatenation_service", lambda: self._joins(cancel)),
        ]

    def _programs(self, folder: Path, cancel: CancelToken) -> list[_Try]:
        chosen = self._chosen
        return [
            _Try("ffmpeg", lambda: f"{self._ffmpeg.ask_build(cancel)} at {self._ffmpeg.binary}"),
            *(
                _Try(
                    f"encoder:{name}",
                    partial(self._encodes, name, folder, cancel),
                    required=name == chosen,
                    hint=_OTHER,
                )
                for name in dict.fromkeys((*ENCODERS, chosen))
            ),
            _Try("hardware_encoders", lambda: self._hardware(cancel), required=False),
            _Try("pyav", _decodes),
            _Try("moviepy", lambda: _imports_moviepy(folder, cancel), required=False),
        ]

    def _room(self) -> list[_Try]:
        return [
            _Try("memory", self._has_memory),
            _Try("disk", self._has_disk),
            _Try("cache", self._keeps, required=False),
            _Try("state", self._records, required=False),
            _Try("temp", self._writes, hint="set TMPDIR or paths.temp to a folder that can be written"),
        ]

    @property
    def _chosen(self) -> str:
        """The name of the encoder that the configuration asks for."""
        wanted = self._config.encode
        return wanted.encoder if wanted.encoder != "auto" else self._optimizer.default_encoder(wanted.codec)

    def _settings(self, name: str | None = None) -> EncoderSettings:
        """Return the encoder settings of the configuration, or the default ones of another encoder."""
        wanted = self._config.encode
        if name in ENCODERS and name != self._chosen:
            wanted = QualitySettings(codec=ENCODERS[name].codec)
        for issue in self._optimizer.problems(wanted):
            raise InputError(issue.code, issue.message, hint=issue.hint)
        return self._optimizer.get_optimal_settings(wanted, frame_rate=Fraction(RATE), threads=1)

    def _write_gray(
        self, path: Path, cancel: CancelToken, name: str | None = None, *, luma: int = 120, frames: int = _FRAMES
    ) -> None:
        """Write a clip by this encoder, or by the one of the configuration."""
        _require_folder(path.parent)
        encode_gray(self._ffmpeg, self._settings(name), path, luma=luma, frames=frames, cancel=cancel)

    def _encodes(self, name: str, folder: Path, cancel: CancelToken) -> str:
        self._write_gray(folder / f"{name}.mp4", cancel, name, frames=1)
        return "a picture was encoded, and decoded the same"

    def _hardware(self, cancel: CancelToken) -> str:
        """Return which hardware encoders work; a machine without any is healthy."""
        failures = self._optimizer.hardware_failures(self._config.video.size, Fraction(RATE), cancel=cancel)
        if not failures:
            return "ffmpeg has none"
        works = [name for name, failure in failures.items() if failure is None]
        if works:
            return f"{', '.join(works)} work{'s' if len(works) == 1 else ''}"
        name, failure = next(iter(failures.items()))
        return f"none of the {len(failures)} that ffmpeg has works here ({name}: {failure})"

    def _validated(self, folder: Path, cancel: CancelToken) -> str:
        path = folder / "clip.mp4"
        self._write_gray(path, cancel)
        (verdict,) = self._validation.validate_files([path], cancel=cancel)
        found = verdict.errors[0].message if verdict.errors else ""
        return _require(verdict.is_valid, "a clip was looked into", f"refused a good clip: {found}")

    def _joins(self, cancel: CancelToken) -> str:
        if not self._service.is_healthy(cancel):
            raise DependencyError("no engine can join", hint="see ffmpeg")
        return "an engine can join"

    def _has_memory(self) -> str:
        used, budget = self._memory.get_usage_bytes(), self._memory.budget_bytes
        if budget - used < _LEAST_MEMORY_BYTES or not self._memory.is_memory_available(_LEAST_MEMORY_BYTES >> 20):
            message = f"less than {size_text(_LEAST_MEMORY_BYTES)} can be used, of a budget of {size_text(budget)}"
            raise ResourceError(IssueCode.MEMORY_EXHAUSTED, message, hint="end other programs, or raise --max-memory")
        return f"{size_text(budget - used)} of a budget of {size_text(budget)} are free"

    def _has_disk(self) -> str:
        folder = self._config.paths.temp or Path.cwd()
        free = free_bytes(folder)
        if free < _LEAST_DISK_BYTES:
            message = f"only {size_text(free)} are free at {folder}"
            raise ResourceError(IssueCode.DISK_FULL, message, hint="free space, or set paths.temp to another disk")
        return f"{size_text(free)} are free at {folder}"

    def _keeps(self) -> str:
        if not self._config.cache.enabled:
            return "switched off"
        if self._cache is None:
            raise MptError(IssueCode.CACHE_UNAVAILABLE, f"there is none: {NO_HOME}", hint="set HOME, or cache.dir")
        info = self._cache.info()
        self._cache.require_writable()
        space = f"{size_text(info.size_bytes)} of {size_text(info.limit_bytes)}"
        return f"{counted(info.entries, 'clip')}, {space} at {info.folder}"

    def _records(self) -> str:
        if self._history is None:
            message = f"no run is recorded: {NO_HOME}"
            raise MptError(IssueCode.STATE_UNAVAILABLE, message, hint="set HOME, or paths.state")
        return f"{self._history.require_writable()} can be written"

    def _writes(self) -> str:
        folder = _temp_folder(self._config)
        with scratch_folder("health", folder) as scratch, (scratch / "written").open("wb") as file:
            file.write(b"mpt")
            file.flush()
            os.fsync(file.fileno())
        return f"{folder} can be written"

    def _job(self, processor: ProcessesRequests, folder: Path, cancel: CancelToken) -> str:
        clips = [folder / "deep 1.mp4", folder / "deep 2.mp4"]
        for number, path in enumerate(clips):
            self._write_gray(path, cancel, luma=60 + 100 * number)
        config = self._config.model_copy(update={"cache": CacheConfig(enabled=False)})  # what is kept would be reused
        request = VideoParams(clips, folder / "deep.mp4", dimensions=SMALL, config=config)
        context = RunContext(uuid.uuid4().hex, cancel=cancel)
        result = processor.process_video_request(request, context=context, recorded=False)
        if result.output is None:
            issue = result.errors[-1]
            raise MptError(issue.code, issue.message, path=issue.path, hint=issue.hint)
        return f"a reel of {result.output.frames} frames was made and proven"


@dataclass(frozen=True, slots=True)
class _Try:
    """One check: ``find`` returns what it found, or raises. ``hint`` is for errors without one."""

    name: str
    find: Callable[[], str]
    required: bool = True
    hint: str | None = None


def _tried(one: _Try) -> HealthCheck:
    """Return how a check ended; a check never fails the others."""
    try:
        return HealthCheck(one.name, True, one.required, one.find())
    except Cancelled:
        raise
    except MptError as error:
        return _failed(one, error)
    except (OSError, MemoryError, ImportError) as error:
        if (shortage := shortage_of(error)) is not None:
            return _failed(one, shortage)
        if not isinstance(error, OSError):
            return _broken(one, error)
        where = f"{error.filename}: " if error.filename else ""
        return HealthCheck(
            one.name, False, one.required, f"{where}{error.strerror or error}", one.hint or "check its permissions"
        )
    except (ValueError, RuntimeError) as error:
        return _broken(one, error)


def _was_short(check: HealthCheck) -> bool:
    return not check.healthy and check.code is IssueCode.MEMORY_EXHAUSTED


def _failed(one: _Try, error: MptError) -> HealthCheck:
    """Return the failed check; what is no shortage and no lost folder counts as a missing dependency."""
    issue = error.issue
    code = issue.code if issue.code in _OWN_CODES else IssueCode.DEPENDENCY_MISSING
    return HealthCheck(one.name, False, one.required, issue.text(), issue.hint or one.hint, code)


def _broken(one: _Try, error: Exception) -> HealthCheck:
    hint = "please report this, with the output of -v"
    return HealthCheck(one.name, False, one.required, f"{type(error).__name__}: {error}", hint)


def _require(fine: bool, found: str, wrong: str) -> str:
    if not fine:
        raise DependencyError(wrong, hint="install mpt-cli again")
    return found


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise DependencyError("there is no temporary folder to try it in", hint="see temp")


def _decodes() -> str:
    missing = [name for name, there in decoders().items() if not there]
    return _require(not missing, library_version(), f"PyAV decodes no {', '.join(missing)}")


def _imports_moviepy(folder: Path, cancel: CancelToken) -> str:
    """Return MoviePy's version from a process and a folder of its own: MoviePy starts programs when it is imported."""
    if importlib.util.find_spec("moviepy") is None:
        raise DependencyError("MoviePy is not installed", hint="pip install moviepy")
    _require_folder(folder)
    outcome = run_process(
        child_python("mpt_cli.concatenation.moviepy_child", "say_version"),
        cancel=cancel,
        limits=Limits(total_seconds=_IMPORT_SECONDS),
        cwd=folder,
    )
    cancel.raise_if_cancelled()
    if (shortage := child_shortage(outcome.returncode, outcome.stderr_tail)) is not None:
        raise shortage
    if outcome.returncode != 0:
        raise DependencyError("MoviePy cannot be imported", hint="pip install --force-reinstall moviepy")
    return outcome.stdout_tail.strip()


def _temp_folder(config: Config) -> Path:
    """Return the folder of temporary files; FileNotFoundError if the system has none that can be written."""
    return config.paths.temp or Path(tempfile.gettempdir())


@contextmanager
def _scratch(config: Config) -> Iterator[Path]:
    """Yield a folder that is removed at the end; the path of a missing one where none can be created."""
    with ExitStack() as stack:
        folder = Path(os.devnull, "unwritable")
        with suppress(OSError):
            folder = stack.enter_context(scratch_folder("health", _temp_folder(config)))
        yield folder
