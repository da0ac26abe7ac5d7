"""The house rules, read from the source: who may import whom, who opens which door, how big things get.

Everything is judged on the syntax tree, imports inside functions and under ``TYPE_CHECKING``
included: what a type checker must follow, a reader must follow too. Each check takes the parsed
modules and yields one line a problem; :mod:`tests.test_architecture` runs them over mpt, and over
small trees that break each rule.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.language import check_language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PACKAGE = "mpt_cli"

LONGEST_FILE, LONGEST_FUNCTION = 400, 60

BASIC = frozenset({"model", "config"})
"""Rooms that need nothing but Python, and pydantic where settings are described."""
LEAVES = frozenset({"model", "runtime", "storage", "config"})
MEDIA = LEAVES | {"media"}
CORE = MEDIA | {"monitoring", "planning", "validation", "processing", "concatenation"}
WORKFLOW = CORE | {"reporting", "workflow"}

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "model": frozenset(),
    "runtime": frozenset({"model"}),
    "storage": frozenset({"model"}),
    "config": frozenset({"model"}),
    "reporting": frozenset({"model"}),
    "settings": frozenset({"config", "model"}),
    "display": frozenset({"reporting", "runtime", "model"}),
    "media": LEAVES,
    "monitoring": MEDIA,
    "planning": MEDIA,
    "validation": MEDIA,
    "processing": MEDIA | {"planning", "monitoring"},
    "concatenation": MEDIA | {"planning", "monitoring"},
    "workflow": CORE | {"reporting"},
    "factory": WORKFLOW | {"settings"},
    "cli": LEAVES | {"factory", "settings", "display", "reporting"},
    "__init__": frozenset({"factory", "settings", "config", "runtime", "model"}),  # the public names
    "__main__": frozenset({"cli", "model"}),
}
"""For each room, the others that it may import: the walls of the house."""

DOORS: Mapping[str, tuple[str, ...]] = {
    "subprocess": ("media.process",),
    "av": ("media",),
    "ffmpeg": ("media",),
    "imageio_ffmpeg": ("media",),
    "moviepy": ("concatenation.moviepy_child",),
    "rich": ("display",),
    "PIL": ("reporting",),
    "typer": ("cli",),
    "click": ("cli",),
    "psutil": ("monitoring", "media.process.memory"),
}
"""The only modules, or folders, that may import these."""

BARRED_CALLS = frozenset({"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"})
"""Functions of ``os`` that start processes past ``media.process``; ``exec*`` and ``spawn*`` too."""

BROAD_EXCEPT_HOMES = ("processing.pipeline", "__main__", "cli")
"""The worker's wrapper, and main."""
THREAD_HOMES = (
    "runtime.guarded_emit",
    "runtime.threads",
    "media.process.run",
    "media.process.spawn",
    "media.inspect.sandbox",
)
"""Here a thread hands an error of any kind to the one who waits for it, who raises or reports it."""

RUN_STATE_WRITERS = ("workflow.orchestrator", "workflow.lifecycle", "workflow.run_state")

MUTABLE_MAKERS = frozenset({"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict"})
MUTATORS = frozenset(
    {"append", "add", "update", "extend", "insert", "pop", "popitem", "clear", "remove", "discard", "setdefault"}
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a module: its full name, the name taken from it, the line."""

    target: str
    name: str | None
    line: int
    typing_only: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed source file; ``inside`` is its name within the package (``media.process``)."""

    inside: str
    package: str
    text: str
    tree: ast.Module
    nodes: Sequence[ast.AST]
    """All nodes of the tree; each check looks at them."""

    @property
    def unit(self) -> str:
        """The room of the house that it belongs to."""
        return self.inside.partition(".")[0]

    @property
    def full(self) -> str:
        """Its full name; the package's own name for ``__init__``."""
        return self.package if self.inside == "__init__" else f"{self.package}.{self.inside}"

    def at(self, line: int) -> str:
        """Where a problem is."""
        return f"{self.inside}:{line}"

    def within(self, places: tuple[str, ...]) -> bool:
        """Whether it is one of these modules or lies in one of these folders."""
        return any(self.inside == place or self.inside.startswith(f"{place}.") for place in places)


def load(root: Path, package: str = PACKAGE) -> list[Module]:
    """All modules of a package below a folder."""
    found = []
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root / package).with_suffix("").parts
        inside = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        found.append(Module(inside, package, text, tree, tuple(ast.walk(tree))))
    return found


# --- imports ------------------------------------------------------------------------------------


def imports_of(module: Module, known: frozenset[str]) -> list[Import]:
    """Every import of a module, wherever it stands, by the module that it really loads."""
    nodes = module.nodes
    hidden = {id(node) for block in nodes if _is_typing_block(block) for node in ast.walk(block)}
    found = []
    for node in nodes:
        typing_only = id(node) in hidden
        for target, name in _named_imports(node):
            inner = f"{target}.{name}"
            exact = (inner, None) if inner in known else (target, name)
            found.append(Import(*exact, getattr(node, "lineno", 0), typing_only))
    return found


def _is_typing_block(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return _is_name(test, "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING" and _is_name(test.value, "typing")
    )


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name, and nothing for another expression."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _named_imports(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """(module, name) pairs of an import statement, or of a call that imports a constant name."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)
    elif isinstance(node, ast.Call) and _last_name(node.func).endswith(("import_module", "__import__")):
        for argument in node.args[:1]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value, None


def _is_version(found: Import, package: str) -> bool:
    """Whether only the version number is taken from the package itself, which anyone may."""
    return found.target == package and found.name == "__version__"


def _is_basic(unit: str, top: str) -> bool:
    """Whether a value module may use it: Python's own library, and for ``config`` pydantic."""
    return top in sys.stdlib_module_names or (unit, top) == ("config", "pydantic")


def check_rows(modules: list[Module]) -> Iterator[str]:
    """Rule 1: imports go one way; the values at the bottom need nothing but Python."""
    known = frozenset(module.full for module in modules)
    for module in modules:
        if module.unit not in MAY_IMPORT:
            yield f"{module.inside}: has no place in MAY_IMPORT"
            continue
        allowed = MAY_IMPORT[module.unit] | {module.unit}
        for found in imports_of(module, known):
            top, _, rest = found.target.partition(".")
            if top == module.package:
                unit = rest.partition(".")[0] or "__init__"
                if unit not in allowed and not _is_version(found, module.package):
                    yield f"{module.at(found.line)}: {module.unit} must not import {unit}"
            elif found.target.startswith("."):
                yield f"{module.at(found.line)}: relative import"
            elif module.unit in BASIC and not _is_basic(module.unit, top):
                yield f"{module.at(found.line)}: {module.unit} must not import {top}"


def check_cycles(modules: list[Module]) -> Iterator[str]:
    """Rule 1: no circles, between modules of one folder neither."""
    known = frozenset(module.full for module in modules)
    graph: dict[str, set[str]] = {}
    for module in modules:
        targets = {
            found.target
            for found in imports_of(module, known)
            if found.target in known and not _is_version(found, module.package)
        }
        graph[module.full] = targets - {module.full}
    while leaves := [name for name, targets in graph.items() if not targets]:
        for name in leaves:
            del graph[name]
        for targets in graph.values():
            targets.difference_update(leaves)
    if graph:
        yield f"imports in a circle, or leading into one: {', '.join(sorted(graph))}"


# --- doors --------------------------------------------------------------------------------------


def check_doors(modules: list[Module]) -> Iterator[str]:
    """Rule 2: one door for each outside thing; no ``print``, no process past ``media.process``."""
    for module in modules:
        for found in imports_of(module, frozenset()):
            homes = DOORS.get(found.target.partition(".")[0])
            if homes is not None and not module.within(homes):
                yield f"{module.at(found.line)}: {found.target} belongs to {' and '.join(homes)}"
            if found.target == "os" and found.name and _starts_process(found.name):
                yield f"{module.at(found.line)}: os.{found.name}"
        for node in module.nodes:
            if isinstance(node, ast.Name) and node.id == "print":
                yield f"{module.at(node.lineno)}: print"
            elif isinstance(node, ast.Attribute) and _is_name(node.value, "os") and _starts_process(node.attr):
                yield f"{module.at(node.lineno)}: os.{node.attr}"
            elif isinstance(node, ast.Attribute) and node.attr.startswith("create_subprocess_"):
                yield f"{module.at(node.lineno)}: {node.attr}"


def _starts_process(name: str) -> bool:
    return name in BARRED_CALLS or name.startswith(("exec", "spawn"))


# --- core and values ----------------------------------------------------------------------------


def check_core_signatures(modules: list[Module]) -> Iterator[str]:
    """Rule 3: nothing between command line and display knows of screens."""
    for module in modules:
        if module.within(("settings", "display", "cli", "__main__")):
            continue
        for node in module.nodes:
            name = node.arg if isinstance(node, ast.arg) else ""
            if isinstance(node, ast.AnnAssign):
                name = ast.unparse(node.target)
            if name in ("show_progress", "quiet", "console"):
                yield f"{module.at(getattr(node, 'lineno', 0))}: {name} in the core"


def check_frozen(modules: list[Module]) -> Iterator[str]:
    """Rule 4: public dataclasses are values; those of a display, and of a run on its way, are state."""
    for module in modules:
        if module.within(("display", "workflow.run_state")):
            continue
        for node in module.nodes:
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            for decorator in map(ast.unparse, node.decorator_list):
                if "dataclass" in decorator and not ("frozen=True" in decorator and "slots=True" in decorator):
                    yield f"{module.at(node.lineno)}: {node.name} is not frozen with slots"


def check_run_state(modules: list[Module]) -> Iterator[str]:
    """Rule 4: what is known of a run is written by the orchestrator and its lifecycle, and by nobody else."""
    for module in modules:
        if module.within(RUN_STATE_WRITERS) or "RunState" not in module.text:
            continue
        for node in module.nodes:
            if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)):
                continue
            if ast.unparse(node.value) == "run":
                yield f"{module.at(node.lineno)}: writes run.{node.attr}"


def check_global_state(modules: list[Module]) -> Iterator[str]:
    """Rule 4: no state in modules: containers are constants, never changed, and nothing is ``global``."""
    for module in modules:
        constants = set()
        for statement in module.tree.body:
            for name, value in _assigned(statement):
                if _is_container(value):
                    constants.add(name)
                    if not (name.isupper() or name == "__all__"):
                        yield f"{module.at(statement.lineno)}: {name} is a container that looks like state"
        for node in module.nodes:
            if isinstance(node, ast.Global):
                yield f"{module.at(node.lineno)}: global {', '.join(node.names)}"
            elif (changed := _changed_name(node)) in constants:
                yield f"{module.at(getattr(node, 'lineno', 0))}: {changed} is changed"


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.AnnAssign) and statement.value and isinstance(statement.target, ast.Name):
        yield statement.target.id, statement.value
    elif isinstance(statement, ast.Assign):
        yield from ((target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name))


def _is_container(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in MUTABLE_MAKERS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def _changed_name(node: ast.AST) -> str | None:
    """The name of a container that a piece of code changes in place."""
    changed: ast.AST | None = None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        changed = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        changed = node.func.value
    elif isinstance(node, ast.AugAssign):
        changed = node.target
    return changed.id if isinstance(changed, ast.Name) else None


# --- sizes, documents, excepts ------------------------------------------------------------------


def check_sizes(modules: list[Module]) -> Iterator[str]:
    """Files and functions that still fit into a head."""
    for module in modules:
        if (lines := len(module.text.splitlines())) > LONGEST_FILE:
            yield f"{module.inside}: {lines} lines"
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{module.at(node.lineno)}: {node.name} has {lines} lines"


def check_documents(modules: list[Module]) -> Iterator[str]:
    """Every public module, class, function and method says what it is for."""
    for module in modules:
        if not ast.get_docstring(module.tree):
            yield f"{module.inside}: no docstring"
        for node in _public(module.tree.body):
            if not ast.get_docstring(node):
                yield f"{module.at(node.lineno)}: {node.name} has no docstring"


def _public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public definitions, with those in public classes; overloads and setters share another's text."""
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if any(ast.unparse(each).endswith(("overload", ".setter", ".deleter")) for each in node.decorator_list):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body)


def check_excepts(modules: list[Module]) -> Iterator[str]:
    """Two places may catch everything: one around a worker, one around the program.

    A handler that raises again swallows nothing and is not meant, nor one that hands the error
    from one thread to another.
    """
    places = Counter[str]()
    for module in modules:
        for node in module.nodes:
            if not _catches_all(node) or (module.within(THREAD_HOMES) and _hands_over(node)):
                continue
            places["all"] += 1
            if not module.within(BROAD_EXCEPT_HOMES):
                yield f"{module.at(getattr(node, 'lineno', 0))}: catches everything"
    if places["all"] > 2:
        yield f"{places['all']} places catch everything"


def _catches_all(node: ast.AST) -> bool:
    broad = ("Exception", "BaseException")
    if isinstance(node, ast.ExceptHandler):
        last = node.body[-1]
        types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        caught = any(each is None or ast.unparse(each) in broad for each in types)
        return caught and not (isinstance(last, ast.Raise) and last.exc is None)
    if isinstance(node, ast.Call) and _last_name(node.func).endswith("suppress"):
        return any(ast.unparse(argument) in broad for argument in node.args)
    return False


def _hands_over(node: ast.AST) -> bool:
    """Whether a handler of BaseException gives the error itself to a call."""
    if not isinstance(node, ast.ExceptHandler) or node.type is None or ast.unparse(node.type) != "BaseException":
        return False
    calls = (call for call in ast.walk(node) if isinstance(call, ast.Call))
    return any(isinstance(given, ast.Name) and given.id == node.name for call in calls for given in call.args)


CHECKS = (
    check_rows,
    check_cycles,
    check_doors,
    check_core_signatures,
    check_frozen,
    check_run_state,
    check_global_state,
    check_sizes,
    check_documents,
    check_language,
    check_excepts,
)
"""All of them."""
