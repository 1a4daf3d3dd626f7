"""Rules, monitors and dashboards in the chart: there where they can be used, with what makes them found."""

import json
from pathlib import Path
from typing import Any

import yaml

from loci_dev import chart
from loci_dev.observability import rules
from loci_dev.observability.dashboards import all_dashboards

OPERATED = ("monitoring.coreos.com/v1/PrometheusRule", "monitoring.coreos.com/v1/PodMonitor")
ROOT = Path(__file__).parents[2]


def of_kind(kind: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for found in objects if found["kind"] == kind]


def test_no_rule_and_no_monitor_where_the_api_server_does_not_know_them() -> None:
    objects = chart.render()
    assert of_kind("PrometheusRule", objects) + of_kind("PodMonitor", objects) == []


def test_the_rules_are_those_that_promtool_tests() -> None:
    (rule,) = of_kind("PrometheusRule", chart.render(*OPERATED, monitoring={"rules": {"labels": {"release": "x"}}}))
    assert rule["spec"] == yaml.safe_load((ROOT / rules.CHART_RULES).read_text())
    assert rule["metadata"]["labels"]["release"] == "x"


def test_each_process_with_metrics_is_scraped_and_the_ingress_with_the_admin_key() -> None:
    objects = chart.render(*OPERATED)
    found = {monitor["metadata"]["name"]: monitor["spec"] for monitor in of_kind("PodMonitor", objects)}
    assert set(found) == {"loci-ingress", "loci-embedder", "loci-dataplane", "loci-operator"}
    pods = {o["metadata"]["name"]: o["spec"]["template"] for o in of_kind("Deployment", objects)}
    for name in ("loci-ingress", "loci-embedder", "loci-operator"):
        wanted = found[name]["selector"]["matchLabels"].items()
        assert wanted <= pods[name]["metadata"]["labels"].items()
        ports = [port["name"] for container in pods[name]["spec"]["containers"] for port in container.get("ports", [])]
        assert found[name]["podMetricsEndpoints"][0]["port"] in ports
    (endpoint,) = found["loci-ingress"]["podMetricsEndpoints"]
    secret = next(s for s in of_kind("Secret", objects) if s["metadata"]["name"] == "loci-admin-key")
    assert endpoint["authorization"]["credentials"]["key"] in secret["stringData"]
    assert found["loci-dataplane"]["namespaceSelector"] == {"any": True}


def test_each_dashboard_is_a_config_map_that_the_sidecar_of_grafana_finds() -> None:
    objects = chart.render(monitoring={"dashboards": {"enabled": True, "labels": {"team": "x"}}})
    found = [o for o in of_kind("ConfigMap", objects) if "grafana_dashboard" in o["metadata"]["labels"]]
    assert [list(o["data"]) for o in found] == sorted([f"{d.name}.json"] for d in all_dashboards())
    assert all(o["metadata"]["labels"].items() >= {"grafana_dashboard": "1", "team": "x"}.items() for o in found)
    texts = {name: text for o in found for name, text in o["data"].items()}
    assert {name: json.loads(text)["uid"] for name, text in texts.items()} == {
        f"{d.name}.json": f"loci-{d.name}" for d in all_dashboards()
    }
    assert of_kind("ConfigMap", chart.render()) == [o for o in of_kind("ConfigMap", objects) if o not in found]


def test_rules_and_monitors_can_be_left_out() -> None:
    off = {"rules": {"enabled": False}, "podMonitors": {"enabled": False}}
    objects = chart.render(*OPERATED, monitoring=off)
    assert of_kind("PrometheusRule", objects) + of_kind("PodMonitor", objects) == []
