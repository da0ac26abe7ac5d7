"""RunState: what is known of a request so far, and the result that this makes at any moment.

The orchestrator and its lifecycle alone write here. When the run ends, well or badly, the same facts
become the result, so that a failed run reports all that is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.errors import Cancelled, Issue, IssueCode, MptError
from mpt_cli.model.results import ClipResult, ClipStatus, RunStatus, VideoResult
from mpt_cli.model.run_record import RunSetup
from mpt_cli.model.version import __version__
from mpt_cli.planning.report import prediction
from mpt_cli.planning.reuse import FINISHED_BEFORE

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.model.clips import VideoClip
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.plan_report import PlanReport
    from mpt_cli.model.published_reel import PublishedReel
    from mpt_cli.model.results import (
        ConcatenationResult,
        FileValidationResult,
        OutputInfo,
        PerformanceReport,
        ProcessingResult,
        ReelEvidence,
        ValidationResult,
    )
    from mpt_cli.planning.plan import Plan
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.workflow.published_reels import Wanted


@dataclass(slots=True)
class RunState:
    """One request while it runs."""

    params: VideoParams
    config: Config
    context: RunContext
    validation: ValidationResult | None = None
    plan: Plan | None = None
    processed: dict[int, ProcessingResult] = field(default_factory=dict)
    concatenation: ConcatenationResult | None = None
    proven: OutputInfo | None = None
    """The reel that was joined and proven."""
    output: OutputInfo | None = None
    """The same once it has its name."""
    error: MptError | None = None
    """The error that ended the run."""
    callback: MptError | None = None
    """The failure of the receiver of events, once it is noted as the error or as a warning."""
    wanted: Wanted | None = None
    """What was asked for as the run began."""
    plan_report: PlanReport | None = None
    metrics: PerformanceReport | None = None
    temporary_bytes: int | None = None
    ffmpeg: str | None = None
    noticed: list[Issue] = field(default_factory=list)
    """Warnings about which clips there are, beside those about each."""
    replaced: list[Issue] = field(default_factory=list)
    """Warnings: what took the place of something that was asked for."""
    missing: list[Issue] = field(default_factory=list)
    """Warnings: what was asked for beside the reel and failed."""
    owned: bool = False
    """Whether the output may only be replaced as long as it is what mpt published."""
    file: tuple[int, ...] = ()
    """Identity of the published file, by which it is told from others at its name."""
    found: PublishedReel | None = None
    """The reel that is up to date, so that nothing is done."""
    evidence: ReelEvidence | None = None
    afterwards: list[Issue] = field(default_factory=list)
    """Warnings since the reel was published."""
    asked: dict[str, str] = field(init=False)
    """The settings that were not left to their defaults, by dotted key; those of the run name its encoder."""

    def __post_init__(self) -> None:
        """Note what was asked for before anything is decided."""
        changed = self.config.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.asked = {
            f"{name}.{key}": str(value) for name, section in changed.items() for key, value in section.items()
        }

    @property
    def command(self) -> str:
        """The name of the command that the request stands for."""
        return "process" if self.params.join is None else "concat"

    @property
    def output_path(self) -> Path:
        """Where the reel is published, absolute."""
        return self.params.output_path.absolute()

    @property
    def temp_parent(self) -> Path:
        """Where the folder of temporary files is created."""
        return self.config.paths.temp or self.output_path.parent

    @property
    def planned(self) -> Plan:
        """The plan, once there is one."""
        assert self.plan is not None
        return self.plan

    @property
    def status(self) -> RunStatus:
        """Status as things stand; a result has the same, and takes the time to describe each clip."""
        if self.error is not None:
            return RunStatus.CANCELLED if isinstance(self.error, Cancelled) else RunStatus.ERROR
        return RunStatus.PARTIAL if self._left_out() else RunStatus.SUCCESS

    def result(self) -> VideoResult:
        """Return the result as things stand."""
        error = self.error
        return VideoResult(
            workflow_id=self.context.workflow_id,
            status=self.status,
            clips=self._clips(),
            output=self.output,
            concatenation=self.concatenation,
            metrics=self._metrics(),
            plan=self.plan_report,
            seed=self.plan.seed if self.plan else self.found.seed if self.found else None,
            errors=self._errors(error),
            warnings=self._warnings(),
            signal_number=self.context.cancel.signal_number,
            code=error.code if error is not None else None,
            ffmpeg=self.ffmpeg,
            unchanged=self.found is not None,
            evidence=self.evidence,
            left_out=self.params.left_out,
        )

    def setup(self) -> RunSetup:
        """Return the settings of the run, and its encoder once that is decided."""
        if self.plan is None:
            return RunSetup(__version__, settings=self.asked)
        encoder = self.plan.form.encoder
        named = " ".join((encoder.encoder, *encoder.options))
        return RunSetup(__version__, named, encoder.threads, self.plan.jobs, self.asked)

    def leave(self, found: PublishedReel, ffmpeg: str) -> None:
        """Note that the output is up to date, so that nothing is to be done."""
        self.found, self.output = found, replace(found.output, path=self.output_path)
        self.evidence, self.ffmpeg = found.evidence if self.params.evidence else None, ffmpeg

    def refused(self) -> dict[int, FileValidationResult]:
        """Return the clips that validation refused, by index."""
        found = self.validation.files if self.validation else ()
        return {index: file for index, file in enumerate(found) if not file.is_valid}

    def usable_clips(self) -> list[tuple[int, VideoClip, MediaInfo]]:
        """Return the clips that passed validation, each with its index in the request."""
        files = self.validation.files if self.validation else ()
        return [
            (index, clip, file.media)
            for index, (clip, file) in enumerate(zip(self.params.clips, files, strict=False))
            if file.is_valid and file.media is not None
        ]

    def finished_clips(self) -> set[int]:
        """Return the indices of clips that the next run finds finished, also where their turn had not come."""
        done = {index for index, result in self.processed.items() if result.success}
        return done | {clip.index for clip in (self.plan.clips if self.plan else ()) if FINISHED_BEFORE in clip.reasons}

    def good(self) -> list[ProcessingResult]:
        """Return the results of clips that were processed, in the order of the reel."""
        order = self.plan.clips if self.plan else ()
        return [self.processed[c.index] for c in order if c.index in self.processed and self.processed[c.index].success]

    def made_bytes(self) -> int:
        """Return the size of all segments that were created; reused ones take no space of their own."""
        made = [clip for result in self.good() if result.action is not Action.REUSE for clip in result.segments]
        paths = {clip.audio_path for clip in made} | {clip.processed_path for clip in made if clip.owned}
        return sum(path.stat().st_size for path in paths if path is not None)

    def _metrics(self) -> PerformanceReport | None:
        if self.metrics is None:
            return None
        predicted = prediction(self.plan) if self.plan else None
        return replace(self.metrics, temporary_bytes=self.temporary_bytes, predicted=predicted)

    def _left_out(self) -> bool:
        return bool(self.refused()) or any(not result.success for result in self.processed.values())

    def _errors(self, error: MptError | None) -> tuple[Issue, ...]:
        """Return the problem of each clip and parameter, then the error that ended the run."""
        own = list(self.validation.errors) if self.validation else []
        own += [issue for file in self.refused().values() for issue in file.errors]
        own += [issue for result in self.processed.values() if (issue := _own_issue(result)) is not None]
        if error is not None:
            own += [*error.others, error.issue]
        return tuple(dict.fromkeys(own))  # a clip may have said already what ended the run

    def _warnings(self) -> tuple[Issue, ...]:
        known = self.found.warnings if self.found else ()
        noticed = [issue for issue in self.noticed if issue not in known]  # which the last run noticed too
        found = [*noticed, *(self.validation.warnings if self.validation else ()), *known, *self.replaced]
        found += [issue for index in sorted(self.processed) for issue in self.processed[index].warnings]
        found += self.concatenation.warnings if self.concatenation else ()
        return (*found, *self.missing, *self.afterwards)

    def _clips(self) -> tuple[ClipResult, ...]:
        starts = self._starts()
        planned = {clip.index: clip for clip in self.plan.clips} if self.plan else {}
        refused = self.refused()
        return tuple(
            self._refused_clip(index, clip.path, refused[index])
            if index in refused
            else self._clip(index, clip.path, planned.get(index), starts.get(index))
            for index, clip in enumerate(self.params.clips)
        )

    def _refused_clip(self, index: int, path: Path, file: FileValidationResult) -> ClipResult:
        status = ClipStatus.SKIPPED if self.plan else ClipStatus.FAILED
        return ClipResult(index, path, status, error=file.errors[0])

    def _clip(self, index: int, path: Path, planned: PlannedClip | None, start: Fraction | None) -> ClipResult:
        result = self.processed.get(index)
        if planned is None or self.plan is None:
            return ClipResult(index, path, ClipStatus.NOT_RUN)
        seconds = planned.segment.frames / self.plan.form.frame_rate
        status, error = ClipStatus.NOT_RUN, None
        if result is not None and result.success:
            status = ClipStatus.PROCESSED
        elif result is not None and (error := _own_issue(result)) is not None:
            status = ClipStatus.SKIPPED if self.output else ClipStatus.FAILED
        action = (result.action if result else None) or planned.action
        in_one_piece = action is Action.ENCODE  # in the end, where it was planned to copy some of it
        return ClipResult(
            index,
            path,
            status,
            action=action,
            reasons=(result.reasons if result else None) or planned.reasons,
            start=start,
            duration=seconds,
            frames=planned.segment.pictures,
            elapsed_seconds=result.elapsed_seconds if result and status is not ClipStatus.NOT_RUN else None,
            peak_memory_bytes=result.peak_memory_bytes if result else None,
            error=error,
            verified=result.verified if result else None,
            encoded_frames=planned.segment.pictures if in_one_piece else planned.encoded_frames,
            loudness=self.concatenation.clip_loudness.get(index) if self.concatenation else None,
        )

    def _starts(self) -> dict[int, Fraction]:
        """Return the second at which each clip of the reel begins, by index."""
        starts: dict[int, Fraction] = {}
        if self.plan is None or self.output is None:
            return starts
        frames = 0
        for result in self.good():
            starts[result.index] = frames / self.plan.form.frame_rate
            frames += result.frames
        return starts


def _own_issue(result: ProcessingResult) -> Issue | None:
    """Return the error of a clip; a clip that was only stopped has none."""
    stopped = result.error is not None and result.error.code is IssueCode.CANCELLED
    return None if stopped else result.error
