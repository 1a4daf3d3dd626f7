"""Judgements of `loci doctor`, without a cluster."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from loci_cli.doctor import report
from loci_cli.doctor.checks import admin_key, clock, crds, dns, images, isolation, permissions, propagation, tenants
from loci_cli.doctor.checks.addresses import of_stores
from loci_cli.doctor.examination import examine
from loci_cli.doctor.findings import Finding, Status, failed, ok, skipped, warning
from loci_cli.doctor.installation import FaultError, Installation, host_and_port, is_service_name
from loci_contract.keys import sha256
from loci_kubernetes.errors import ApiError, UnreachableError
from loci_resources.crd import memory_tier_crd

RULES = Path(__file__).parents[3] / "charts" / "loci" / "files" / "operator-rules.yaml"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = "a-key-of-more-than-twenty-characters"


def granted(rules: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def asked(table: tuple[permissions.Access, ...]) -> set[tuple[str, ...]]:
    return {(access.group, access.resource, verb, access.name) for access in table for verb in access.verbs}


def test_asks_for_exactly_the_permissions_that_the_chart_grants() -> None:
    rules = yaml.safe_load(RULES.read_text())
    assert asked(permissions.EVERYWHERE) == granted(rules["clusterRules"])
    assert asked(permissions.IN_SYSTEM_NAMESPACE) == granted(rules["systemRules"])


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "ok"), (3, "ok"), (-3, "ok"), (4, "warning"), (-4, "warning"), (31, "failed"), (-31, "failed")],
)
def test_clock_skew_is_judged_in_both_directions(seconds: int, status: str) -> None:
    assert clock.judged(NOW, NOW + timedelta(seconds=seconds)).status == status


@pytest.mark.parametrize(
    ("digest", "key", "status"),
    [
        (sha256(KEY), KEY, "ok"),
        (sha256(KEY), None, "ok"),
        (sha256("development-admin-key"), None, "failed"),
        (sha256("changeme"), "changeme", "failed"),
        (sha256(""), "", "failed"),
        (sha256(KEY), KEY + "\n", "failed"),
        (sha256(KEY).upper(), KEY, "failed"),
        ("", None, "failed"),
        (sha256("short-key"), "short-key", "warning"),
    ],
)
def test_an_admin_key_that_is_known_short_or_inconsistent_is_found(digest: str, key: str | None, status: str) -> None:
    finding = admin_key.judged(digest, key)
    assert finding.status == status
    assert not key or key not in finding.message


def installed() -> dict[str, Any]:
    status = {"conditions": [{"type": "Established", "status": "True"}], "storedVersions": ["v1alpha1"]}
    return copy.deepcopy(memory_tier_crd()) | {"status": status}


def test_a_crd_as_shipped_passes() -> None:
    assert crds.judged(memory_tier_crd(), installed()).status is Status.OK


def test_faults_of_a_crd_are_told_apart() -> None:
    missing = crds.judged(memory_tier_crd(), None)
    pending, unserved, stored, other = installed(), installed(), installed(), installed()
    pending["status"]["conditions"] = []
    unserved["spec"]["versions"][0]["served"] = False
    stored["status"]["storedVersions"].append("v1alpha0")
    other["spec"]["versions"][0]["schema"] = {}
    findings = [missing, *(crds.judged(memory_tier_crd(), crd) for crd in (pending, unserved, stored, other))]
    assert [finding.status for finding in findings] == ["failed"] * 4 + ["warning"]
    assert len({finding.message for finding in findings}) == 5
    assert all(finding.fix for finding in findings)


def tenant(generation: int = 1, **conditions: str) -> dict[str, Any]:
    listed = [{"type": type_, "status": status, "reason": "Because"} for type_, status in conditions.items()]
    status = {"conditions": listed, "observedGeneration": 1}
    return {"metadata": {"name": "acme", "generation": generation}, "status": status}


SUSPENDED = tenant(Suspended="True")
SUSPENDED["status"]["conditions"].append({"type": "Ready", "status": "False", "reason": "Suspended"})
DELETED = tenant(Ready="False")
DELETED["metadata"]["deletionTimestamp"] = "2026-05-01T12:00:00Z"


@pytest.mark.parametrize(
    ("document", "statuses"),
    [
        (tenant(Ready="True", Suspended="False", UpToDate="True"), []),
        (SUSPENDED, []),
        (DELETED, ["warning"]),
        (tenant(Ready="False", DataPlaneReady="False"), ["failed"]),
        (tenant(Ready="Unknown"), ["failed"]),
        (tenant(Ready="True", UpToDate="False", VolumeReady="False"), ["warning", "warning"]),
        (tenant(2, Ready="True"), ["warning"]),
        ({"metadata": {"name": "acme", "generation": 1}}, ["failed"]),
    ],
)
def test_a_tenant_is_judged_by_its_conditions(document: dict[str, Any], statuses: list[str]) -> None:
    assert [finding.status for finding in tenants.problems(document)] == statuses


def test_places_that_serve_strangers_and_names_that_do_not_resolve_are_named() -> None:
    breached = isolation.judged({"store redis": False, "tenant acme": True})
    unknown = dns.judged({"loci-redis": True, "loci-admin": False})
    assert (breached.status, unknown.status) == (Status.FAILED, Status.FAILED)
    assert "tenant acme" in breached.message
    assert "store redis" not in breached.message
    assert "loci-admin" in unknown.message
    assert isolation.judged({"store redis": False}).status is dns.judged({"loci-redis": True}).status is Status.OK


def test_tenants_on_an_old_image_are_counted_by_image() -> None:
    finding = images.tenants({"a": "loci:1", "b": "loci:2", "c": "loci:1"}, "loci:2")
    assert (finding.status, "loci:1: a, c (2)" in finding.message) == (Status.WARNING, True)
    assert images.tenants({"a": "loci:2"}, "loci:2").status is Status.OK


@pytest.mark.parametrize(
    ("accepted", "rejected", "status"), [(0.1, 0.9, "ok"), (2, 0.1, "warning"), (0.1, 1.1, "failed")]
)
def test_a_revoked_key_must_be_rejected_within_a_second(accepted: float, rejected: float, status: str) -> None:
    assert propagation.judged(accepted, rejected).status == status


@pytest.mark.parametrize(
    ("host", "is_service"),
    [
        ("loci-redis", True),
        ("loci-redis.loci-system.svc", True),
        ("loci-redis.loci-system.svc.cluster.local", True),
        ("localhost", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("redis.example.com", False),
    ],
)
def test_names_of_services_are_told_from_other_hosts(host: str, *, is_service: bool) -> None:
    assert is_service_name(host) is is_service


def test_an_address_has_a_host_and_a_port() -> None:
    assert host_and_port("redis://:word@[::1]/0", 6379) == ("::1", 6379)
    assert host_and_port("postgresql://user:word@db.example.com:6432/loci", 5432) == ("db.example.com", 6432)
    assert host_and_port("", 1) == ("", 1)
    with pytest.raises(ValueError, match="port"):
        host_and_port("redis://host:port", 1)


@pytest.mark.parametrize("url", ["redis://", "redis://host:port", "redis://a..b", "redis://" + "a" * 64, "text"])
async def test_a_malformed_address_of_a_store_is_a_fault_that_does_not_quote_it(url: str) -> None:
    class Settings:
        async def setting(self, _: str, variable: str) -> str | None:
            return url if variable == "LOCI_REDIS_URL" else None

    installation: Any = Settings()
    with pytest.raises(FaultError, match="LOCI_REDIS_URL") as raised:
        await of_stores(installation)
    assert url not in str(raised.value)


async def test_a_check_is_repeated_once_when_the_api_server_did_not_answer() -> None:
    calls: list[None] = []

    async def recovering(_: Installation) -> list[Finding]:
        calls.append(None)
        if len(calls) == 1:
            raise UnreachableError("TimeoutError")
        return [ok("a", "good")]

    installation: Any = None
    assert [finding.status for finding in await examine(installation, {"a": recovering})] == ["ok"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FaultError("No Secret.", "Create it."), "failed"),
        (ApiError(403, "Forbidden", "secrets is forbidden"), "warning"),
        (ApiError(500, "InternalError", "etcd is away"), "failed"),
        (UnreachableError("refused"), "failed"),
        (TimeoutError(), "failed"),
    ],
)
async def test_a_check_that_cannot_be_made_says_so_and_stops_no_other(error: Exception, status: str) -> None:
    async def breaking(_: Installation) -> list[Finding]:
        raise error

    async def passing(_: Installation) -> list[Finding]:
        return [ok("b", "good")]

    installation: Any = None
    first, second = await examine(installation, {"a": breaking, "b": passing})
    assert (first.name, first.status, bool(first.fix)) == ("a", status, True)
    assert second.status is Status.OK


def test_the_report_has_every_finding_its_fix_and_the_counts() -> None:
    findings = [ok("a", "good"), warning("bb", "odd", "look"), failed("c", "bad", "mend"), skipped("d", "not here")]
    printed = report.table(findings).splitlines()
    assert printed[0].split() == ["ok", "a", "good"]
    assert [line.strip() for line in printed if "fix:" in line] == ["fix: look", "fix: mend"]
    assert printed[-1] == "1 ok, 1 warning, 1 failed, 1 skipped"
    document = json.loads(report.document(findings))
    assert document["failed"] == 1
    assert document["findings"][2] == {"name": "c", "status": "failed", "message": "bad", "fix": "mend"}
    assert report.has_failed(findings)
    assert not report.has_failed(findings[:2])
