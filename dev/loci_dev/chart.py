"""Render and install the chart with Helm, for checks, tests and the local cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from loci_dev.tools.catalog import tool, versions

CHART = Path(__file__).parents[2] / "charts" / "loci"


def render(*kinds: str, **values: Any) -> list[dict[str, Any]]:
    """Render the chart's objects, CRDs included, without a cluster; raise ValueError when the values are rejected.

    `kinds` are further kinds that the API server is taken to serve, as group/version/kind.
    """
    version = versions()["kubernetes"]["version"]
    known = [f"--api-versions={kind}" for kind in kinds]
    rendered = _helm("template", "--include-crds", "--kube-version", version, *known, values=values)
    return [document for document in yaml.safe_load_all(rendered) if document]


def install(kubeconfig: Path, *options: str, **values: Any) -> None:
    """Install or upgrade the chart without waiting unless an option asks for it; ValueError when it is rejected."""
    _helm("upgrade", "--install", f"--kubeconfig={kubeconfig}", "--create-namespace", *options, values=values)


def _helm(*command: str, values: dict[str, Any]) -> str:
    options = ["--namespace", "loci-system", "--values", "-"]
    done = subprocess.run(
        [str(tool("helm")), *command, "loci", str(CHART), *options],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout
