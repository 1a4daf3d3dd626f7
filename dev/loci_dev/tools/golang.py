"""Building pinned Go programs into the tool cache, from the module proxy alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from loci_dev.rigs.processes import die_with_parent
from loci_dev.tools.catalog import GoTool, MissingToolError, kubernetes_tools

_STAGING_VERSION = "v0.0.0"


def minutes(tools: Sequence[GoTool]) -> int:
    """About how long building takes on two cores: Kubernetes' libraries five minutes, each program one."""
    return len(tools) + 5 * any(_is_kubernetes(tool) for tool in tools)


class GoBuilder:
    """Builds programs in a folder with a module and build cache to throw away (it grows to 4 GB)."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("go") is None:
            raise MissingToolError(
                "Go >= 1.26 builds the Kubernetes tools and is not on PATH: install it from https://go.dev/dl"
            )
        self._work = folder
        (folder / "tmp").mkdir()
        self._environment = {
            **os.environ,
            "GOTMPDIR": str(self._work / "tmp"),
            "GOPATH": str(self._work / "gopath"),
            "GOCACHE": str(self._work / "cache"),
            "GOFLAGS": "-modcacherw -buildvcs=false",
            "CGO_ENABLED": "0",
        }

    def build(self, tool: GoTool) -> None:
        """Build one program and move it into its place in the cache; raises MissingToolError with Go's own words."""
        module = self._module(tool)
        flags = ["-s", "-w"]
        if _is_kubernetes(tool):
            major, minor, _ = tool.version.split(".")
            stamp = {"gitVersion": f"v{tool.version}", "gitMajor": major, "gitMinor": minor}
            flags += [f"-X k8s.io/component-base/version.{key}={value}" for key, value in stamp.items()]
        output = self._work / "bin" / tool.name
        self._go("build", "-trimpath", "-ldflags", " ".join(flags), "-o", str(output), tool.package, cwd=module)
        tool.path.parent.mkdir(parents=True, exist_ok=True)
        output.replace(tool.path)

    def _module(self, tool: GoTool) -> Path:
        kubernetes = _is_kubernetes(tool)
        module = self._work / "modules" / ("kubernetes" if kubernetes else tool.name)
        if module.exists():
            return module
        module.mkdir(parents=True)
        self._go("mod", "init", f"loci.dev/tools/{module.name}", cwd=module)
        if kubernetes:
            self._replace_staging(module, tool.version)
            packages = [entry.package for entry in kubernetes_tools()]
        else:
            packages = [tool.package]
        self._go("get", *(f"{package}@v{tool.version}" for package in packages), cwd=module)
        return module

    def _replace_staging(self, module: Path, version: str) -> None:
        """Point the staging modules, which the main module requires at v0.0.0, at their published versions."""
        download = json.loads(self._go("mod", "download", "-json", f"k8s.io/kubernetes@v{version}", cwd=module))
        required = json.loads(self._go("mod", "edit", "-json", download["GoMod"], cwd=module))["Require"]
        published = "v0." + version.split(".", 1)[1]
        staging = [entry["Path"] for entry in required if entry["Version"] == _STAGING_VERSION]
        self._go("mod", "edit", *(f"-replace={path}={path}@{published}" for path in staging), cwd=module)

    def _go(self, *arguments: str, cwd: Path) -> str:
        command: Sequence[str] = ["go", *arguments]
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=die_with_parent,
        )
        if done.returncode:
            raise MissingToolError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
        return done.stdout


def _is_kubernetes(tool: GoTool) -> bool:
    return tool.package.startswith("k8s.io/kubernetes/")
