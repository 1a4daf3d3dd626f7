"""``make tools``: get every pinned tool that is not here yet, saying what it does and how far it is."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from loci_dev.tools.catalog import CACHE, DebianTool, GoTool, MissingToolError, all_tools, locate, spare
from loci_dev.tools.golang import GoBuilder, minutes
from loci_dev.tools.progress import say, under_way
from loci_dev.tools.workspace import workspace

_CONSOLE: Final = Console()


def main() -> int:
    """Get the tools (all, or those named); 1 and a list of ways to get them when some cannot be had."""
    parser = argparse.ArgumentParser(prog="make tools", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these tools (default: all)")
    names = set(parser.parse_args().names)
    wanted = [tool for tool in all_tools() if not names or tool.name in names]
    missing = [tool for tool in wanted if locate(tool) is None]
    if not names and (spared := spare(missing, is_root=os.geteuid() == 0)):
        print(f"tools: left out without root: {_listed(spared)}; as root, `make tools` gets them")
        wanted, missing = ([tool for tool in tools if tool not in spared] for tools in (wanted, missing))
    if not missing:
        print(f"tools: all {len(wanted)} are here (cache: {CACHE})")
        return 0
    debian, go = [t for t in missing if isinstance(t, DebianTool)], [t for t in missing if isinstance(t, GoTool)]
    print(f"tools: {len(missing)} of {len(wanted)} are missing: {len(debian)} from Debian, {len(go)} to build with Go")
    print(f"tools: this takes about {minutes(go) + bool(debian)} min, once; kept in {CACHE}", flush=True)
    problems = _install_debian(debian) + _build_go(go)
    for problem in problems:
        print(f"tools: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _listed(tools: Sequence[GoTool | DebianTool]) -> str:
    users = dict.fromkeys(tool.needed_by for tool in tools)
    names = {user: ", ".join(Path(tool.name).name for tool in tools if tool.needed_by == user) for user in users}
    return "; ".join(f"{names[user]} (only for {user})" for user in users)


def _install_debian(tools: Sequence[DebianTool]) -> list[str]:
    packages = sorted({tool.package for tool in tools})
    if not packages:
        return []
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return [f"needs root and apt: {' '.join(install)}"]
    # RUNLEVEL=1 keeps the packages' service scripts from starting daemons.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return _step(f"installing Debian packages {', '.join(packages)}", partial(_apt, install, environment))


def _apt(install: Sequence[str], environment: dict[str, str]) -> None:
    for command in (["apt-get", "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingToolError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")


def _build_go(tools: Sequence[GoTool]) -> list[str]:
    if not tools:
        return []
    problems: list[str] = []
    try:
        with workspace() as folder:
            builder = GoBuilder(folder)
            # Another build, which this one waited for, may have made some.
            left = [tool for tool in tools if locate(tool) is None]
            for number, tool in enumerate(left, 1):
                label = f"building {tool.name} {tool.version} ({number}/{len(left)})"
                problems += _step(label, partial(builder.build, tool))
    except MissingToolError as error:
        problems.append(str(error))
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
