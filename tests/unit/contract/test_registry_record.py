"""The registry record: readable by older and newer processes, and silent about its secret."""

from datetime import UTC, datetime, timedelta

from loci_contract.registry import KeyRecord, Limits, RegistryRecord, Scope

LIMITS = Limits(requests_per_minute=100, burst=20, max_memories=1_000, max_graph_nodes=5_000)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def record() -> RegistryRecord:
    key = KeyRecord(name="default", sha256="0" * 64, scopes=frozenset(Scope))
    return RegistryRecord(
        tenant="acme", tier="pro", limits=LIMITS, keys=(key,), upstream="127.0.0.1:8080", ingress_token="token-of-acme"
    )


def test_a_record_survives_being_written_and_read() -> None:
    assert RegistryRecord.model_validate_json(record().model_dump_json()) == record()


def test_a_record_is_written_alike_by_every_process() -> None:
    assert '"scopes":["admin","read","write"]' in record().model_dump_json()


def test_a_newer_writers_field_is_ignored() -> None:
    newer = {**record().model_dump(mode="json"), "region": "eu-west-1"}
    assert RegistryRecord.model_validate(newer) == record()


def test_the_ingress_token_is_not_in_the_records_text() -> None:
    assert "token-of-acme" not in repr(record())
    assert "token-of-acme" not in str(record())


def test_a_key_expires_at_its_time_and_not_before() -> None:
    key = record().keys[0].model_copy(update={"expires_at": NOW})
    assert key.is_expired(NOW)
    assert not key.is_expired(NOW - timedelta(microseconds=1))
    assert not record().keys[0].is_expired(NOW)
