"""Commands that the README and the tutorial show, run in order as their reader would, and the output they promise."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from loci_dev.rigs.processes import free_port, is_listening, running, wait_until

ROOT: Final = Path(__file__).parents[3]
_BASH: Final = "/bin/bash"
_SECONDS: Final = 300
"""Deadline of each step, long enough for a machine that is busy with other tests."""
BLOCK: Final = re.compile(r"^```(shell|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PASTED: Final = re.compile(r"\b(sk-[a-z-]+-|ers_)\.\.\.")
"""A value that the reader takes from an earlier response."""


@dataclass(frozen=True)
class Step:
    """A block of commands and the output that the document shows below it, with `...` for what varies."""

    commands: str
    output: str = ""

    @property
    def serves(self) -> bool:
        return "loci serve" in self.commands

    @property
    def only_reads(self) -> bool:
        """Whether running it again changes nothing, so that it may be run until the indexer has caught up."""
        return "-d " not in self.commands or "/search" in self.commands or "/context" in self.commands


def steps(text: str) -> Iterator[Step]:
    """Return the shell blocks of a document, each with the output block that follows it."""
    blocks = BLOCK.findall(text)
    for (language, body), (following, shown) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "shell":
            yield Step(body, "" if following == "shell" else shown)


def shows(expected: str, output: str) -> bool:
    """Whether the fragments between `...` appear in the output in their order."""
    position = 0
    for fragment in filter(None, (part.strip() for part in expected.split("..."))):
        position = output.find(fragment, position) + len(fragment)
        if position < len(fragment):
            return False
    return True


class Terminal:
    """A shell whose variables and folder last from one block of commands to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._variables = ""
        self._seen = ""

    def run(self, commands: str) -> str:
        """Run commands with pasted values filled in and return their output; fail on the first that fails."""
        commands = PASTED.sub(self._pasted, commands)
        self._variables += "".join(re.findall(r"^[A-Z]+=\S+\n", commands, re.MULTILINE))
        script = f"set -euo pipefail\n{self._variables}{commands}"
        command = [_BASH, "-c", script]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=_SECONDS)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        self._seen += done.stdout
        return done.stdout

    def _pasted(self, match: re.Match[str]) -> str:
        found: list[str] = re.findall(rf"{match[1]}\w+", self._seen)
        return found[-1]


def for_this_test(commands: str, port: int) -> str:
    """Replace the port, and `make setup`, which made the environment that runs this test."""
    there = commands.replace("localhost:8000", f"localhost:{port}").replace("--port 8000", f"--port {port}")
    there = there.replace(".venv/bin/loci serve", "exec .venv/bin/loci serve")
    return there.replace("make setup", f"make --dry-run --directory={ROOT} setup")


def follow(text: str, folder: Path) -> int:
    """Run all blocks of a document in a folder with an environment; return how many showed the promised output."""
    first, *others = steps(text)
    assert first.serves
    port = free_port()
    server = f"cd {folder}\n{for_this_test(first.commands, port)}"
    with running([_BASH, "-euc", server], folder / "loci.log", ready=lambda: is_listening(port), seconds=_SECONDS):
        terminal = Terminal(folder)
        for step in others:
            check(terminal, replace(step, commands=for_this_test(step.commands, port)))
    return sum(bool(step.output) for step in others)


def check(terminal: Terminal, step: Step) -> None:
    """Run a block and compare its output; one that only reads is run again until the indexer has caught up."""
    if step.only_reads:
        wait_until(
            lambda: shows(step.output, terminal.run(step.commands)), f"{step.commands} shows {step.output}", _SECONDS
        )
    else:
        output = terminal.run(step.commands)
        assert shows(step.output, output), f"{step.commands} printed {output}"


def outputs(text: str) -> int:
    return text.count("```json\n") + text.count("```text\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a clone of the repository after `make setup`."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def test_the_tutorial_works_as_it_is_written(folder: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    assert follow(text, folder) == outputs(text) > 0


def test_the_first_steps_of_the_readme_work_and_the_tutorial_goes_on_from_them(folder: Path) -> None:
    section = (ROOT / "README.md").read_text().partition("## Try it")[2].partition("\n## ")[0]
    assert follow(section, folder) == outputs(section) > 0
    follow((ROOT / "docs" / "tutorial.md").read_text(), folder)


@pytest.mark.parametrize(
    ("expected", "output", "shown"),
    [
        ('{"id":"...","ok":true}', '{"id":"a1","ok":true}', True),
        ('{"id":"...","ok":true}', '{"id":"a1","ok":false}', False),
        ("b...a", "a, b", False),
        ("", "anything", True),
    ],
)
def test_output_is_compared_around_what_varies(expected: str, output: str, shown: bool) -> None:  # noqa: FBT001
    assert shows(expected, output) is shown
