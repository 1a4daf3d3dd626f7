"""Rebuild an embedded index from its own vectors, without the remains of deleted ones in its files.

Chroma marks deleted vectors in its graph files and keeps them there, keeps old entries in its log, and does not zero
what its SQLite file frees; a deleted collection's folder stays as well. So the vectors are copied to a new collection,
the old one and its folder are removed, and the SQLite file is vacuumed. After a crash in between, either the old
collection is still in place, or the index is empty and is filled again from the rows. Cost: about 1 ms for each vector,
during which searches by vector wait.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any, Final

_NEXT: Final = "memories-rebuilt"
_AT_ONCE: Final = 1_000


def rebuild(client: Any, held: Any, folder: Path) -> None:
    """Copy the vectors of a collection to another one, which takes its place and its name."""
    if _NEXT in {collection.name for collection in client.list_collections()}:
        client.delete_collection(_NEXT)
    made = client.create_collection(_NEXT, embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
    ids = held.get(include=[])["ids"]
    for start in range(0, len(ids), _AT_ONCE):
        found = held.get(ids=ids[start : start + _AT_ONCE], include=["embeddings", "metadatas"])
        made.add(ids=found["ids"], embeddings=found["embeddings"], metadatas=found["metadatas"])
    name = held.name
    client.delete_collection(name)
    made.modify(name=name)
    clean(folder)


def holds(folder: Path, fragments: list[bytes]) -> int:
    """Return how many of the fragments occur in any file of a folder."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return sum(any(fragment in content for content in contents) for fragment in fragments)


def clean(folder: Path) -> None:
    """Remove what deleted collections leave: free pages of the SQLite file, and folders."""
    with contextlib.closing(sqlite3.connect(folder / "chroma.sqlite3", isolation_level=None, timeout=10)) as database:
        segments = {row[0] for row in database.execute("SELECT id FROM segments")}
        database.execute("PRAGMA secure_delete = ON")
        database.execute("VACUUM")
    for path in folder.iterdir():
        if path.is_dir() and path.name not in segments:
            shutil.rmtree(path)
