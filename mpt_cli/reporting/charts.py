"""Charts of a run as SVG: a Gantt chart of the clips, and the load of memory and cores.

Positions on the time axis are percentages, so that a chart scales with the page and its text does not.
Names beside the bars are HTML, which can cut them where SVG cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.formatting import counted, escape, percent_text, seconds_text, size_text
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.reporting.markup import element, legend, name, text
from mpt_cli.reporting.summaries import DONE, selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mpt_cli.model.results import ClipResult, PerformanceReport
    from mpt_cli.model.run_record import ClipSpan, JobRecord, Timeline

MOST_LANES = 120
"""Greatest number of bars; of more clips the slowest ones are drawn."""
_STAGES = {
    "validated": ("check", "checking"),
    "processed": ("work", "clips"),
    "joined": ("join", "join"),
    "verified": ("proof", "proof"),
    "published": ("publish", "publishing"),
    "pictured": ("extra", "pictures"),
}
"""CSS class and label of each stage, by the milestone that ends it."""
_JOB_KINDS = {
    RunStatus.SUCCESS: ("success", "succeeded"),
    RunStatus.PARTIAL: ("partial", "without some clips"),
    RunStatus.ERROR: ("failed", "failed"),
    RunStatus.CANCELLED: ("halted", "stopped"),
    RunStatus.SKIPPED: ("queued", "not begun"),
}
"""CSS class and words for the status of a job."""
_LEAST_PERCENT = 0.6
"""Least width of a bar, so that it is visible."""
_STEPS = (1, 2, 5)
_MOST_TICKS = 8
_FAR = 4
"""Times the peak above which a budget is not drawn, because it would flatten the chart."""
_MISSED = "Samples are taken four times a second: the peak was seen between two of them."
_HIGH = 1000
"""Height and width of the view box of a curve."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time axis of a chart."""

    seconds: float

    def at(self, seconds: float) -> float:
        """Return the position of a moment in percent of the width."""
        return 100 * min(1.0, max(0.0, seconds / self.seconds))

    @property
    def step(self) -> float:
        """Seconds between marks: 1, 2 or 5 times a power of ten, or a usual step of clocks."""
        least = self.seconds / _MOST_TICKS
        if least > 60:
            return float(
                next(
                    (step for step in (120, 300, 600, 900, 1800, 3600) if step >= least), 3600 * math.ceil(least / 3600)
                )
            )
        if least > 10:
            return float(next(step for step in (15, 20, 30, 60) if step >= least))
        power = 10 ** math.floor(math.log10(least))
        return float(next(step * power for step in (*_STEPS, 10) if step * power >= least))


def clock_of(metrics: PerformanceReport | None, timeline: Timeline) -> Clock:
    """Return the time axis from the start of the run to its end, or to its last recorded moment."""
    ends = [span.ended_seconds or span.started_seconds for span in timeline.clips]
    ends += [point.at_seconds for point in timeline.samples]
    if metrics is not None:
        ends.append(metrics.total_duration_seconds)
    return Clock(max([*ends, 0.001]))


def gantt(clips: Sequence[ClipResult], metrics: PerformanceReport | None, timeline: Timeline) -> str:
    """Return a row for the stages of the run and one per clip, or an empty string without a record."""
    if not timeline.clips:
        return ""
    clock, by_index = clock_of(metrics, timeline), {clip.index: clip for clip in clips}
    spans = [span for span in timeline.clips if span.index in by_index]
    longest = selection(
        spans, MOST_LANES, rank=lambda span: span.started_seconds - (span.ended_seconds or clock.seconds)
    )
    stages = _stages_of(metrics)
    ready = next((step.at_seconds for step in metrics.milestones if step.name == "validated"), 0.0) if metrics else 0.0
    lanes = [_lane(by_index[span.index], span, ready, clock) for span in longest]
    grid = _grid(lanes, clock, first=_stage_lane(stages, clock))
    return f"{_legend_of(clips, stages)}{grid}{_not_drawn(len(spans) - len(lanes), 'clip')}"


def jobs_gantt(jobs: Sequence[JobRecord], seconds: float) -> str:
    """Return a row per job of a batch that took so long, or an empty string if none was started."""
    began = [(number, job) for number, job in enumerate(jobs, 1) if job.started_seconds is not None]
    if not began:
        return ""
    clock = Clock(max([seconds, 0.001, *(_end_of(job) for _, job in began)]))
    longest = selection(began, MOST_LANES, rank=lambda one: -(one[1].elapsed_seconds or 0))
    lanes = [_job_lane(number, job, clock) for number, job in longest]
    kinds = list(dict.fromkeys(job_kind(job) for _, job in began))
    return f"{legend(kinds)}{_grid(lanes, clock)}{_not_drawn(len(began) - len(lanes), 'job')}"


def job_kind(job: JobRecord) -> tuple[str, str]:
    """Return the CSS class and the words for the end of a job."""
    return ("reuse", "up to date") if job.unchanged else _JOB_KINDS[job.status]


def _end_of(job: JobRecord) -> float:
    return (job.started_seconds or 0.0) + (job.elapsed_seconds or 0.0)


def _job_lane(number: int, job: JobRecord, clock: Clock) -> str:
    start, end, took = job.started_seconds or 0.0, _end_of(job), seconds_text(job.elapsed_seconds)
    kind, words = job_kind(job)
    bar = _bar(clock, start, end, kind, f"{words}: {took}, from {seconds_text(start)} to {seconds_text(end)}")
    label = f'<span class="of">{number}</span> {name(job.name)}'
    return _row(label, bar, took, title=escape(str(job.output_path)))


def _grid(lanes: Sequence[str], clock: Clock, *, first: str = "") -> str:
    kind = "gantt dense" if len(lanes) > 40 else "gantt"
    rows = "".join((first, *lanes, _axis_lane(clock)))
    return f'<div class="{kind}" style="--step:{clock.at(clock.step):.3f}%">{rows}</div>'


def _not_drawn(left: int, noun: str) -> str:
    if not left:
        return ""
    return f"<p class=note>The {counted(MOST_LANES, noun)} that took longest; {left} more are not drawn.</p>"


def _stages_of(metrics: PerformanceReport | None) -> list[tuple[str, str, float, float]]:
    """Return CSS class, label, start and end of each stage of the run."""
    stages, start = [], 0.0
    for step in metrics.milestones if metrics else ():
        if step.name in _STAGES:
            stages.append((*_STAGES[step.name], start, step.at_seconds))
            start = step.at_seconds
    return stages


def _legend_of(clips: Iterable[ClipResult], stages: Iterable[tuple[str, str, float, float]]) -> str:
    kinds = dict.fromkeys(_kind(clip) for clip in clips)
    words = {**DONE, "failed": "failed", "halted": "stopped"}
    lasted = [(kind, f"{words} {seconds_text(end - start)}") for kind, words, start, end in stages]
    return legend(lasted) + legend([("queued", "waiting"), *((kind, words[kind]) for kind in words if kind in kinds)])


def _kind(clip: ClipResult) -> str:
    if clip.status in (ClipStatus.FAILED, ClipStatus.SKIPPED):
        return "failed"
    if clip.status is ClipStatus.NOT_RUN or clip.action is None:
        return "halted"
    return str(clip.action)


def _stage_lane(stages: Iterable[tuple[str, str, float, float]], clock: Clock) -> str:
    bars = [
        _bar(clock, start, end, kind, f"{words}: {seconds_text(end - start)}") for kind, words, start, end in stages
    ]
    if not bars:
        return ""
    return _row('<span class="of">whole run</span>', "".join(bars), seconds_text(clock.seconds), kind="lane stages")


def _lane(clip: ClipResult, span: ClipSpan, ready: float, clock: Clock) -> str:
    start, end = span.started_seconds, span.ended_seconds if span.ended_seconds is not None else clock.seconds
    kind, took = _kind(clip), seconds_text(end - start)
    words = DONE[clip.action] if kind in tuple(Action) and clip.action else str(clip.status).replace("_", " ")
    bars = ""
    if start > ready:
        bars += _bar(clock, ready, start, "queued", f"waited {seconds_text(start - ready)}")
    bars += _bar(clock, start, end, kind, f"{words}: {took}, from {seconds_text(start)} to {seconds_text(end)}")
    return _row(f'<span class="of">{clip.index + 1}</span> {name(clip.path.name)}', bars, took, title=str(clip.path))


def _row(label: str, bars: str, took: str, *, title: str | None = None, kind: str = "lane") -> str:
    head = element("span", label, class_="who", title=title)
    drawn = f'<svg width="100%" height="16" role="img">{bars}</svg>'
    return element("div", f'{head}{drawn}<span class="took">{text(took)}</span>', class_=kind)


def _bar(clock: Clock, start: float, end: float, kind: str, words: str) -> str:
    left = min(clock.at(start), 100 - _LEAST_PERCENT)
    wide = max(_LEAST_PERCENT, clock.at(end) - left)
    return f'<rect class="{kind}" x="{left:.3f}%" width="{wide:.3f}%"><title>{text(words)}</title></rect>'


def _axis_lane(clock: Clock) -> str:
    return f'<div class="lane axis"><span></span>{_times(clock)}<span></span></div>'


def _times(clock: Clock) -> str:
    """Return the marks of a time axis, for below a chart."""
    count = int(clock.seconds / clock.step + 1e-9)
    marks = []
    for number in range(count + 1):
        seconds = number * clock.step
        position = clock.at(seconds)
        anchor = "start" if not number else "end" if position > 96 else "middle"
        attributes = f'x="{position:.3f}%" y="13" text-anchor="{anchor}"'
        kind = ' class="odd"' if number % 2 else ""  # a narrow page shows every second mark
        marks.append(f"<text {attributes}{kind}>{_moment(seconds, clock)}</text>")
    return f'<svg class="times" width="100%" height="18">{"".join(marks)}</svg>'


def _moment(seconds: float, clock: Clock) -> str:
    if clock.seconds < 60:
        return f"{seconds:.{max(0, -math.floor(math.log10(clock.step)))}f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory_chart(metrics: PerformanceReport | None, timeline: Timeline) -> str:
    """Return the memory of the process tree over time, with the budget; an empty string without samples.

    The peak is the peak of the run, which may lie between two samples.
    """
    if not timeline.samples:
        return ""
    highest, budget = max(point.memory_bytes for point in timeline.samples), timeline.budget_bytes
    peak = max(highest, (metrics and metrics.memory_peak_bytes) or 0)
    far = budget is None or budget > _FAR * peak
    top = peak * 1.25 if far else max(peak, budget or 0) * 1.08
    points = [(point.at_seconds, point.memory_bytes / top) for point in timeline.samples]
    marks = _level(peak / top, "peak", f"peak {size_text(peak)}")
    notes = [_MISSED] if size_text(peak) != size_text(highest) else []
    if budget is not None and far:
        share = percent_text(peak / budget)
        notes.append(f"The budget of {size_text(budget)} lies far above the chart: the peak is {share} of it.")
    elif budget is not None:
        marks += _level(budget / top, "budget", f"budget {size_text(budget)}")
    chart = _area(points, clock_of(metrics, timeline), "memory", marks, high=190)
    return chart + (f'<p class="note">{text(" ".join(notes))}</p>' if notes else "")


def cores_chart(metrics: PerformanceReport | None, timeline: Timeline) -> str:
    """Return the load of all cores over time, or an empty string without samples."""
    if not timeline.samples:
        return ""
    points = [(point.at_seconds, point.cpu_percent / 100) for point in timeline.samples]
    mean = sum(share for _, share in points) / len(points)
    marks = _level(mean, "peak", f"mean {percent_text(mean)}")
    return _area(points, clock_of(metrics, timeline), "cores", marks, high=90)


def _area(points: Sequence[tuple[float, float]], clock: Clock, kind: str, marks: str, *, high: int) -> str:
    """Return a filled curve of shares (0 to 1) over time, with marks across it and times below."""
    vertices = [(clock.at(at) * _HIGH / 100, _HIGH * (1 - min(1.0, share))) for at, share in points]
    vertices = [(0.0, vertices[0][1]), *vertices, (float(_HIGH), vertices[-1][1])]
    curve = "L".join(f"{x:.1f} {y:.1f}" for x, y in vertices)
    body = (
        f'<svg class="plot" viewBox="0 0 {_HIGH} {_HIGH}" preserveAspectRatio="none" width="100%" height="{high}">'
        f'<path class="fill" d="M0 {_HIGH}L{curve}L{_HIGH} {_HIGH}Z"/><path class="edge" d="M{curve}"/></svg>'
    )
    over = f'<svg class="marks" width="100%" height="{high}">{marks}</svg>'
    inside = f'<div class="box" style="--step:{clock.at(clock.step):.3f}%">{body}{over}</div>{_times(clock)}'
    return f'<div class="area {kind}">{inside}</div>'


def _level(share: float, kind: str, words: str) -> str:
    """Return a line across at a share of the height, with a label above, or below where there is no room."""
    y = 100 * (1 - min(1.0, share))
    shift = -5 if y > 12 else 14
    line = f'<line class="{kind}" x1="0" x2="100%" y1="{y:.2f}%" y2="{y:.2f}%"/>'
    side = 'x="0" dx="6"' if kind == "budget" else 'x="100%" dx="-6" text-anchor="end"'
    return f'{line}<text class="{kind}" {side} y="{y:.2f}%" dy="{shift}">{text(words)}</text>'
