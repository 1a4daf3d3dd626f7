"""The files of a model, each checked against the manifest's checksum before it is read.

A file on a hub is downloaded once, by pinned revision, into the cache folder; it appears there under its checksum only
when it is complete and correct, so an interrupted download leaves nothing that would be used.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import httpx

from loci_embedder.manifest import ModelError, ModelFile

_TIMEOUT: Final = httpx.Timeout(30.0)
_CHUNK: Final = 2**20


@dataclass(frozen=True)
class Places:
    """Where files of models are found.

    Args:
        hub_url: base URL of a hub that serves `<repository>/resolve/<revision>/<file>`; empty: no downloads.
        cache: folder of downloaded files.
    """

    hub_url: str = ""
    cache: Path | None = None


def model_file(file: ModelFile, folder: Path, places: Places) -> Path:
    """Return the path of a file with the right checksum; raise ModelError if there is none."""
    if file.hub is not None and not (folder / file.file).exists():
        return _downloaded(file, places)
    path = _in_package(file) if file.package else folder / file.file
    try:
        found = _sha256(path)
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error.strerror})") from error
    if found != file.sha256:
        raise ModelError(f"{path.name} is not the file of the manifest: its SHA-256 is {found}; install it again")
    return path


def _in_package(file: ModelFile) -> Path:
    """A data file of a package, without importing the package."""
    assert file.package is not None
    spec = find_spec(file.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"{file.file} is in the package {file.package}, which is not installed")
    return Path(spec.submodule_search_locations[0]) / file.file


def _downloaded(file: ModelFile, places: Places) -> Path:
    if places.cache is None:
        raise ModelError(f"{file.file} is on a hub: set LOCI_MODEL_CACHE to a folder for it")
    target = places.cache / file.sha256
    if target.exists() and _sha256(target) == file.sha256:
        return target
    if not places.hub_url:
        raise ModelError(f"{file.file} is on a hub: set LOCI_MODEL_HUB_URL to its address")
    places.cache.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=places.cache, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as written:
            digest = _download(file, places.hub_url, written.write)
        if digest != file.sha256:
            raise ModelError(f"{file.file}: the hub sent another file, with SHA-256 {digest}")
        Path(name).rename(target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def _download(file: ModelFile, hub_url: str, write: Callable[[bytes], object]) -> str:
    assert file.hub is not None
    url = f"{hub_url.rstrip('/')}/{file.hub.repository}/resolve/{file.hub.revision}/{file.file}"
    digest = hashlib.sha256()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT, follow_redirects=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(_CHUNK):
                digest.update(chunk)
                write(chunk)
    except httpx.HTTPStatusError as error:
        raise ModelError(f"{file.file}: the hub answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise ModelError(f"{file.file}: the hub cannot be reached ({type(error).__name__})") from error
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as read:
        while chunk := read.read(_CHUNK):
            yield chunk
