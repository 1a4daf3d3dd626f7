"""Texts of the product packages avoid phrases that readers found odd; style rules are in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted(
    path for layer in ("foundation", "operator", "dataplane", "standalone") for path in ROOT.glob(f"{layer}/**/*.py")
)
ODD = re.compile(
    r"\bof (one's|your) own\b|\bnobody\b|\bin vain\b|\bwhatever (comes|happens)\b|\blest\b|\bwhoever\b", re.IGNORECASE
)
DESCRIBES_INSTEAD_OF_NAMING = re.compile(r"What(ever)?\b|Who(ever)?\b|Whichever\b")
"""Start of a docstring or field description that paraphrases instead of using the noun."""


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line numbers and texts of docstrings, field descriptions and error messages; not of data such as word lists."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value):
                yield from texts(value)
            case ast.keyword("description", value):
                yield from texts(value)
            case ast.Raise(ast.Call() as call):
                yield from texts(*call.args)


def texts(*nodes: ast.AST) -> Iterator[tuple[int, str]]:
    """Line numbers and values of string literals, parts of f-strings included."""
    for node in nodes:
        for part in [node, *(node.values if isinstance(node, ast.JoinedStr) else ())]:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.lineno, part.value


def problems(source: str) -> list[str]:
    """Odd phrases in the strings of a module, with their lines."""
    found = []
    for line, text in sentences(source):
        if (match := DESCRIBES_INSTEAD_OF_NAMING.match(text)) or (match := ODD.search(text)):
            found.append(f"line {line}: {match.group()!r}")
    return found


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in SOURCES])
def test_texts_use_plain_engineering_english(path: str) -> None:
    assert problems((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "text", ["What a caller sees.", "Whoever asks first.", "Limits of one's own.", "Then nobody waits in vain."]
)
def test_an_odd_phrase_is_found_in_a_docstring(text: str) -> None:
    assert problems(f'"""{text}"""')
