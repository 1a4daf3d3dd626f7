"""Where the gate learns of collections: the operator's Secrets, or a folder in tests.

A source takes records into a table for as long as it runs, and never raises for what may heal: while it cannot be
reached, the last state serves.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError
from watchfiles import awatch

from loci_contract.chroma import REGISTRY_COLLECTION, CollectionRecord, record_secret
from loci_contract.names import LABEL_REGISTRY, REGISTRY_DATA_KEY
from loci_kubernetes import watch
from loci_kubernetes.api import Api
from loci_kubernetes.kinds import SECRET
from loci_policy.chroma.decision import Collections

_SELECTOR: Final = f"{LABEL_REGISTRY}={REGISTRY_COLLECTION}"
_NAME_PREFIX: Final = record_secret("")

Publish = Callable[[Collections], None]


async def follow_secrets(api: Api, namespace: str, publish: Publish) -> None:
    """Follow the collections' Secrets of a namespace; `publish` gets a new table with each listing."""
    log = structlog.get_logger()
    listed: list[CollectionRecord] = []
    table = Collections()
    async for update in watch.follow(api, watch.Watched(SECRET, labels=_SELECTOR, namespace=namespace)):
        match update:
            case watch.Found(secret):
                listed += filter(None, [_record(secret)])
                continue
            case watch.Complete():
                publish(table := Collections(listed))
            case watch.Changed(secret):
                _take_in(table, secret)
            case watch.Deleted(secret):
                table.remove(_tenant(secret))
            case watch.Lost(reason):
                log.warning("collections lost", reason=reason)
        listed.clear()


async def follow_folder(folder: Path, publish: Publish) -> None:
    """Follow `<tenant>.json` files of a folder."""
    publish(_read(folder))
    async for _ in awatch(folder, step=10, debounce=50, rust_timeout=500, yield_on_timeout=True):
        publish(_read(folder))


def _read(folder: Path) -> Collections:
    return Collections(CollectionRecord.model_validate_json(path.read_bytes()) for path in folder.glob("*.json"))


def _take_in(table: Collections, secret: dict[str, Any]) -> None:
    record = _record(secret)
    if record is None:
        table.remove(_tenant(secret))
    else:
        table.put(record)


def _tenant(secret: dict[str, Any]) -> str:
    return str(secret["metadata"]["name"]).removeprefix(_NAME_PREFIX)


def _record(secret: dict[str, Any]) -> CollectionRecord | None:
    """The record; None for one that cannot be read, or is another tenant's than the Secret's name says."""
    try:
        document = base64.b64decode(secret.get("data", {}).get(REGISTRY_DATA_KEY, ""), validate=True)
        record = CollectionRecord.model_validate_json(document)
    except (binascii.Error, ValidationError):
        record = None
    if record is None or record.tenant != _tenant(secret):
        structlog.get_logger().error("collection record is not valid", tenant_id=_tenant(secret))
        return None
    return record
