"""mpt keeps the house rules, and the checks that say so do see a broken one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import architecture
from tests.architecture import CHECKS, Module, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[list[Module]], Iterator[str]]

ROOT = Path(__file__).resolve().parent.parent


@cache
def house() -> list[Module]:
    """The modules of mpt."""
    return load(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_house_keeps_its_rules(check: Check) -> None:
    assert len(house()) > 10
    problems = dict.fromkeys(check(house()))
    assert not problems, "\n".join(problems)


def problems_of(folder: Path, files: dict[str, str]) -> set[str]:
    """What all checks say of a tree with these files; each gets a docstring where it has none."""
    for name, code in files.items():
        path = folder / architecture.PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code if code.startswith('"""') else f'"""Doc."""\n{code}', encoding="utf-8")
    modules = load(folder)
    assert len(modules) == len(files)
    return {problem for check in CHECKS for problem in check(modules)}


GOOD = {
    "__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mpt_cli.settings import Settings\n",
    "models.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mpt_cli.config import A\n",
    "config.py": "import pydantic\nfrom mpt_cli.models import B\n_TABLE = {1: 2}\n",
    "settings.py": "from mpt_cli.model.version import __version__\nfrom mpt_cli.config import A\n",
    "jobs.py": "from mpt_cli import settings\n",
    "media/__init__.py": "",
    "media/process.py": "import subprocess\nfrom mpt_cli import models\n",
    "media/probe.py": "import av\nfrom mpt_cli.media import process\n",
    "media/launch.py": "try:\n    x()\nexcept BaseException as error:\n    waiter.fail(error)\n",
    "validation/__init__.py": "",
    "plan.py": "from mpt_cli.media.probe import x\n",
    "processing/pipeline.py": "from mpt_cli.plan import p\ntry:\n    p()\nexcept Exception:\n    x = 1\n",
    "cli/app.py": "import typer\nfrom mpt_cli import factory, jobs\ntry:\n    x()\nexcept Exception:\n    y()\n",
    "factory.py": "from mpt_cli import settings, plan\nfrom mpt_cli.processing import pipeline\n",
    "__main__.py": "from mpt_cli.cli.app import main\n",
    "display/live.py": "import rich\ntry:\n    x()\nexcept BaseException:\n    y()\n    raise\n",
}


def test_a_clean_tree_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD) == set()


BROKEN = [
    ("media/new.py", "from mpt_cli.plan import p", "media.new:2: media must not import plan"),
    ("media/new.py", "from mpt_cli import validation", "media.new:2: media must not import validation"),
    ("media/new.py", "from mpt_cli import Settings", "media.new:2: media must not import __init__"),
    ("media/new.py", "import mpt_cli.display.live", "media.new:2: media must not import display"),
    ("media/new.py", "from . import probe", "media.new:2: relative import"),
    ("media/new.py", "def _f():\n    import mpt_cli.cli", "media.new:3: media must not import cli"),
    ("processing/new.py", "import mpt_cli.concatenation", "processing.new:2: processing must not import concatenation"),
    (
        "processing/new.py",
        "from mpt_cli.validation import x",
        "processing.new:2: processing must not import validation",
    ),
    ("plan.py", "import typing\nif typing.TYPE_CHECKING:\n    import mpt_cli.cli", "plan:4: plan must not import cli"),
    ("orchestrator.py", "import mpt_cli.settings", "orchestrator:2: orchestrator must not import settings"),
    ("factory.py", "from mpt_cli.display import live", "factory:2: factory must not import display"),
    ("cli/new.py", "from mpt_cli.media import probe", "cli.new:2: cli must not import media"),
    ("cli/new.py", "x = import_module('mpt_cli.plan')", "cli.new:2: cli must not import plan"),
    ("attic.py", "", "attic: has no place in MAY_IMPORT"),
    ("events.py", "import numpy", "events:2: events must not import numpy"),
    ("errors.py", "import pydantic", "errors:2: errors must not import pydantic"),
    ("models.py", "import mpt_cli.config", "imports in a circle, or leading into one: "),
    ("media/process.py", "from mpt_cli.media import probe", "imports in a circle, or leading into one: "),
    ("media/new.py", "import subprocess", "media.new:2: subprocess belongs to media.process"),
    ("plan.py", "def _f():\n    from av.video import frame", "plan:3: av.video belongs to media"),
    (
        "concatenation/service.py",
        "import moviepy",
        "concatenation.service:2: moviepy belongs to concatenation.moviepy_child",
    ),
    ("concatenation/service.py", "__import__('moviepy')", "concatenation.service:2: moviepy belongs to"),
    ("cli/new.py", "from rich.table import Table", "cli.new:2: rich.table belongs to display"),
    ("display/live.py", "import typer", "display.live:2: typer belongs to cli"),
    ("media/probe.py", "import psutil", "media.probe:2: psutil belongs to monitoring and media.tree"),
    ("cli/new.py", "print(1)", "cli.new:2: print"),
    ("cli/new.py", "import os\nos.system('ls')", "cli.new:3: os.system"),
    ("cli/new.py", "from os import execv", "cli.new:2: os.execv"),
    ("media/new.py", "async def _f():\n    asyncio.create_subprocess_exec()", "media.new:3: create_subprocess_exec"),
    ("plan.py", "def _f(*, quiet=False): ...", "plan:2: quiet in the core"),
    ("plan.py", "class _P:\n    show_progress: bool", "plan:3: show_progress in the core"),
    ("plan.py", "@dataclass(frozen=True)\nclass P:\n    'Doc.'", "plan:3: P is not frozen with slots"),
    ("plan.py", "_seen = set()", "plan:2: _seen is a container that looks like state"),
    ("plan.py", "SEEN: dict[int, int] = {}\ndef _f():\n    SEEN[1] = 2", "plan:4: SEEN is changed"),
    ("plan.py", "SEEN = []\ndef _f():\n    SEEN.append(2)", "plan:4: SEEN is changed"),
    ("plan.py", "def _f():\n    global x", "plan:3: global x"),
    ("plan.py", "\n" * 400, "plan: 401 lines"),
    ("plan.py", "def _f():\n" + "    x = 1\n" * 60, "plan:2: _f has 61 lines"),
    ("plan.py", "def f(): ...", "plan:2: f has no docstring"),
    ("plan.py", "class P:\n    'Doc.'\n    def f(self): ...", "plan:4: f has no docstring"),
    ("plan.py", '""""""', "plan: no docstring"),
    ("plan.py", "try:\n    x()\nexcept:\n    y()", "plan:4: catches everything"),
    ("plan.py", "try:\n    x()\nexcept (OSError, Exception):\n    y()", "plan:4: catches everything"),
    ("plan.py", "with contextlib.suppress(Exception):\n    x()", "plan:2: catches everything"),
    ("media/launch.py", "try:\n    x()\nexcept BaseException as error:\n    y()", "media.launch:4: catches everything"),
    ("media/new.py", "try:\n    x()\nexcept BaseException as error:\n    y(error)", "media.new:4: catches everything"),
    ("cli/new.py", "try:\n    x()\nexcept BaseException:\n    y()", "3 places catch everything"),
]


@pytest.mark.parametrize(("name", "code", "problem"), BROKEN, ids=[problem for *_, problem in BROKEN])
def test_a_broken_rule_is_seen(tmp_path: Path, name: str, code: str, problem: str) -> None:
    found = problems_of(tmp_path, GOOD | {name: code})
    assert [each for each in found if each.startswith(problem)], found
