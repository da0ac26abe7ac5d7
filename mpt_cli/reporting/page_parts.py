"""Parts that all pages share: the document with its style, the header, and the list of issues."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import counted
from mpt_cli.reporting.markup import element, name, section, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from mpt_cli.model.errors import Issue

_ISSUES_OPEN, _MOST_ISSUES = 8, 200
"""Numbers of issues that are visible at once, and that a page contains."""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Policy that lets browsers load nothing, should markup of others ever get into the page."""
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}: report of mpt</title>
<style>
{style}</style>
</head>
<body><main>{body}</main></body>
</html>
"""


def document(title: str, body: str) -> str:
    """Return the whole page.

    Args:
        title: Title as text.
        body: Markup of all parts.
    """
    style = files("mpt_cli").joinpath("share/report.css").read_text(encoding="utf-8")
    return _FRAME.format(policy=_POLICY, title=text(title), style=style, body=body)


def header(command: str, started_at: datetime, title: str, verdict: tuple[str, str], content: str) -> str:
    """Return the header of a page.

    Args:
        command: Name of the command.
        started_at: Start of the run, in UTC.
        title: Title as markup.
        verdict: CSS class (``good``, ``fair`` or ``bad``) and words of the verdict.
        content: Markup below the verdict.
    """
    moment = f"{started_at:%Y-%m-%d %H:%M:%S} UTC"
    over = f"mpt {text(command)}, {element('time', moment, datetime=started_at.isoformat())}"
    kind, words = verdict
    head = f'<p class="over">{over}</p><h1>{title}</h1><p class="verdict {kind}">{text(words)}</p>'
    return element("header", head + content)


def table(heads: Iterable[tuple[str, str]], rows: str, *, kind: str | None = None) -> str:
    """Return a table.

    Args:
        heads: CSS class and markup of the head of each column.
        rows: Markup of the rows.
        kind: CSS class of the table, or None.
    """
    head = "".join(f'<th scope="col" class="{of}">{words}</th>' for of, words in heads)
    return element("table", f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>", class_=kind)


def issue_section(errors: Sequence[tuple[Issue, str]], warnings: Sequence[tuple[Issue, str]]) -> str:
    """Return the section of issues, each with the name of its job or an empty string; most of many are folded."""
    counts = [counted(len(errors), "error")] if errors else []
    counts += [counted(len(warnings), "warning")] if warnings else []
    listed = [_issue(issue, job, "bad") for issue, job in errors[:_MOST_ISSUES]]
    listed += [_issue(issue, job, "fair") for issue, job in warnings[: _MOST_ISSUES - len(listed)]]
    shown, folded, total = listed[:_ISSUES_OPEN], listed[_ISSUES_OPEN:], len(errors) + len(warnings)
    more = ""
    if folded:
        left = total - len(listed)
        rest = f'<p class="note">and {left} more, which mpt report --json lists</p>' if left else ""
        items = element("ul", "".join(folded), class_="issues")
        more = f"<details><summary>{total - len(shown)} more</summary>{items}{rest}</details>"
    return section(" and ".join(counts), element("ul", "".join(shown), class_="issues") if shown else "", more)


def _issue(issue: Issue, job: str, kind: str) -> str:
    of = f"{name(job)} " if job else ""
    where = name(issue.path, kind="path") if issue.path is not None else ""
    hint = f'<span class="hint">{text(issue.hint)}</span>' if issue.hint else ""
    code = f"<code>{text(issue.code)}</code>"
    return f'<li class="{kind}">{of}{code} <span>{text(issue.message)}</span>{where}{hint}</li>'
