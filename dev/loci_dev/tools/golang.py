"""Building pinned Go programs into the tool cache, from the module proxy alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from loci_dev.tools.catalog import CACHE, GoTool, MissingToolError, kubernetes_tools

_STAGING_VERSION = "v0.0.0"


class GoBuilder:
    """Builds programs with one throw-away module and build cache, which is removed at the end (it grows to 4 GB)."""

    def __init__(self) -> None:
        if shutil.which("go") is None:
            raise MissingToolError(
                "Go >= 1.26 builds the Kubernetes tools and is not on PATH: install it from https://go.dev/dl"
            )
        CACHE.mkdir(parents=True, exist_ok=True)
        self._work = Path(tempfile.mkdtemp(prefix=".build-", dir=CACHE))
        self._environment = {
            **os.environ,
            "GOPATH": str(self._work / "gopath"),
            "GOCACHE": str(self._work / "cache"),
            "GOFLAGS": "-modcacherw -buildvcs=false",
            "CGO_ENABLED": "0",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._work, ignore_errors=True)

    def build(self, tool: GoTool) -> None:
        """Build one program into its place in the cache; raises CalledProcessError with Go's own words."""
        module = self._module(tool)
        flags = ["-s", "-w"]
        if tool.package.startswith("k8s.io/kubernetes/"):
            major, minor, _ = tool.version.split(".")
            stamp = {"gitVersion": f"v{tool.version}", "gitMajor": major, "gitMinor": minor}
            flags += [f"-X k8s.io/component-base/version.{key}={value}" for key, value in stamp.items()]
        output = self._work / "bin" / tool.name
        self._go("build", "-trimpath", "-ldflags", " ".join(flags), "-o", str(output), tool.package, cwd=module)
        tool.path.parent.mkdir(parents=True, exist_ok=True)
        output.replace(tool.path)

    def _module(self, tool: GoTool) -> Path:
        kubernetes = tool.package.startswith("k8s.io/kubernetes/")
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
        done = subprocess.run(command, cwd=cwd, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingToolError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
        return done.stdout
