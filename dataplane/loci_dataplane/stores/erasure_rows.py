"""Rows of erasures, as SQLite and PostgreSQL keep them alike: JSON in text columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from loci_dataplane.model.erasure import Erasure
from loci_dataplane.stores.rows import Row


def erasure_of(row: Row) -> Erasure:
    """Return the erasure in a row."""
    progress = json.loads(row["progress"])
    return Erasure(
        id=row["id"],
        requested_at=datetime.fromisoformat(row["requested_at"]),
        key_id=row["key_id"],
        request=json.loads(row["request"]) if row["request"] else None,
        memory_ids=tuple(progress.get("ids", ())),
        removed=progress.get("removed", {}),
        receipt=json.loads(row["receipt"]) if row["receipt"] else None,
    )


def advanced(progress: str, ids: Sequence[str], removed: Mapping[str, int]) -> str:
    """Return the progress of an erasure after more memories were removed."""
    before = json.loads(progress)
    counts = before.get("removed", {})
    added = {kind: counts.get(kind, 0) + number for kind, number in removed.items()}
    return json.dumps({"ids": [*before.get("ids", []), *ids], "removed": added})
