"""The chart on a real API server: it is taken whole, and upgrades roll what must be rolled and nothing else."""

import base64
import json
from typing import Any

from loci_contract import keys
from loci_dev import chart
from loci_dev.cluster.controlplane import ControlPlane


def generations(plane: ControlPlane) -> dict[str, int]:
    """Deployment -> its generation, which grows with each change to its spec."""
    listed = json.loads(plane.kubectl("get", "deployments", "-n", "loci-system", "-o", "json"))
    return {item["metadata"]["name"]: item["metadata"]["generation"] for item in listed["items"]}


def rolled(plane: ControlPlane, **values: Any) -> set[str]:
    """The Deployments that installing the chart with these values changes."""
    before = generations(plane)
    chart.install(plane.kubeconfig, **values)
    return {name for name, generation in generations(plane).items() if generation != before[name]}


def held(plane: ControlPlane, secret: str) -> dict[str, str]:
    document = json.loads(plane.kubectl("get", "secret", secret, "-n", "loci-system", "-o", "json"))
    return {name: base64.b64decode(text).decode() for name, text in document["data"].items()}


def put_secret(plane: ControlPlane, name: str, **entries: str) -> None:
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": entries}
    plane.kubectl("apply", "-n", "loci-system", "-f", "-", stdin=json.dumps(document))


def test_a_real_api_server_takes_every_variant(plane: ControlPlane, values: dict[str, Any]) -> None:
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": chart.render(**values)})
    options = ["--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server"]
    plane.kubectl("apply", *options, "-f", "-", stdin=document)


def test_an_upgrade_keeps_generated_secrets_and_rolls_nothing(plane: ControlPlane) -> None:
    chart.install(plane.kubeconfig)
    before = [held(plane, name) for name in ("loci-admin-key", "loci-redis")]
    assert rolled(plane) == set()
    assert [held(plane, name) for name in ("loci-admin-key", "loci-redis")] == before


def test_a_new_admin_key_reaches_those_who_check_it(plane: ControlPlane) -> None:
    chart.install(plane.kubeconfig)
    put_secret(plane, "loci-admin-key", key="a-new-key")
    assert rolled(plane) == {"loci-admin", "loci-ingress"}
    assert held(plane, "loci-admin-key") == {"key": "a-new-key", "sha256": keys.sha256("a-new-key")}


def test_a_new_redis_password_reaches_both_sides(plane: ControlPlane) -> None:
    chart.install(plane.kubeconfig)
    plane.kubectl("delete", "secret", "loci-redis", "-n", "loci-system")
    assert rolled(plane) == {"loci-ingress", "loci-redis"}


def test_a_change_of_an_existing_secret_is_noticed(plane: ControlPlane) -> None:
    values = {"redis": {"existingSecret": "my-redis"}}
    put_secret(plane, "my-redis", password="one", url="redis://:one@loci-redis:6379/0")
    chart.install(plane.kubeconfig, **values)
    assert rolled(plane, **values) == set()
    put_secret(plane, "my-redis", password="two", url="redis://:two@loci-redis:6379/0")
    assert rolled(plane, **values) == {"loci-ingress", "loci-redis"}
