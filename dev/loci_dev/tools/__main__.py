"""``make tools``: get every pinned tool that is not here yet, saying what it does and how far it is."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console

from loci_dev.tools import debian, maven
from loci_dev.tools.catalog import (
    CACHE,
    DebianTool,
    GoTool,
    MavenTool,
    MissingToolError,
    Tool,
    all_tools,
    has_java,
    locate,
    spare,
)
from loci_dev.tools.golang import GoBuilder, minutes
from loci_dev.tools.progress import say, under_way
from loci_dev.tools.workspace import workspace

_CONSOLE: Final = Console()
Kind = TypeVar("Kind", GoTool, DebianTool, MavenTool)


def main() -> int:
    """Get the tools (all, or those named); 1 and a list of ways to get them when some cannot be had."""
    parser = argparse.ArgumentParser(prog="make tools", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these tools (default: all)")
    names = set(parser.parse_args().names)
    wanted = [tool for tool in all_tools() if not names or tool.name in names]
    missing = [tool for tool in wanted if locate(tool) is None]
    if not names:
        spared = _spared(missing)
        wanted, missing = ([tool for tool in tools if tool not in spared] for tools in (wanted, missing))
    if not missing:
        print(f"tools: all {len(wanted)} are here (cache: {CACHE})")
        return 0
    return _get(missing, len(wanted))


def _spared(missing: Sequence[Tool]) -> list[Tool]:
    lacking = spare(missing, is_root=os.geteuid() == 0, has_java=has_java())
    for lack, tools in lacking.items():
        print(f"tools: left out without {lack}: {_listed(tools)}; with it, `make tools` gets them")
    return [tool for tools in lacking.values() for tool in tools]


def _listed(tools: Sequence[Tool]) -> str:
    users = dict.fromkeys(tool.needed_by for tool in tools)
    names = {user: ", ".join(Path(tool.name).name for tool in tools if tool.needed_by == user) for user in users}
    return "; ".join(f"{names[user]} (only for {user})" for user in users)


def _get(missing: Sequence[Tool], wanted: int) -> int:
    packages, jars, go = _kind(missing, DebianTool), _kind(missing, MavenTool), _kind(missing, GoTool)
    sources = f"{len(packages)} from Debian, {len(jars)} from Maven Central, {len(go)} to build with Go"
    print(f"tools: {len(missing)} of {wanted} are missing: {sources}")
    about = minutes(go) + bool(packages) + len(jars)
    print(f"tools: this takes about {about} min, once; kept in {CACHE}", flush=True)
    problems = _install_debian(packages) + _in_workspace(jars, _fetch_jars) + _in_workspace(go, _build_go)
    for problem in problems:
        print(f"tools: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _kind(tools: Sequence[Tool], kind: type[Kind]) -> list[Kind]:
    return [tool for tool in tools if isinstance(tool, kind)]


def _install_debian(tools: Sequence[DebianTool]) -> list[str]:
    packages = sorted({tool.package for tool in tools})
    if not packages:
        return []
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return [f"needs root and apt: apt-get install --yes --no-install-recommends {' '.join(packages)}"]
    return _step(f"installing Debian packages {', '.join(packages)}", partial(debian.install, packages))


def _in_workspace(tools: Sequence[Kind], make: Callable[[Sequence[Kind], Path], list[str]]) -> list[str]:
    if not tools:
        return []
    try:
        with workspace() as folder:
            # Another build, which this one waited for, may have made some.
            return make([tool for tool in tools if locate(tool) is None], folder)
    except MissingToolError as error:
        return [str(error)]


def _fetch_jars(tools: Sequence[MavenTool], folder: Path) -> list[str]:
    labels = [f"fetching {tool.name} {tool.version} from Maven Central" for tool in tools]
    steps = zip(labels, tools, strict=True)
    return [problem for label, tool in steps for problem in _step(label, partial(maven.fetch, tool, folder))]


def _build_go(tools: Sequence[GoTool], folder: Path) -> list[str]:
    builder, problems = GoBuilder(folder), list[str]()
    for number, tool in enumerate(tools, 1):
        label = f"building {tool.name} {tool.version} ({number}/{len(tools)})"
        problems += _step(label, partial(builder.build, tool))
    return problems


def _step(label: str, work: Callable[[], None]) -> list[str]:
    started = time.monotonic()
    try:
        with under_way(label, _CONSOLE):
            work()
    except MissingToolError as error:
        say(_CONSOLE, f"  {label}: failed")
        return [f"{label}: {error}"]
    say(_CONSOLE, f"  {label}: {time.monotonic() - started:.0f} s")
    return []


if __name__ == "__main__":
    sys.exit(main())
