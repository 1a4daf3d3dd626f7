"""The shape of the checkout itself: rules that no linter knows."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILE_LIMIT = 300
SOURCES = ("foundation", "operator", "dataplane", "standalone", "dev")


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / path for path in listed if (ROOT / path).exists()]


def test_no_python_file_lies_directly_in_the_operator_folder() -> None:
    assert list((ROOT / "operator").glob("*.py")) == [], "it would replace the standard library's `operator`"


def test_tests_have_no_packages_and_unique_file_names() -> None:
    files = tracked("tests/*.py")
    assert [f for f in files if f.name == "__init__.py"] == []
    counted = Counter(f.name for f in files if f.name != "conftest.py")
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    "path",
    tracked(*(f"{folder}/*.py" for folder in SOURCES)),
    ids=lambda p: p.name,
)
def test_a_module_says_why_it_exists_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""'), "a module docstring comes first"
    assert text.count("\n") <= FILE_LIMIT
