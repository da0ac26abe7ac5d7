"""The proof of a reel's audio finds a packet that is missing or elsewhere, and without loss a sample that differs."""

from __future__ import annotations

import subprocess
import zlib
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from mpt_cli.media.audio_proof import AudioReading
from mpt_cli.media.ffmpeg import segment_commands
from mpt_cli.media.inspect.audio.comparison import HeardTrack, MadeAudio, compare
from mpt_cli.model.audio_form import AudioForm, SampleFormat
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.timing import stored_samples
from tests.builders import form_of
from tests.integration.segments import planned
from tests.media import Tone, ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.media import MediaFolder

S16, S24, F32 = SampleFormat.S16, SampleFormat.S24, SampleFormat.F32
FORMS = {
    "pcm": (AudioForm("pcm_s24le", 44_100, "stereo", None, S24), "pcm_s24le", ".mov"),
    "flac": (AudioForm("flac", 48_000, "stereo", None, S16), "flac", ".mkv"),
    "alac": (AudioForm("alac", 48_000, "stereo", None, S16), "alac", ".mov"),
    "opus": (AudioForm("opus", 48_000, "stereo", 192_000), "libopus", ".mkv"),
    "ac3": (AudioForm("ac3", 48_000, "stereo", 192_000), "ac3", ".mkv"),
}


def reel_of(media: MediaFolder, kind: str) -> tuple[Path, AudioForm]:
    """Return a file with audio in a form, and the form."""
    form, encoder, suffix = FORMS[kind]
    return media.make(sound=Tone((300.0, 500.0), codec=encoder, sample_rate=form.sample_rate), suffix=suffix), form


def read(path: Path, form: AudioForm, keep: Callable[[list[Any]], Sequence[Any]] = list) -> AudioReading:
    """Return what is read of some of the packets of a file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        reading = AudioReading(path, stream, form, Fraction(501, 1_000_000))
        for packet in keep(list(container.demux(stream))):
            reading.take(packet)
    return reading


def pcm_of(path: Path, form: AudioForm) -> bytes:
    """Return the raw PCM of a file, by ffmpeg."""
    argv = [ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:a", "-f", str(form.samples), "-"]
    return subprocess.run(argv, check=True, capture_output=True).stdout


@pytest.mark.core(2)
@pytest.mark.parametrize("kind", ["pcm", "flac", "alac"])
def test_other_sample_is_found(media: MediaFolder, kind: str) -> None:
    path, form = reel_of(media, kind)
    pcm = pcm_of(path, form)
    reading = read(path, form)
    reading.verify(form.sample_rate, zlib.crc32(pcm))
    other = bytearray(pcm)
    other[len(other) // 2] ^= 1
    with pytest.raises(VerificationError, match="samples are not those"):
        reading.verify(form.sample_rate, zlib.crc32(other))
    with pytest.raises(VerificationError, match="were planned"):
        reading.verify(form.sample_rate + 1, zlib.crc32(pcm))


@pytest.mark.core(1)
@pytest.mark.parametrize("kind", FORMS)
def test_missing_packet_is_found(media: MediaFolder, kind: str) -> None:
    path, form = reel_of(media, kind)
    read(path, form)
    with pytest.raises(VerificationError, match="off its time"):
        read(path, form, lambda packets: [*packets[:3], *packets[4:]])


@pytest.mark.core(0)
@pytest.mark.parametrize("kind", ["opus", "ac3"])
def test_audio_that_ends_early_is_found(media: MediaFolder, kind: str) -> None:
    path, form = reel_of(media, kind)
    read(path, form).verify(form.sample_rate, None)
    with pytest.raises(VerificationError, match="were planned"):
        read(path, form, lambda packets: packets[:-2]).verify(form.sample_rate, None)


def late(samples: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return samples 10 ms later."""
    return np.roll(samples, len(samples) // 240, axis=0)


def swapped(samples: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return samples with two channels in each other's place."""
    other = samples.copy()
    other[:, [1, 2]] = samples[:, [2, 1]]
    return other


SPOILT: dict[str, tuple[AudioForm, Callable[[NDArray[np.int8]], NDArray[np.int8]] | None, str | None]] = {
    "mono of 24 bits": (AudioForm("pcm_s24le", 44_100, "mono", None, S24), None, None),
    "late mono of 24 bits": (AudioForm("pcm_s24le", 44_100, "mono", None, S24), late, "ms off its time"),
    "telephone": (AudioForm("aac", 8000, "mono", 24_000), None, None),
    "late telephone": (AudioForm("aac", 8000, "mono", 24_000), late, "ms off its time"),
    "floating point at a high rate": (AudioForm("pcm_f32le", 96_000, "stereo", None, F32), None, None),
    "late floating point": (AudioForm("pcm_f32le", 96_000, "stereo", None, F32), late, "ms off its time"),
    "surround": (AudioForm("ac3", 48_000, "5.1", 448_000), None, None),
    "swapped surround": (AudioForm("ac3", 48_000, "5.1", 448_000), swapped, "has FR and FC swapped"),
}
NOISE = "anoisesrc=r=48000:d=2.4:c=pink:a=0.5:s="


@pytest.mark.core(1)
@pytest.mark.parametrize("kind", SPOILT)
def test_pcm_of_any_form_is_compared_with_its_source(tmp_path: Path, kind: str) -> None:
    audio, spoil, problem = SPOILT[kind]
    path, made = tmp_path / "clip.mov", tmp_path / "made.pcm"
    count, form = len(audio.channels), replace(form_of(), audio=audio)
    noises = [part for number in range(count) for part in ("-f", "lavfi", "-i", f"{NOISE}{number + 1}")]
    ends = "".join(f"[{number + 1}:a]" for number in range(count))
    joined = f"{ends}join=inputs={count}:channel_layout={audio.layout}[a]" if count > 1 else "[1:a]anull[a]"
    source = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=2.4", *noises, "-filter_complex", joined]
    coded = ["-map", "0:v", "-map", "[a]", "-c:a", "pcm_s24le", "-ar", str(audio.sample_rate), str(path)]
    subprocess.run([ffmpeg(), "-v", "error", *source, *coded], check=True)
    whole = planned(path, form)
    arguments = segment_commands.audio_arguments(whole.clip, whole.media, whole.segment, form, audio_path=made)
    subprocess.run([ffmpeg(), *arguments], check=True, stdout=subprocess.DEVNULL)
    samples = stored_samples(whole.segment.frames, form.frame_rate, audio.sample_rate)
    if spoil is not None:
        pcm = np.fromfile(made, np.int8).reshape(samples, count, -1)
        made.write_bytes(spoil(pcm).tobytes())
    origin = segment_commands.segment_origin(whole.clip, whole.media, whole.segment, form.frame_rate)
    tracks = tuple(HeardTrack(track.index) for track in whole.media.heard)
    facts = {"rate": audio.sample_rate, "layout": audio.layout, "format": audio.samples}
    found = compare(path, MadeAudio(made, tracks, origin, samples, begun=origin, seekable=True, **facts))  # type: ignore[arg-type]
    assert (found.problem is None) == (problem is None), found.problem
    assert problem is None or problem in (found.problem or "")
    assert problem is not None or found.places == 3
