"""Join many video clips into one verified reel.

Example, which is ``examples/library.py`` in the source::

    import signal
    import sys

    from mpt_cli import CancelToken, ClipProgress, Event, ModuleFactory, RunContext, VideoClip, VideoParams


    def show(event: Event) -> None:  # called from several threads
        if isinstance(event, ClipProgress):
            print(f"clip {event.index + 1}: {event.done_seconds:.1f} s")


    def main(output: str, *paths: str) -> int:
        cancel = CancelToken()  # a button or another thread may call cancel.cancel() too
        signal.signal(signal.SIGINT, lambda number, _frame: cancel.cancel(number))
        clips = [VideoClip(path, start=0.25) for path in paths]
        params = VideoParams(clips, output, dimensions=(1080, 1920), frame_rate=30, quality="draft")
        orchestrator = ModuleFactory().create_video_orchestrator()
        result = orchestrator.process_video_request(params, context=RunContext(emit=show, cancel=cancel))
        for issue in (*result.errors, *result.warnings):
            print(issue.code, issue.text())
        return 0 if result.success else 1


    if __name__ == "__main__":
        sys.exit(main(*sys.argv[1:]))

A request never raises for bad media, a full disk, a stop or a receiver of events that raises: see
``VideoResult.errors``. Wrong arguments raise :class:`UsageError`, wrong settings :class:`ConfigError`. ``Settings()``
holds the defaults; ``Settings.load()`` also reads files and variables, as the command line does. The section "Library"
of ``mpt_cli/share/contract.md`` has the rules for threads, asyncio and signals.

Public names are imported when they are first used, so that ``mpt --version`` starts quickly.
"""

from __future__ import annotations

from importlib import import_module

from mpt_cli.model.version import __version__

TYPE_CHECKING = False  # that of typing takes 5 ms, a third of the time until mpt hears a stop
if TYPE_CHECKING:
    from mpt_cli.config.request import Extras, VideoParams
    from mpt_cli.config.sections import Config, QualitySettings
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.audio_form import AudioForm, SampleFormat
    from mpt_cli.model.choices import (
        Action,
        Codec,
        ConcatenationMode,
        Container,
        DynamicRange,
        JoinMethod,
        QualityLevel,
    )
    from mpt_cli.model.clips import Dimensions, Evidence, Verified, VideoClip
    from mpt_cli.model.errors import (
        ConfigError,
        ExitCode,
        InputError,
        Issue,
        IssueCode,
        MptError,
        UsageError,
        exit_code_of,
    )
    from mpt_cli.model.left_out import LeftOut, LeftOutKind
    from mpt_cli.model.loudness import ClipLoudness, Loudness, ReelLoudness
    from mpt_cli.model.plan_report import PlannedStep, PlanReport, Prediction
    from mpt_cli.model.results import (
        ClipResult,
        ClipStatus,
        ConcatenationResult,
        InputEvidence,
        Milestone,
        OutputInfo,
        PerformanceReport,
        ReelEvidence,
        RunStatus,
        VideoResult,
    )
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import (
        ClipFailed,
        ClipFinished,
        ClipProgress,
        ClipsRestarted,
        ClipStarted,
        ConcatFinished,
        ConcatProgress,
        ConcatStarted,
        Emit,
        Event,
        Notice,
        PicturesStarted,
        ResourceSample,
        RunContext,
        RunFinished,
        RunStarted,
        ValidationFinished,
    )
    from mpt_cli.settings.merged import Settings

__all__ = [
    "Action",
    "AudioForm",
    "CancelToken",
    "ClipFailed",
    "ClipFinished",
    "ClipLoudness",
    "ClipProgress",
    "ClipResult",
    "ClipStarted",
    "ClipStatus",
    "ClipsRestarted",
    "Codec",
    "ConcatFinished",
    "ConcatProgress",
    "ConcatStarted",
    "ConcatenationMode",
    "ConcatenationResult",
    "Config",
    "ConfigError",
    "Container",
    "Dimensions",
    "DynamicRange",
    "Emit",
    "Event",
    "Evidence",
    "ExitCode",
    "Extras",
    "InputError",
    "InputEvidence",
    "Issue",
    "IssueCode",
    "JoinMethod",
    "LeftOut",
    "LeftOutKind",
    "Loudness",
    "Milestone",
    "ModuleFactory",
    "MptError",
    "Notice",
    "OutputInfo",
    "PerformanceReport",
    "PicturesStarted",
    "PlanReport",
    "PlannedStep",
    "Prediction",
    "QualityLevel",
    "QualitySettings",
    "ReelEvidence",
    "ReelLoudness",
    "ResourceSample",
    "RunContext",
    "RunFinished",
    "RunStarted",
    "RunStatus",
    "SampleFormat",
    "Settings",
    "UsageError",
    "ValidationFinished",
    "Verified",
    "VideoClip",
    "VideoParams",
    "VideoResult",
    "__version__",
    "exit_code_of",
]

_HOMES = {
    "mpt_cli.model.left_out": ("LeftOut", "LeftOutKind"),
    "mpt_cli.config.request": ("Extras", "VideoParams"),
    "mpt_cli.config.sections": ("Config", "QualitySettings"),
    "mpt_cli.factory": ("ModuleFactory",),
    "mpt_cli.model.audio_form": ("AudioForm", "SampleFormat"),
    "mpt_cli.model.choices": (
        "Action",
        "Codec",
        "ConcatenationMode",
        "Container",
        "DynamicRange",
        "JoinMethod",
        "QualityLevel",
    ),
    "mpt_cli.model.clips": ("Dimensions", "Evidence", "Verified", "VideoClip"),
    "mpt_cli.model.loudness": ("ClipLoudness", "Loudness", "ReelLoudness"),
    "mpt_cli.model.errors": (
        "ConfigError",
        "ExitCode",
        "InputError",
        "Issue",
        "IssueCode",
        "MptError",
        "UsageError",
        "exit_code_of",
    ),
    "mpt_cli.model.plan_report": ("PlanReport", "PlannedStep", "Prediction"),
    "mpt_cli.model.results": (
        "ClipResult",
        "ClipStatus",
        "ConcatenationResult",
        "InputEvidence",
        "Milestone",
        "OutputInfo",
        "PerformanceReport",
        "ReelEvidence",
        "RunStatus",
        "VideoResult",
    ),
    "mpt_cli.runtime.cancel": ("CancelToken",),
    "mpt_cli.runtime.events": (
        "ClipFailed",
        "ClipFinished",
        "ClipProgress",
        "ClipStarted",
        "ClipsRestarted",
        "ConcatFinished",
        "ConcatProgress",
        "ConcatStarted",
        "Emit",
        "Event",
        "Notice",
        "PicturesStarted",
        "ResourceSample",
        "RunContext",
        "RunFinished",
        "RunStarted",
        "ValidationFinished",
    ),
    "mpt_cli.settings.merged": ("Settings",),
}
"""Public names by the module that defines them."""

if not TYPE_CHECKING:  # or a type checker would believe in every name

    def __getattr__(name: str) -> object:
        """Import a public name on its first use."""
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(module), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        """Return the public names, and those that every module has."""
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
