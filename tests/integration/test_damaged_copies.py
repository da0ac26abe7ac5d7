"""A clip whose frames would be copied is looked at for damage that shows without decoding it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action
from mpt_cli.model.errors import IssueCode
from tests.integration.test_copying import CODECS, joined, recipe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder, Recipe

KINDS = {
    "H.264": recipe(sound=None, seconds=2.0),
    "H.265": recipe("libx265", sound=None, seconds=2.0),
    "AV1": recipe("libsvtav1", sound=None, seconds=2.0),
}
MATROSKA = recipe(sound=None, seconds=2.0, suffix=".mkv")
"""Its demuxer passes over what is no block, so that frames are missing."""


def hurt(whole: Path, folder: Path, mask: int) -> Path:
    """A copy of a file with an eighth of its bytes changed, in the middle: zeros, or those of each byte in a mask."""
    data = bytearray(whole.read_bytes())
    for place in range(len(data) // 2, len(data) * 5 // 8):
        data[place] = data[place] ^ mask if mask else 0
    path = folder / f"hurt{whole.suffix}"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("mask", [0xA5, 0], ids=["noise", "zeros"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.core(1)
def test_damage_of_a_clip_that_may_be_copied_shows(media: MediaFolder, tmp_path: Path, kind: Recipe, mask: int) -> None:
    whole = media.make(kind)
    assert not probe(whole, scan=True).suspect
    assert probe(hurt(whole, tmp_path, mask), scan=True).suspect


@pytest.mark.parametrize("kind", [KINDS["H.264"], MATROSKA], ids=["MP4", "Matroska"])
def test_damaged_clip_is_encoded_with_a_warning(media: MediaFolder, tmp_path: Path, kind: Recipe) -> None:
    whole = media.make(kind)
    clips = [hurt(whole, tmp_path, 0xA5), whole]
    result = joined(tmp_path / "reel.mp4", clips, codec=CODECS[kind.codec])
    warnings = [(issue.code, issue.path) for issue in result.warnings]
    assert warnings == [(IssueCode.ALL_ENCODED, None), (IssueCode.DAMAGED, clips[0])]
    assert [clip.action for clip in result.clips] == [Action.ENCODE, Action.ENCODE]
