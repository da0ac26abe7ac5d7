"""The sound of a reel as samples and as pieces: nothing is lost, doubled or moved."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.concatenation.audio import audio_pieces
from mpt_cli.media.formats import adts
from mpt_cli.media.reel_audio import ReelAudio
from mpt_cli.model.clips import Dimensions, ProcessedClip, Segment
from mpt_cli.model.timing import sample_counts, stored_samples
from tests.builders import form_of
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

NTSC = Fraction(30_000, 1001)


@given(st.integers(0, 10**9))
def test_the_kept_packets_of_all_pieces_are_those_of_the_reel(samples: int) -> None:
    pieces = audio_pieces(samples)
    assert sum(piece.kept for piece in pieces) == max(1, -(-samples // 1024))
    kept = 0
    for piece in pieces:
        # An encoder's packet j decodes to the 1,024 samples that end where its own j * 1024 begin.
        assert piece.first - 1024 + 1024 * piece.skipped == 1024 * kept
        kept += piece.kept
        assert piece.end >= 1024 * kept
        assert piece.skipped == (0 if piece is pieces[0] else 48)
    assert len(pieces) == 1 or min(piece.kept for piece in pieces) >= 705
    assert max(piece.kept for piece in pieces) <= 2115


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_a_longer_reel_begins_with_the_same_pieces(samples: int, more: int) -> None:
    *shared, _last = audio_pieces(samples)
    assert audio_pieces(samples + more)[: len(shared)] == shared


def clips_with(folder: Path, frames: list[int], rate: Fraction) -> tuple[list[ProcessedClip], list[bytes]]:
    """Clips whose sound is random or missing, and the sound that each owns in a reel."""
    noise, clips, owned = np.random.default_rng(5), [], []
    for index, (count, own) in enumerate(zip(frames, sample_counts(frames, rate), strict=True)):
        stored = noise.bytes(4 * stored_samples(count, rate))
        path = folder / f"{index}.pcm"
        path.write_bytes(stored)
        silent = index % 3 == 2
        segment = Segment(index, 0, count)
        clips.append(
            ProcessedClip(
                index=index,
                original_path=path,
                processed_path=path,
                audio_path=None if silent else path,
                dimensions=Dimensions(160, 90),
                segment=segment,
                duration=count / rate,
                vcl_crc=0,
                parameter_sets="",
                extradata=b"",
                owned=True,
            )
        )
        owned.append(bytes(4 * own) if silent else stored[: 4 * own])
    return clips, owned


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(60)])
def test_any_part_of_the_sound_is_that_part_of_the_whole(tmp_path: Path, rate: Fraction) -> None:
    clips, owned = clips_with(tmp_path, [1, 31, 2, 500, 7, 1], rate)
    form = replace(form_of(), frame_rate=rate)
    whole = b"".join(owned)
    total = len(whole) // 4
    assert b"".join(ReelAudio(clips, form).read(0, total)) == whole
    for first, end in [
        (0, 1),
        (1024, total),
        (777, 1500),
        (total - 5, total),
        (total - 3, total + 9),
        (total, total + 2),
    ]:
        wanted = (whole + bytes(64))[4 * first : 4 * end]
        assert b"".join(ReelAudio(clips, form).read(first, end)) == wanted


def test_sound_comes_in_chunks_that_fit_memory(tmp_path: Path) -> None:
    clips, _ = clips_with(tmp_path, [900, 900, 900], Fraction(25))
    assert max(len(chunk) for chunk in ReelAudio(clips, form_of()).read(0, 10**7)) <= 1 << 18


@pytest.mark.heavy
def test_packets_are_read_one_by_one_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "tone.aac"
    run_ffmpeg("-f", "lavfi", "-i", "sine=440:r=48000:d=1", "-ac", "2", "-c:a", "aac", "-f", "adts", path)
    data = path.read_bytes()
    found = list(adts.packets(io.BytesIO(data)))
    assert len(found) == -(-48_000 // 1024) + 1
    assert b"".join(found) == data


@pytest.mark.parametrize("broken", [b"\xff\xf1\x50", b"\xff\xf1\x4c\x80\x01\x7f\xfc", bytes(7), b"RIFF1234"])
def test_what_is_no_packet_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="AAC packet"):
        list(adts.packets(io.BytesIO(broken)))
