"""The language rules of the house, as far as a program can check them: openings of docstrings and the glossary.

The glossary itself stands in ``.github/CONTRIBUTING.md``.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.architecture import Module

_OPENINGS = re.compile(r"(Whether|What|How|That|Those|Why|Where|When|Which|Under|Who|It|They|He|She)\b")
"""A docstring of a function opens with a verb; none opens with a pronoun or an indirect question."""
_WORDS = re.compile(
    r"\b(anew|as far as|so many|so much|that of which|of which those|suffix(es)? of (a|the) (file|path|name)|"
    r"key picture|sound track)\b",
    re.IGNORECASE,
)
_EXEMPT: tuple[str, ...] = ()
"""Rooms whose language is still to be revised."""


def _documented(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, text


def check_language(modules: list[Module]) -> Iterator[str]:
    """Docstrings open in the imperative mood, and use no private idiom."""
    for module in modules:
        if module.within(_EXEMPT):
            continue
        for node, text in _documented(module.nodes):
            where = module.at(getattr(node, "lineno", 1))
            is_property = isinstance(node, ast.FunctionDef) and any(
                "property" in ast.unparse(each) for each in node.decorator_list
            )
            if isinstance(node, ast.FunctionDef) and not is_property and _OPENINGS.match(text):
                yield f"{where}: opens with {text.split()[0]!r}"
            for found in _WORDS.finditer(text):
                yield f"{where}: says {found.group()!r}"
