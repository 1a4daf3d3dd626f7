"""Replies to requests with an Idempotency-Key, in the transaction of the write."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson

from loci_dataplane.model.memory import timestamp
from loci_dataplane.model.reply import Attempt, Reply
from loci_dataplane.stores.postgres.database import Session

_GET: Final = """
SELECT fingerprint, status, headers, body FROM {schema}.replies WHERE key = $1::text AND expires_at > $2::text
"""
_KEEP: Final = """
INSERT INTO {schema}.replies (key, fingerprint, status, headers, body, memory_ids, expires_at)
VALUES ($1::text, $2::text, $3::integer, $4::text, $5::bytea, $6::text[], $7::text)
ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
  headers = excluded.headers, body = excluded.body, memory_ids = excluded.memory_ids, expires_at = excluded.expires_at
"""
_REMOVE_EXPIRED: Final = """
DELETE FROM {schema}.replies WHERE key IN (SELECT key FROM {schema}.replies WHERE expires_at <= $1::text LIMIT 100)
"""


async def get(session: Session, schema: str, key: str, now: datetime) -> tuple[str, Reply] | None:
    """Return the fingerprint and the reply kept for a key."""
    row = await session.fetchrow(_GET.format(schema=schema), key, timestamp(now))
    if row is None:
        return None
    return row["fingerprint"], Reply(row["status"], row["body"], orjson.loads(row["headers"]))


async def keep(session: Session, schema: str, attempt: Attempt, reply: Reply, expires_at: datetime) -> None:
    """Keep a reply."""
    headers = orjson.dumps(dict(reply.headers)).decode()
    ids, until = list(reply.memory_ids), timestamp(expires_at)
    arguments = (attempt.key, attempt.fingerprint, reply.status, headers, reply.body, ids, until)
    await session.execute(_KEEP.format(schema=schema), *arguments)


async def remove_expired(session: Session, schema: str, now: datetime) -> None:
    """Remove some replies that have expired."""
    await session.execute(_REMOVE_EXPIRED.format(schema=schema), timestamp(now))
