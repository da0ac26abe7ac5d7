"""Report of a run as one HTML page that loads and runs nothing, for screens, phones and paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.formatting import (
    MISSING,
    counted,
    exact_seconds_text,
    percent_text,
    seconds_text,
    size_text,
)
from mpt_cli.model.loudness import clip_loudness_text, levels_text, loudness_text
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.reporting import charts
from mpt_cli.reporting.markup import element, facts, jpeg, name, section, text
from mpt_cli.reporting.page_parts import document, header, issue_section, table
from mpt_cli.reporting.summaries import DONE, failed_first, fates_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mpt_cli.model.results import ClipResult, VideoResult
    from mpt_cli.model.run_record import HistoryEntry

MOST_ROWS = 1000
"""Greatest number of rows: clips that did not succeed, then the first ones."""
_HEADS = (
    ("number", "#"),
    ("shot", ""),
    ("who", "clip"),
    ("what", "what was done"),
    ("figure", "starts at"),
    ("figure", "length"),
    ("figure", "work"),
    ("figure", "peak memory"),
)
_VERDICTS = {
    RunStatus.SUCCESS: ("good", "proven and published"),
    RunStatus.PARTIAL: ("fair", "published without the clips that failed"),
    RunStatus.ERROR: ("bad", "no reel was made"),
    RunStatus.CANCELLED: ("fair", "stopped"),
    RunStatus.SKIPPED: ("fair", "not begun"),
}


def page(entry: HistoryEntry, thumbnails: Mapping[int, bytes]) -> str:
    """Return the page.

    Args:
        entry: The recorded run.
        thumbnails: Small JPEG files by the index of their clip.
    """
    result, timeline = entry.result, entry.timeline
    over_time = memory = cores = ""
    if timeline is not None:
        over_time = charts.gantt(result.clips, result.metrics, timeline)
        memory = charts.memory_chart(result.metrics, timeline)
        cores = charts.cores_chart(result.metrics, timeline)
    body = "".join(
        (
            _head(entry),
            issue_section([(issue, "") for issue in result.errors], [(issue, "") for issue in result.warnings]),
            section("Timeline", over_time, note="When each clip was worked on, in seconds from the start of the run."),
            section("Memory", memory, note="Of mpt and all that it started."),
            section("Cores", cores, note="The load of the whole machine, with whatever else it did."),
            section("Spared", _spared(result.clips)),
            section("Clips", _table(result.clips, thumbnails), note=_rows_note(result.clips), kind="clips"),
            section("How it was made", _making(entry), kind="making"),
            _foot(entry),
        )
    )
    moment = f"{entry.command} {entry.started_at:%Y-%m-%d %H:%M}"
    return document(result.output.path.name if result.output else moment, body)


def clips_listed(clips: Sequence[ClipResult]) -> list[ClipResult]:
    """Return the clips of the table, in order."""
    return failed_first(clips, MOST_ROWS)


def _head(entry: HistoryEntry) -> str:
    result, output = entry.result, entry.result.output
    kind, words = _VERDICTS[result.status]
    title = name(output.path.name) if output else text(words.capitalize())
    path = entry.wanted_path
    where = "" if path is None else element("p", name(path.absolute(), kind="path"), class_="where")
    verdict = (kind, words if output else str(result.status))
    return header(entry.command, entry.started_at, title, verdict, where + facts(_tiles(result), kind="tiles"))


def _tiles(result: VideoResult) -> list[tuple[str, object]]:
    output, metrics, tiles = result.output, result.metrics, list[tuple[str, object]]()
    if output is not None:
        tiles += [
            ("length", exact_seconds_text(output.duration)),
            ("video", output.video),
            ("audio", output.audio),
            *(("loudness", levels_text(loudness.after)) for loudness in (output.loudness,) if loudness is not None),
            ("file", f"{size_text(output.size_bytes)}, {output.video_codec} in {output.container}"),
        ]
    tiles.append(("clips", _fates(result.clips)))
    if metrics is not None:
        tiles += [
            ("time", seconds_text(metrics.total_duration_seconds)),
            ("peak memory", size_text(metrics.memory_peak_bytes)),
        ]
    return tiles


def _fates(clips: Sequence[ClipResult]) -> str:
    fates = fates_of(clips)
    if len(fates) == 1:
        return f"{len(clips)}, all {fates[0].partition(' ')[2]}" if len(clips) > 1 else fates[0]
    return f"{len(clips)}: {', '.join(fates)}" if fates else str(len(clips))


def _spared(clips: Sequence[ClipResult]) -> str:
    """Return an estimate of the work that copying and reuse saved in this run."""
    done = [clip for clip in clips if clip.status is ClipStatus.PROCESSED and clip.duration is not None]
    kept = [clip for clip in done if clip.action is not Action.ENCODE]
    if not kept:
        return ""
    seconds, total = (float(sum(clip.duration or 0 for clip in some)) for some in (kept, done))
    of_which = counted(len(done), "clip")
    if len(done) < len(clips):
        of_which = f"the {of_which} that were finished, of {len(clips)} in all"
    said = (
        f"{len(kept)} of {of_which}, {exact_seconds_text(seconds)} of {exact_seconds_text(total)},"
        " did not have to be encoded."
    )
    pace = _pace(done)
    if pace is None:
        return f"<p>{text(said)} Nothing was encoded in this run, so there is no pace to reckon the time by.</p>"
    spared = pace * seconds - sum(clip.elapsed_seconds or 0 for clip in kept)
    if spared <= 0:
        return f"<p>{text(said)} At the pace of those that were, that spared no time that could be measured.</p>"
    estimate = (
        f"The clips that were encoded took {pace:.2f} s of work for each second of reel. At that pace the others would"
        f" have taken about {seconds_text(spared)} more."
    )
    honest = "This is an estimate of work, not of waiting: clips are worked on side by side, and differ."
    return f'<p>{text(said)} {text(estimate)}</p><p class="note">{text(honest)}</p>'


def _pace(done: Sequence[ClipResult]) -> float | None:
    """Return seconds of work per second of reel over the encoded clips, or None without any."""
    encoded = [clip for clip in done if clip.action is Action.ENCODE and clip.elapsed_seconds is not None]
    seconds = float(sum(clip.duration or 0 for clip in encoded))
    return sum(clip.elapsed_seconds or 0 for clip in encoded) / seconds if seconds else None


def _rows_note(clips: Sequence[ClipResult]) -> str:
    if len(clips) <= MOST_ROWS:
        return ""
    return (
        f"{MOST_ROWS} of {counted(len(clips), 'clip')} are listed: those that did not end well, then the first ones."
        " mpt report --json lists all."
    )


def _table(clips: Sequence[ClipResult], thumbnails: Mapping[int, bytes]) -> str:
    if not clips:
        return ""
    rows = "".join(_table_row(clip, thumbnails.get(clip.index)) for clip in clips_listed(clips))
    return table(_HEADS, rows)


def _table_row(clip: ClipResult, thumbnail: bytes | None) -> str:
    shot = jpeg(thumbnail) if thumbnail is not None else '<span class="blank">no picture</span>'
    folder = name(clip.path.parent, kind="path")
    figures = (
        ("starts at", exact_seconds_text(clip.start)),
        ("length", exact_seconds_text(clip.duration)),
        ("work", seconds_text(clip.elapsed_seconds)),
        ("peak", size_text(clip.peak_memory_bytes)),
    )
    cells = "".join(f'<td class="figure" data-of="{label}">{text(value)}</td>' for label, value in figures)
    return (
        f'<tr class="{clip.status}"><td class="number">{clip.index + 1}</td><td class="shot">{shot}</td>'
        f'<td class="who">{name(clip.path.name)}{folder}</td><td class="what">{_done(clip)}</td>{cells}</tr>'
    )


def _done(clip: ClipResult) -> str:
    processed = clip.status is ClipStatus.PROCESSED and clip.action is not None
    kind = str(clip.action) if processed else "halted" if clip.status is ClipStatus.NOT_RUN else "failed"
    words = DONE[clip.action] if processed and clip.action else str(clip.status).replace("_", " ")
    why = ", ".join(clip.reasons) if clip.error is None else ""
    if clip.loudness is not None and (level := clip_loudness_text(clip.loudness)):
        why = f"{why}; {level}" if why else level
    error = (
        ""
        if clip.error is None
        else f'<span class="error"><code>{text(clip.error.code)}</code> {text(clip.error.message)}</span>'
    )
    return f'<span class="badge {kind}">{text(words)}</span><span class="why">{text(why)}</span>{error}'


def _making(entry: HistoryEntry) -> str:
    result, setup = entry.result, entry.setup
    pairs: list[tuple[str, object]] = [("workflow", result.workflow_id)]
    if setup is not None:
        if setup.encoder is not None:
            threads = counted(setup.threads or 0, "thread")
            pairs += [("encoder", f"{setup.encoder}, {threads}"), ("at once", counted(setup.jobs or 0, "clip"))]
        pairs.append(("mpt", setup.mpt))
    pairs.append(("ffmpeg", result.ffmpeg or "not asked"))
    if (join := result.concatenation) is not None:
        how = "coded frames copied" if join.stream_copy else "encoded again"
        why = f"; {join.fallback_reason}" if join.fallback_reason else ""
        pairs.append(("join", f"{join.method}, {how}, {seconds_text(join.duration_seconds)}{why}"))
    if result.output is not None and (loudness := result.output.loudness) is not None:
        pairs.append(("loudness", loudness_text(loudness)))
    if (metrics := result.metrics) is not None:
        busy, score = metrics.processing_efficiency, metrics.performance_score
        pairs.append(("slots in use", MISSING if busy is None else f"{percent_text(busy)} of their time"))
        pairs.append(("score", MISSING if score is None else f"{score:.0f} of 100"))
        pairs += [(f"{step.name} after", seconds_text(step.at_seconds)) for step in metrics.milestones]
    if result.seed is not None:
        pairs.append(("seed of the order", result.seed))
    settings = sorted(setup.settings.items()) if setup is not None else []
    own = f"<h3>Settings that are not the defaults</h3>{facts(settings, kind='plain')}" if settings else ""
    return facts(pairs, kind="plain") + own


def _foot(entry: HistoryEntry) -> str:
    old = (
        ""
        if entry.timeline is not None
        else " This run was made by an older version, which recorded no times of clips."
    )
    return (
        f'<footer><p class="note">Times of work are those of this machine and whatever else it did.{old}</p></footer>'
    )
