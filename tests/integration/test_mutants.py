"""Spoiled files of every kind get a verdict: nothing crashes, hangs, or takes the run with it.

300 mutants are looked into each time; ``pytest -m slow tests/integration/test_mutants.py`` looks into
3,000 of another seed. Each is a clip of the tests, or a file of the corpus beside the checkout where
there is one, with bits flipped, its end cut off, the head of another file, or a run of noise.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.errors import IssueCode
from mpt_cli.runtime.cancel import CancelToken
from tests.media import Color, MediaFolder, Recipe, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

CORPUS = Path(__file__).parents[2].parent / "shared/media/corpus"
LARGEST = 1_500_000
"""Bytes of a file that is worth reading again and again."""
NEVER = {IssueCode.PROBE_CRASHED, IssueCode.PROBE_TIMEOUT, IssueCode.INTERNAL}
HDR = Color("bt2020nc", "bt2020", "smpte2084")

KINDS = [
    Recipe(),
    Recipe(suffix=".mov", rotation=90),
    Recipe(suffix=".mkv", sound=Tone(codec="flac")),
    Recipe(suffix=".ts", sound=Tone(codec="mp2")),
    Recipe(options=("-movflags", "frag_keyframe+empty_moov")),
    Recipe(codec="libx265", pixel_format="yuv420p10le", color=HDR),
    Recipe(codec="libvpx-vp9", suffix=".webm", sound=Tone(codec="libopus")),
    Recipe(codec="libvpx-vp9", pixel_format="yuva420p", suffix=".webm", sound=None),
    Recipe(codec="libsvtav1", suffix=".mkv", sound=None),
    Recipe(codec="mpeg4", suffix=".avi", sound=Tone(codec="libmp3lame")),
    Recipe(codec="mpeg2video", suffix=".mpg", fps="25", sound=Tone(codec="mp2")),
    Recipe(codec="prores_ks", pixel_format="yuva444p10le", suffix=".mov", sound=None),
    Recipe(codec="mjpeg", pixel_format="yuvj420p", suffix=".avi", sound=None),
    Recipe(codec="flv", suffix=".flv", sound=None),
    Recipe(codec="gif", pixel_format="rgb8", suffix=".gif", sound=None, fps="10"),
]


def mutant(chance: random.Random, source: bytes, others: Sequence[bytes]) -> bytes:
    """These bytes, spoiled in one of four ways."""
    data, how = bytearray(source), chance.randrange(4)
    if how == 0:
        reach = min(len(data), chance.choice((200, 4000, len(data))))
        for _ in range(chance.choice((1, 3, 10, 100))):
            data[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    elif how == 1:
        del data[chance.randrange(1, len(data)) :]
    elif how == 2:
        other = chance.choice(others)
        head = chance.randrange(8, min(4096, len(data), len(other)))
        data[:head] = other[:head]
    else:
        begin = chance.randrange(len(data))
        end = min(len(data), begin + chance.randrange(1, 5000))
        data[begin:end] = chance.randbytes(end - begin)
    return bytes(data)


def sources(media: MediaFolder) -> list[Path]:
    found = [media.make(recipe, seconds=0.4) for recipe in KINDS]
    corpus = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return found + [path for path in corpus if 100 < path.stat().st_size < LARGEST]


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 300), pytest.param(2, 3000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_every_mutant_has_a_verdict(media: MediaFolder, tmp_path: Path, seed: int, count: int) -> None:
    chance, found = random.Random(seed), sources(media)
    contents = [path.read_bytes() for path in found]
    mutants = []
    for number in range(count):
        kind = chance.randrange(len(found))
        path = tmp_path / f"{number:04}{found[kind].suffix}"
        path.write_bytes(mutant(chance, contents[kind], contents))
        mutants.append(path)
    engine = ModuleFactory(Config()).create_validation_engine()
    verdicts = engine.validate_files(mutants, cancel=CancelToken())
    codes = {verdict.path.name: {issue.code for issue in verdict.errors} for verdict in verdicts}
    assert {name: sorted(wrong) for name, own in codes.items() if (wrong := own & NEVER)} == {}
    assert all(verdict.media is not None or verdict.errors for verdict in verdicts)
    share = sum(not own for own in codes.values()) / count
    assert 0.1 < share < 0.95, "mutants that are all fine, or all ruined, prove little"
