"""Check that every invariant in docs/architecture.md has a test marked `@pytest.mark.invariant(n)`."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_ENTRY: Final = re.compile(r"^(\d+)\. ", re.MULTILINE)


def main() -> int:
    """Print the number of tests for each invariant; 1 when one has none or a marker names none."""
    stated = set(stated_invariants((_ROOT / "docs" / "architecture.md").read_text()))
    marked = Counter(n for path in (_ROOT / "tests").rglob("test_*.py") for n in markers(path.read_text()))
    print("tests per invariant: " + ", ".join(f"{n}: {marked[n]}" for n in sorted(stated)))
    for number in sorted(stated - marked.keys()):
        print(f"invariant {number} has no test: mark one with @pytest.mark.invariant({number})", file=sys.stderr)
    for number in sorted(marked.keys() - stated):
        print(f"a test is marked with invariant {number}, which docs/architecture.md does not state", file=sys.stderr)
    return int(stated != marked.keys())


def stated_invariants(document: str) -> list[int]:
    """The numbers of the list under the heading `Invariants`."""
    section = document.partition("\n## Invariants\n")[2].partition("\n## ")[0]
    return [int(number) for number in _ENTRY.findall(section)]


def markers(source: str) -> Iterator[int]:
    """The numbers in a test module's `pytest.mark.invariant(...)` decorators, one for each test."""
    for node in ast.walk(ast.parse(source)):
        for decorator in getattr(node, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.invariant":
                yield from (ast.literal_eval(argument) for argument in decorator.args)


if __name__ == "__main__":
    sys.exit(main())
