"""ModuleFactory: builds and wires all objects; the place to start reading."""

from __future__ import annotations

import logging
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.concatenation.ffmpeg import FFmpegConcatenator
from mpt_cli.concatenation.levels import ReelLevels
from mpt_cli.concatenation.moviepy import MoviePyConcatenator
from mpt_cli.concatenation.service import ConcatenationService
from mpt_cli.config.sections import Config
from mpt_cli.media.encoders.availability import EncoderTrials
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.damage import DeepLook
from mpt_cli.media.inspect.loudness import FileLoudness
from mpt_cli.media.inspect.probe_cache import ProbeCache
from mpt_cli.media.inspect.sandbox import Workers
from mpt_cli.model.arguments import instance_of
from mpt_cli.model.errors import ConfigError, IssueCode
from mpt_cli.model.run_record import BatchEntry, HistoryEntry
from mpt_cli.monitoring.gpu import gpu_percent
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.monitoring.system import usable_cores
from mpt_cli.planning.copy_obstacles import with_copy_obstacles
from mpt_cli.planning.estimates import Machine
from mpt_cli.planning.planner import Planner
from mpt_cli.planning.reuse import Reuse
from mpt_cli.processing.cache import ClipCache
from mpt_cli.processing.clip import ClipProcessor
from mpt_cli.processing.pipeline import ProcessingPipeline
from mpt_cli.settings.user_folders import cache_folder, state_folder
from mpt_cli.storage.file_identity import content_hash
from mpt_cli.storage.keep_failures import NO_HOME, KeepFailures, homeless
from mpt_cli.storage.run_history import History
from mpt_cli.storage.store import Store
from mpt_cli.storage.temp_files import sweep, sweep_scratch
from mpt_cli.validation.codec import CodecValidator
from mpt_cli.validation.engine import ValidationEngine
from mpt_cli.validation.file import FileValidator
from mpt_cli.validation.parameter import ParameterValidator
from mpt_cli.workflow.health import HealthChecks
from mpt_cli.workflow.lifecycle import Lifecycle
from mpt_cli.workflow.orchestrator import VideoProcessingOrchestrator
from mpt_cli.workflow.published_reels import PublishedReels
from mpt_cli.workflow.side_outputs import SideOutputs
from mpt_cli.workflow.task_files import read_task
from mpt_cli.workflow.task_run import TaskRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import FileValidationResult
    from mpt_cli.model.task import TaskEnd
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.workflow.deadline import StartTimer


logging.getLogger("mpt_cli").addHandler(logging.NullHandler())  # a library speaks only to who listens

_REPORTS, _BATCHES, _REELS = "reports", "batches", "reels"
_SOUND_SHARE = 20
"""Encoded audio may take one part in so many of the cache of segments: it is encoded again in seconds."""


class ModuleFactory:
    """Build what a configuration describes; parts that must be shared are built once."""

    def __init__(
        self, config: Config | None = None, *, remember: bool = True, timer: StartTimer = threading.Timer
    ) -> None:
        """Keep the configuration; nothing is built or looked up yet.

        Args:
            config: All sections of settings, by default with their default values;
                :class:`~mpt_cli.settings.merged.Settings` is one too.
            remember: Whether results of probes and of encoder tests are cached; a dry run caches none.
            timer: Starts the clock of a deadline.

        Raises:
            UsageError: ``config`` is no configuration.
        """
        given = Config() if config is None else config
        self._config = instance_of("ModuleFactory.config", given, Config, "give Settings(...) or Config(...)")
        self._remember, self._timer = remember, timer
        self._building = threading.Lock()

    def create_video_orchestrator(self) -> VideoProcessingOrchestrator:
        """Return the orchestrator with all its parts; threads that ask at once get the same shared parts."""
        with self._building:  # cached_property has no lock since Python 3.12
            return self._orchestrator()

    def do_task(self, path: Path, context: RunContext) -> tuple[TaskEnd, tuple[Issue, ...]]:
        """Do the step of a plan that stands in a file, and keep its result in the cache.

        Args:
            path: A file that :meth:`VideoProcessingOrchestrator.plan_video_request` wrote.
            context: Where events go, and how the work is stopped.

        Returns:
            The end of the task, and its warnings.

        Raises:
            MptError: The step cannot be done here, failed, or was stopped.
        """
        task, cache, memory = read_task(path), self.clip_store, self.memory_manager
        processor = self._processor(cache)
        pool = ResourcePool(slots=1, memory=memory)
        work = TaskRun(
            ProcessingPipeline(processor, pool, memory, self.performance_monitor, cache=cache),
            cache,
            self._config,
            recipes=processor.recipes,
            ffmpeg=self.ffmpeg,
            content=self._content,
            memory=memory,
            performance=self.performance_monitor,
            sandbox=self.workers,
        )
        return work.run(task, context)

    @property
    def _content(self) -> Callable[[Path], str]:
        """Returns the hash of a file's content."""
        return self.known_files.content if self.known_files else content_hash

    def _processor(self, cache: ClipCache | None) -> ClipProcessor:
        return ClipProcessor(
            self.ffmpeg,
            self.workers.decoded_share,
            audio=self.workers,
            clock=time.monotonic,
            cache=cache,
            content=self._content,
        )

    def _orchestrator(self) -> VideoProcessingOrchestrator:
        free = self.memory_manager.budget_bytes - self.memory_manager.get_usage_bytes()
        machine = Machine(cores=usable_cores(), memory_bytes=max(1, free))
        pool = ResourcePool(slots=self._config.processing.jobs or machine.cores, memory=self.memory_manager)
        content = self._content
        cache, performance, memory = self.clip_cache, self.performance_monitor, self.memory_manager
        processor = self._processor(cache)
        pipeline = ProcessingPipeline(processor, pool, memory, performance, cache=cache)
        engines = (
            FFmpegConcatenator(self.ffmpeg, pool, store=self.sound_store if self._caches else None),
            MoviePyConcatenator(self.ffmpeg, pool),
        )
        service = ConcatenationService(engines, memory, performance, levels=ReelLevels(self.ffmpeg, pool))
        validation = self.create_validation_engine()
        reuse = Reuse(processor.recipes, cache, content) if cache is not None else None
        return VideoProcessingOrchestrator(
            validation_engine=validation,
            processing_pipeline=pipeline,
            concatenation_service=service,
            performance_monitor=performance,
            memory_manager=memory,
            config=self._config,
            planner=Planner(machine, self.codec_optimizer, reuse),
            recipes=processor.recipes,
            ffmpeg=self.ffmpeg,
            machine=machine,
            side_outputs=self.side_outputs,
            lifecycle=Lifecycle(
                performance,
                memory,
                self.workers,
                history=self.history,
                keep_failures=self.keep_failures,
                timer=self._timer,
            ),
            reels=self.published_reels,
            health=HealthChecks(
                config=self._config,
                validation=validation,
                pipeline=pipeline,
                service=service,
                ffmpeg=self.ffmpeg,
                optimizer=CodecOptimizer(EncoderTrials(self.ffmpeg, None)),  # tried again whatever is known
                memory=memory,
                performance=performance,
                cache=cache,
                history=self.history,
            ),
        )

    def create_validation_engine(self) -> ValidationEngine:
        """Return the engine that validates files, as many at a time as there are cores."""
        ask = self.known_files.probe if self.known_files else self.workers.probe
        deep = DeepLook(self.ffmpeg, self.workers.decoded_share)
        return ValidationEngine(
            FileValidator(
                self._config.validation,
                probe=ask,
                decoded_share=deep,
                audio_loss=self.workers.audio_loss,
                loudness=FileLoudness(self.ffmpeg),
            ),
            ParameterValidator(),
            CodecValidator(self.codec_optimizer),
            workers=usable_cores(),
            processes=self.workers,
        )

    @staticmethod
    def with_copy_obstacles(files: Sequence[FileValidationResult]) -> list[FileValidationResult]:
        """Return verdicts with what keeps each file from being copied beside the others."""
        return with_copy_obstacles(files)

    @cached_property
    def side_outputs(self) -> SideOutputs:
        """Takes pictures out of reels and writes reports as pages."""
        return SideOutputs(self.workers, threads=usable_cores())

    @cached_property
    def workers(self) -> Workers:
        """The processes that open untrusted files."""
        limits = self._config.validation
        return Workers(
            most=usable_cores(), timeout_seconds=float(limits.probe_timeout), memory_bytes=limits.probe_memory
        )

    @cached_property
    def ffmpeg(self) -> Ffmpeg:
        """The ffmpeg of the configuration."""
        return Ffmpeg(self._config.ffmpeg.binary)

    @cached_property
    def clip_store(self) -> ClipCache:
        """The cache of finished segments, whether runs use it or not; ConfigError without a folder for it."""
        return ClipCache(
            self._cache_root / "clips", limit_bytes=self._config.cache.max_size, on_failure=self._on_lost_cache
        )

    @cached_property
    def sound_store(self) -> Store:
        """The cache of encoded audio, whether runs use it or not; ConfigError without a folder for it."""
        limit_bytes = self._config.cache.max_size // _SOUND_SHARE
        return Store(self._cache_root / "sounds", limit_bytes=limit_bytes, on_failure=self._on_lost_cache)

    @property
    def clip_cache(self) -> ClipCache | None:
        """The cache of finished segments that runs use; None where it is switched off or has no folder."""
        return self.clip_store if self._caches else None

    @cached_property
    def known_store(self) -> ProbeCache:
        """The cache of probe results, whether runs use it or not; ConfigError without a folder for it."""
        known = ProbeCache(
            self._cache_root / "files",
            self.workers.probe,
            paranoid=self._config.cache.paranoid,
            remember=self._remember,
            on_failure=self._on_lost_cache,
        )
        self.memory_manager.register_cache(known.forget)
        return known

    @property
    def known_files(self) -> ProbeCache | None:
        """The cache of probe results that runs use; None where it is switched off or has no folder."""
        return self.known_store if self._caches else None

    @cached_property
    def history(self) -> History[HistoryEntry] | None:
        """The results of earlier runs; None without a folder for them."""
        folder = self._state_folder
        return None if folder is None else History(folder / _REPORTS, HistoryEntry, on_failure=self._on_lost_state)

    @cached_property
    def batches(self) -> History[BatchEntry] | None:
        """The records of earlier batches as a whole; None without a folder for them."""
        folder = self._state_folder
        return None if folder is None else History(folder / _BATCHES, BatchEntry, on_failure=self._on_lost_state)

    @cached_property
    def published_reels(self) -> PublishedReels:
        """The records of published reels."""
        content = self.known_files.content if self.known_files else None
        folder, paranoid = self._state_folder, self._config.cache.paranoid
        if folder is None:  # the standing warning says so
            return PublishedReels(None, content=content, paranoid=paranoid)
        return PublishedReels(folder / _REELS, content=content, paranoid=paranoid, on_failure=self._on_lost_state)

    @cached_property
    def keep_failures(self) -> KeepFailures:
        """What could not be kept for later runs; without a home folder, that is said of every run."""
        cache = self._config.cache.enabled and self._cache_folder is None
        return KeepFailures(*homeless(cache=cache, state=self._state_folder is None))

    def sweep(self) -> None:
        """Remove what killed runs left in the folders of temporary files and of records.

        Runs work in ``paths.temp`` or beside their outputs, health checks and trials of encoders in the system's
        folder of temporary files. Of the folders of outputs only the current folder is known here; in others
        the next run clears up.
        """
        sweep_scratch()
        for folder in (self._config.paths.temp, Path()):
            if folder is not None:
                sweep(folder)
        for records in (self.history, self.batches, self.published_reels):
            if records is not None:
                records.sweep()
        if self._cache_folder is not None:
            self.encoder_trials.sweep()

    @cached_property
    def _state_folder(self) -> Path | None:
        """The folder of records of earlier runs; None for a user without a home folder."""
        return self._config.paths.state or state_folder()

    @cached_property
    def _cache_folder(self) -> Path | None:
        """The folder of caches, whose content can be created again; None for a user without a home folder."""
        return self._config.cache.dir or cache_folder()

    @property
    def _cache_root(self) -> Path:
        """The folder of caches; ConfigError where there is none."""
        if self._cache_folder is None:
            raise ConfigError(f"there is no cache: {NO_HOME}", hint="set HOME, or cache.dir")
        return self._cache_folder

    @property
    def _caches(self) -> bool:
        """True if runs use the cache."""
        return self._config.cache.enabled and self._cache_folder is not None

    def _on_lost_cache(self, error: OSError) -> None:
        self.keep_failures.note(IssueCode.CACHE_UNAVAILABLE, self._cache_root, error)

    def _on_lost_state(self, error: OSError) -> None:
        assert self._state_folder is not None
        self.keep_failures.note(IssueCode.STATE_UNAVAILABLE, self._state_folder, error)

    @cached_property
    def codec_optimizer(self) -> CodecOptimizer:
        """Chooses encoders."""
        return CodecOptimizer(self.encoder_trials)

    @cached_property
    def encoder_trials(self) -> EncoderTrials:
        """Tests hardware encoders, and caches the results for a day."""
        folder = None if self._cache_folder is None else self._cache_folder / "encoders"
        remember = self._remember and self._config.cache.enabled
        return EncoderTrials(self.ffmpeg, folder, remember=remember, on_failure=self._on_lost_cache)

    @staticmethod
    def encoder_names() -> dict[str, tuple[str, ...]]:
        """Return the names of all encoders by codec, whether they work here or not."""
        return CodecOptimizer.names()

    @cached_property
    def memory_manager(self) -> MemoryManager:
        """Measures memory; one for all runs of this factory."""
        return MemoryManager(self._config.memory)

    @cached_property
    def performance_monitor(self) -> PerformanceMonitor:
        """Measures cost; one for all runs of this factory."""
        memory = self.memory_manager
        return PerformanceMonitor(
            cpu_percent=memory.get_cpu_percentage, memory_percent=memory.get_usage_percentage, gpu_percent=gpu_percent
        )
