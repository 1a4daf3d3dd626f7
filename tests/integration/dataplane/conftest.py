"""The real model in the test's process, and tenants on real SQLite and Chroma files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from loci_dev.rigs import pod
from loci_dev.rigs.dataplane import serving
from loci_embedder.serving import embedding_models
from loci_standalone.embedder import InProcessEmbedder


@pytest.fixture(scope="session")
async def embedder() -> AsyncIterator[InProcessEmbedder]:
    async with embedding_models() as models:
        yield InProcessEmbedder(models)


@pytest.fixture
async def acme(tmp_path: Path, embedder: InProcessEmbedder) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tmp_path / "acme", embedder) as client:
        yield client


@pytest.fixture(scope="session")
def embedder_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pod.embedder(tmp_path_factory.mktemp("embedder")) as url:
        yield url
