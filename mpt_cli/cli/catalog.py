"""Catalog of commands for the front page, the help, the man page and completions; loads no command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Entry of one command; a name of two words, such as ``config show``, is a command in a group."""

    name: str
    heading: str
    summary: str
    examples: tuple[tuple[str, str], ...]
    """Command lines, each with a comment or an empty string."""

    @property
    def words(self) -> tuple[str, ...]:
        """Words of the name."""
        return tuple(self.name.split())


REPORTING = "Reporting"
"""Heading of the options that every command has."""
_CREATE, _INSPECT, _SET_UP = "Create a reel", "Inspect", "Set up"

COMMANDS = (
    Entry(
        "process",
        _CREATE,
        "check clips, make them uniform, join and prove the reel",
        (
            ("mpt process clips/ -o reel.mp4 --preset tiktok", "size and audio of a platform"),
            ("mpt process *.mov -o reel.mp4 --size 1920x1080 --fit blur", ""),
            ("mpt process --job monday.toml", "clips with trims from a file"),
            ("mpt process clips/ -o reel.mp4 --dry-run", "the plan; writes nothing"),
            ("ls *.mp4 | mpt process - -o reel.mkv --json", "for programs"),
        ),
    ),
    Entry(
        "concat",
        _CREATE,
        "join only: copy frames where that is safe",
        (
            ("mpt concat part1.mp4 part2.mp4 -o whole.mp4", ""),
            ("mpt concat clips/ -o whole.mkv --method copy", "copy, or refuse"),
        ),
    ),
    Entry(
        "batch",
        _CREATE,
        "run many jobs side by side, from files or stdin",
        (
            ("mpt batch week.toml --dry-run", "the plan of every job"),
            ("mpt batch week.toml --only monday --overwrite", "one of its jobs"),
            ("generate-jobs | mpt batch - --jsonl", "jobs as JSON Lines"),
        ),
    ),
    Entry(
        "work",
        _CREATE,
        "do one step of a plan on any machine, for clusters",
        (
            ("mpt work todo/task-000000.json", "a file of mpt process --tasks"),
            ("mpt work todo/task-000000.json --jsonl", ""),
        ),
    ),
    Entry(
        "validate",
        _INSPECT,
        "report which clips can be used, and their format",
        (
            ("mpt validate clips/", ""),
            ("mpt validate clips/ --deep --strict", "decode all; warnings are errors"),
            ("find . -name '*.mp4' -print0 | mpt validate -0 - --json", ""),
        ),
    ),
    Entry(
        "health",
        _INSPECT,
        "check everything that mpt needs on this machine",
        (("mpt health", ""), ("mpt health --deep", "also create a small reel")),
    ),
    Entry(
        "report",
        _INSPECT,
        "report the result, time and memory of an earlier run",
        (
            ("mpt report list", "the last runs and batches"),
            ("mpt report last --html report.html", "the last run, as a page"),
            ("mpt report reel.mp4", "the last run that made this output"),
            ("mpt report batch --html batch.html", "the last batch as a whole"),
            ("mpt report 3f2a91c0 --json", "a run or batch by its first digits"),
        ),
    ),
    Entry(
        "config show",
        _SET_UP,
        "print each setting and where its value comes from",
        (
            ("mpt config show", ""),
            ("mpt config show video.fps", "one setting, or all of a section"),
            ("mpt config show video --preset youtube", "as that option would set it"),
        ),
    ),
    Entry(
        "config init",
        _SET_UP,
        "write a file with every setting, explained",
        (("mpt config init", "./mpt.toml"), ("mpt config init --user", "the file of the user")),
    ),
    Entry(
        "config schema",
        _SET_UP,
        "print the JSON Schema of the settings, for editors",
        (("mpt config schema > mpt.schema.json", ""),),
    ),
    Entry(
        "cache",
        _SET_UP,
        "show, prune or clear the cache of finished clips",
        (
            ("mpt cache info", ""),
            ("mpt cache prune", "remove what is over the limit, and what killed runs left"),
            ("mpt cache clear", "remove everything"),
        ),
    ),
    Entry(
        "completions",
        _SET_UP,
        "print the completion script of a shell",
        (
            ("mpt completions bash > ~/.local/share/bash-completion/completions/mpt", ""),
            ("mpt completions zsh > ~/.zfunc/_mpt", "where ~/.zfunc is in $fpath"),
            ("mpt completions fish > ~/.config/fish/completions/mpt.fish", ""),
            ("mpt completions powershell >> $PROFILE", ""),
        ),
    ),
)

REPORT_WORDS = LAST_RUN, RUN_LIST, LAST_BATCH = ("last", "list", "batch")
"""Words that mpt report takes in place of an id; an id has digits, and an output an extension."""

GROUPS = {"config": "show, create or describe settings"}
"""Groups of commands, each with its summary."""

NAMES = tuple(dict.fromkeys(entry.words[0] for entry in COMMANDS))
"""First words of all commands."""
