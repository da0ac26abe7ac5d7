"""Elements of HTML; text becomes markup, and is escaped, only here."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def text(value: object) -> str:
    """Return the escaped text, with invisible characters written out."""
    return html.escape(escape(str(value)))


def name(value: object, *, kind: str = "name") -> str:
    """Return a name of the user, whose writing direction does not affect its surroundings."""
    return f'<bdi class="{kind}">{text(value)}</bdi>'


def element(tag: str, content: str = "", **attributes: object) -> str:
    """Return an element around markup.

    Args:
        tag: The name of the element.
        content: Markup.
        attributes: Text values, None to leave one out; ``class_`` is ``class``, and ``a_b`` is ``a-b``.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given}>{content}</{tag}>"


def facts(pairs: Iterable[tuple[str, object]], *, kind: str) -> str:
    """Return a list of labels and values, both text."""
    rows = (f"<div><dt>{text(label)}</dt><dd>{text(value)}</dd></div>" for label, value in pairs)
    return element("dl", "".join(rows), class_=kind)


def section(title: str, *content: str, note: str = "", kind: str | None = None) -> str:
    """Return a section with a heading and an optional note, or an empty string without content."""
    inside = "".join(content)
    if not inside:
        return ""
    noted = f'<p class="note">{text(note)}</p>' if note else ""
    return element("section", f"<h2>{text(title)}</h2>{noted}{inside}", class_=kind)


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Return the legend of colours, from class and label of each."""
    return element(
        "p", "".join(f'<span class="key {kind}">{text(words)}</span>' for kind, words in entries), class_="legend"
    )


def jpeg(data: bytes) -> str:
    """Return an image that is embedded in the page."""
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
