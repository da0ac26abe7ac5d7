"""Segments and joins made by the product's own parts, one step at a time, and the means to spoil them."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from mpt_cli.concatenation.ffmpeg import FFmpegConcatenator
from mpt_cli.concatenation.moviepy import MoviePyConcatenator
from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.config.sections import MemoryConfig, ProcessingConfig
from mpt_cli.media import proof
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.process.run import Limits
from mpt_cli.model import timing
from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Segment, VideoClip
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.planning.plan import Plan
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.processing.clip import ClipProcessor, Processed
from mpt_cli.runtime.events import RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import clip_of
from tests.looks import AudioHere, share_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.packet import Packet

    from mpt_cli.concatenation.service import Concatenator
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.media.process.run import Outcome
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.results import OutputInfo

    Packets = list[Packet]  # type: ignore[type-arg]
    Edit = Callable[[Packets], Packets]

JOIN_SECONDS = 60.0
ENGINES: dict[str, Callable[[Ffmpeg, ResourcePool], Concatenator]] = {
    "FFmpeg": FFmpegConcatenator,
    "MoviePy": MoviePyConcatenator,
}
"""All that can join, by name."""


def planned(source: Path, form: TargetForm, index: int = 0, *, action: Action = Action.ENCODE) -> PlannedClip:
    """What a plan says of a whole clip."""
    media = probe(source, scan=True)
    segment = Segment(index, 0, timing.frame_count(media.duration, form.frame_rate))
    return PlannedClip(index, VideoClip(source), media, segment, action, reasons=(), need_bytes=0, work=0)


def plan_of(clips: Sequence[PlannedClip], form: TargetForm) -> Plan:
    """A plan of these clips, one at a time."""
    return Plan(form, form, tuple(clips), 1, None, 0.0, 0, 0, mixed_parameter_sets=False)


class LyingFfmpeg(Ffmpeg):
    """Runs ffmpeg, spoils the two files that it was to write, and says that all went well."""

    def __init__(self, spoil: Callable[[Path, Path], object]) -> None:
        """Spoil by this function of the first and the last output."""
        super().__init__()
        self._spoil = spoil
        self.runs = 0

    def run(self, arguments: Sequence[str], **options: Any) -> Outcome:
        """The true outcome."""
        outcome = super().run(arguments, **options)
        assert outcome.returncode == 0, outcome.stderr_tail
        named = zip(["", *arguments], arguments, strict=False)
        files = [name for option, name in named if name.startswith("file:") and option != "-stats_enc_pre"]
        outputs = [Path(name.removeprefix("file:")) for name in files]
        self._spoil(outputs[-2 if len(outputs) > 1 else -1], outputs[-1])
        self.runs += 1
        return outcome


class MistakenFfmpeg(Ffmpeg):
    """Runs ffmpeg with another filter graph than it was given."""

    def __init__(self, mistake: Callable[[str], str]) -> None:
        """Change the graph by this function."""
        super().__init__()
        self._mistake = mistake

    def run(self, arguments: Sequence[str], **options: Any) -> Outcome:
        """Run with the changed graph, which must be another one."""
        changed = list(arguments)
        if "-filter_complex" in changed:
            place = changed.index("-filter_complex") + 1
            changed[place] = self._mistake(changed[place])
            assert changed != list(arguments)
        return super().run(changed, **options)


class Bench:
    """A run folder in which clips are processed and joined."""

    def __init__(self, folder: Path, *, ffmpeg: Ffmpeg | None = None) -> None:
        """Work in a folder that exists, with this ffmpeg or the packaged one."""
        self.files = TempFileManager(folder)
        self.ffmpeg = ffmpeg or Ffmpeg()
        self.context = RunContext("bench")
        self._made = 0

    def clip(self, source: Path, form: TargetForm, *, action: Action = Action.ENCODE) -> ProcessedClip:
        """A clip in its processed form."""
        return clip_of(self.processed(source, form, action=action))

    def processed(self, source: Path, form: TargetForm, *, action: Action = Action.ENCODE) -> Processed:
        """A clip in its processed form, and what is said of it."""
        wanted = planned(source, form, self._made, action=action)
        self._made += 1
        processor = ClipProcessor(self.ffmpeg, share_here, audio=AudioHere(), clock=time.monotonic)
        return processor.process(wanted, form, ProcessingConfig(), files=self.files, context=self.context)

    def join(
        self,
        clips: Sequence[ProcessedClip],
        output: Path,
        form: TargetForm,
        *,
        allow_mixed: bool = False,
        slots: int = 2,
        timeout_seconds: float = JOIN_SECONDS,
        engine: str = "FFmpeg",
        chapters: Sequence[Chapter] = (),
    ) -> bool:
        """Join by this engine; whether pictures were copied."""
        pool = ResourcePool(slots, MemoryManager(MemoryConfig()))
        return ENGINES[engine](self.ffmpeg, pool).concatenate(
            JoinOrder(tuple(clips), form, allow_mixed, timeout_seconds, tuple(chapters), reuse=False),
            output,
            limits=Limits(timeout_seconds),
            files=self.files,
            context=self.context,
        )

    def leftovers(self) -> set[str]:
        """Names in the folder that are no segment."""
        return {path.name for path in self.files.folder.iterdir() if not path.name[:5].isdigit()}


def prove(
    reel: Path,
    form: TargetForm,
    clips: Sequence[ProcessedClip],
    *,
    chapters: Sequence[Chapter] = (),
    copied: bool = True,
) -> OutputInfo:
    """The proof of a reel that keeps its name."""
    return proof.prove_reel(reel, form, clips, target=reel, chapters=chapters, frames_copied=copied, threads=2)


def other_encoder(form: TargetForm, **options: str) -> TargetForm:
    """The same form by an encoder with further options, which change its parameter sets."""
    more = tuple(part for name, value in options.items() for part in (f"-{name.replace('_', ':')}", value))
    return replace(form, encoder=replace(form.encoder, options=form.encoder.options + more))


def unchanged(packets: Packets) -> Packets:
    """No edit."""
    return packets


def rewritten(
    source: Path, target: Path, form: TargetForm, *, pictures: Edit = unchanged, sound: Edit = unchanged
) -> Path:
    """A reel once more, in the layout of a reel, with edited lists of packets."""
    options = {"cues_to_front": "1"}
    if form.container is not Container.MKV:
        options = {
            "use_editlist": "0",
            "movflags": "+faststart+negative_cts_offsets",
            "video_track_timescale": str(timing.timescale(form.frame_rate)),
        }
    with av.open(str(source)) as reel, av.open(str(target), "w", options=options) as output:
        streams = reel.streams.video[0], reel.streams.audio[0]
        copies = [output.add_stream_from_template(stream) for stream in streams]
        packets: tuple[Packets, Packets] = ([], [])
        for packet in reel.demux(*streams):
            if packet.size:
                packets[packet.stream is streams[1]].append(packet)
        edited = [(copies[0], packet) for packet in pictures(packets[0])]
        edited += [(copies[1], packet) for packet in sound(packets[1])]
        for stream, packet in sorted(edited, key=lambda item: Fraction(item[1].dts or 0) * item[1].time_base):
            packet.stream = stream
            output.mux(packet)
    return target


def copy_of(packet: Packet, *, at: Fraction) -> Packet:  # type: ignore[type-arg]
    """A packet like this one at another time, in seconds."""
    twin: Packet = av.Packet(bytes(packet))  # type: ignore[type-arg]
    twin.pts = twin.dts = round(at / packet.time_base)
    twin.time_base, twin.duration, twin.is_keyframe = packet.time_base, packet.duration, packet.is_keyframe
    return twin


def duplicate(source: Path, target: Path) -> Path:
    """A file once more, to be spoiled."""
    shutil.copyfile(source, target)
    return target


def flip(path: Path, place: int) -> None:
    """Change one byte of a file."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))


def place_of(path: Path, number: int, *, kind: str = "video") -> tuple[int, int]:
    """Where in a file the data of a packet lies, and how long it is."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        packet = [packet for packet in container.demux(stream) if packet.size][number]
    # Matroska's position is that of the block around it.
    return path.read_bytes().index(bytes(packet), packet.pos or 0), packet.size
