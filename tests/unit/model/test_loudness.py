"""Loudness: gating as BS.1770 has it, and the gains that even clips out."""

from __future__ import annotations

from math import log10

import pytest

from mpt_cli.model.loudness import Loudness, ReelLoudness, even_gains, gated_loudness, loudness_text


def test_steady_readings_have_their_own_loudness() -> None:
    assert gated_loudness([-23.0] * 50) == pytest.approx(-23)


def test_silence_and_quiet_parts_do_not_count() -> None:
    assert gated_loudness([-120.0] * 40) is None
    assert gated_loudness([]) is None
    assert gated_loudness([-20.0] * 10 + [-120.0] * 500) == pytest.approx(-20)
    assert gated_loudness([-20.0] * 10 + [-45.0] * 500) == pytest.approx(-36.4, abs=0.1)
    assert gated_loudness([-20.0] * 10 + [-41.0] * 10) == pytest.approx(-20)


def test_loudness_is_the_mean_of_powers() -> None:
    mean = 10 * log10((10**-2.0 + 10**-2.6) / 2)
    assert gated_loudness([-20.0, -26.0]) == pytest.approx(mean)


def test_clips_come_to_the_loudness_of_most_seconds() -> None:
    gains = even_gains({0: (-20.0, 10.0), 1: (-26.0, 2.0), 2: (-16.0, 3.0), 3: (None, 9.0)})
    assert gains == {0: 0.0, 1: 6.0, 2: -4.0, 3: 0.0}


def test_gain_of_a_clip_is_at_most_12_db() -> None:
    assert even_gains({0: (-20.0, 10.0), 1: (-60.0, 2.0), 2: (-3.0, 3.0)}) == {0: 0.0, 1: 12.0, 2: -12.0}


def test_silent_clips_alone_get_no_gain() -> None:
    assert even_gains({4: (None, 2.0)}) == {4: 0.0}


def test_text_says_levels_before_and_after() -> None:
    reel = ReelLoudness(-14.0, -1.0, Loudness(-26.4, -14.2), Loudness(-14.1, -1.2), 12.4, 0.8)
    said = "-14.1 LUFS, -1.2 dBTP (before -26.4 LUFS, -14.2 dBTP; gain +12.4 dB, limiter 0.8 dB)"
    assert loudness_text(reel) == said
    silent = Loudness(None, None)
    text = loudness_text(ReelLoudness(-14.0, -1.0, silent, silent, 0.0, 0.0))
    assert text == "below -70 LUFS (before below -70 LUFS; gain +0.0 dB)"
