"""A Chroma server that is away, hangs or comes back."""

from __future__ import annotations

import signal
from pathlib import Path
from uuid import uuid4

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings

from loci_dataplane.stores.chroma.server import COLLECTION_CONFIGURATION, ChromaServer, server_vectors
from loci_dataplane.stores.errors import StoreUnavailableError
from loci_dev.rigs.chroma_server import chroma_server
from loci_dev.rigs.processes import free_port

EAST = np.eye(1, 3, dtype=np.float32)


async def test_without_a_server_the_index_is_unavailable() -> None:
    async with server_vectors(ChromaServer(f"http://127.0.0.1:{free_port()}", uuid4())) as vectors:
        with pytest.raises(StoreUnavailableError):
            await vectors.count()


async def test_a_server_that_hangs_is_given_up_on_and_used_again_after_its_restart(tmp_path: Path) -> None:
    with chroma_server(tmp_path) as first:
        client = chromadb.HttpClient(port=first.port, settings=Settings(anonymized_telemetry=False))
        made = client.create_collection("acme", embedding_function=None, configuration=COLLECTION_CONFIGURATION)
        port, reach = first.port, ChromaServer(first.url, made.id, timeout=0.5)
        async with server_vectors(reach) as vectors:
            await vectors.replace({"mem_1": EAST})
            first.process.send_signal(signal.SIGSTOP)
            with pytest.raises(StoreUnavailableError):
                await vectors.count()
            first.process.kill()
            first.process.wait()
            with chroma_server(tmp_path, port):
                assert await vectors.count() == 1
                assert [hit.memory_id for hit in await vectors.search(EAST[0], 1, None)] == ["mem_1"]
