"""Files of the repository that are made from the program; ``python -m tests.generated`` makes them anew."""

from __future__ import annotations

from pathlib import Path

from mpt_cli.cli.commands.completions import Shell, script
from mpt_cli.cli.shell.man_page import manual
from mpt_cli.settings.reference import starter_file

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {Shell.BASH: "mpt.bash", Shell.ZSH: "_mpt", Shell.FISH: "mpt.fish", Shell.POWERSHELL: "mpt.ps1"}


def generated() -> dict[str, str]:
    """What each of them must hold."""
    scripts = {f"completions/{name}": script(shell) for shell, name in SCRIPTS.items()}
    return {**scripts, "mpt_cli/share/man/mpt.1": manual(), "examples/mpt.toml": starter_file()}


if __name__ == "__main__":
    for name, text in generated().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
