"""The schema on a real API server: what it takes, and what it says of what it does not."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loci_dev.cluster.controlplane import ControlPlane

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
HASH = "0" * 64


def tenant(name: str = "acme", **spec: Any) -> str:
    document = {
        "apiVersion": "loci.dev/v1alpha1",
        "kind": "MemoryTenant",
        "metadata": {"name": name},
        "spec": {"tier": "pro", **spec},
    }
    return json.dumps(document)


def tier(**spec: Any) -> str:
    required = {"requestsPerMinute": 100, "burst": 10, "maxMemories": 10, "maxGraphNodes": 10}
    metadata = {"name": "custom"}
    return json.dumps(
        {"apiVersion": "loci.dev/v1alpha1", "kind": "MemoryTier", "metadata": metadata, "spec": {**required, **spec}}
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_taken(plane: ControlPlane, example: Path) -> None:
    plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(example))


VALID = {
    "the least": tenant(),
    "the longest name": tenant("x" * 40),
    "own limits": tenant(limits={"requestsPerMinute": 5, "burst": 1, "maxMemories": 1, "maxGraphNodes": 1}),
    "own key": tenant(apiKeys=[{"name": "a", "sha256": HASH, "scopes": ["read"], "expiresAt": "2030-01-01T00:00:00Z"}]),
    "storage": tenant(storage={"profile": "embedded", "size": "1.5Gi", "storageClassName": "fast"}),
    "each store for itself": tenant(
        storage={
            "profile": "shared",
            "records": "external",
            "vectors": "embedded",
            "graph": "neo4j",
            "cache": "external",
            "external": {
                "postgres": {"secretName": "their-database", "cidrs": ["10.0.0.0/8", "192.0.2.7/32"]},
                "redis": {"secretName": "their-redis"},
            },
        },
        replicas=1,
    ),
    "resources": tenant(resources={"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}),
    "network": tenant(network={"allowFrom": ["probes"]}),
    "deletion": tenant(deletionPolicy="Delete", suspend=True, displayName="Acme"),
    "tier": tier(),
    "tier in full": tier(priority="low", storageProfile="embedded", storageSize="5Gi", allowOverrides=True),
}

# What is applied, what the message names, what it says is allowed.
INVALID = {
    "name too long": (tenant("x" * 41), "metadata.name", "must be at most 40"),
    "name begins with a digit": (tenant("1st"), "metadata.name", "starting with a letter"),
    "name is reserved": (tenant("system"), "metadata.name", "reserved"),
    "no tier": (json.dumps({**json.loads(tenant()), "spec": {}}), "spec.tier", "Required"),
    "tier is no name": (tenant(tier="Pro!"), "spec.tier", "should match"),
    "negative rate": (
        tenant(limits={"requestsPerMinute": 0}),
        "spec.limits.requestsPerMinute",
        "greater than or equal to 1",
    ),
    "rate is a text": (tenant(limits={"burst": "many"}), "spec.limits.burst", "integer"),
    "too many requests": (tenant(limits={"burst": 10_000_001}), "spec.limits.burst", "less than or equal to 10000000"),
    "unknown scope": (tenant(apiKeys=[{"name": "a", "scopes": ["root"]}]), "scopes[0]", '"read", "write", "admin"'),
    "no scope": (tenant(apiKeys=[{"name": "a", "scopes": []}]), "scopes", "at least 1"),
    "key without a name": (tenant(apiKeys=[{"scopes": ["read"]}]), "name", "Required"),
    "two keys of a name": (tenant(apiKeys=[{"name": "a"}, {"name": "a"}]), "spec.apiKeys[1]", "Duplicate"),
    "a key, not its hash": (tenant(apiKeys=[{"name": "a", "sha256": "sk-acme-123"}]), "sha256", "[0-9a-f]{64}"),
    "expiry is no time": (tenant(apiKeys=[{"name": "a", "expiresAt": "soon"}]), "expiresAt", "date-time"),
    "unknown profile": (
        tenant(storage={"profile": "cloud"}),
        "spec.storage.profile",
        '"embedded", "shared", "dedicated"',
    ),
    "unknown place of the graph": (tenant(storage={"graph": "shared"}), "spec.storage.graph", '"records", "neo4j"'),
    "an external store without a Secret": (
        tenant(storage={"records": "external"}),
        "spec.storage",
        "records: external and external.postgres go together",
    ),
    "a Secret without an external store": (
        tenant(storage={"graph": "neo4j", "external": {"neo4j": {"secretName": "theirs"}}}),
        "spec.storage",
        "graph: external and external.neo4j go together",
    ),
    "a network that is none": (
        tenant(storage={"cache": "external", "external": {"redis": {"secretName": "a", "cidrs": ["10.0.0.0/33"]}}}),
        "cidrs[0]",
        "should match",
    ),
    "no pod": (tenant(replicas=0), "spec.replicas", "greater than or equal to 1"),
    "size in thousandths of a byte": (tenant(storage={"size": "10m"}), "spec.storage.size", "at least 16Mi"),
    "size of nothing": (tenant(storage={"size": "0"}), "spec.storage.size", "at least 16Mi"),
    "expiry with an offset of more than a day": (
        tenant(apiKeys=[{"name": "a", "expiresAt": "2030-01-01T00:00:00+24:00"}]),
        "expiresAt",
        "should match",
    ),
    "expiry in the year 0": (
        tenant(apiKeys=[{"name": "a", "expiresAt": "0000-01-01T00:00:00Z"}]),
        "expiresAt",
        "should match",
    ),
    "size is no quantity": (tenant(storage={"size": "big"}), "spec.storage.size", "should match"),
    "unknown deletion policy": (tenant(deletionPolicy="Keep"), "spec.deletionPolicy", '"Retain", "Delete"'),
    "suspend is a text": (tenant(suspend="yes"), "spec.suspend", "boolean"),
    "more asked for than allowed": (
        tenant(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}),
        "spec.resources",
        "requests.memory must not exceed limits.memory",
    ),
    "misspelt field": (tenant(teir="pro"), "spec.teir", "unknown field"),
    "tier without limits": (
        json.dumps({**json.loads(tier()), "spec": {"requestsPerMinute": 5}}),
        "spec.maxMemories",
        "Required",
    ),
    "tier that asks for more than allowed": (
        tier(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "100m"}}),
        "spec.resources",
        "requests.cpu must not exceed limits.cpu",
    ),
    "tier priority": (tier(priority="urgent"), "spec.priority", '"low", "normal", "high"'),
}


@pytest.mark.parametrize("document", VALID.values(), ids=VALID.keys())
def test_a_valid_object_is_taken(plane: ControlPlane, document: str) -> None:
    plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=document)


@pytest.mark.parametrize(("document", "field", "allowed"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_object_is_refused_with_its_field_and_what_is_allowed(
    plane: ControlPlane, document: str, field: str, allowed: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=document)
    assert field in refused.value.stderr
    assert allowed in refused.value.stderr
    told = [line for line in refused.value.stderr.splitlines() if "some validation rules were not checked" not in line]
    assert "<nil>" not in str(told)


STORED = {"profile": "shared", "records": "shared", "graph": "records", "size": "1Gi"}


@pytest.fixture
def stored(plane: ControlPlane) -> Iterator[None]:
    plane.kubectl("apply", "-f", "-", stdin=tenant("settled", storage=STORED))
    yield
    plane.kubectl("delete", "mt", "settled")


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "2Gi"),
        ("size", None),
        ("storageClassName", "fast"),
    ],
)
def test_volumes_cannot_be_changed(plane: ControlPlane, field: str, value: str | None) -> None:
    changed = {name: text for name, text in {**STORED, field: value}.items() if text is not None}
    with pytest.raises(subprocess.CalledProcessError) as refused:
        plane.kubectl("apply", "-f", "-", stdin=tenant("settled", storage=changed))
    assert f"spec.storage.{field}: Invalid value: is immutable" in refused.value.stderr


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("field", "value"), [("cache", "dedicated"), ("profile", "embedded"), ("graph", None)])
def test_changes_of_stores_are_left_to_the_operator(plane: ControlPlane, field: str, value: str | None) -> None:
    changed = {name: text for name, text in {**STORED, field: value}.items() if text is not None}
    plane.kubectl("apply", "-f", "-", stdin=tenant("settled", storage=changed))


@pytest.mark.usefixtures("stored")
def test_short_names_and_columns_tell_the_story(plane: ControlPlane) -> None:
    assert plane.kubectl("get", "mt").split()[:6] == ["NAME", "TIER", "READY", "PHASE", "REASON", "AGE"]
    assert {"free", "pro", "enterprise"} <= set(plane.kubectl("get", "mtier").split())


@pytest.mark.parametrize("field", ["memorytenant.spec.apiKeys.sha256", "memorytier.spec.burst", "mt.status.conditions"])
def test_kubectl_explain_has_a_description(plane: ControlPlane, field: str) -> None:
    assert "DESCRIPTION" in plane.kubectl("explain", field)
    assert "<empty>" not in plane.kubectl("explain", field)
