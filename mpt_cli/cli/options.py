"""Options of all commands: names, configuration keys and help.

Help, choices and default of the option of a setting come from the field of the setting.

A command names its groups of options; :func:`with_options` adds their parameters to its function and
passes the given values, nested by configuration key.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mpt_cli.cli.catalog import REPORTING
from mpt_cli.config.presets import PRESETS
from mpt_cli.model.choices import JoinMethod
from mpt_cli.model.similarity import meant
from mpt_cli.settings.layers import FIELDS, Layer, LayerKind, words_of
from mpt_cli.settings.reference import meanings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

Inputs = Annotated[list[str] | None, typer.Argument(metavar="INPUT", help="Files, folders, patterns, or - for stdin.")]
"""Clips of a command as the user names them."""

FILES, VIDEO, CODING, JOINING = "Input and output", "Video", "Encoding and audio", "Order and join"
RUNNING = "Running"


@dataclass(frozen=True, slots=True)
class Flag:
    """Option of the command line.

    ``key`` is its key in the configuration, or several separated by spaces, or empty for an option of
    the command. Completions also use ``metavar`` (:mod:`mpt_cli.cli.shell.command_tree`).
    """

    names: tuple[str, ...]
    help: str
    panel: str
    key: str = ""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    default: str = ""
    """Default as the help shows it."""
    value: object = None
    """Value of an option without an argument; None for an option with one."""
    type: type = str
    many: bool = False
    """True if the option may be repeated."""

    @property
    def parameter(self) -> str:
        """Name of the parameter of the function."""
        longest = max(self.names, key=len)
        return longest.lstrip("-").replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """True if the option takes no argument."""
        return self.value is not None

    @property
    def explained(self) -> str:
        """Help line with choices and default."""
        choices = f": {', '.join(self.choices)}" if self.choices else ""
        return f"{self.help}{choices}{f' ({self.default})' if self.default else ''}."


@dataclass(frozen=True, slots=True)
class Given:
    """Given values: options of the command by name, options of the configuration nested by key."""

    own: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return the value of an option of the command, or None."""
        return self.own.get(name)


_BESIDE = "to this file, in place of that of the last run"
"""End of the help of side files: they are replaced without --overwrite."""

COMMON = (
    Flag(("--config", "-c"), "Read this configuration instead of ./mpt.toml", REPORTING, metavar="TOML", type=Path),
    Flag(("--json",), "Print one JSON document and nothing else", REPORTING, value=True),
    Flag(("--jsonl",), "Print one JSON object per event, the result last", REPORTING, value=True),
    Flag(("--quiet", "-q"), "Show only errors", REPORTING, value=True),
    Flag(("--verbose", "-v"), "Show details and tracebacks", REPORTING, value=True),
    Flag(("--log-file",), "Append all that happens to this file", REPORTING, metavar="FILE", type=Path),
    Flag(
        ("--log-format",),
        "Form of the log file",
        REPORTING,
        metavar="FORMAT",
        choices=("text", "json"),
        default="text",
    ),
    Flag(
        ("--color",),
        "When to use colours",
        REPORTING,
        metavar="WHEN",
        choices=("auto", "always", "never"),
        default="auto",
    ),
)

METRICS = (Flag(("--metrics-file",), f"Write metrics for Prometheus {_BESIDE}", REPORTING, metavar="FILE", type=Path),)
JUNIT = (Flag(("--junit",), f"Write JUnit XML for CI servers {_BESIDE}", REPORTING, metavar="FILE", type=Path),)

INPUTS = (Flag(("--null", "-0"), "Paths on stdin end with NUL, as those of find -print0", FILES, value=True),)


def _of_setting(key: str, metavar: str = "", *, panel: str, short: tuple[str, ...] = (), value: object = None) -> Flag:
    """Return the option of a setting; its help, choices and default are those of the field."""
    path = tuple(key.split("."))
    default = meanings()[path].default
    return Flag(
        (Layer(LayerKind.FLAG, {}).name_of(path), *short),
        FIELDS[path].title or "",
        panel,
        key,
        metavar,
        words_of(path),
        default="" if value is not None or default == "none" else str(default),
        value=value,
    )


AUDIO_TRACKS = _of_setting("audio.tracks", "WHICH", panel=CODING)
OVERWRITE = Flag(("--overwrite", "-y"), "Replace an existing output", FILES, value=True)
OF_A_REEL = ("--output", "--contact-sheet", "--poster")
"""Options of one reel, which a batch has for each job in its file."""

REEL = (
    Flag(("--output", "-o"), "The reel: .mp4, .mov or .mkv", FILES, metavar="PATH", type=Path),
    Flag(
        ("--contact-sheet",),
        "Also write an image with one frame of each clip: .png, .jpg",
        FILES,
        metavar="PATH",
        type=Path,
    ),
    Flag(("--poster",), "Also write an image of the best frame: .png, .jpg", FILES, metavar="PATH", type=Path),
    OVERWRITE,
    Flag(("--if-changed",), "Do nothing if the output is up to date; replace only what mpt wrote", FILES, value=True),
    Flag(("--dry-run", "-n"), "Print the plan and write nothing", FILES, value=True),
    Flag(("--preset",), "Size, rate and audio of a platform", VIDEO, "preset", "NAME", tuple(PRESETS)),
    _of_setting("video.form", "SOURCE", panel=VIDEO),
    replace(
        _of_setting("video.size", "WxH", panel=VIDEO),
        default="1080x1920; 1920x1080 if landscape clips hold the most seconds",
    ),
    _of_setting("video.fps", "RATE", panel=VIDEO),
    _of_setting("video.fit", "FIT", panel=VIDEO),
    _of_setting("video.background", "COLOR", panel=VIDEO),
    _of_setting("video.dynamic_range", "RANGE", panel=VIDEO),
    _of_setting("video.max_clip_duration", "SECONDS", panel=VIDEO),
    _of_setting("encode.codec", "CODEC", panel=CODING),
    _of_setting("encode.encoder", "ENCODER", panel=CODING),
    _of_setting("encode.quality", "LEVEL", panel=CODING),
    _of_setting("encode.crf", "N", panel=CODING),
    _of_setting("encode.preset", "NAME", panel=CODING),
    _of_setting("encode.threads", "N", panel=CODING),
    _of_setting("audio.codec", "CODEC", panel=CODING),
    _of_setting("audio.sample_rate", "HZ", panel=CODING),
    _of_setting("audio.channels", "N", panel=CODING),
    AUDIO_TRACKS,
    _of_setting("audio.loudness", "LUFS", panel=CODING),
    _of_setting("audio.even_out", panel=CODING, value=True),
    _of_setting("concat.order", "ORDER", panel=JOINING),
    _of_setting("concat.mode", "MODE", panel=JOINING),
    _of_setting("concat.seed", "N", panel=JOINING),
    _of_setting("concat.copy", "WHICH", panel=JOINING),
    Flag(
        ("--no-chapters",),
        "Leave out the chapters with the names of the clips",
        JOINING,
        "concat.chapters",
        value=False,
    ),
    Flag(
        ("--no-fallback",),
        "Fail instead of using another encoder or join method",
        JOINING,
        "encode.fallback concat.fallback",
        value=False,
    ),
    _of_setting("processing.on_error", "ACTION", panel=RUNNING),
    _of_setting("processing.min_success_rate", "R", panel=RUNNING),
    _of_setting("processing.jobs", "N", panel=RUNNING, short=("-j",)),
    _of_setting("processing.clip_timeout", "SECONDS", panel=RUNNING),
    _of_setting("processing.stall_timeout", "SECONDS", panel=RUNNING),
    _of_setting("processing.deadline", "SECONDS", panel=RUNNING),
    _of_setting("memory.max", "SIZE", panel=RUNNING),
    Flag(("--no-cache",), "Neither use nor keep finished clips", RUNNING, "cache.enabled", value=False),
    _of_setting("cache.paranoid", panel=RUNNING, value=True),
    Flag(("--keep-temp",), "Leave temporary files, for debugging", RUNNING, value=True),
    *METRICS,
    Flag(
        ("--manifest",),
        f"Write hashes and commands {_BESIDE}",
        REPORTING,
        metavar="FILE",
        type=Path,
    ),
)

_OF_THE_CLIPS = "that of the clips"
_JOINED_DEFAULTS = {
    "video.form": "auto",
    "video.size": _OF_THE_CLIPS,
    "video.dynamic_range": "auto",
    "encode.codec": _OF_THE_CLIPS,
    "audio.codec": _OF_THE_CLIPS,
    "audio.sample_rate": _OF_THE_CLIPS,
    "audio.channels": "those of the clips",
}
JOINED = tuple(replace(flag, default=_JOINED_DEFAULTS.get(flag.key, flag.default)) for flag in REEL)
"""Options of a reel with the defaults of ``mpt concat``."""

METHOD = (Flag(("--method",), "How to join", JOINING, metavar="METHOD", choices=tuple(JoinMethod), default="auto"),)
JOB = (
    Flag(
        ("--job",), "Take clips (trimmed, muted) and options from a file with one job", FILES, metavar="TOML", type=Path
    ),
)
BATCH = (
    Flag(("--only",), "Run this job alone; may be given again for more", FILES, metavar="JOB", many=True),
    *(flag for flag in REEL if flag.names[0] not in OF_A_REEL),
    *JUNIT,
    Flag(("--fail-fast",), "Start no job after a failed one, and none at all if one is refused", RUNNING, value=True),
)
SETTINGS = tuple(flag for flag in REEL if flag.key)
"""Options that stand for settings, for a look at what they would do."""
INIT = (
    Flag(("--user",), "Write the file of the user, which applies in every folder", FILES, value=True),
    Flag(("--overwrite", "-y"), "Replace an existing file", FILES, value=True),
)
MOST_LISTED = 20
REPORT = (
    Flag(
        ("--html",), "Also write the report as one HTML page without external files", FILES, metavar="FILE", type=Path
    ),
    Flag(("--limit",), "Most runs of mpt report list", FILES, metavar="N", type=int, default=str(MOST_LISTED)),
    replace(OVERWRITE, help="Replace an existing page"),
)
TASKS = (
    Flag(
        ("--tasks",),
        "Write each step to do as a file for mpt work into this new folder, and do none",
        FILES,
        metavar="FOLDER",
        type=Path,
    ),
)
WORK = (
    Flag(("--cache-dir",), "Folder of the cache, which all machines share", FILES, "cache.dir", "DIR", default="auto"),
)
HEALTH = (Flag(("--deep",), "Also create and verify a small reel", RUNNING, value=True),)
VALIDATE = (
    Flag(("--deep",), "Decode every frame of every clip, which takes long", RUNNING, value=True),
    Flag(("--strict",), "Treat warnings as errors", RUNNING, value=True),
    AUDIO_TRACKS,
    *JUNIT,
    *METRICS,
)


def with_options(*groups: Iterable[Flag]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return a decorator that adds options to a command, which receives their values as ``given``."""
    flags = tuple(flag for group in groups for flag in group)

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "given"]

        def command(**values: Any) -> int:
            arguments = {p.name: values[p.name] for p in own}
            return function(**arguments, given=_given(flags, values))

        parameters = [*own, *map(_parameter, flags)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        # For completions and the man page.
        command.flags = flags  # type: ignore[attr-defined]
        return command

    return decorate


def _parameter(flag: Flag) -> inspect.Parameter:
    """Return the typer parameter of an option. Values stay text: the settings check them."""
    details: dict[str, Any] = {"help": flag.explained, "rich_help_panel": flag.panel, "show_default": False}
    details["metavar"] = flag.metavar  # empty for a switch: else typer writes "<bool>"
    if flag.is_switch:
        return _keyword(flag, Annotated[bool, typer.Option(*flag.names, **details)], default=False)
    taken: Any = list[str] if flag.many else flag.type
    return _keyword(flag, Annotated[taken | None, typer.Option(*flag.names, **details)], default=None)


def _keyword(flag: Flag, annotation: Any, *, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(flag.parameter, kind, default=default, annotation=annotation)


def _given(flags: Sequence[Flag], values: dict[str, Any]) -> Given:
    """Return the given values, without options that were left out."""
    names = {name for flag in flags for name in flag.names}
    given = Given()
    for flag in flags:
        value = values[flag.parameter]
        if value is None or value is False:
            continue
        value = flag.value if flag.is_switch else value if flag.many else _checked(flag, value, names)
        if not flag.key:
            given.own[flag.parameter] = value
        for place in flag.key.split():
            section, _, key = place.rpartition(".")
            (given.flags.setdefault(section, {}) if section else given.flags)[key] = value
    if given.get("json") and given.get("jsonl"):
        raise typer.BadParameter("cannot be given together with --jsonl", param_hint="--json")
    return given


def _checked(flag: Flag, value: object, names: Collection[str]) -> object:
    """Return the value of an option; refuse the name of another option (``-o --json``) and a wrong choice."""
    if str(value) in names:
        raise typer.BadParameter(f"{str(value)!r} is an option, so the value is missing", param_hint=flag.names[0])
    if flag.choices and not flag.key:
        chosen(str(value), flag.choices, flag.names[0])
    return value


def chosen(word: str, choices: Collection[str], name: str) -> str:
    """Return the word if it is one of the choices of an option or argument.

    Raises:
        typer.BadParameter: The word is not a choice.
    """
    if word not in choices:
        near = meant(word, choices)
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(choices)}{near}", param_hint=name)
    return word
