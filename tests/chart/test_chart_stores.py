"""The chart's values of stores: the tiers' profiles, and the settings of shared, own and external stores."""

import json
from typing import Any

import pytest

from loci_dev import chart
from loci_operator.specs.stores import DedicatedStores

BOTH: dict[str, Any] = {"postgres": {"enabled": True}, "chroma": {"enabled": True}}


def operator(**values: Any) -> dict[str, Any]:
    deployments = [o for o in chart.render(**values) if o["kind"] == "Deployment"]
    found = next(o for o in deployments if o["metadata"]["name"] == "loci-operator")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def tiers(**values: Any) -> dict[str, dict[str, Any]]:
    return {o["metadata"]["name"]: o["spec"] for o in chart.render(**values) if o["kind"] == "MemoryTier"}


def test_tiers_choose_profiles_by_values_and_nothing_else_of_them_changes() -> None:
    plain = tiers()
    assert {tier["storageProfile"] for tier in plain.values()} == {"embedded"}
    chosen = {"pro": {"storageProfile": "shared"}, "enterprise": {"storageProfile": "dedicated"}}
    changed = tiers(tiers=chosen, stores=BOTH)
    assert changed["free"] == plain["free"]
    assert changed["pro"] == {**plain["pro"], "storageProfile": "shared"}
    assert changed["enterprise"] == {**plain["enterprise"], "storageProfile": "dedicated"}


def test_a_tier_on_shared_stores_needs_both_of_them() -> None:
    with pytest.raises(ValueError, match=r"tiers.pro.storageProfile is shared: enable stores.postgres"):
        chart.render(tiers={"pro": {"storageProfile": "shared"}}, stores={"postgres": {"enabled": True}})
    with pytest.raises(ValueError, match="storageProfile"):
        chart.render(tiers={"pro": {"storageProfile": "cloud"}})


@pytest.mark.parametrize(("store", "other"), [("postgres", "CHROMA"), ("chroma", "POSTGRES")])
def test_one_shared_store_can_be_there_alone(store: str, other: str) -> None:
    told = operator(stores={store: {"enabled": True}})
    assert not any(name.startswith(f"LOCI_{other}") for name in told)
    assert json.loads(told[f"LOCI_{store.upper()}_EGRESS"])[0]["ports"][0]["port"] == {"postgres": 5432}.get(
        store, 8000
    )


def test_the_operator_is_given_the_images_and_resources_of_tenants_own_stores() -> None:
    values = {"stores": {"dedicated": {"neo4j": {"heap": "2g", "image": {"tag": "5.26.99-community"}}}}}
    stores = DedicatedStores.model_validate_json(operator(**values)["LOCI_DEDICATED"])
    assert stores.neo4j.image == "neo4j:5.26.99-community"
    assert (stores.neo4j.heap, stores.neo4j.page_cache) == ("2g", "256m")
    assert stores.postgres.image.startswith("postgres:15")
    assert stores.redis.image.startswith("redis:7")
    assert "envoy" in stores.gate.image
    assert "loci" in stores.chroma.image
    for server in (stores.postgres, stores.chroma, stores.gate, stores.neo4j, stores.redis):
        assert server.resources["limits"]["memory"]
        assert server.resources["requests"].keys() == {"cpu", "memory"}


def test_the_operator_reaches_external_databases_as_the_values_say() -> None:
    rule = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
    policies = [o for o in chart.render(stores={"externalEgress": [rule]}) if o["kind"] == "NetworkPolicy"]
    allowed = {o["metadata"]["name"]: rule in o["spec"]["egress"] for o in policies}
    assert [name for name, found in allowed.items() if found] == ["loci-operator"]


def named(kind: str, name: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


def test_the_included_redis_of_caches_keeps_its_users_and_is_not_that_of_the_buckets() -> None:
    objects = chart.render(stores={"redis": {"enabled": True, "maxMemory": "64mb"}})
    workload, service = named("StatefulSet", "loci-cache", objects), named("Service", "loci-cache", objects)
    assert [claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]] == ["data"]
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    assert {"name": "data", "mountPath": "/data"} in container["volumeMounts"]
    assert {"name": "MAX_MEMORY", "value": "64mb"} in container["env"]
    assert '--aclfile "$users"' in named("ConfigMap", "loci-cache", objects)["data"]["cache.sh"]
    assert service["spec"]["selector"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    buckets = named("Deployment", "loci-redis", objects)["spec"]["template"]["metadata"]["labels"]
    assert not service["spec"]["selector"].items() <= buckets.items()
    secret = named("Secret", "loci-cache", objects)["stringData"]
    assert secret["url"] == f"redis://loci:{secret['password']}@loci-cache.loci-system.svc:6379/0"
    assert secret["password"] != named("Secret", "loci-redis", objects)["stringData"]["password"]
    told = operator(stores={"redis": {"enabled": True}})
    assert told["LOCI_REDIS_ADMIN_URL"] == {"secretKeyRef": {"name": "loci-cache", "key": "url"}}
    assert told["LOCI_REDIS_CLUSTER"] == "false"


def test_an_external_redis_of_caches_is_named_by_its_secret() -> None:
    rule = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 7000, "protocol": "TCP"}]}
    cache = {"existingSecret": "my-cache", "address": "rediss://cache:7000/0", "cluster": True, "egress": [rule]}
    told = operator(stores={"redis": cache})
    assert told["LOCI_REDIS_ADMIN_URL"] == {"secretKeyRef": {"name": "my-cache", "key": "url"}}
    assert (told["LOCI_REDIS_ADDRESS"], told["LOCI_REDIS_CLUSTER"]) == ("rediss://cache:7000/0", "true")
    assert json.loads(told["LOCI_REDIS_EGRESS"]) == [rule]
    objects = chart.render(stores={"redis": cache})
    assert "loci-cache" not in {o["metadata"]["name"] for o in objects}
    assert rule in named("NetworkPolicy", "loci-operator", objects)["spec"]["egress"]


def test_there_is_no_redis_of_caches_unless_it_is_asked_for() -> None:
    assert not any(name.startswith("LOCI_REDIS") for name in operator())


@pytest.mark.parametrize("cache", [{"cluster": True}, {"cluster": True, "enabled": True, "existingSecret": "x"}])
def test_the_included_redis_of_caches_is_no_cluster(cache: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"stores\.redis\.cluster is true"):
        chart.render(stores={"redis": cache})
