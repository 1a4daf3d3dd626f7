"""Pages that name a test as evidence name one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATH = re.compile(r"`(?:tests/)?((?:unit|integration|stores|cluster|chart|e2e|chaos)/[\w/]+\.py)(?:::(\w+))?`")
PAGES = ("promises", "threats", "upgrade")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = PATH.findall((ROOT / "docs" / f"{page}.md").read_text())
    assert named
    for path, function in named:
        file = ROOT / "tests" / path
        assert file.is_file(), path
        assert not function or f"def {function}(" in file.read_text(), f"{path}::{function}"


def test_every_command_of_the_promises_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`(?:LOCI_\w+=\d+ )?make ([\w-]+)`", (ROOT / "docs" / "promises.md").read_text()):
        bench = ROOT / "bench" / f"{target.removeprefix('bench-')}.py"
        assert f"\n{target}:" in makefile or (target.startswith("bench-") and bench.is_file()), target
