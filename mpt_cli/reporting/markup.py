"""Pieces of HTML: the only place where text becomes markup, and so where it is made harmless."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def text(value: object) -> str:
    """Any text as it is read: invisible characters written out, nothing of it taken for markup."""
    return html.escape(escape(str(value)))


def name(value: object, *, kind: str = "name") -> str:
    """A name of the user's: its direction, right to left or not, does not reach beyond it."""
    return f'<bdi class="{kind}">{text(value)}</bdi>'


def element(tag: str, content: str = "", **attributes: object) -> str:
    """An element around markup; ``class_`` is ``class``, and ``a_b`` is ``a-b``. Values of attributes are text."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given}>{content}</{tag}>"


def facts(pairs: Iterable[tuple[str, object]], *, kind: str) -> str:
    """A list of names and values, both text."""
    rows = (f"<div><dt>{text(label)}</dt><dd>{text(value)}</dd></div>" for label, value in pairs)
    return element("dl", "".join(rows), class_=kind)


def section(title: str, *content: str, note: str = "", kind: str | None = None) -> str:
    """A part of the page with a heading and perhaps a line below it; empty where it has no content."""
    inside = "".join(content)
    if not inside:
        return ""
    said = f'<p class="note">{text(note)}</p>' if note else ""
    return element("section", f"<h2>{text(title)}</h2>{said}{inside}", class_=kind)


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """What colours mean: class and words of each."""
    return element(
        "p", "".join(f'<span class="key {kind}">{text(words)}</span>' for kind, words in entries), class_="legend"
    )


def jpeg(data: bytes) -> str:
    """A picture that stands in the page itself."""
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
