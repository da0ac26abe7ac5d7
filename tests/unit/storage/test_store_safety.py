"""What is removed from a store is the store's: a user's folder may be called like it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe_cache import ProbeCache
from mpt_cli.processing.cache import ClipCache
from tests.looks import probe_here
from tests.unit.processing.test_cache import KEY, segment

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_not_the_stores_is_never_removed(tmp_path: Path) -> None:
    """A user's folder may be called as the store's, and hold what looks a little like it."""
    mine = [tmp_path / name for name in ("a.mp4", "ab/holiday/b.mp4", "ab/c.mp4", "unfinished-film/d.mp4", "zz/e.mp4")]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
        os.utime(path.parent, (0, 0))
    cache = ClipCache(tmp_path, limit_bytes=1)
    cache.store(KEY, segment(tmp_path / "run"))
    cache.prune()
    cache.clear()
    known = ProbeCache(tmp_path, probe_here)
    known.prune()
    known.clear()
    assert not cache.has(KEY)
    assert [path.read_bytes() for path in mine] == [b"mine"] * 5


STORING = """
import sys
from pathlib import Path
from mpt_cli.storage import locks

with locks.unfinished(Path(sys.argv[1]), "unfinished-", Path.mkdir) as path:
    (path / "pictures.mp4").write_bytes(b"half")
    print(path.name, flush=True)
    sys.stdin.read()
"""
"""In the midst of storing an entry."""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="only the age of a folder tells there")
def test_entry_that_another_process_is_storing_survives_clear_until_its_process_is_killed(tmp_path: Path) -> None:
    cache, argv = ClipCache(tmp_path, limit_bytes=1), [sys.executable, "-c", STORING, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        cache.clear()
        assert (tmp_path / name / "pictures.mp4").exists()
        child.kill()
        child.communicate()
    assert cache.take(KEY, {}) is None, "a run that uses the cache sweeps it"
    assert list(tmp_path.iterdir()) == []
