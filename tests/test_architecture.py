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
@pytest.mark.heavy
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
    "__init__.py": "if TYPE_CHECKING:\n    from mpt_cli.settings.merged import Settings\n",
    "model/clips.py": "from typing import TYPE_CHECKING\n_TABLE = {1: 2}\n",
    "model/errors.py": "from mpt_cli.model import clips\n",
    "config/sections.py": "import pydantic\nfrom mpt_cli.model.clips import B\n",
    "settings/merged.py": "from mpt_cli.config.sections import A\n",
    "settings/job_files.py": "from mpt_cli.settings import merged\n",
    "runtime/events.py": "from mpt_cli.model.errors import Issue\n",
    "storage/store.py": "from mpt_cli.model.errors import Issue\n",
    "reporting/page.py": "import PIL\nfrom mpt_cli.model.errors import Issue\n",
    "media/__init__.py": "",
    "media/process/run.py": "import subprocess\nfrom mpt_cli.runtime import events\n",
    "media/probe.py": "import av\nfrom mpt_cli.media.process import run\n",
    "media/process/spawn.py": "try:\n    x()\nexcept BaseException as error:\n    waiter.fail(error)\n",
    "validation/__init__.py": "",
    "planning/plan.py": "from mpt_cli.media.probe import x\n",
    "processing/pipeline.py": "from mpt_cli.planning.plan import p\ntry:\n    p()\nexcept Exception:\n    x = 1\n",
    "workflow/orchestrator.py": "from mpt_cli.processing import pipeline\nfrom mpt_cli.reporting import page\n",
    "cli/app.py": "import typer\nfrom mpt_cli import factory\ntry:\n    x()\nexcept Exception:\n    y()\n",
    "factory.py": "from mpt_cli.settings import merged\nfrom mpt_cli.workflow import orchestrator\n",
    "__main__.py": "from mpt_cli.cli.app import main\n",
    "display/live.py": "import rich\ntry:\n    x()\nexcept BaseException:\n    y()\n    raise\n",
}


def test_a_clean_tree_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD) == set()


BROKEN = [
    ("media/new.py", "from mpt_cli.planning.plan import p", "media.new:2: media must not import planning"),
    ("media/new.py", "from mpt_cli import validation", "media.new:2: media must not import validation"),
    ("media/new.py", "from mpt_cli import Settings", "media.new:2: media must not import __init__"),
    ("model/new.py", "from mpt_cli.config import A", "model.new:2: model must not import config"),
    ("runtime/new.py", "from mpt_cli.storage import store", "runtime.new:2: runtime must not import storage"),
    ("storage/new.py", "from mpt_cli.runtime import events", "storage.new:2: storage must not import runtime"),
    ("config/new.py", "from mpt_cli.settings import merged", "config.new:2: config must not import settings"),
    ("settings/new.py", "from mpt_cli.storage import store", "settings.new:2: settings must not import storage"),
    ("reporting/new.py", "from mpt_cli.config import A", "reporting.new:2: reporting must not import config"),
    ("display/new.py", "from mpt_cli.config import A", "display.new:2: display must not import config"),
    ("monitoring/new.py", "from mpt_cli.planning import plan", "monitoring.new:2: monitoring must not import planning"),
    ("planning/new.py", "from mpt_cli.processing import p", "planning.new:2: planning must not import processing"),
    ("validation/new.py", "from mpt_cli.planning import p", "validation.new:2: validation must not import planning"),
    ("concatenation/new.py", "import mpt_cli.processing", "concatenation.new:2: concatenation must not import"),
    ("workflow/new.py", "import mpt_cli.factory", "workflow.new:2: workflow must not import factory"),
    ("__main__.py", "import mpt_cli.factory", "__main__:2: __main__ must not import factory"),
    ("media/new.py", "import mpt_cli.display.live", "media.new:2: media must not import display"),
    ("media/new.py", "from . import probe", "media.new:2: relative import"),
    ("media/new.py", "def _f():\n    import mpt_cli.cli", "media.new:3: media must not import cli"),
    ("processing/new.py", "import mpt_cli.concatenation", "processing.new:2: processing must not import concatenation"),
    (
        "processing/new.py",
        "from mpt_cli.validation import x",
        "processing.new:2: processing must not import validation",
    ),
    (
        "planning/plan.py",
        "import typing\nif typing.TYPE_CHECKING:\n    import mpt_cli.cli",
        "planning.plan:4: planning must not import cli",
    ),
    ("workflow/new.py", "import mpt_cli.settings", "workflow.new:2: workflow must not import settings"),
    ("factory.py", "from mpt_cli.display import live", "factory:2: factory must not import display"),
    ("cli/new.py", "from mpt_cli.media import probe", "cli.new:2: cli must not import media"),
    ("cli/new.py", "x = import_module('mpt_cli.planning')", "cli.new:2: cli must not import planning"),
    ("attic.py", "", "attic: has no place in MAY_IMPORT"),
    ("model/new.py", "import numpy", "model.new:2: model must not import numpy"),
    ("model/new.py", "import pydantic", "model.new:2: model must not import pydantic"),
    ("model/clips.py", "from mpt_cli.model import errors", "imports in a circle, or leading into one: "),
    ("media/process/run.py", "from mpt_cli.media import probe", "imports in a circle, or leading into one: "),
    ("media/new.py", "import subprocess", "media.new:2: subprocess belongs to media.process"),
    ("planning/plan.py", "def _f():\n    from av.video import frame", "planning.plan:3: av.video belongs to media"),
    (
        "concatenation/service.py",
        "import moviepy",
        "concatenation.service:2: moviepy belongs to concatenation.moviepy_child",
    ),
    ("concatenation/service.py", "__import__('moviepy')", "concatenation.service:2: moviepy belongs to"),
    ("cli/new.py", "from rich.table import Table", "cli.new:2: rich.table belongs to display"),
    ("display/live.py", "import typer", "display.live:2: typer belongs to cli"),
    ("media/probe.py", "import psutil", "media.probe:2: psutil belongs to monitoring and media.process.memory"),
    ("cli/new.py", "print(1)", "cli.new:2: print"),
    ("cli/new.py", "import os\nos.system('ls')", "cli.new:3: os.system"),
    ("cli/new.py", "from os import execv", "cli.new:2: os.execv"),
    ("media/new.py", "async def _f():\n    asyncio.create_subprocess_exec()", "media.new:3: create_subprocess_exec"),
    ("planning/plan.py", "def _f(*, quiet=False): ...", "planning.plan:2: quiet in the core"),
    ("planning/plan.py", "class _P:\n    show_progress: bool", "planning.plan:3: show_progress in the core"),
    (
        "planning/plan.py",
        "@dataclass(frozen=True)\nclass P:\n    'Doc.'",
        "planning.plan:3: P is not frozen with slots",
    ),
    (
        "workflow/required_space.py",
        "def _f(run: RunState):\n    run.plan = 1",
        "workflow.required_space:3: writes run.plan",
    ),
    ("planning/plan.py", "_seen = set()", "planning.plan:2: _seen is a container that looks like state"),
    ("planning/plan.py", "SEEN: dict[int, int] = {}\ndef _f():\n    SEEN[1] = 2", "planning.plan:4: SEEN is changed"),
    ("planning/plan.py", "SEEN = []\ndef _f():\n    SEEN.append(2)", "planning.plan:4: SEEN is changed"),
    ("planning/plan.py", "def _f():\n    global x", "planning.plan:3: global x"),
    ("planning/plan.py", "\n" * 400, "planning.plan: 401 lines"),
    ("planning/plan.py", "def _f():\n" + "    x = 1\n" * 60, "planning.plan:2: _f has 61 lines"),
    ("planning/plan.py", "def f(): ...", "planning.plan:2: f has no docstring"),
    ("planning/plan.py", "class P:\n    'Doc.'\n    def f(self): ...", "planning.plan:4: f has no docstring"),
    ("planning/plan.py", '""""""', "planning.plan: no docstring"),
    ("planning/plan.py", "def f():\n    'Whether so.'", "planning.plan:2: opens with 'Whether'"),
    ("planning/plan.py", "def f():\n    'Return it anew.'", "planning.plan:2: says 'anew'"),
    ("planning/plan.py", "try:\n    x()\nexcept:\n    y()", "planning.plan:4: catches everything"),
    ("planning/plan.py", "try:\n    x()\nexcept (OSError, Exception):\n    y()", "planning.plan:4: catches everything"),
    ("planning/plan.py", "with contextlib.suppress(Exception):\n    x()", "planning.plan:2: catches everything"),
    (
        "media/process/spawn.py",
        "try:\n    x()\nexcept BaseException as error:\n    y()",
        "media.process.spawn:4: catches everything",
    ),
    ("media/new.py", "try:\n    x()\nexcept BaseException as error:\n    y(error)", "media.new:4: catches everything"),
    ("cli/new.py", "try:\n    x()\nexcept BaseException:\n    y()", "3 places catch everything"),
]


@pytest.mark.parametrize(("name", "code", "problem"), BROKEN, ids=[problem for *_, problem in BROKEN])
def test_a_broken_rule_is_seen(tmp_path: Path, name: str, code: str, problem: str) -> None:
    found = problems_of(tmp_path, GOOD | {name: code})
    assert [each for each in found if each.startswith(problem)], found
