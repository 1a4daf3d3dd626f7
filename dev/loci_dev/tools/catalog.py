"""The pinned tools as data, and where each one is found: PATH or KUBEBUILDER_ASSETS first, then the tool cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

CACHE = Path(os.environ.get("LOCI_CACHE", Path.home() / ".cache" / "loci"))
TESTS = "tests"
VERSIONS = Path(__file__).parent.parent / "versions.toml"
JAVA: Final = 17


class MissingToolError(RuntimeError):
    """A tool that is neither here nor can be made here; the message says how to get it."""


@dataclass(frozen=True)
class GoTool:
    """A program built from the Go module proxy.

    ``helper`` marks modules with ``replace`` lines, which ``go install`` refuses; ``binary`` is what Go names the
    result when that differs from ``name``; ``needed_by`` is the first user that needs it, of those in the version file.
    """

    name: str
    package: str
    version: str
    helper: bool = False
    binary: str = ""
    needed_by: str = TESTS

    @property
    def path(self) -> Path:
        """Where the built program lies in the cache."""
        return CACHE / f"{self.name}-{self.version}" / self.name


@dataclass(frozen=True)
class DebianTool:
    """A program (or a file, when ``name`` is a path) from a Debian package."""

    name: str
    package: str
    needed_by: str = TESTS


@dataclass(frozen=True)
class MavenTool:
    """A Java program: a folder with the jars of these Maven artifacts and all that they depend on."""

    name: str
    version: str
    artifacts: tuple[str, ...]
    needed_by: str = TESTS

    @property
    def path(self) -> Path:
        """Where the folder lies in the cache."""
        return CACHE / f"{self.name}-{self.version}"


Tool = GoTool | DebianTool | MavenTool


@cache
def versions() -> dict[str, Any]:
    """The version file, parsed."""
    return tomllib.loads(VERSIONS.read_text())


def kubernetes_tools() -> list[GoTool]:
    """The Kubernetes programs, all of one version."""
    section = versions()["kubernetes"]
    return [
        GoTool(name, f"k8s.io/kubernetes/cmd/{name}", section["version"], helper=True, needed_by=user)
        for user, names in section["commands"].items()
        for name in names
    ]


def go_tools() -> list[GoTool]:
    """The other Go programs."""
    return [GoTool(name, **entry) for name, entry in versions()["go"].items()]


def debian_tools() -> list[DebianTool]:
    """Programs and files from Debian packages."""
    sections = versions()["debian"].items()
    return [DebianTool(name, package, user) for user, tools in sections for name, package in tools.items()]


def maven_tools() -> list[MavenTool]:
    """The Java programs."""
    entries = versions()["maven"].items()
    return [MavenTool(name, e["version"], tuple(e["artifacts"]), e["needed_by"]) for name, e in entries]


def all_tools() -> list[Tool]:
    """Every tool, in the order in which they are best made."""
    return [*debian_tools(), *maven_tools(), *kubernetes_tools(), *go_tools()]


def spare(missing: Sequence[Tool], *, is_root: bool, has_java: bool) -> dict[str, list[Tool]]:
    """The missing tools that this machine cannot get and whose tests skip, by what it lacks.

    A node takes root, and so do Debian packages; those that the main tests need are never spared.
    """
    lacking: dict[str, list[Tool]] = {
        "root": [t for t in missing if not is_root and _takes_root(t)],
        f"Maven and Java {JAVA}": [t for t in missing if not has_java and isinstance(t, MavenTool)],
    }
    return {lack: tools for lack, tools in lacking.items() if tools}


def has_java() -> bool:
    """Whether Maven is here, and a Java new enough for the Java programs."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        return False
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return found is not None and int(found[1]) >= JAVA


def locate(tool: Tool) -> Path | None:
    """The program's path, or None. One on PATH counts only when its version is the pinned minor version."""
    if isinstance(tool, MavenTool):
        return tool.path if tool.path.exists() else None
    if isinstance(tool, DebianTool):
        found = tool.name if tool.name.startswith("/") else shutil.which(tool.name, path=_search_path())
        return Path(found) if found and Path(found).exists() else None
    candidates = [shutil.which(tool.name), shutil.which(tool.name, path=os.environ.get("KUBEBUILDER_ASSETS", ""))]
    present = (Path(c) for c in candidates if c and _is_version(c, tool.version))
    return next(present, tool.path if tool.path.exists() else None)


@cache
def tool(name: str) -> Path:
    """The path of one tool by name; raises MissingToolError with the way to get it."""
    for entry in all_tools():
        if entry.name == name:
            if found := locate(entry):
                return found
            raise MissingToolError(f"{name} is not installed: run `make tools`{_where(entry)}")
    raise MissingToolError(f"{name} is not in {VERSIONS.name}")


def _takes_root(tool: Tool) -> bool:
    return tool.needed_by == "a node" or (isinstance(tool, DebianTool) and tool.needed_by != TESTS)


def _where(tool: Tool) -> str:
    if isinstance(tool, MavenTool):
        return f" on a machine with Maven and Java {JAVA}"
    return " as root" if _takes_root(tool) else ""


def _search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _is_version(program: str, wanted: str) -> bool:
    arguments = ["version", "--client"] if Path(program).name in {"kubectl", "helm"} else ["--version"]
    try:
        result = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    minor = ".".join(wanted.split(".")[:2])
    return re.search(rf"\bv?{re.escape(minor)}\.", result.stdout + result.stderr) is not None
