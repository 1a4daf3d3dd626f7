"""The isolation prober: off by default, and where it is on scraped, free to try everything, and not let in anywhere."""

from __future__ import annotations

from typing import Any

from loci_dev import chart

MONITORS = ("monitoring.coreos.com/v1/PodMonitor",)


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


def test_it_is_off_by_default() -> None:
    assert [o for o in chart.render(*MONITORS) if "prober" in o["metadata"]["name"]] == []


def test_one_value_turns_it_on_with_its_monitor_and_the_addresses_of_the_included_stores() -> None:
    objects = chart.render(
        *MONITORS, prober={"enabled": True}, stores={"chroma": {"enabled": True}, "postgres": {"enabled": True}}
    )
    (container,) = named(objects, "Deployment", "loci-prober")["spec"]["template"]["spec"]["containers"]
    environment = {e["name"]: e.get("value") for e in container["env"]}
    assert environment["LOCI_POD_ADDRESS"] == "loci-dataplane.loci-{tenant}.svc.cluster.local:8080"
    stores = ("LOCI_CHROMA_ADDRESS", "LOCI_POSTGRES_ADDRESS", "LOCI_REDIS_ADDRESS")
    assert all(environment[name] for name in stores)
    assert named(objects, "PodMonitor", "loci-prober")


def test_no_store_and_no_pod_lets_the_prober_in() -> None:
    objects = chart.render(
        prober={"enabled": True}, stores={"chroma": {"enabled": True}, "postgres": {"enabled": True}}
    )
    for store in ("chroma", "postgres", "redis"):
        (rule,) = named(objects, "NetworkPolicy", f"loci-{store}")["spec"]["ingress"]
        assert "prober" not in str(rule)
