"""Answer of ``mpt cache``: size of the cache, and what was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.summary import say
from mpt_cli.model.formatting import counted, escape, size_text

if TYPE_CHECKING:
    from rich.console import Console

    from mpt_cli.model.results import CacheInfo
    from mpt_cli.reporting.documents.answers import CacheData


def cache_data(before: CacheInfo, after: CacheInfo) -> CacheData:
    """Return ``data`` of ``mpt cache``: the cache now, and the removed entries."""
    return {
        "folder": str(after.folder.absolute()),
        "entries": after.entries,
        "size_bytes": after.size_bytes,
        "limit_bytes": after.limit_bytes,
        "removed_entries": before.entries - after.entries,
        "removed_bytes": before.size_bytes - after.size_bytes,
    }


def show_cache(out: Console, before: CacheInfo, after: CacheInfo, *, removing: bool) -> None:
    """Write the folder of the cache, its content, and the removed entries."""
    stored = f"{counted(after.entries, 'clip')}, {size_text(after.size_bytes)} of {size_text(after.limit_bytes)}"
    say(out, Text.assemble(("folder  ", "dim"), escape(str(after.folder))))
    say(out, Text.assemble(("stored  ", "dim"), stored))
    if removing:
        clips = before.entries - after.entries
        removed = f"{counted(clips, 'clip')}, {size_text(before.size_bytes - after.size_bytes)}" if clips else "nothing"
        say(out, Text.assemble(("removed ", "dim"), removed))
