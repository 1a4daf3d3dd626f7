"""Installing Debian packages for their programs alone: none of the services that they bring is started or enabled."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from loci_dev.tools.catalog import MissingToolError

# Debian's install scripts ask this program before they start a service; 101 forbids it.
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_FORBID: Final = "#!/bin/sh\n# Written by Loci's `make tools` for the length of an installation.\nexit 101\n"


def install(packages: Sequence[str]) -> None:
    """Install the packages; raises MissingToolError with apt's own words."""
    with no_services(_POLICY):
        _run("apt-get", "update")
        _run("apt-get", "install", "--yes", "--no-install-recommends", *packages)
    if shutil.which("systemctl") and (units := [unit for package in packages for unit in _units(package)]):
        _run("systemctl", "disable", "--quiet", *units)


@contextlib.contextmanager
def no_services(policy: Path) -> Iterator[None]:
    """Forbid starting services; a policy of the machine's own stays as it is, one that a killed run left goes."""
    if policy.exists() and policy.read_text() != _FORBID:
        yield
        return
    policy.write_text(_FORBID)
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _units(package: str) -> list[str]:
    """The services of a package that would start with the machine."""
    files = _run("dpkg-query", "--listfiles", package).splitlines()
    units = [Path(name).name for name in files if name.startswith(("/lib/systemd/system/", "/usr/lib/systemd/system/"))]
    return [unit for unit in units if unit.endswith((".service", ".timer")) and "@" not in unit]


def _run(*command: str) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingToolError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
    return done.stdout
