"""A stand-in ffmpeg that plays a machine with hardware encoders, the same on every machine.

It says which encoders it has, and lets those that work be played by software of another form: what
"hardware" encoded can be told by its bytes, and does not join with what x264 makes for mpt.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tests.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

NVENC = "h264_nvenc"
NO_DRIVER = "Cannot load libcuda.so.1"
"""Why NVENC fails on a machine that has none."""
NO_SESSION = "OpenEncodeSessionEx failed: out of memory (10): (no details)"
"""What a card says that has no session left."""
MARK, SOFTWARE_MARK = b"qpmin=7", b"qpmin=0"
"""Stands among the options that x264 writes into its first picture: of the stand-in, and of mpt."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a stand-in has, and what goes wrong with it.

    ``broken`` fail whatever they are asked, with these words. ``at`` are the file names of clips, or
    ``join``, at which the others fail; ``at_numbers`` are places among the clips that are encoded.
    A trial may also go ``wrong``: ``shade``, ``rubbish`` or ``hang``.
    """

    works: tuple[str, ...] = (NVENC,)
    broken: dict[str, str] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    at_numbers: tuple[int, ...] = ()
    says: str = NO_SESSION
    wrong: str = ""

    def build(self, folder: Path, name: str = "ffmpeg-with-hardware") -> Path:
        """The program, in a folder in which it also notes what it was asked for.

        Under one name it stays the same file, whatever becomes of the machine.
        """
        path = folder / name
        told = {**asdict(self), "ffmpeg": ffmpeg(), "log": str(folder / "hardware.log")}
        path.with_suffix(".json").write_text(json.dumps(told))
        if not path.exists():
            path.write_text(f"#!{sys.executable} -IS\n{_PROGRAM}")
            path.chmod(0o755)
        return path


NO_GPU = Machine(works=(), broken={NVENC: NO_DRIVER})
"""Has NVENC in its list, and no card."""


def asked(folder: Path) -> list[tuple[str, str]]:
    """What was asked of the stand-in's hardware so far: encoder, and ``trial``, ``join`` or the name of a clip."""
    log = folder / "hardware.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(encoder, what) for encoder, _, what in (line.partition(" ") for line in lines)]


def trials(folder: Path) -> int:
    """How many trials there were."""
    return sum(what == "trial" for _, what in asked(folder))


_PROGRAM = """import json, os, sys, time

with open(__file__ + ".json") as file:
    told = json.load(file)
arguments = sys.argv[1:]
hardware = [*told["works"], *told["broken"]]


def fail(words):
    sys.stderr.write(f"[{encoder} @ 0x1] {words}\\n")
    sys.stderr.write(f"[vost#0:0/{encoder} @ 0x2] Error while opening encoder - maybe incorrect parameters\\n")
    sys.exit(1)


def note(what):
    with open(told["log"], "a+") as log:
        log.write(f"{encoder} {what}\\n")
        log.seek(0)
        return sum(not line.endswith((" trial\\n", " join\\n")) for line in log)


def in_software():
    kept, skip = [], False
    dropped = ("-rc", "-cq", "-b:v", "-forced-idr", "-tune", "-preset", "-rc_mode", "-global_quality", "-profile:v")
    dropped += ("-init_hw_device", "-filter_hw_device")
    for argument in arguments:
        if not skip and argument not in dropped:
            kept.append(argument.replace("hwupload", "null"))
        skip = argument in dropped
    place = kept.index("-c:v")
    own = ["-preset", "superfast", "-crf", "28", "-profile:v", "high", "-flags", "+cgop"]
    own += ["-x264-params", "stitchable=1:qpmin=7:bframes=0"]
    return kept[:place] + ["-c:v", "libx264", *own] + kept[place + 2 :]


if "-encoders" in arguments:
    for name in ("libx264", "libx265", "libsvtav1", *hardware):
        print(f" V....D {name:20} stand-in (codec {name})")
    sys.exit()
encoder = arguments[arguments.index("-c:v") + 1] if "-c:v" in arguments else ""
if encoder in hardware:
    source = arguments[arguments.index("-i") + 1]
    what = "trial" if source.startswith("pipe:") else "join" if "concat" in arguments else os.path.basename(source)
    number = note(what)
    if encoder in told["broken"]:
        fail(told["broken"][encoder])
    if what != "trial" and (what in told["at"] or (what != "join" and number in told["at_numbers"])):
        fail(told["says"])
    arguments = in_software()
    if what == "trial" and told["wrong"] == "hang":
        time.sleep(600)
    if what == "trial" and told["wrong"] == "shade":
        arguments = [each.replace("setsar", "lutyuv=y=200,setsar") for each in arguments]
    if what == "trial" and told["wrong"] == "rubbish":
        sys.stdin.buffer.read()
        with open(arguments[-1].removeprefix("file:"), "w") as file:
            file.write("rubbish")
        sys.exit()
os.execv(told["ffmpeg"], [told["ffmpeg"], *arguments])
"""
