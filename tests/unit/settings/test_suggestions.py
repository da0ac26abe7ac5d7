"""Suggestions: only what is alike, and synonyms that lead to options and keys that exist."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.cli import options
from mpt_cli.cli.catalog import NAMES
from mpt_cli.config.presets import PRESETS
from mpt_cli.model.similarity import alike
from mpt_cli.settings.layers import FIELDS, PRESET, dotted, words_of
from mpt_cli.settings.suggestions import CLIP_KEYS, JOB_KEYS, meant_value, nearest
from mpt_cli.settings.synonyms import COMMANDS, SYNONYMS, VALUES

FLAGS = (*options.REEL, *options.COMMON, *options.METHOD)
OPTIONS = [name for flag in FLAGS for name in flag.names if name.startswith("--")]
KEYS = ["preset", *map(dotted, FIELDS)]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("--presett", ["--preset"]),
        ("--ouput", ["--output"]),
        ("--dryrun", ["--dry-run"]),
        ("--max_mem", ["--max-memory"]),
        ("--thread", ["--encoder-threads"]),
        ("--timeout", ["--clip-timeout", "--stall-timeout"]),
        ("--JSON", ["--json"]),
        ("--loudnes", ["--loudness"]),
        ("--brightness", []),
        ("--logo", []),
        ("--crop", []),
        ("--trim", []),
        ("--", []),
        ("--" + "output" * 200, []),
    ],
)
def test_alike_finds_slips_and_parts_and_nothing_else(word: str, found: list[str]) -> None:
    assert alike(word, OPTIONS) == found


@given(st.sampled_from(OPTIONS), st.data())
def test_one_slip_of_a_name_is_alike_to_it(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(name) - 1))
    assert name in alike(name[:place] + "x" + name[place:], OPTIONS)


@given(st.text(max_size=20), st.booleans())
def test_nearest_key_is_a_known_one_or_none(key: str, dots: bool) -> None:
    assert nearest(f"video.{key}" if dots else key, KEYS) in {None, *KEYS}


def test_synonyms_lead_to_options_and_keys_that_exist() -> None:
    for word, synonym in SYNONYMS.items():
        assert synonym.option or synonym.key or synonym.note, word
        assert set(re.findall(r"--[\w-]+", synonym.option)) <= set(OPTIONS), word
        keys = {part.split(" = ")[0] for part in synonym.key.split(" or ")} - {""}
        assert keys <= {*KEYS, *JOB_KEYS, *CLIP_KEYS}, word
    assert set(COMMANDS.values()) <= set(NAMES)
    assert not set(COMMANDS) & set(NAMES)


def test_synonyms_of_values_lead_to_values_that_exist() -> None:
    for key, words in VALUES.items():
        known = tuple(PRESETS) if key == PRESET else words_of(key)
        assert key == PRESET or key in FIELDS
        for word, value in words.items():
            assert word not in known
            assert not known or value in known
    assert meant_value(("video", "fit"), "Crop", ()) == "; did you mean cover?"
    assert meant_value(("video", "fit"), "round", ("contain", "cover")) == ""
