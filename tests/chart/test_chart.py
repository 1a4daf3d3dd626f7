"""The chart: what it renders is what a real API server takes, and every pod is locked down."""

import json
from pathlib import Path
from typing import Any

import pytest

from loci_dev import chart
from loci_dev.cluster.controlplane import control_plane

VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "no network policies": {"networkPolicy": {"enabled": False}},
    "own redis": {"redis": {"enabled": False, "existingSecret": "my-redis"}},
    "own admin key": {"admin": {"existingSecret": "my-admin-key"}},
    "many replicas": {"ingress": {"replicas": 3, "service": {"type": "LoadBalancer"}}, "embedder": {"replicas": 2}},
    "by digest": {"image": {"digest": "sha256:" + "0" * 64}},
}


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Deployment"}


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_pod_meets_the_restricted_standard(values: dict[str, Any]) -> None:
    found = pods(chart.render(**values))
    assert found
    for spec in found.values():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


def test_only_processes_that_ask_the_api_server_get_a_token() -> None:
    found = pods(chart.render())
    with_token = {name for name, spec in found.items() if spec.get("automountServiceAccountToken", True)}
    assert with_token == {"loci-operator", "loci-admin", "loci-ingress"}


def test_no_secret_is_on_a_command_line_or_in_a_config_map() -> None:
    objects = chart.render()
    secrets = [value for o in objects if o["kind"] == "Secret" for value in o["stringData"].values()]
    assert len(secrets) == 4
    others = json.dumps([o for o in objects if o["kind"] != "Secret"])
    assert [secret for secret in secrets if secret in others] == []


def test_the_operator_is_told_what_tenants_need_to_know_of_the_cluster() -> None:
    objects = chart.render(clusterDomain="k8s.example", networkPolicy={"prometheusNamespace": "observability"})
    told = {e["name"]: e["value"] for e in pods(objects)["loci-operator"]["containers"][0]["env"]}
    assert told["LOCI_CLUSTER_DOMAIN"] == "k8s.example"
    assert told["LOCI_PROMETHEUS_NAMESPACE"] == "observability"


def test_a_digest_wins_over_a_tag() -> None:
    spec = pods(chart.render(image={"digest": "sha256:" + "0" * 64, "tag": "other"}))["loci-admin"]
    assert spec["containers"][0]["image"].endswith("/loci@sha256:" + "0" * 64)


def test_a_real_api_server_takes_every_variant(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane:
        plane.kubectl("create", "namespace", "loci-system")
        for values in VARIANTS.values():
            objects = chart.render(**values)
            for kinds in ({"CustomResourceDefinition"}, {o["kind"] for o in objects} - {"CustomResourceDefinition"}):
                chosen = [o for o in objects if o["kind"] in kinds]
                document = json.dumps({"apiVersion": "v1", "kind": "List", "items": chosen})
                plane.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", stdin=document)
                if "CustomResourceDefinition" in kinds:
                    plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=30s")
