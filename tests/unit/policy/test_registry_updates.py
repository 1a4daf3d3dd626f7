"""How the table follows its source, and what a broken record or a lost source means."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from loci_contract import keys
from loci_contract.registry import RegistryRecord
from loci_dev.rigs.tenants import key_record, record
from loci_kubernetes import watch
from loci_policy.metrics import Metrics
from loci_policy.registry.folder import FolderSource
from loci_policy.registry.follower import Registry
from loci_policy.registry.kubernetes import change, snapshot
from loci_policy.registry.updates import Alive, Changed, Lost, Removed, Snapshot, Update
from loci_policy.table import Table

KEY, OTHER = keys.generate("acme"), keys.generate("other")
ACME, OTHERS = record("acme", key_record(KEY)), record("other", key_record(OTHER))


def registry() -> Registry:
    return Registry(Table(), Metrics())


def secret(tenant_record: RegistryRecord | bytes, name: str = "acme", time: str | None = None) -> dict[str, Any]:
    document = tenant_record if isinstance(tenant_record, bytes) else tenant_record.model_dump_json().encode()
    metadata = {"name": f"registry-{name}", "resourceVersion": "1"}
    managed = [{"manager": "loci-operator"}, {"manager": "loci-operator", "time": time}] if time else []
    return {
        "metadata": {**metadata, "managedFields": managed},
        "data": {"record.json": base64.b64encode(document).decode()},
    }


def test_is_not_synced_before_the_first_snapshot() -> None:
    the_registry = registry()
    the_registry.apply(Lost("ClientConnectorError"))
    assert not the_registry.synced
    the_registry.apply(Snapshot(()))
    assert the_registry.synced


def test_the_next_look_up_obeys_an_update() -> None:
    the_registry = registry()
    the_registry.apply(Snapshot((ACME,)))
    assert the_registry.table.find(KEY)
    the_registry.apply(Changed(record("acme")))
    assert the_registry.table.find(KEY) is None
    the_registry.apply(Changed(ACME))
    the_registry.apply(Removed("acme"))
    assert the_registry.table.find(KEY) is None


def test_a_snapshot_forgets_who_is_gone() -> None:
    the_registry = registry()
    the_registry.apply(Snapshot((ACME, OTHERS)))
    the_registry.apply(Snapshot((OTHERS,)))
    assert the_registry.table.find(KEY) is None
    assert the_registry.table.find(OTHER)


def test_a_lost_source_leaves_the_last_state_and_says_so() -> None:
    metrics = Metrics()
    the_registry = Registry(Table(), metrics)
    the_registry.apply(Snapshot((ACME,)))
    the_registry.apply(Lost("ClientConnectorError"))
    assert the_registry.table.find(KEY)
    assert the_registry.synced
    assert metrics.collector_registry.get_sample_value("loci_policy_registry_connected") == 0
    the_registry.apply(Alive())
    assert metrics.collector_registry.get_sample_value("loci_policy_registry_connected") == 1


def test_a_record_that_cannot_be_read_refuses_its_tenant_without_being_quoted() -> None:
    the_registry = registry()
    the_registry.apply(Snapshot((ACME,)))
    broken = ACME.model_dump_json().replace('"free"', "7").encode()
    with capture_logs() as logs:
        the_registry.apply(change(watch.Changed(secret(broken))))
    assert the_registry.table.find(KEY) is None
    assert logs
    assert ACME.ingress_token not in str(logs)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (watch.Changed(secret(ACME)), Changed(ACME)),
        (watch.Changed(secret(ACME, time="1970-01-01T00:01:00Z")), Changed(ACME, 60.0)),
        (watch.Deleted(secret(ACME)), Removed("acme")),
        (watch.Alive(), Alive()),
        (watch.Changed(secret(ACME, name="thief")), Removed("thief", invalid=True)),
        (watch.Changed(secret(b"{}")), Removed("acme", invalid=True)),
        (watch.Changed({"metadata": {"name": "registry-acme"}}), Removed("acme", invalid=True)),
    ],
)
def test_a_watch_event_becomes_an_update(event: watch.Changed | watch.Deleted | watch.Alive, expected: Update) -> None:
    assert change(event) == expected


def test_a_list_of_secrets_becomes_a_snapshot_of_the_readable_ones() -> None:
    assert snapshot([secret(ACME), secret(b"no", name="other")]) == [
        Snapshot((ACME,)),
        Removed("other", invalid=True),
    ]


def test_key_propagation_is_measured() -> None:
    metrics = Metrics()
    Registry(Table(), metrics, clock=lambda: 60.4).apply(Changed(ACME, written_at=60.0))
    assert metrics.collector_registry.get_sample_value("loci_policy_key_propagation_seconds_count") == 1
    assert metrics.collector_registry.get_sample_value("loci_policy_key_propagation_seconds_sum") == pytest.approx(0.4)


async def test_a_folder_holds_one_record_a_file(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text(ACME.model_dump_json())
    (tmp_path / "other.json").write_text("{")
    updates: AsyncIterator[Update] = FolderSource(tmp_path).updates()
    assert await anext(updates) == Snapshot((ACME,))
    assert await anext(updates) == Removed("other", invalid=True)


async def test_a_record_written_before_the_folder_is_watched_is_not_missed(tmp_path: Path) -> None:
    async with contextlib.aclosing(FolderSource(tmp_path).updates()) as updates, asyncio.timeout(30):
        assert await anext(updates) == Snapshot(())
        (tmp_path / "acme.json").write_text(ACME.model_dump_json())
        while await anext(updates) != Snapshot((ACME,)):
            pass
