"""The chart's NetworkPolicies, flattened to who may speak with whom: what docs/architecture.md draws, no more."""

from typing import Any

from loci_dev import chart

DNS = {("anyone", 53)}
API_SERVER = {("anyone", 443), ("anyone", 6443)}
OUT = {
    "operator": DNS | API_SERVER,
    "admin": DNS | API_SERVER,
    "ingress": DNS | API_SERVER | {("admin", 8082), ("redis", 6379), ("tenants", 8080)},
    "embedder": set(),
    "redis": set(),
}
IN = {
    "operator": {("monitoring", 8080)},
    "admin": {("ingress", 8082), ("monitoring", 8082)},
    "ingress": {("anyone", 8000)},
    "embedder": {("tenants", 8081), ("monitoring", 8081)},
    "redis": {("ingress", 6379)},
}

Conversations = dict[str, set[tuple[str, int]]]


def conversations(direction: str, **values: Any) -> Conversations:
    """Component -> the (peer, port) pairs that its policy allows in one direction, `ingress` or `egress`."""
    policies = [o for o in chart.render(**values) if o["kind"] == "NetworkPolicy"]
    side = {"ingress": "from", "egress": "to"}[direction]
    return {
        policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]: {
            (peer_name(peer), port["port"])
            for rule in policy["spec"][direction]
            for peer in rule.get(side) or [None]
            for port in rule["ports"]
        }
        for policy in policies
    }


def peer_name(peer: dict[str, Any] | None) -> str:
    known = {component: pods(component) for component in OUT}
    known |= {name: namespace(name) for name in ("monitoring", "observability", "caches")}
    known["tenants"] = {"namespaceSelector": {"matchExpressions": [{"key": "loci.dev/tenant", "operator": "Exists"}]}}
    return "anyone" if peer is None else next(name for name, selector in known.items() if selector == peer)


def pods(component: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": component, "app.kubernetes.io/instance": "loci"}
    return {"podSelector": {"matchLabels": labels}}


def namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_each_process_reaches_what_it_needs_and_nothing_else() -> None:
    assert conversations("egress") == OUT


def test_each_process_is_reached_by_those_who_need_it_and_nobody_else() -> None:
    assert conversations("ingress") == IN


def test_every_pod_has_its_policy_for_both_directions() -> None:
    objects = chart.render()
    policies = [o["spec"] for o in objects if o["kind"] == "NetworkPolicy"]
    assert all(spec["policyTypes"] == ["Ingress", "Egress"] for spec in policies)
    for labels in [o["spec"]["template"]["metadata"]["labels"] for o in objects if o["kind"] == "Deployment"]:
        selecting = [spec for spec in policies if spec["podSelector"]["matchLabels"].items() <= labels.items()]
        assert len(selecting) == 1


def test_the_ports_follow_the_values() -> None:
    ports = {"ingress": {"listen": {"port": 9000}}, "networkPolicy": {"apiServerPorts": [16443]}}
    assert conversations("ingress", **ports)["ingress"] == {("anyone", 9000)}
    assert conversations("egress", **ports)["operator"] == DNS | {("anyone", 16443)}


def test_an_external_redis_is_reached_as_the_values_say() -> None:
    external: dict[str, Any] = {"redis": {"enabled": False, "existingSecret": "my-redis"}}
    without = OUT["ingress"] - {("redis", 6379)}
    assert conversations("egress", **external)["ingress"] == without | {("anyone", 6379), ("anyone", 6380)}
    rule = {"to": [namespace("caches")], "ports": [{"port": 7000, "protocol": "TCP"}]}
    external["networkPolicy"] = {"redisEgress": [rule]}
    assert conversations("egress", **external)["ingress"] == without | {("caches", 7000)}


def test_metrics_are_scraped_from_the_namespace_that_the_values_name() -> None:
    values = {"networkPolicy": {"prometheusNamespace": "observability"}}
    found = conversations("ingress", **values)
    assert ("observability", 8082) in found["admin"]
    assert ("observability", 8081) in found["embedder"]
    assert "monitoring" not in {peer for pairs in found.values() for peer, _ in pairs}


STORES = {"stores": {"postgres": {"enabled": True}, "chroma": {"enabled": True}, "redis": {"enabled": True}}}


def test_included_stores_are_reached_by_the_operator_and_tenants_alone() -> None:
    reached = conversations("ingress", **STORES)
    assert reached["postgres"] == {("operator", 5432), ("tenants", 5432)}
    assert reached["chroma"] == {("operator", 8000), ("tenants", 8000)}
    assert reached["cache"] == {("operator", 6379), ("tenants", 6379)}
    assert reached["redis"] == IN["redis"], "the buckets are no business of tenants"
    rules = next(
        o["spec"]["egress"]
        for o in chart.render(**STORES)
        if o["kind"] == "NetworkPolicy" and o["metadata"]["name"] == "loci-operator"
    )
    peers = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for r in rules for peer in r.get("to", ())
    ]
    assert sorted(peers) == ["cache", "chroma", "postgres"]
