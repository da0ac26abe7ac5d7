"""Metrics in the text format of Prometheus, for the textfile collector of node_exporter."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.formatting import escape
from mpt_cli.model.results import ClipStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from fractions import Fraction

    from mpt_cli.model.results import CommandEnd, VideoResult

MARK = "# HELP mpt_"
"""Beginning that identifies a file of mpt."""

_NO_ACTION = "none"
_LAST_SUCCESS = "last_success_timestamp_seconds"
_SUCCESS = re.compile(
    rf'^mpt_{_LAST_SUCCESS}\{{command="([^"\n]*)",run="[^\n]*"\}} ([0-9]{{1,15}}(?:\.[0-9]{{1,9}})?)$', re.MULTILINE
)
Sample = tuple[dict[str, str], float]


def last_success(text: str, command: str) -> float:
    """Return when a command last succeeded according to an earlier file; 0 if that has no success of it.

    Args:
        text: Text of the file, or its beginning.
        command: Name of the command.
    """
    return max((float(when) for by, when in _SUCCESS.findall(text) if by == command), default=0.0)


def metrics(facts: CommandEnd, *, run: str, succeeded_before: float = 0.0) -> str:
    """Return the metrics of a run in the text format, all of them gauges.

    Args:
        facts: The end of the command.
        run: Label of each sample, different in each file: the collector reads all files of a folder as one
            and refuses two samples of one name with the same labels.
        succeeded_before: When the command last succeeded before this run, in seconds since 1970, or 0.
    """
    common = {"run": run, "command": facts.command}
    ended = facts.started_at.timestamp() + facts.duration_seconds
    succeeded = ended if facts.exit_code == 0 else succeeded_before
    results = [end.result for end in facts.ends]
    peaks = [r.metrics.memory_peak_bytes for r in results if r.metrics and r.metrics.memory_peak_bytes is not None]
    outputs = [result.output for result in results if result.output is not None]
    families: tuple[tuple[str, str, Iterable[Sample]], ...] = (
        ("run_success", "Whether the last run ended with exit code 0.", [({}, float(facts.exit_code == 0))]),
        ("run_exit_code", "Exit code of the last run.", [({}, facts.exit_code)]),
        ("run_duration_seconds", "Wall time of the last run.", [({}, facts.duration_seconds)]),
        ("last_run_timestamp_seconds", "When the last run ended, in seconds since 1970.", [({}, ended)]),
        (_LAST_SUCCESS, "When a run last ended with exit code 0, in seconds since 1970, or 0.", [({}, succeeded)]),
        ("jobs", "Requests of the last run, by how they ended.", _jobs(facts)),
        ("clips", "Clips of the last run, by what was done and how they ended.", _clips(facts)),
        ("run_job_seconds", "Wall time of all requests of the last run, added up.", _total(facts, map(_wall, results))),
        ("run_output_bytes", "Size of all reels of the last run.", _total(facts, (o.size_bytes for o in outputs))),
        ("run_output_seconds", "Duration of all reels of the last run.", _total(facts, (o.duration for o in outputs))),
        ("run_errors", "Errors of the last run.", [({}, _errors(facts))]),
        ("run_warnings", "Warnings of the last run.", [({}, _warnings(facts))]),
        ("output_bytes", "Size of each reel.", [({"output": str(o.path.absolute())}, o.size_bytes) for o in outputs]),
        (
            "output_seconds",
            "Duration of each reel.",
            [({"output": str(o.path.absolute())}, float(o.duration)) for o in outputs],
        ),
        (
            "output_unchanged",
            "Whether a reel was up to date, so that nothing was done.",
            [({"output": str(r.output.path.absolute())}, float(r.unchanged)) for r in results if r.output],
        ),
        ("memory_peak_bytes", "Most memory of mpt and its children.", [({}, max(peaks))] if peaks else []),
    )
    return "".join(line for name, text, samples in families for line in _family(f"mpt_{name}", text, samples, common))


def _wall(result: VideoResult) -> float:
    return result.metrics.total_duration_seconds if result.metrics else 0.0


def _total(facts: CommandEnd, values: Iterable[float | Fraction]) -> Iterator[Sample]:
    """Yield the sum over all requests, 0 included; a command without requests has none."""
    if facts.ends:
        yield {}, float(sum(values))


def _errors(facts: CommandEnd) -> int:
    of_ends, of_files = (end.result.errors for end in facts.ends), (verdict.errors for verdict in facts.verdicts)
    return sum(map(len, (*of_ends, *of_files, tuple(facts.other_errors()))))


def _warnings(facts: CommandEnd) -> int:
    of_ends, of_files = (end.result.warnings for end in facts.ends), (verdict.warnings for verdict in facts.verdicts)
    return sum(map(len, (*of_ends, *of_files)))


def _jobs(facts: CommandEnd) -> Iterator[Sample]:
    count = Counter(end.result.status for end in facts.ends)
    if facts.ends:
        yield from (({"status": status.value}, count[status]) for status in RunStatus)


def _clips(facts: CommandEnd) -> Iterator[Sample]:
    """Yield the counts of clips of each kind, zeros included: a series with gaps cannot be monitored."""
    if facts.ends:
        clips = [clip for end in facts.ends for clip in end.result.clips]
        count = Counter((_action(clip.action), clip.status.value) for clip in clips)
        for action, status in product((*(action.value for action in Action), _NO_ACTION), ClipStatus):
            if (action, status) != (_NO_ACTION, ClipStatus.PROCESSED):
                yield {"action": action, "status": status.value}, count[action, status.value]
    elif facts.verdicts:
        valid = sum(verdict.is_valid for verdict in facts.verdicts)
        yield {"action": "validate", "status": "valid"}, valid
        yield {"action": "validate", "status": "invalid"}, len(facts.verdicts) - valid


def _action(action: Action | None) -> str:
    return _NO_ACTION if action is None else action.value


def _family(name: str, text: str, samples: Iterable[Sample], common: dict[str, str]) -> Iterator[str]:
    found = [(tuple(sorted((common | labels).items())), value) for labels, value in samples]
    if not found:
        return
    yield f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    for labels, value in dict(found).items():
        pairs = ",".join(f'{key}="{_quoted(label)}"' for key, label in labels)
        yield f"{name}{{{pairs}}} {_number(value)}\n"


def _quoted(label: str) -> str:
    """Return the quoted value of a label, with invisible characters written out as on a terminal."""
    return escape(label).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
