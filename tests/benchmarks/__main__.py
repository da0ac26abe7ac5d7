"""Runs benchmarks by their names; results go to the screen, and with --json into a file.

Clips are created by lavfi. Contenders take turns, and each round begins with another one, so that what else the
machine does meets all alike: compare figures of one table with each other, never with those of another. CPU time
is that of all processes of a run, peak memory that of the whole tree at one moment, sampled each 0.1 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import join, many_cores, quality, reels, soak
from tests.benchmarks.material import FFMPEG
from tests.benchmarks.measure import SIZE, Outcome, RunError, machine, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what it measures, and the module that describes it and may add options."""

    measures: str
    run: Callable[[argparse.Namespace, Path], Outcome]
    module: ModuleType


BENCHMARKS = {
    "mixed": Benchmark("a dozen mixed clips: mpt and its peers", reels.mixed, reels),
    "long": Benchmark("one clip of 120 s among three of 4 s: mpt and its peers", reels.long, reels),
    "join": Benchmark("the join of 100 conforming clips: mpt concat and plain ffmpeg", join.join, join),
    "many_cores": Benchmark("a model of mpt on 2 to 64 cores, from measured parts", many_cores.many_cores, many_cores),
    "quality": Benchmark("VMAF, size and CPU time of presets and CRFs (40 minutes)", quality.quality, quality),
    "soak": Benchmark("memory, threads, handles and files of mpt over a thousand clips", soak.soak, soak),
}
DEFAULT = ("mixed", "long")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named; the first exit code that is not 0 is that of the program."""
    given = parser().parse_args(argv)
    given.mpt = given.mpt.absolute()
    facts = machine() | {"mpt": version_of(given.mpt, "--version"), "ffmpeg": version_of(FFMPEG[0], "-version")}
    facts |= {"moviepy": version("moviepy"), "melt": version_of("melt", "--version")}
    for name, fact in facts.items():
        print(f"{name}: {fact}", flush=True)
    codes, results = [], {}
    for name in dict.fromkeys(given.names or DEFAULT):
        print(f"\n{name}: {BENCHMARKS[name].measures}\n", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"mpt-{name}-") as folder:
            try:
                outcome = BENCHMARKS[name].run(given, Path(folder))
            except RunError as error:
                outcome = Outcome(1, str(error))
                print(error, file=sys.stderr)
        codes.append(outcome.code)
        results[name] = outcome.figures
    if given.json:
        given.json.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n", encoding="utf-8")
    return next(filter(None, codes), 0)


def parser() -> argparse.ArgumentParser:
    """Return the parser; the options of single benchmarks stand in groups of their own."""
    names = "\n".join(f"  {name:12}{each.measures}" for name, each in BENCHMARKS.items())
    made = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=f"{__doc__}\nNames:\n{names}\n\nWithout a name: {' '.join(DEFAULT)}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    beside = Path(sys.executable).with_name("mpt")
    made.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help="see above")
    made.add_argument("--quick", action="store_true", help="smaller sizes and one round: under 3 minutes on two cores")
    made.add_argument("--rounds", type=int, metavar="N", help="runs of each contender (5; quality: 1)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write figures, machine and versions to this file")
    made.add_argument("--mpt", type=Path, default=beside, help="an installed mpt (that of this Python)")
    made.add_argument("--size", metavar="WxH", help=f"size of the reel ({SIZE})")
    made.add_argument("--clips", type=Path, metavar="FOLDER", help="clips for mixed and quality")
    made.add_argument("--keep", type=Path, metavar="FOLDER", help="keep created clips here for later runs")
    for name, each in BENCHMARKS.items():
        if add_options := getattr(each.module, "add_options", None):
            add_options(made.add_argument_group(name))
    return made


if __name__ == "__main__":
    sys.exit(main())
