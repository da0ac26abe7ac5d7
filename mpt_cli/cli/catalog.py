"""Every command by name: what the front page, the help, the man page and completions say without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. A name of two words is that of a command within a group: ``config show``."""

    name: str
    heading: str
    summary: str
    examples: tuple[tuple[str, str], ...]
    """Command lines, each with what it does."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return tuple(self.name.split())


REPORTING = "Reporting"
"""The heading of the options that every command has."""
_MAKE, _LOOK, _KEEP = "Make a reel", "Look before and after", "Set up"

COMMANDS = (
    Entry(
        "process",
        _MAKE,
        "check clips, make them uniform, join and prove the reel",
        (
            ("mpt process clips/ -o reel.mp4 --preset tiktok", "a platform's size and sound"),
            ("mpt process *.mov -o reel.mp4 --size 1920x1080 --fit blur", ""),
            ("mpt process --job monday.toml", "clips with trims from a file"),
            ("mpt process clips/ -o reel.mp4 --dry-run", "the plan; writes nothing"),
            ("ls *.mp4 | mpt process - -o reel.mkv --json", "for programs"),
        ),
    ),
    Entry(
        "concat",
        _MAKE,
        "join only: copy pictures where that is safe",
        (
            ("mpt concat part1.mp4 part2.mp4 -o whole.mp4", ""),
            ("mpt concat clips/ -o whole.mkv --method copy", "copy, or refuse"),
        ),
    ),
    Entry(
        "batch",
        _MAKE,
        "run many jobs side by side, from files or stdin",
        (
            ("mpt batch week.toml --dry-run", "the plan of every job"),
            ("mpt batch week.toml --only monday --overwrite", "one of its jobs"),
            ("generate-jobs | mpt batch - --jsonl", "jobs as JSON Lines"),
        ),
    ),
    Entry(
        "validate",
        _LOOK,
        "say which clips can be used, and what they are",
        (
            ("mpt validate clips/", ""),
            ("mpt validate clips/ --deep --strict", "decode all; warnings are errors"),
            ("find . -name '*.mp4' -print0 | mpt validate -0 - --json", ""),
        ),
    ),
    Entry(
        "health",
        _LOOK,
        "try everything that mpt needs on this machine",
        (("mpt health", ""), ("mpt health --deep", "make a small reel as well")),
    ),
    Entry(
        "report",
        _LOOK,
        "tell what an earlier run came to, and what it cost",
        (
            ("mpt report last", ""),
            ("mpt report last --html report.html", "as a page"),
            ("mpt report 3f2a91c0 --json", "a run by its first digits"),
        ),
    ),
    Entry(
        "config show",
        _KEEP,
        "print each setting and where its value comes from",
        (
            ("mpt config show", ""),
            ("mpt config show video.fps", "one setting, or all of a section"),
            ("mpt config show video --preset youtube", "as that option would set it"),
        ),
    ),
    Entry(
        "config init",
        _KEEP,
        "write a file with every setting, explained",
        (("mpt config init", "./mpt.toml"), ("mpt config init --user", "the file of the user")),
    ),
    Entry(
        "config schema",
        _KEEP,
        "print the JSON Schema of the settings, for editors",
        (("mpt config schema > mpt.schema.json", ""),),
    ),
    Entry(
        "cache",
        _KEEP,
        "look after the store of finished clips",
        (
            ("mpt cache info", ""),
            ("mpt cache prune", "remove what is over the limit, and what killed runs left"),
            ("mpt cache clear", "remove everything"),
        ),
    ),
    Entry(
        "completions",
        _KEEP,
        "print what makes TAB complete it in your shell",
        (
            ("mpt completions bash > ~/.local/share/bash-completion/completions/mpt", ""),
            ("mpt completions zsh > ~/.zfunc/_mpt", "where ~/.zfunc is in $fpath"),
            ("mpt completions fish > ~/.config/fish/completions/mpt.fish", ""),
            ("mpt completions powershell >> $PROFILE", ""),
        ),
    ),
)

GROUPS = {"config": "settings: show, init, schema"}
"""Commands that hold others, and what is said of them as a whole."""

NAMES = tuple(dict.fromkeys(entry.words[0] for entry in COMMANDS))
"""What may stand first on a command line."""
