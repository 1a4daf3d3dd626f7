"""Rendering the chart with Helm, for checks and tests that need no cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from loci_dev.tools.catalog import tool, versions

CHART = Path(__file__).parents[2] / "charts" / "loci"


def render(**values: Any) -> list[dict[str, Any]]:
    """The chart's objects for the given values, CRDs included."""
    command = [str(tool("helm")), "template", "loci", str(CHART), "--namespace", "loci-system", "--include-crds"]
    options = ["--kube-version", versions()["kubernetes"]["version"], "--values", "-"]
    done = subprocess.run([*command, *options], input=json.dumps(values), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return [document for document in yaml.safe_load_all(done.stdout) if document]
