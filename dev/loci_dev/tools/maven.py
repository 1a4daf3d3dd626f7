"""Fetching pinned Java programs into the tool cache, from Maven Central alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from loci_dev.rigs.processes import die_with_parent
from loci_dev.tools.catalog import MavenTool, MissingToolError

_PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.loci</groupId><artifactId>{name}</artifactId><version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def fetch(tool: MavenTool, work: Path) -> None:
    """Fetch a program's jars and move them into their place in the cache; `work` is a folder to throw away."""
    project, jars = work / f"{tool.name}.xml", work / tool.name
    parts = (_DEPENDENCY.format(*artifact.split(":"), tool.version) for artifact in tool.artifacts)
    project.write_text(_PROJECT.format(name=tool.name, dependencies="".join(parts)))
    options = [f"-DoutputDirectory={jars}", f"-Dmaven.repo.local={work / 'repository'}", "-DincludeScope=runtime"]
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(project), "dependency:copy-dependencies", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=die_with_parent)
    if done.returncode:
        raise MissingToolError(f"`mvn dependency:copy-dependencies` failed:\n{(done.stdout + done.stderr)[-2000:]}")
    jars.replace(tool.path)
